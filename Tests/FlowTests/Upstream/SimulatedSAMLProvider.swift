import AuthorizationServer
import Crypto
import Foundation
import OAuth
import Storage
import TestSupport

/// A provider of SAML 2.0 that a test makes up. What it writes is in its canonical form already, so that nothing has to be
/// brought into one.
struct SimulatedSAMLProvider {
    static let entityID = "https://idp.example/metadata"
    static let callback = "https://login.example.com/login/callback?connection=corporate"
    static let audience = "https://login.example.com/samlp/metadata?connection=corporate"
    let certificate: TestCertificate

    init() throws { certificate = try TestCertificate([("CN", "idp.example")]) }

    /// The usual tenant with the connection `corporate`.
    func fixtures(_ options: JSONObject = [:]) -> Fixtures {
        var fixtures = Fixtures()
        var connection = Connection(id: "con_saml000000000000", name: "corporate", strategy: "samlp")
        connection.enabledClients = ["regular-web-app"]
        connection.options = [
            "signInEndpoint": "https://idp.example/sso", "signingCert": .string(certificate.pem),
            "issuer": .string(Self.entityID),
        ].merging(options) { $1 }.filter { $0.value != .null }
        fixtures.connections.append(connection)
        return fixtures
    }

    /// The provider's own description of itself.
    func metadata(entityID: String = Self.entityID) -> String {
        """
        <md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="\(entityID)">\
        <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">\
        <md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>\
        <ds:X509Certificate>\(Data(certificate.der).base64EncodedString())</ds:X509Certificate></ds:X509Data>\
        </ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService \
        Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example/sso"/>\
        </md:IDPSSODescriptor></md:EntityDescriptor>
        """
    }

    /// An answer, as a form has it.
    /// - Parameters:
    ///   - request: the request that it answers; nil for one that nobody has asked for.
    ///   - bearer: the request in its confirmation, where that is another one.
    ///   - key: whose the assertion is to read alone; nil for one that is not encrypted.
    func response(
        _ server: TestServer, user: String = "jane-1", request: String? = nil, bearer: String?? = nil,
        id: String = "_" + RandomBytes.hexadecimal(20), encryptedFor key: SigningKeyPair? = nil
    ) throws -> String {
        let now = server.clock.now
        let text = { (offset: TimeInterval) in now.addingTimeInterval(offset).formatted(.iso8601) }
        let answered = { (id: String?) in id.map { #" InResponseTo="\#($0)""# } ?? "" }
        let head = """
            <saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="\(id)" IssueInstant="\(text(0))" \
            Version="2.0"><saml:Issuer>\(Self.entityID)</saml:Issuer>
            """
        let data =
            (answered(bearer ?? request) + #" NotOnOrAfter="\#(text(300))" Recipient="\#(Self.callback)""#).dropFirst()
        let rest = """
            <saml:Subject><saml:NameID>\(user)</saml:NameID><saml:SubjectConfirmation \
            Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData \(data)>\
            </saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject><saml:Conditions \
            NotBefore="\(text(-60))" NotOnOrAfter="\(text(300))"><saml:AudienceRestriction><saml:Audience>\
            \(Self.audience)</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement \
            AuthnInstant="\(text(-30))"></saml:AuthnStatement></saml:Assertion>
            """
        let plain = head + (try signature(of: head + rest, id: id)) + rest
        let assertion =
            try key.map { key in
                let space = "urn:oasis:names:tc:SAML:2.0:assertion"
                return "<saml:EncryptedAssertion xmlns:saml=\"\(space)\">"
                    + (try EncryptedElement.text(plain, for: key)) + "</saml:EncryptedAssertion>"
            } ?? plain
        let document = """
            <samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" Destination="\(Self.callback)" \
            ID="_r\(id)"\(answered(request)) IssueInstant="\(text(0))" Version="2.0"><samlp:Status><samlp:StatusCode \
            Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>\(assertion)</samlp:Response>
            """
        return Data(document.utf8).base64EncodedString()
    }

    private func signature(of assertion: String, id: String) throws -> String {
        let (space, canonical) = ("http://www.w3.org/2000/09/xmldsig#", "http://www.w3.org/2001/10/xml-exc-c14n#")
        let digest = Data(SHA256.hash(data: Data(assertion.utf8))).base64EncodedString()
        let content = """
            <ds:CanonicalizationMethod Algorithm="\(canonical)"></ds:CanonicalizationMethod><ds:SignatureMethod \
            Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"></ds:SignatureMethod><ds:Reference \
            URI="#\(id)"><ds:Transforms><ds:Transform Algorithm="\(space)enveloped-signature"></ds:Transform>\
            <ds:Transform Algorithm="\(canonical)"></ds:Transform></ds:Transforms><ds:DigestMethod \
            Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>\(digest)\
            </ds:DigestValue></ds:Reference></ds:SignedInfo>
            """
        let info = #"<ds:SignedInfo xmlns:ds="\#(space)">"# + content
        let value = try certificate.privateKey.signature(for: Data(info.utf8)).rawRepresentation.base64EncodedString()
        return """
            <ds:Signature xmlns:ds="\(space)"><ds:SignedInfo>\(content)<ds:SignatureValue>\(value)</ds:SignatureValue>\
            </ds:Signature>
            """
    }
}
