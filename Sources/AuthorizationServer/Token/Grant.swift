import Foundation
import OAuth
import Storage

/// A request to the token endpoint whose client is proved and may use the grant.
package struct TokenRequest: Sendable {
    package let parameters: Parameters
    package let client: Client
    package let now: Date
    /// Whether a browser's script sent it: the request has an `Origin`.
    package let isFromBrowser: Bool
    /// Where it comes from, as failed logins are counted.
    package let address: String
    /// What the request's log event will tell.
    let trail: LogTrail
    /// The API that `resource` names; nil where the tenant does not read it.
    package let resource: String?
    /// From where it comes, as refresh tokens remember it; nil where nothing is known.
    var device: SeenDevice?
    /// The client's proof that it holds a key; nil where it sent none.
    var proof: DPoPProof?
    /// The certificate of the client's connection; nil where it showed none.
    var certificate: ClientCertificate?
    /// The login that goes on with it, after a second factor; nil for a new one.
    var resumed: ResumedLogin?
    /// What the APIs want of their tokens, by their identifiers; those that want nothing are not there.
    var possessionDemands: [String: ProofOfPossessionSettings] = [:]

    /// Why a token cannot be for what `resource` names: the user has authorized another API
    /// ([RFC 8707 §2.2](https://www.rfc-editor.org/rfc/rfc8707#section-2.2)).
    func targetProblem(granted audience: String?) -> OAuthError? {
        guard let resource, resource != audience else { return nil }
        return OAuthError(
            .invalidTarget, "The authorization is not for the resource \(resource.forDisplay)",
            hint: "It was given for \(audience ?? "the userinfo endpoint alone"). Leave resource out, or name that.")
    }
}

/// One way of obtaining tokens at the token endpoint.
///
/// The endpoint authenticates the client, checks that it may use the grant, and mints the tokens; a grant only proves the
/// authorization. To add one, conform in a file of its own and list it in ``Grants``.
package protocol Grant: Sendable {
    /// The `grant_type` it answers to.
    static var type: GrantType { get }

    init(services: Services)

    /// Proves the grant in `request` and returns what it authorizes.
    /// - Throws: ``OAuthError``.
    func redeem(_ request: TokenRequest) async throws -> Authorization
}
