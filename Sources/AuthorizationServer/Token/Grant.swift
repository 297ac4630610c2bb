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
