import Foundation
import OAuth
import Storage

/// Checks an identifier and a password against a database connection: the same for the sign-in page and for the grants
/// that take passwords, with the same counting of failures.
struct PasswordCheck: Sendable {
    let services: Services

    /// A user who has just proved who they are.
    struct Proof: Sendable {
        let user: User
        fileprivate let failures: FailedLogins
        fileprivate let upgrade: (old: String, new: String)?

        /// Writes down what follows for the password: its failures are forgotten, and a hash of an old kind is replaced.
        func write(in transaction: any SQLTransaction) throws {
            try failures.clear(in: transaction)
            if let upgrade {
                try UserStore.upgradePasswordHash(of: user.id, from: upgrade.old, to: upgrade.new, in: transaction)
            }
        }
    }

    /// - Parameters:
    ///   - sent: the e-mail address or user name as it was typed.
    ///   - address: where the attempt comes from.
    ///   - trail: learns who it was, and what kind of failure.
    /// - Throws: ``PasswordLogin/Refusal``, after as long for a user that there is as for one that there is not, or
    ///   ``PasswordHasher/Busy``.
    func check(_ sent: String, password: String, connection: Connection, address: String, trail: LogTrail) async throws
        -> Proof
    {
        let identifier = EmailAddress(sent)?.text ?? sent.lowercased()
        trail.note { facts in
            facts.connection = connection.name
            // What is no address may be a password, typed into the wrong field.
            facts.userName = EmailAddress(sent)?.text
            facts.failure = .accountBlocked
        }
        let failures = FailedLogins(
            services: services, connection: connection, identifier: identifier, address: address)
        switch try await failures.take() {
        case .allowed: break
        case .blocked: throw PasswordLogin.Refusal.blocked
        case .suspiciousAddress:
            trail.note { $0.failure = .addressBlocked }
            throw PasswordLogin.Refusal.suspiciousAddress
        }
        let found = try await services.stores.users.find(connection: connection.name, identifier: identifier)
        trail.note { $0.failure = found == nil ? .unknownUser : .wrongPassword }
        if let found { trail.note(found.user) }
        guard try await services.passwords.verify(password, against: found?.passwordHash), let found else {
            try await failures.countFailure()
            throw PasswordLogin.Refusal.wrongCredentials
        }
        trail.note { ($0.failure, $0.userName) = (nil, nil) }
        guard !found.user.isBlocked else { throw PasswordLogin.Refusal.userIsBlocked }
        return Proof(
            user: found.user, failures: failures, upgrade: try await upgradedHash(password, found.passwordHash))
    }

    private func upgradedHash(_ password: String, _ old: String?) async throws -> (old: String, new: String)? {
        guard let old, PasswordHash.needsUpgrade(old) else { return nil }
        return (old, try await services.passwords.hash(password))
    }
}
