import Foundation
import SAML

/// An identity provider whose signatures `xmlsec1` makes.
final class TestProvider: Sendable {
    /// Where the program is; nil where it is not installed.
    static let program = ["/usr/bin/xmlsec1", "/opt/homebrew/bin/xmlsec1", "/usr/local/bin/xmlsec1"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }
    static let shared = Task { try TestProvider("https://idp.example/metadata") }
    static let other = Task { try TestProvider("https://idp.example/metadata") }

    static let service = ServiceProvider(
        entityID: "urn:auth0:tenant:saml", consumerURL: "https://login.example/login/callback?connection=saml")
    /// The moment of all tests, and the request that they answer.
    static let now = Date(timeIntervalSince1970: 1_800_000_000)
    static let requestID = "_request"

    private let folder: URL
    let entityID: String

    struct Failed: Error { let log: String }

    init(_ entityID: String) throws {
        self.entityID = entityID
        folder = FileManager.default.temporaryDirectory.appending(path: "portico-saml-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        _ = try Self.run(
            "/usr/bin/env",
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=idp"]
                + ["-keyout", path("key.pem"), "-out", path("certificate.pem")])
    }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    var pem: String { get throws { try String(contentsOfFile: path("certificate.pem"), encoding: .utf8) } }

    func described() throws -> IdentityProvider {
        let provider = IdentityProvider(
            entityID: entityID, signInURL: "https://idp.example/sso", binding: .redirect,
            certificates: [try Certificate(pem)])
        guard let provider else { throw Failed(log: "no certificate") }
        return provider
    }

    /// What `xmlsec1` makes of a document with an empty signature: the one that comes last in it where there are several.
    func signed(_ document: String, in node: String = "Assertion") throws -> String {
        let file = path("\(UUID().uuidString).xml")
        try document.write(toFile: file, atomically: true, encoding: .utf8)
        let space = node == "Assertion" ? "assertion" : "protocol"
        let arguments = [
            "--sign", "--privkey-pem", path("key.pem") + "," + path("certificate.pem"), "--id-attr:ID",
            "urn:oasis:names:tc:SAML:2.0:\(space):\(node)", "--node-xpath",
            "/*[local-name()='\(node)']/*[local-name()='Signature'] | /*/*[local-name()='\(node)']/*[local-name()='Signature']",
            file,
        ]
        return try Self.run(Self.program ?? "xmlsec1", arguments)
    }

    /// Whether `xmlsec1` finds the signature of a request valid for a certificate.
    func verifies(_ document: String) throws -> Bool {
        let file = path("\(UUID().uuidString).xml")
        try document.write(toFile: file, atomically: true, encoding: .utf8)
        let arguments = [
            "--verify", "--pubkey-cert-pem", path("certificate.pem"), "--id-attr:ID",
            "urn:oasis:names:tc:SAML:2.0:protocol:AuthnRequest", file,
        ]
        return (try? Self.run(Self.program ?? "xmlsec1", arguments)) != nil
    }

    /// RSA with SHA-256, by the program `openssl`.
    func signature(_ message: [UInt8]) throws -> [UInt8] {
        let (file, result) = (path(UUID().uuidString), path(UUID().uuidString))
        try Data(message).write(to: URL(filePath: file))
        _ = try Self.run(
            "/usr/bin/env", ["openssl", "dgst", "-sha256", "-sign", path("key.pem"), "-out", result, file])
        return Array(try Data(contentsOf: URL(filePath: result)))
    }

    static func run(_ program: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        let (output, errors) = (Pipe(), FileManager.default.temporaryDirectory.appending(path: UUID().uuidString))
        _ = FileManager.default.createFile(atPath: errors.path, contents: nil)
        defer { try? FileManager.default.removeItem(at: errors) }
        (process.standardOutput, process.standardError) = (output, try FileHandle(forWritingTo: errors))
        try process.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failed(log: (try? String(contentsOf: errors, encoding: .utf8)) ?? "")
        }
        return text
    }
}

/// A response as a provider writes it, before it is signed.
struct TestResponse {
    var destination: String? = TestProvider.service.consumerURL
    var inResponseTo: String? = TestProvider.requestID
    var status = #"<p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>"#
    var issuer = "https://idp.example/metadata"
    var nameID = #"<a:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">jane-1</a:NameID>"#
    var confirmation = Self.confirmation()
    var conditions = Self.conditions()
    var statement = #"<a:AuthnStatement AuthnInstant="2027-01-15T07:59:30.1234567Z" SessionIndex="s1"/>"#
    var email = "jane@example.org"
    var signatureOfResponse = ""
    var signatureOfAssertion = Self.signature("_assertion")

    // The moment of the tests is 2027-01-15T08:00:00Z.
    static func confirmation(
        method: String = "bearer", recipient: String = TestProvider.service.consumerURL, end: String = "08:05:00",
        request: String = TestProvider.requestID, more: String = ""
    ) -> String {
        """
        <a:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:\(method)"><a:SubjectConfirmationData \
        InResponseTo="\(request)" NotOnOrAfter="2027-01-15T\(end)Z" Recipient="\(recipient)"\(more)/>\
        </a:SubjectConfirmation>
        """
    }

    static func conditions(
        start: String = "07:55:00", end: String = "08:05:00", audience: String? = TestProvider.service.entityID,
        more: String = ""
    ) -> String {
        let restriction = audience.map {
            "<a:AudienceRestriction><a:Audience>\($0)</a:Audience></a:AudienceRestriction>"
        }
        return """
            <a:Conditions NotBefore="2027-01-15T\(start)Z" NotOnOrAfter="2027-01-15T\(end)Z">\(restriction ?? "")\(more)\
            </a:Conditions>
            """
    }

    static func signature(
        _ id: String, method: String = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        digest: String = "http://www.w3.org/2001/04/xmlenc#sha256", uri: String? = nil,
        transforms: String = exclusive
    ) -> String {
        """
        <ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo><ds:CanonicalizationMethod \
        Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/><ds:SignatureMethod Algorithm="\(method)"/>\
        <ds:Reference URI="\(uri ?? "#" + id)"><ds:Transforms>\(transforms)</ds:Transforms>\
        <ds:DigestMethod Algorithm="\(digest)"/><ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/>\
        <ds:KeyInfo><ds:X509Data/></ds:KeyInfo></ds:Signature>
        """
    }

    static let enveloped =
        #"<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>"#
    static let exclusive = enveloped + #"<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>"#

    var assertion: String {
        """
        <a:Assertion xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:xs="http://www.w3.org/2001/XMLSchema" \
        ID="_assertion" IssueInstant="2027-01-15T08:00:00Z" Version="2.0"><a:Issuer>\(issuer)</a:Issuer>\
        \(signatureOfAssertion)<a:Subject>\(nameID)\(confirmation)</a:Subject>\(conditions)\(statement)\
        <a:AttributeStatement><a:Attribute Name="email"><a:AttributeValue \
        xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">\(email)</a:AttributeValue>\
        </a:Attribute></a:AttributeStatement></a:Assertion>
        """
    }

    var text: String {
        let parts = [destination.map { "Destination=\"\($0)\"" }, inResponseTo.map { "InResponseTo=\"\($0)\"" }]
        return """
            <p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" \(parts.compactMap { $0 }.joined(separator: " ")) \
            ID="_response" IssueInstant="2027-01-15T08:00:00Z" Version="2.0"><a:Issuer \
            xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion">\(issuer)</a:Issuer>\(signatureOfResponse)\
            <p:Status>\(status)</p:Status>\(assertion)</p:Response>
            """
    }
}
