import OAuth
import Storage

/// Asks whether the application may have what it asks for, unless that was allowed before or need not be asked.
struct ConsentStep {
    let request: VerifiedAuthorizationRequest
    let progress: LoginTransaction.Progress
    let access: RequestedAccess

    /// What the user decides about; `openid` alone reveals nothing that needs a decision, and a single claim is asked about
    /// as the scope that gives it.
    var scope: Scope {
        access.scope.filter { $0 != Scope.openID }.union(request.request.claims?.scope ?? .empty)
    }

    func mustAsk(_ userID: String, _ stores: Stores) async throws -> Bool {
        // Nobody can tell a client without a secret from another program that calls itself so (RFC 8252 §8.6).
        if request.request.prompt.contains(.consent) || request.client.isMetadataDocument {
            return progress.consentedUserID != userID || !isCovered(by: progress.consentedScope)
        }
        guard !isSkipped, !scope.isEmpty else { return false }
        let allowed = try await stores.consentGrants.scope(
            userID: userID, clientID: request.client.clientID,
            audience: access.resourceServer?.resourceServer.identifier)
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
