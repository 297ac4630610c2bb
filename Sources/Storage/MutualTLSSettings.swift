import Foundation
import OAuth

/// What the certificates of a client's TLS connections prove ([RFC 8705](https://www.rfc-editor.org/rfc/rfc8705)): who the
/// client is, and that an access token is its own. The members are the RFC's, and Auth0's below
/// `client_authentication_methods`.
package struct MutualTLSSettings: Sendable, Hashable {
    /// The subjects of which the client's certificate must have one: Auth0's `tls_client_auth.credentials`.
    package var subjects: [Credential] = []
    /// The certificates of which the client must show one: Auth0's `self_signed_tls_client_auth.credentials`.
    package var certificates: [Credential] = []
    /// The name that the client's certificate must have, RFC 8705 §2.1.2.
    package var expectedName: ExpectedName?
    /// Whether the client's access tokens are bound to its certificate (RFC 8705 §3.4).
    package var bindsAccessTokens = false

    package init() {}

    /// A name that a certificate must have.
    package struct ExpectedName: Sendable, Hashable {
        package var kind: Kind
        package var value: String

        /// Where in the certificate it stands.
        package enum Kind: String, Sendable, CaseIterable {
            case subject = "tls_client_auth_subject_dn"
            case dns = "tls_client_auth_san_dns"
            case uri = "tls_client_auth_san_uri"
            case ip = "tls_client_auth_san_ip"
            case email = "tls_client_auth_san_email"
        }

        package init(_ kind: Kind, _ value: String) { (self.kind, self.value) = (kind, value) }
    }

    /// A subject or certificate as Auth0 registers it.
    package struct Credential: Sendable, Hashable {
        package var id: String?
        package var name: String?
        /// A distinguished name; nil where ``pem`` has it.
        package var subject: String?
        /// A certificate.
        package var pem: String?
        /// The SHA-256 of a certificate, in base64url or hexadecimal.
        package var thumbprint: String?
        package var expiresAt: Date?

        package init(subject: String? = nil, pem: String? = nil, thumbprint: String? = nil) {
            (self.subject, self.pem, self.thumbprint) = (subject, pem, thumbprint)
        }
    }

    /// Auth0's kinds of credential.
    private enum CredentialType: String {
        case subject = "cert_subject_dn"
        case certificate = "x509_cert"
    }

    private static let (authority, selfSigned) = ("tls_client_auth", "self_signed_tls_client_auth")
}

extension MutualTLSSettings {
    /// Takes the settings out of a client's document, and Auth0's out of `methods`.
    init(from document: inout Document, methods: inout Document?) throws(Document.Problem) {
        subjects = try Self.credentials(&methods, Self.authority, .subject)
        certificates = try Self.credentials(&methods, Self.selfSigned, .certificate)
        for kind in ExpectedName.Kind.allCases {
            guard let value = try document.string(kind.rawValue, most: 2048) else { continue }
            guard expectedName == nil, subjects.isEmpty else {
                throw document.problem(
                    kind.rawValue, "is one name too many: a client has one of them (RFC 8705 §2.1.2), or credentials")
            }
            expectedName = ExpectedName(kind, value)
        }
        bindsAccessTokens = try document.bool("tls_client_certificate_bound_access_tokens", default: false)
    }

    private static func credentials(
        _ methods: inout Document?, _ name: String, _ type: CredentialType
    ) throws(Document.Problem) -> [Credential] {
        guard var method = try methods?.document(name) else { return [] }
        let documents = try method.documents("credentials") ?? []
        guard (1...2).contains(documents.count) else {
            throw method.problem("credentials", "must be one or two: the present one and the next")
        }
        _ = try method.remaining(known: [])
        var credentials: [Credential] = []
        for var entry in documents { credentials.append(try Credential(from: &entry, type: type.rawValue)) }
        return credentials
    }

    /// The members of a client's document.
    var members: JSONObject {
        var members: JSONObject = [:]
        if let expectedName { members[expectedName.kind.rawValue] = .string(expectedName.value) }
        if bindsAccessTokens { members["tls_client_certificate_bound_access_tokens"] = true }
        return members
    }

    /// Auth0's members below `client_authentication_methods`.
    var methods: JSONObject {
        var methods: JSONObject = [:]
        for (name, type, credentials) in [
            (Self.authority, CredentialType.subject, subjects), (Self.selfSigned, .certificate, certificates),
        ] where !credentials.isEmpty {
            methods[name] = ["credentials": .array(credentials.map { .object($0.document(type: type.rawValue)) })]
        }
        return methods
    }
}

extension MutualTLSSettings.Credential {
    fileprivate init(from entry: inout Document, type: String) throws(Document.Problem) {
        guard try entry.string("credential_type") ?? type == type else {
            throw entry.problem("credential_type", "must be \(type) here")
        }
        id = try entry.string("id", most: 255)
        name = try entry.string("name", most: 255)
        pem = try entry.string("pem", most: 16_384)
        thumbprint = try entry.string("thumbprint_sha256", most: 100)
        expiresAt = try ClientKeys.date(&entry, "expires_at")
        if type == "cert_subject_dn" {
            subject = try entry.string("subject_dn", most: 2048)
            guard (subject == nil) != (pem == nil) else {
                throw entry.problem("subject_dn", "must be given, or 'pem' with a certificate that has it")
            }
        } else {
            guard pem != nil || thumbprint != nil else {
                throw entry.problem(
                    "pem", "is required: the certificate, which exports leave out, or thumbprint_sha256")
            }
        }
        _ = try entry.remaining(known: ["created_at", "updated_at", "alg", "kid"])
    }

    fileprivate func document(type: String) -> JSONObject {
        var members: JSONObject = ["credential_type": .string(type)]
        members["id"] = id.map(JSONValue.string)
        members["name"] = name.map(JSONValue.string)
        members["subject_dn"] = subject.map(JSONValue.string)
        members["pem"] = pem.map(JSONValue.string)
        members["thumbprint_sha256"] = thumbprint.map(JSONValue.string)
        members["expires_at"] = expiresAt.map {
            .string($0.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
        }
        return members
    }
}
