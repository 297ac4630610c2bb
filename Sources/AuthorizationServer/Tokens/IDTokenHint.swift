import Foundation
import OAuth
import Storage

/// An ID token of ours that a client shows to say whom, and which session, it means. It proves nothing about whoever shows it,
/// and may have expired (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2).
package struct IDTokenHint: Sendable {
    /// The id of the user whom `sub` names.
    package let subject: String
    package let sid: String?
    /// When it stops to prove that its user has just signed in.
    package let expiresAt: Date
    /// The client that it was issued to.
    package let client: Client

    /// - Returns: nil for what is not an ID token of this issuer for one of its clients.
    package init?(_ token: String, services: Services) async throws {
        guard let clientID = JSONWebToken.unverifiedClaims(token)?["aud"]?.string,
            let registered = try await services.configuration.client(clientID),
            let claims = try await Self.claims(of: token, registered, services),
            claims["iss"]?.string == services.issuer.text, claims["aud"]?.string == clientID,
            // A logout token has the same key and audience.
            claims["events"] == nil, let expiry = claims["exp"]?.integer,
            let subject = claims["sub"]?.string.flatMap({
                services.secret.subjects.userID(of: $0, for: registered.client)
            })
        else { return nil }
        (self.subject, sid, client) = (subject, claims["sid"]?.string, registered.client)
        expiresAt = Date(timeIntervalSince1970: Double(expiry))
    }

    /// Whether `other` may show it at the authorization endpoint. Two clients with pairwise subjects must not find out
    /// together, from whether a login succeeds, that they share a user (OpenID Connect Core §8.1).
    func mayBeShown(by other: Client) -> Bool {
        client.clientID == other.clientID || client.sector == other.sector
            || [client, other].allSatisfy { $0.openID.subjectType == .public }
    }

    private static func claims(
        of token: String, _ registered: RegisteredClient, _ services: Services
    ) async throws -> JSONObject? {
        if let claims = JSONWebToken.verify(token, keys: try await services.configuration.keyRing()) { return claims }
        // A client that authenticates with its secret (`client_secret_jwt`) could sign ID tokens with it; ours they are only
        // where its ID tokens have that algorithm.
        guard registered.client.idTokenAlgorithm == .hs256, let sealed = registered.sealedSecret else { return nil }
        return JSONWebToken.verify(token, secret: try services.secret.box.open(sealed))
    }
}
