import Foundation

/// The signature of an element within it ([XML Signature](https://www.w3.org/TR/xmldsig-core1/)), in the only form that SAML
/// has (Core §5.4): of that very element, by its `ID`, without the signature itself, in exclusive canonical form. What else
/// the specification allows is refused, so that what is verified is what is read.
struct EnvelopedSignature {
    /// Why a signature does not count.
    struct Problem: Error, Sendable, CustomStringConvertible {
        let description: String
    }

    private let markup: Markup
    private let signed, signature, info: Element
    private let method: SignatureMethod
    private let digest: DigestMethod
    private let prefixes, infoPrefixes: [String]
    private let digestValue, value: [UInt8]

    private static let enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
    private static let exclusive = Set(["", "WithComments"].map { Element.Namespace.canonical.rawValue + $0 })

    /// Each prefix is looked for at every element, and by whoever sends a document: nobody's list is long.
    private static let (mostPrefixes, mostPrefixBytes) = (16, 64)

    /// - Returns: nil where the element is not signed.
    /// - Throws: ``Problem`` where its signature is of another form.
    init?(of signed: Element, in markup: Markup, allowsSHA1: Bool) throws(Problem) {
        let signatures = signed.children("Signature", .signature)
        guard let signature = signatures.first else { return nil }
        guard signatures.count == 1, let id = signed["ID"], !id.isEmpty else {
            throw Problem(description: "an element with several signatures, or without an ID")
        }
        let parts = signature.children
        guard (2...3).contains(parts.count), parts[0].isNamed("SignedInfo", .signature),
            parts[1].isNamed("SignatureValue", .signature),
            parts.dropFirst(2).allSatisfy({ $0.isNamed("KeyInfo", .signature) })
        else { throw Problem(description: "a signature with other parts than SignedInfo, SignatureValue and KeyInfo") }
        let items = parts[0].children
        guard items.count == 3, items[0].isNamed("CanonicalizationMethod", .signature),
            items[1].isNamed("SignatureMethod", .signature), items[2].isNamed("Reference", .signature)
        else { throw Problem(description: "a signature of something else than one reference") }
        guard Self.exclusive.contains(items[0]["Algorithm"] ?? "") else {
            throw Problem(description: "a canonical form that is not exclusive")
        }
        guard let method = items[1]["Algorithm"].flatMap(SignatureMethod.init(rawValue:)), items[1].children.isEmpty
        else {
            throw Problem(description: "a signature method that is not accepted")
        }
        let reference = items[2]
        guard reference["URI"] == "#" + id else {
            throw Problem(description: "a signature of another element than the one that it is in")
        }
        let steps = reference.children
        guard steps.count == 3, steps[0].isNamed("Transforms", .signature),
            steps[1].isNamed("DigestMethod", .signature), steps[2].isNamed("DigestValue", .signature),
            let digest = steps[1]["Algorithm"].flatMap(DigestMethod.init(rawValue:))
        else { throw Problem(description: "a reference without transforms, or with a digest that is not accepted") }
        let transforms = steps[0].children
        guard transforms.count == 2, transforms.allSatisfy({ $0.isNamed("Transform", .signature) }),
            transforms[0]["Algorithm"] == Self.enveloped, transforms[0].children.isEmpty,
            Self.exclusive.contains(transforms[1]["Algorithm"] ?? "")
        else {
            throw Problem(description: "other transforms than the enveloped signature's and exclusive canonical form")
        }
        guard allowsSHA1 || method.digest != .sha1 && digest != .sha1 else {
            throw Problem(description: "a signature with SHA-1, which the connection does not accept")
        }
        guard let digestValue = Self.bytes(steps[2]), let value = Self.bytes(parts[1]) else {
            throw Problem(description: "a signature whose values are not base64")
        }
        (self.markup, self.signed, self.signature, info) = (markup, signed, signature, parts[0])
        (self.method, self.digest, self.digestValue, self.value) = (method, digest, digestValue, value)
        (infoPrefixes, prefixes) = (try Self.prefixes(items[0]), try Self.prefixes(transforms[1]))
    }

    /// Whether the element is as it was signed, by one of the keys. What is long is looked at last, once it is known who has
    /// sent it.
    func isValid(for certificates: [Certificate]) -> Bool {
        guard let message = markup.canonical(info, prefixes: infoPrefixes),
            certificates.contains(where: { $0.verifies(value, of: message, method) }),
            let content = markup.canonical(signed, without: signature, prefixes: prefixes)
        else { return false }
        return !digestValue.isEmpty && digest.hash(content) == digestValue
    }

    private static func bytes(_ element: Element) -> [UInt8]? {
        element.text.flatMap { Data(base64Encoded: $0, options: .ignoreUnknownCharacters) }.map { Array($0) }
    }

    private static func prefixes(_ method: Element) throws(Problem) -> [String] {
        let parameters = method.children
        guard parameters.count <= 1, parameters.allSatisfy({ $0.isNamed("InclusiveNamespaces", .canonical) }) else {
            throw Problem(description: "a canonical form with unknown parameters")
        }
        let listed = parameters.first?["PrefixList"]?.split { $0 == " " || $0.isNewline || $0 == "\t" } ?? []
        let prefixes = Set(listed.map(String.init))
        guard prefixes.count <= mostPrefixes, prefixes.allSatisfy({ $0.utf8.count <= mostPrefixBytes }) else {
            throw Problem(description: "a canonical form with more or longer prefixes than any provider's")
        }
        return prefixes.sorted()
    }
}
