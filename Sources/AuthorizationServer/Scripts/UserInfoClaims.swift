import Foundation
import OAuth
import Storage

extension ScriptChanges {
    /// The claims that the userinfo endpoint tells: the ID token's and, where the access token itself says nothing because it
    /// is opaque, that one's.
    private func userInfoClaims(isOpaque: Bool) -> JSONObject {
        isOpaque ? accessTokenClaims.merging(idTokenClaims) { $1 } : idTokenClaims
    }

    /// Keeps what the userinfo endpoint is to tell for the access tokens of an authorization.
    /// - Parameters:
    ///   - audience: the API of the access token; nil for an opaque one.
    ///   - mayHaveSome: whether an earlier token of the authorization may have had claims, which end with this.
    func keepForUserInfo(
        _ authorizationID: String, audience: String?, mayHaveSome: Bool, at now: Date,
        in transaction: any SQLTransaction
    ) throws {
        let claims = userInfoClaims(isOpaque: audience == nil)
        guard mayHaveSome || !claims.isEmpty else { return }
        let api = try audience.flatMap { try ResourceServerStore.find(identifier: $0, in: transaction) }
        let lifetime = api?.resourceServer.tokenLifetime ?? TokenIssuer.opaqueTokenLifetime
        try UserInfoClaimsStore.save(
            claims, of: authorizationID, expiresAt: now.addingTimeInterval(Double(lifetime)), in: transaction)
    }
}
