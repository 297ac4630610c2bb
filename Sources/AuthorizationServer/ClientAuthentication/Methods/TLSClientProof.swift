import OAuth
import Storage

/// `tls_client_auth`, [RFC 8705 §2.1](https://www.rfc-editor.org/rfc/rfc8705#section-2.1): an authority that the proxy
/// trusts vouches for the name in the client's certificate, and the client has registered that name.
enum TLSClientProof: ClientProof {
    static let methods: Set<ClientAuthenticationMethod> = [.tlsClientAuth]

    static func prove(
        _ credentials: ClientCredentials, of registered: RegisteredClient, _ services: Services
    ) throws(OAuthError) {
        let certificate = try credentials.requireCertificate(registered.client, services)
        guard certificate.isChainVerified else {
            throw .certificateRefused(
                "no authority that this server trusts has signed it",
                hint:
                    "The proxy must say SUCCESS in the header that the setting client-certificate-verified-header names."
            )
        }
        let settings = registered.client.keys.mutualTLS
        let subjects = settings.subjects.filter { $0.expiresAt.map { $0 > services.now() } ?? true }
            .compactMap { try? $0.subjectName }
        let expected = settings.expectedName.flatMap { try? MutualTLSName($0) }
        guard subjects.contains(certificate.subject) || expected.map(certificate.has) == true else {
            throw .certificateRefused(
                "it has another name than the application has registered",
                hint: "Compare: openssl x509 -in client.pem -noout -subject -nameopt RFC2253 -ext subjectAltName")
        }
    }
}

extension MutualTLSSettings.Credential {
    /// The subject that a certificate must have.
    /// - Throws: ``SubjectName/Problem``.
    var subjectName: SubjectName {
        get throws(SubjectName.Problem) {
            if let subject { return try SubjectName(subject) }
            do throws(ClientCertificate.Problem) {
                return try ClientCertificate(pem: pem ?? "").subject
            } catch {
                throw SubjectName.Problem(description: "cannot be used: \(error.description)")
            }
        }
    }
}

extension ClientCredentials {
    /// The certificate of a client that proves itself with it, and with nothing else.
    /// - Throws: ``OAuthError`` `invalid_client`.
    func requireCertificate(_ client: Client, _ services: Services) throws(OAuthError) -> ClientCertificate {
        let method = client.tokenEndpointAuthMethod.rawValue
        guard services.mutualTLS != nil else {
            throw .invalidClient(
                hint: "This application proves itself with \(method), and this server is not told where its proxy "
                    + "puts certificates: set client-certificate-header.")
        }
        guard secret == nil, assertion == nil else {
            throw .invalidClient(
                hint: "This application proves itself with \(method): send no client_secret and no client_assertion.")
        }
        guard let certificate else {
            throw .invalidClient(
                hint: "This application proves itself with \(method), and no certificate has come with the request. "
                    + "Ask the address that the proxy takes certificates at; the server's log says where it could not "
                    + "read one.")
        }
        guard certificate.isValid(at: services.now()) else {
            throw .certificateRefused("it has expired, or is not valid yet", hint: "Renew the certificate.")
        }
        return certificate
    }
}

extension OAuthError {
    /// The certificate of the connection does not prove the client.
    static func certificateRefused(_ problem: String, hint: String) -> OAuthError {
        OAuthError(
            .invalidClient, "Client certificate refused: \(problem)", hint: hint, reason: .clientAuthentication)
    }
}
