import OAuth
import Storage

/// `self_signed_tls_client_auth`, [RFC 8705 §2.2](https://www.rfc-editor.org/rfc/rfc8705#section-2.2): the client shows the
/// very certificate that it has registered; who has signed it does not matter.
enum SelfSignedTLSClientProof: ClientProof {
    static let methods: Set<ClientAuthenticationMethod> = [.selfSignedTLSClientAuth]

    static func prove(
        _ credentials: ClientCredentials, of registered: RegisteredClient, _ services: Services
    ) async throws {
        let certificate = try credentials.requireCertificate(registered.client, services)
        let keys = registered.client.keys
        let inCredentials = keys.mutualTLS.certificates.filter { $0.expiresAt.map { $0 > services.now() } ?? true }
            .compactMap { try? $0.certificateThumbprint }
        let set = keys.set.flatMap { try? JSONWebKeySet($0) }
        if certificate.isOne(of: inCredentials + (set?.certificateThumbprints ?? [])) { return }
        if let uri = keys.setURI {
            let keyring = ClientKeyring(services: services, keys: keys, credentials: [])
            // The client may have changed its certificate since the set was fetched.
            for newest in [false, true] {
                let remote: JSONWebKeySet
                do {
                    remote = try await keyring.remote(uri, newest: newest, services.now())
                } catch let problem as ClientKeyring.Problem {
                    throw OAuthError.certificateRefused(problem.description, hint: "Publish the set with x5c.")
                }
                if certificate.isOne(of: remote.certificateThumbprints) { return }
            }
        }
        throw OAuthError.certificateRefused(
            "it is none that the application has registered",
            hint: "Register it: in the x5c of a key of jwks or jwks_uri, or in "
                + "client_authentication_methods.self_signed_tls_client_auth.credentials.")
    }
}

extension ClientCertificate {
    /// Whether the certificate's thumbprint is among `thumbprints`; all of them are looked at.
    fileprivate func isOne(of thumbprints: [String]) -> Bool {
        thumbprints.reduce(false) { ConstantTime.equal($1, thumbprint) || $0 }
    }
}

extension JSONWebKeySet {
    fileprivate var certificateThumbprints: [String] { keys.compactMap(\.certificateThumbprint) }
}

extension MutualTLSSettings.Credential {
    /// The thumbprint of the certificate, in base64url.
    /// - Throws: ``ClientCertificate/Problem`` for what is no certificate or no thumbprint, or where the two differ.
    var certificateThumbprint: String {
        get throws(ClientCertificate.Problem) {
            let own = try pem.map { text throws(ClientCertificate.Problem) in
                try ClientCertificate(pem: text).thumbprint
            }
            guard let thumbprint else { return own ?? "" }
            guard let given = Self.base64URL(thumbprint) else {
                throw ClientCertificate.Problem(
                    description: "its thumbprint_sha256 is not the 32 bytes of a SHA-256 in base64url or hexadecimal")
            }
            guard own == nil || own == given else {
                throw ClientCertificate.Problem(description: "its thumbprint_sha256 is another certificate's")
            }
            return given
        }
    }

    private static func base64URL(_ thumbprint: String) -> String? {
        let digits = thumbprint.filter { $0 != ":" }
        if digits.utf8.count == 64 {
            let bytes = stride(from: 0, to: 64, by: 2).compactMap { offset in
                UInt8(digits.dropFirst(offset).prefix(2), radix: 16)
            }
            return bytes.count == 32 ? Base64URL.encode(bytes) : nil
        }
        guard let bytes = Base64URL.decode(thumbprint), bytes.count == 32 else { return nil }
        return Base64URL.encode(bytes)
    }
}

extension Client {
    /// The members of the client's document whose names or certificates cannot be used, each with what is wrong.
    var certificateProblems: [(member: String, problem: String)] {
        var problems: [(String, String)] = []
        let settings = keys.mutualTLS
        let methods = "client_authentication_methods"
        for (index, credential) in settings.subjects.enumerated() {
            do throws(SubjectName.Problem) {
                _ = try credential.subjectName
            } catch {
                let member = credential.subject == nil ? "pem" : "subject_dn"
                problems.append(("\(methods).tls_client_auth.credentials[\(index)].\(member)", error.description))
            }
        }
        for (index, credential) in settings.certificates.enumerated() {
            do throws(ClientCertificate.Problem) {
                _ = try credential.certificateThumbprint
            } catch {
                let member = credential.pem == nil ? "thumbprint_sha256" : "pem"
                problems.append(
                    (
                        "\(methods).self_signed_tls_client_auth.credentials[\(index)].\(member)",
                        "cannot be used: \(error.description)"
                    ))
            }
        }
        if let name = settings.expectedName {
            do throws(SubjectName.Problem) {
                _ = try MutualTLSName(name)
            } catch {
                problems.append((name.kind.rawValue, error.description))
            }
        }
        if tokenEndpointAuthMethod == .selfSignedTLSClientAuth, settings.certificates.isEmpty, let set = keys.set,
            let read = try? JSONWebKeySet(set), read.certificateThumbprints.isEmpty
        {
            problems.append(("jwks", "has no key with a certificate (x5c), which self_signed_tls_client_auth needs"))
        }
        return problems
    }
}
