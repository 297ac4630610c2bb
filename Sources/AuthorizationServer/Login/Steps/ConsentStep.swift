import OAuth
import Storage

/// Asks whether the application may have what it asks for, unless that was allowed before or need not be asked.
struct ConsentStep {
    let request: VerifiedAuthorizationRequest
    let progress: LoginTransaction.Progress
    let access: RequestedAccess

    /// What the user decides about beside signing in at all, which `openid` stands for; a single claim is asked about as the
    /// scope that gives it.
    var scope: Scope {
        access.scope.filter { $0 != Scope.openID }.union(request.request.claims?.scope ?? .empty)
    }

    func mustAsk(_ userID: String, _ stores: Stores) async throws -> Bool {
        // Nobody can tell a client without a secret from another program that calls itself so (RFC 8252 §8.6).
        if request.request.prompt.contains(.consent) || request.client.isMetadataDocument {
            return progress.consentedUserID != userID || !isCovered(by: progress.consentedScope)
        }
        // Somebody else's application gets nothing before the user has said so once: not who the user is, and no token that
        // an API may take for the user's word, scope or not (OpenID Connect Core §3.1.2.4).
        guard !isSkipped, !scope.isEmpty || !request.client.isFirstParty else { return false }
        let allowed = try await stores.consentGrants.scope(
            userID: userID, clientID: request.client.clientID,
            audience: access.resourceServer?.resourceServer.identifier,
            organizationID: request.organization?.organization.id)
        guard let allowed else { return true }
        return !scope.isSubset(of: allowed)
    }

    private func isCovered(by consented: String?) -> Bool {
        guard let consented, let allowed = try? Scope(parsing: consented) else { return false }
        return scope.isSubset(of: allowed)
    }

    /// An application of the tenant's own needs no consent to the user's profile, nor to an API that says so.
    private var isSkipped: Bool {
        guard request.client.isFirstParty else { return false }
        return access.resourceServer?.resourceServer.skipsConsentForVerifiableFirstPartyClients ?? true
    }
}
