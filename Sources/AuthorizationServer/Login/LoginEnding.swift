import OAuth
import Storage

/// What a login transaction ends in once nothing more need be asked: an answer to a client, or a device that is let in.
/// There is one for each ``LoginTransaction/Purpose``.
protocol LoginEnding: Sendable {
    /// What the pages show, and what the steps ask about.
    /// - Throws: ``AuthorizationFailure`` where nobody waits for the end any more.
    func request() async throws -> VerifiedAuthorizationRequest

    /// Ends the transaction of a user who has refused.
    func deny() async throws

    /// Ends the transaction of a user who has answered everything.
    /// - Throws: ``TransactionNotFound`` where somebody else has ended it, ``OAuthError`` where that is refused.
    func respond(
        to request: VerifiedAuthorizationRequest, _ access: RequestedAccess, _ session: Session
    ) async throws -> AuthorizationResponse
}

/// The end of an authorization request's transaction.
struct ClientAnswer: LoginEnding {
    let services: Services
    let login: LoginTransaction
    /// The authorization request as it was sent.
    let sent: Parameters

    func request() async throws -> VerifiedAuthorizationRequest {
        try await AuthorizationEndpoint(services: services).verify(sent, progress: login.progress)
    }

    func deny() async throws {
        try await services.stores.database.write { _ = try LoginTransactionStore.delete(digest: login.digest, in: $0) }
    }

    func respond(
        to request: VerifiedAuthorizationRequest, _ access: RequestedAccess, _ session: Session
    ) async throws -> AuthorizationResponse {
        try await ResponseIssuing(services: services).respond(
            to: request, access, session, transactionDigest: login.digest)
    }
}
