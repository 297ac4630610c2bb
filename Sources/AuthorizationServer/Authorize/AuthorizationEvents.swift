import OAuth
import Storage

/// Decides what the outcome of an authorization request is called in the log.
///
/// A login on a page has its event when the session begins. Here are those that no page is part of: an answer from a session
/// that was there already, silent or not, and every refusal.
struct AuthorizationEvents: Sendable {
    let services: Services
    let trail = LogTrail()

    /// - Parameter sent: the request as it came; what it says counts only as far as it is known when it fails.
    init(services: Services, _ sent: Parameters) {
        self.services = services
        trail.note { $0.clientID = sent["client_id"] }
        if sent["prompt"] == "none" { trail.note { $0.failure = .failedSilentLogin } }
    }

    /// A transaction that goes on.
    init(services: Services, _ login: LoginTransaction) {
        self.services = services
        trail.note(login)
        guard case .device = login.purpose else { return }
        let isDenied = login.progress.isDenied
        trail.note { $0.failure = isDenied ? .deviceRefused : .failedDeviceActivation }
    }

    func note(_ request: VerifiedAuthorizationRequest) {
        trail.note(request)
        guard request.request.prompt.contains(.none) else { return }
        trail.note { $0.failure = .failedSilentLogin }
    }

    func note(_ session: Session) { trail.note(session) }

    /// - Parameter isLoggedIn: whether the user has signed in for this very request, which has its own event.
    func recording(
        isLoggedIn: Bool = false, _ body: () async throws -> AuthorizationOutcome
    ) async throws -> AuthorizationOutcome {
        do {
            let outcome = try await body()
            if case .respond = outcome, !isLoggedIn {
                let isSilent = trail.facts.failure == .failedSilentLogin
                services.log(
                    isSilent ? .silentLogin : .login, trail, description: "Signed in by the session that was there")
            }
            return outcome
        } catch {
            services.log(.failedLogin, trail, failure: error)
            throw error
        }
    }
}
