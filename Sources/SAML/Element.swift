import CLibXML2

/// An element of a ``Markup``, which must outlive it.
struct Element {
    let node: xmlNodePtr

    /// The namespaces that SAML is written in.
    enum Namespace: String {
        case protocols = "urn:oasis:names:tc:SAML:2.0:protocol"
        case assertion = "urn:oasis:names:tc:SAML:2.0:assertion"
        case metadata = "urn:oasis:names:tc:SAML:2.0:metadata"
        case signature = "http://www.w3.org/2000/09/xmldsig#"
        case canonical = "http://www.w3.org/2001/10/xml-exc-c14n#"
        case encryption = "http://www.w3.org/2001/04/xmlenc#"
        case encryption11 = "http://www.w3.org/2009/xmlenc11#"
    }

    static func siblings(from first: xmlNodePtr?) -> some Sequence<xmlNodePtr> {
        sequence(state: first) { (next: inout xmlNodePtr?) in
            defer { next = next?.pointee.next }
            return next
        }
    }

    func isNamed(_ name: String, _ namespace: Namespace) -> Bool {
        node.pointee.name.map { String(cString: $0) } == name
            && node.pointee.ns?.pointee.href.map { String(cString: $0) } == namespace.rawValue
    }

    /// The elements directly below, in order.
    var children: [Element] {
        Self.siblings(from: node.pointee.children).filter { $0.pointee.type == XML_ELEMENT_NODE }.map(Element.init)
    }

    func children(_ name: String, _ namespace: Namespace) -> [Element] {
        children.filter { $0.isNamed(name, namespace) }
    }

    /// The one element with the name; nil where there is none, or several.
    func only(_ name: String, _ namespace: Namespace) -> Element? {
        let found = children(name, namespace)
        return found.count == 1 ? found.first : nil
    }

    /// How many elements anywhere below have the name.
    func count(_ name: String, _ namespace: Namespace) -> Int {
        children.reduce(0) { $0 + ($1.isNamed(name, namespace) ? 1 : 0) + $1.count(name, namespace) }
    }

    /// The attributes with the names as they are written, prefixes included.
    var attributes: [(name: String, value: String)] {
        sequence(state: node.pointee.properties) { (next: inout UnsafeMutablePointer<_xmlAttr>?) in
            defer { next = next?.pointee.next }
            return next
        }.compactMap { attribute -> (name: String, value: String)? in
            guard let name = attribute.pointee.name else { return nil }
            let prefix = attribute.pointee.ns?.pointee.prefix.map { String(cString: $0) + ":" } ?? ""
            return (prefix + String(cString: name), Self.text(attribute.pointee.children))
        }
    }

    /// An attribute without a prefix.
    subscript(attribute: String) -> String? { attributes.first { $0.name == attribute }?.value }

    /// The text in the element, without blanks around it; nil where it contains elements.
    var text: String? {
        guard children.isEmpty else { return nil }
        let text = Self.text(node.pointee.children)
        let isBlank = { (scalar: Unicode.Scalar) in [" ", "\t", "\r", "\n"].contains(scalar) }
        var trimmed = text.unicodeScalars[...]
        trimmed = trimmed.drop(while: isBlank)
        while let last = trimmed.last, isBlank(last) { trimmed.removeLast() }
        return String(trimmed)
    }

    private static func text(_ first: xmlNodePtr?) -> String {
        siblings(from: first).filter { $0.pointee.type == XML_TEXT_NODE }
            .compactMap { $0.pointee.content.map { String(cString: $0) } }.joined()
    }
}
