import Foundation
import OAuth

/// The public keys of a client, which prove its assertions and request objects: Auth0's credentials in PEM, and the
/// `jwks` or `jwks_uri` of [RFC 7591 §2](https://www.rfc-editor.org/rfc/rfc7591#section-2).
package struct ClientKeys: Sendable, Hashable {
    /// Auth0's `client_authentication_methods.private_key_jwt.credentials`.
    package var credentials: [Credential] = []
    /// Auth0's credentials that are registered and not in use yet, or no longer.
    package var unused: [Credential] = []
    /// The set itself, with its member `keys`.
    package var set: JSONObject?
    /// Where the client publishes its set; https.
    package var setURI: String?
    /// The one algorithm that the client's assertions are signed with; nil for each that fits.
    package var assertionAlgorithm: JWSAlgorithm?
    /// What the client proves with certificates.
    package var mutualTLS = MutualTLSSettings()

    /// A public key as Auth0 registers it.
    package struct Credential: Sendable, Hashable {
        package var id: String?
        package var name: String?
        package var pem: String
        package var algorithm: JWSAlgorithm
        package var keyID: String?
        package var expiresAt: Date?

        package init(pem: String, algorithm: JWSAlgorithm = .rs256, keyID: String? = nil, expiresAt: Date? = nil) {
            (self.pem, self.algorithm, self.keyID, self.expiresAt) = (pem, algorithm, keyID, expiresAt?.storable)
        }
    }

    package init() {}

    /// Every credential, in use or not.
    package var all: [Credential] { credentials + unused }
    /// The method that Auth0's credentials declare; nil where there are none.
    package var declaredMethod: ClientAuthenticationMethod? {
        if !credentials.isEmpty { return .privateKeyJWT }
        if !mutualTLS.subjects.isEmpty { return .tlsClientAuth }
        return mutualTLS.certificates.isEmpty ? nil : .selfSignedTLSClientAuth
    }

    /// What is missing for a client that proves itself by `method`; nil where nothing is.
    package func lack(for method: ClientAuthenticationMethod) -> String? {
        switch method {
        case .none, .clientSecretPost, .clientSecretBasic, .clientSecretJWT: nil
        case .privateKeyJWT:
            isEmpty ? "private_key_jwt needs keys: give jwks_uri, jwks or client_authentication_methods" : nil
        case .tlsClientAuth:
            mutualTLS.subjects.isEmpty && mutualTLS.expectedName == nil
                ? "tls_client_auth needs a name: give tls_client_auth_subject_dn, tls_client_auth_san_dns, _uri, _ip or "
                    + "_email, or client_authentication_methods"
                : nil
        case .selfSignedTLSClientAuth:
            mutualTLS.certificates.isEmpty && set == nil && setURI == nil
                ? "self_signed_tls_client_auth needs certificates: give jwks_uri or jwks with x5c, or "
                    + "client_authentication_methods"
                : nil
        }
    }

    /// Whether there is any key, or a place to find some.
    package var isEmpty: Bool { credentials.isEmpty && set == nil && setURI == nil }
}

extension ClientKeys {
    /// Takes the keys out of a client's document.
    /// - Throws: ``Document/Problem`` for a member with a wrong value.
    package init(from document: inout Document) throws(Document.Problem) {
        var methods = try document.document("client_authentication_methods")
        if var method = try methods?.document("private_key_jwt") {
            credentials = try Self.credentials(&method)
            _ = try method.remaining(known: [])
        }
        unused = try Self.credentials(&document)
        mutualTLS = try MutualTLSSettings(from: &document, methods: &methods)
        let declared = [credentials.isEmpty, mutualTLS.subjects.isEmpty, mutualTLS.certificates.isEmpty]
        guard declared.count(where: { !$0 }) < 2 else {
            throw document.problem("client_authentication_methods", "must have one method, and not several")
        }
        _ = try methods?.remaining(known: [])
        set = try document.object("jwks")
        setURI = try document.string("jwks_uri", most: 2048)
        guard set == nil || setURI == nil else { throw document.problem("jwks", "excludes jwks_uri; give one of them") }
        if let setURI, RedirectURI(setURI).map({ !$0.isAskable }) ?? true {
            throw document.problem("jwks_uri", "must be an absolute https address")
        }
        assertionAlgorithm = try document.oneOf("token_endpoint_auth_signing_alg", JWSAlgorithm.self)
    }

    /// Auth0 allows two at most: the present key and the next.
    static func credentials(_ document: inout Document) throws(Document.Problem) -> [Credential] {
        let documents = try document.documents("credentials") ?? []
        guard documents.count <= 2 else { throw document.problem("credentials", "must have at most two") }
        var credentials: [Credential] = []
        for var entry in documents { credentials.append(try credential(&entry)) }
        return credentials
    }

    /// One credential.
    /// - Throws: ``Document/Problem`` for a member with a wrong value.
    package static func credential(_ entry: inout Document) throws(Document.Problem) -> Credential {
        guard let pem = try entry.string("pem", most: 8192) else {
            throw entry.problem("pem", "is required: the public key, which exports leave out")
        }
        var credential = Credential(
            pem: pem, algorithm: try entry.oneOf("alg", JWSAlgorithm.self) ?? .rs256,
            keyID: try entry.string("kid", most: 255), expiresAt: try date(&entry, "expires_at"))
        guard credential.algorithm.family != .secret else { throw entry.problem("alg", "must be one for public keys") }
        (credential.id, credential.name) = (try entry.string("id", most: 255), try entry.string("name", most: 255))
        guard try entry.string("credential_type") ?? "public_key" == "public_key" else {
            throw entry.problem("credential_type", "must be public_key")
        }
        _ = try entry.remaining(known: ["created_at", "updated_at", "parse_expiry_from_cert", "thumbprint_sha256"])
        return credential
    }

    /// A time as Auth0 writes it, with or without milliseconds.
    /// - Throws: ``Document/Problem`` for a text of another form.
    package static func date(_ document: inout Document, _ name: String) throws(Document.Problem) -> Date? {
        guard let text = try document.string(name) else { return nil }
        let styles = [Date.ISO8601FormatStyle(), Date.ISO8601FormatStyle(includingFractionalSeconds: true)]
        guard let date = styles.lazy.compactMap({ try? $0.parse(text) }).first else {
            throw document.problem(name, "must be a time such as 2027-01-31T00:00:00.000Z")
        }
        return date
    }

    /// The credentials as Auth0 writes them.
    package static func document(_ credentials: [Credential]) -> JSONValue {
        .array(
            credentials.map { credential in
                var members: JSONObject = [
                    "credential_type": "public_key", "pem": .string(credential.pem),
                    "alg": .string(credential.algorithm.rawValue),
                ]
                members["id"] = credential.id.map(JSONValue.string)
                members["name"] = credential.name.map(JSONValue.string)
                members["kid"] = credential.keyID.map(JSONValue.string)
                members["expires_at"] = credential.expiresAt.map {
                    .string($0.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
                }
                return .object(members)
            })
    }

    /// The members of a client's document.
    package var members: JSONObject {
        var members: JSONObject = [:]
        if !credentials.isEmpty {
            members["client_authentication_methods"] = [
                "private_key_jwt": ["credentials": Self.document(credentials)]
            ]
        }
        if !unused.isEmpty { members["credentials"] = Self.document(unused) }
        var methods = mutualTLS.methods
        if !credentials.isEmpty { methods["private_key_jwt"] = ["credentials": Self.document(credentials)] }
        if !methods.isEmpty { members["client_authentication_methods"] = .object(methods) }
        members.merge(mutualTLS.members) { $1 }
        members["jwks"] = set.map(JSONValue.object)
        members["jwks_uri"] = setURI.map(JSONValue.string)
        members["token_endpoint_auth_signing_alg"] = assertionAlgorithm.map { .string($0.rawValue) }
        return members
    }
}
