import Foundation
import OAuth

/// What a client sends to prove who it is, by one method
/// ([RFC 6749 §2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3)).
package struct ClientCredentials: Sendable {
    package let clientID: String
    package let secret: Secret?
    /// A token that the client has signed, RFC 7521 §4.2; nothing of it is proved yet.
    let assertion: String?
    /// The certificate of the connection, which counts only where the client has registered to prove itself with it.
    let certificate: ClientCertificate?

    /// - Parameters:
    ///   - authorizationHeader: the value of the `Authorization` header.
    ///   - certificate: the certificate of the client's connection.
    /// - Throws: ``OAuthError`` `invalid_client` for credentials that cannot be read or no client at all,
    ///   `invalid_request` where the client uses two methods at once.
    package init(
        authorizationHeader: String?, parameters: Parameters, certificate: ClientCertificate? = nil
    ) throws(OAuthError) {
        self.certificate = certificate
        let assertion = try Self.assertion(parameters)
        let header = authorizationHeader.flatMap { $0.lowercased().hasPrefix("basic ") ? $0.dropFirst(6) : nil }
        guard [assertion, header.map(String.init), parameters["client_secret"]].compactMap(\.self).count < 2 else {
            throw .invalidRequest(
                "More than one client authentication method",
                hint: "Send one of the Authorization header, client_secret and client_assertion (RFC 6749 §2.3).")
        }
        self.assertion = assertion
        if let header {
            let (id, secret) = try Self.basic(header)
            guard parameters["client_id"].map({ $0 == id }) ?? true else {
                throw .invalidRequest("client_id differs from the Authorization header's")
            }
            (clientID, self.secret) = (id, secret)
            return
        }
        secret = parameters["client_secret"].map { Secret($0) }
        if let id = parameters["client_id"] {
            clientID = id
        } else if let assertion, let id = Self.subject(of: assertion) {
            clientID = id
        } else {
            throw .invalidClient(hint: "Send client_id, or an Authorization: Basic header.")
        }
    }

    private static func assertion(_ parameters: Parameters) throws(OAuthError) -> String? {
        let (assertion, type) = (parameters["client_assertion"], parameters["client_assertion_type"])
        guard assertion != nil || type != nil else { return nil }
        guard let assertion, type == ClientAssertion.type else {
            throw .invalidClient(
                hint: "Send client_assertion together with client_assertion_type=\(ClientAssertion.type).")
        }
        return assertion
    }

    /// Whom an assertion speaks of (RFC 7521 §4.2); whether it may, its signature says later.
    private static func subject(of assertion: String) -> String? {
        try? SignedToken(parsing: assertion, most: ClientAssertion.mostBytes).unverifiedClaims["sub"]?.string
    }

    /// The id and secret of `base64(urlencode(id):urlencode(secret))`, RFC 6749 §2.3.1.
    private static func basic(_ encoded: Substring) throws(OAuthError) -> (String, Secret) {
        guard let data = Data(base64Encoded: encoded.trimmed),
            let text = String(data: data, encoding: .utf8),
            let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), let id = decode(text[..<colon]),
            let secret = decode(text[text.utf8.index(after: colon)...]), !id.isEmpty
        else {
            throw .invalidClient(
                hint: "The Authorization header is not 'Basic ' and the Base64 of client_id:client_secret, "
                    + "each URL-encoded.")
        }
        return (id, Secret(secret))
    }

    private static func decode(_ text: Substring) -> String? {
        text.replacing("+", with: " ").removingPercentEncoding
    }
}
