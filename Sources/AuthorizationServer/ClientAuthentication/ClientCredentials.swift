import Foundation
import OAuth

/// What a client sends to prove who it is, by the method that it used,
/// [RFC 6749 §2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3).
package struct ClientCredentials: Sendable {
    package let clientID: String
    package let secret: Secret?
    package let method: ClientAuthenticationMethod

    /// - Parameter authorizationHeader: the value of the `Authorization` header.
    /// - Throws: ``OAuthError`` `invalid_client` for a header that cannot be read or no client at all,
    ///   `invalid_request` where the client uses two methods at once.
    package init(authorizationHeader: String?, parameters: Parameters) throws(OAuthError) {
        if let header = authorizationHeader, header.lowercased().hasPrefix("basic ") {
            (clientID, secret) = try Self.basic(header.dropFirst(6))
            method = .clientSecretBasic
            guard parameters["client_secret"] == nil else {
                throw .invalidRequest(
                    "More than one client authentication method",
                    hint: "Send the secret in the Authorization header or in the body, not in both (RFC 6749 §2.3).")
            }
            guard parameters["client_id"].map({ $0 == clientID }) ?? true else {
                throw .invalidRequest("client_id differs from the Authorization header's")
            }
            return
        }
        guard let id = parameters["client_id"] else {
            throw .invalidClient(hint: "Send client_id, or an Authorization: Basic header.")
        }
        clientID = id
        secret = parameters["client_secret"].map { Secret($0) }
        method = secret == nil ? .none : .clientSecretPost
    }

    /// The id and secret of `base64(urlencode(id):urlencode(secret))`, RFC 6749 §2.3.1.
    private static func basic(_ encoded: Substring) throws(OAuthError) -> (String, Secret) {
        guard let data = Data(base64Encoded: encoded.trimmed),
            let text = String(data: data, encoding: .utf8), let colon = text.firstIndex(of: ":"),
            let id = decode(text[..<colon]), let secret = decode(text[text.index(after: colon)...]), !id.isEmpty
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
