import CLibXML2
import Foundation

/// A document of somebody else's, as libxml2 has read it: UTF-8, of bounded size and depth, without a document type, so that
/// no entity is expanded and nothing else is read. It is never changed.
final class Markup {
    /// Why a text is no document to be looked at.
    struct Problem: Error, Sendable, CustomStringConvertible {
        let description: String
    }

    private let document: xmlDocPtr
    let root: Element

    /// Bytes that a document may have; metadata is the longest.
    static let mostBytes = 1 << 20

    private static let isReady: Bool = {
        xmlInitParser()
        return true
    }()

    /// - Parameter allowsComments: whether comments and processing instructions are overlooked. In what is signed there are
    ///   none: a text that one of them cuts in two reads differently for different readers.
    /// - Throws: ``Problem``.
    init(_ bytes: [UInt8], allowsComments: Bool = false) throws(Problem) {
        guard Self.isReady, bytes.count <= Self.mostBytes, let text = String(validating: bytes, as: UTF8.self),
            !bytes.contains(0)
        else { throw Problem(description: "it is not UTF-8, or longer than \(Self.mostBytes / 1024) KiB") }
        guard !text.contains("<!DOCTYPE"), !text.contains("<!ENTITY") else {
            throw Problem(description: "it has a document type, and could have entities")
        }
        // The encoding that is given is not the one that the text claims.
        let options =
            XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue
            | XML_PARSE_NOCDATA.rawValue
        let parsed = bytes.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { buffer in
                xmlReadMemory(buffer.baseAddress, Int32(buffer.count), nil, "UTF-8", Int32(options))
            }
        }
        guard let parsed else { throw Problem(description: "it is not well-formed XML") }
        guard parsed.pointee.intSubset == nil, parsed.pointee.extSubset == nil, let top = xmlDocGetRootElement(parsed)
        else {
            xmlFreeDoc(parsed)
            throw Problem(description: "it has a document type, or no element")
        }
        (document, root) = (parsed, Element(node: top))
        try check(allowsComments: allowsComments)
    }

    deinit { xmlFreeDoc(document) }

    /// Nothing but elements and texts, and no identifier twice.
    private func check(allowsComments: Bool) throws(Problem) {
        var identifiers: Set<String> = []
        var pending = Array(Element.siblings(from: document.pointee.children))
        while let node = pending.popLast() {
            switch node.pointee.type {
            case XML_ELEMENT_NODE:
                for attribute in Element(node: node).attributes
                where ["id", "xml:id"].contains(attribute.name.lowercased()) {
                    guard !attribute.value.isEmpty, identifiers.insert(attribute.value).inserted else {
                        throw Problem(description: "an identifier is in it twice")
                    }
                }
                pending += Element.siblings(from: node.pointee.children)
            case XML_TEXT_NODE: break
            case XML_COMMENT_NODE, XML_PI_NODE:
                if !allowsComments { throw Problem(description: "there are comments or instructions in it") }
            default: throw Problem(description: "there is something else than elements and text in it")
            }
        }
    }

    // MARK: Canonical form

    /// What a canonical form is made of.
    private struct Selection {
        let apex: xmlNodePtr
        let without: xmlNodePtr?
    }

    /// `element` and what is in it, as [Exclusive XML Canonicalization](https://www.w3.org/TR/xml-exc-c14n/) writes it.
    /// - Parameters:
    ///   - without: an element in it that is left out with all that it contains.
    ///   - prefixes: namespace prefixes that are treated inclusively, `#default` among them.
    func canonical(_ element: Element, without: Element? = nil, prefixes: [String] = []) -> [UInt8]? {
        guard let buffer = xmlBufferCreate() else { return nil }
        defer { xmlBufferFree(buffer) }
        guard let output = xmlOutputBufferCreateBuffer(buffer, nil) else { return nil }
        let copies = prefixes.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        var names =
            copies.map { copy in
                copy.map { UnsafeMutableRawPointer($0).assumingMemoryBound(to: xmlChar.self) }
            } + [nil]
        var selection = Selection(apex: element.node, without: without?.node)
        let status = xmlC14NExecute(
            document,
            { data, node, parent in
                guard let selection = data?.assumingMemoryBound(to: Selection.self).pointee else { return 0 }
                // A namespace is no node with a parent; what it belongs to is told beside it.
                var position = node?.pointee.type == XML_NAMESPACE_DECL ? parent : node
                while let this = position {
                    if this == selection.without { return 0 }
                    if this == selection.apex { return 1 }
                    position = this.pointee.parent
                }
                return 0
            }, &selection, Int32(XML_C14N_EXCLUSIVE_1_0.rawValue), &names, 0, output)
        guard xmlOutputBufferClose(output) >= 0, status >= 0, let content = xmlBufferContent(buffer) else { return nil }
        return Array(UnsafeBufferPointer(start: content, count: Int(xmlBufferLength(buffer))))
    }
}
