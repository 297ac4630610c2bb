import Foundation
import OAuth
import Storage

/// Tells an application that a session has ended, Back-Channel Logout 1.0 §2.4.
enum LogoutToken {
    /// Seconds for which a token is valid: it is signed anew at each try.
    static let lifetime: Int64 = 120

    private static let event = "http://schemas.openid.net/event/backchannel-logout"

    /// The token, signed as the application's ID tokens are (§2.6).
    /// - Parameter subject: the user as the application knows them.
    static func sign(
        _ delivery: LogoutDelivery, subject: String, for registered: RegisteredClient, issuer: Issuer, keys: KeyRing,
        box: SecretBox, at now: Date
    ) throws -> String {
        let issuedAt = Int64(now.timeIntervalSince1970)
        let claims: JSONObject = [
            "iss": .string(issuer.text),
            "aud": .string(delivery.clientID),
            "sub": .string(subject),
            "sid": .string(delivery.sid),
            "iat": .integer(issuedAt),
            "exp": .integer(issuedAt + lifetime),
            "jti": .string(Base64URL.encode(RandomBytes.make(16))),
            "events": [event: [:]],
        ]
        let (algorithm, type) = (registered.client.idTokenAlgorithm, "logout+jwt")
        if algorithm == .hs256, let sealed = registered.sealedSecret {
            return try JSONWebToken.sign(claims, secret: box.open(sealed), type: type)
        }
        let key = try keys.current(for: algorithm)
        let header = JSONWebToken.header(algorithm: algorithm, type: type, keyID: key.id)
        return try JSONWebToken.sign(claims, with: key, header: header)
    }
}
