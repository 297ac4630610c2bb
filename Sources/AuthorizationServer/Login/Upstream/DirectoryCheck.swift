import Logging
import OAuth
import Storage

/// Signing in with a name and password that a directory knows, with the same counting of failures as a database's.
struct DirectoryCheck: Sendable {
    let services: Services

    /// - Throws: ``PasswordLogin/Refusal``, ``OAuthError``, ``TransactionNotFound``.
    func signIn(
        _ sent: String, password: String, connection: Connection, login: LoginTransaction, browser: Browser,
        trail: LogTrail
    ) async throws -> PasswordLogin.NewSession {
        // What is counted is what is asked for.
        let name = DirectoryName(sent).text
        trail.note { ($0.connection, $0.userName) = (connection.name, EmailAddress(sent)?.text) }
        let failures = FailedLogins(
            services: services, connection: connection, identifier: name, address: browser.address)
        try await failures.admit(trail)
        trail.note { $0.failure = .wrongPassword }
        guard let profile = try await ask(connection, name, password, trail) else {
            try await failures.countFailure()
            throw PasswordLogin.Refusal.wrongCredentials
        }
        trail.note { ($0.failure, $0.userName) = (nil, nil) }
        return try await UpstreamUsers(services: services).signIn(
            profile, connection: connection, login: login, browser: browser, trail: trail
        ) { try failures.clear(in: $0) }
    }

    private func ask(
        _ connection: Connection, _ username: String, _ password: String, _ trail: LogTrail
    ) async throws -> UpstreamProfile? {
        do {
            guard case .password(let directory) = try await services.login(with: connection) else { return nil }
            return try await directory.check(username: username, password: password, services)
        } catch let failure as UpstreamFailure {
            trail.note { $0.failure = nil }
            if case .denied = failure { throw PasswordLogin.Refusal.wrongCredentials }
            services.logger.warning(
                "a directory does not say whether a password is right",
                metadata: ["connection": "\(connection.name)", "why": "\(failure.explanation)"])
            throw PasswordLogin.Refusal.directoryFails(failure.explanation)
        }
    }
}
