import Foundation
import OAuth
import Storage

/// Counting the failures of one identifier, from one address or from all, and of one address.
struct FailedLogins: Sendable {
    let services: Services
    let connection: Connection
    /// As names are compared.
    let identifier: String
    let identifierDigest: String
    let address: String

    /// Whether an attempt may go on.
    enum Verdict: Sendable {
        case allowed, blocked, suspiciousAddress
        /// The identifier is used too often in a short time from this address, by whoever knows its password too.
        case tooManyLogins

        /// What the log calls a refusal.
        var event: LogEventType? {
            switch self {
            case .allowed: nil
            case .blocked: .accountBlocked
            case .suspiciousAddress: .addressBlocked
            case .tooManyLogins: .tooManyLogins
            }
        }
    }

    /// What stands for every address where an identifier's failures are counted wherever they come from.
    package static let anyAddress = "*"

    init(services: Services, connection: Connection, identifier: String, address: String) {
        (self.services, self.connection, self.address) = (services, connection, address)
        self.identifier = identifier
        identifierDigest = Self.digest(connection: connection.name, identifier: identifier)
    }

    /// What an identifier's failures are counted under: the database does not know who tries.
    static func digest(connection: String, identifier: String) -> String {
        Secret("\(connection) \(identifier)").digest
    }

    /// Lets one more try in, which is counted before the password is read.
    /// - Parameter trail: learns what kind of refusal it is.
    /// - Throws: ``PasswordLogin/Refusal``.
    func admit(_ trail: LogTrail) async throws {
        let verdict = try await take()
        trail.note { $0.failure = verdict.event }
        switch verdict {
        case .allowed: return
        case .blocked: throw PasswordLogin.Refusal.blocked
        case .suspiciousAddress: throw PasswordLogin.Refusal.suspiciousAddress
        case .tooManyLogins: throw PasswordLogin.Refusal.tooManyLogins
        }
    }

    /// Whether there may be one more try; the try is counted before the password is read.
    func take() async throws -> Verdict {
        let throttle = try await AddressThrottle(.login, address: address, services)
        let most = try await mostAttempts()
        let (now, digest, key, address) = (services.now(), identifierDigest, try await addressKey(), address)
        let sameUser = try await services.configuration.sections().bruteForce.sameUser
        guard throttle != nil || most != nil else { return .allowed }
        return try await services.stores.database.write { transaction in
            if let throttle, try throttle.isExhausted(at: now, in: transaction) { return .suspiciousAddress }
            guard let most else { return .allowed }
            guard try RateLimitStore.take("same-user \(digest) \(address)", sameUser, at: now, in: transaction)
            else { return .tooManyLogins }
            return try FailedLoginStore.takeAttempt(
                identifierDigest: digest, address: key, most: most, at: now, in: transaction) ? .allowed : .blocked
        }
    }

    /// Counts what turned out to be a failure for its address.
    func countFailure() async throws {
        try await AddressThrottle(.login, address: address, services)?.countFailure(services)
    }

    /// Whether the failures have come to a block.
    func areBlocked() async throws -> Bool {
        guard let most = try await mostAttempts() else { return false }
        let (digest, key, now) = (identifierDigest, try await addressKey(), services.now())
        return try await services.stores.database.readOnce { transaction in
            try FailedLoginStore.blocked([digest], most: most, at: now, in: transaction).contains { $0.address == key }
        }
    }

    func clear(in transaction: any SQLTransaction) throws {
        for key in [address, Self.anyAddress] {
            try FailedLoginStore.clear(identifierDigest: identifierDigest, address: key, in: transaction)
        }
    }

    /// nil where the identifier's failures do not count.
    private func mostAttempts() async throws -> Int? {
        let protection = try await services.configuration.sections().bruteForce
        guard connection.hasBruteForceProtection, protection.blocks(RequestOrigin.current?.ip) else { return nil }
        if let most = protection.mostAttempts { return most }
        return try await services.configuration.settings().bruteForceMaximumAttempts
    }

    private func addressKey() async throws -> String {
        let mode = try await services.configuration.sections().bruteForce.mode
        return mode == .identifier ? Self.anyAddress : address
    }
}

/// The blocks that failed logins have brought about, for whoever looks after the tenant.
package struct LoginBlocks: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// One identifier that is blocked.
    package struct Block: Sendable, Hashable {
        package let identifier: String
        package let connection: String
        /// nil where it is blocked wherever its owner is.
        package let address: String?
    }

    /// The blocks of identifiers, each with the name of a connection.
    /// - Parameter isEnforced: whether only those count that keep anybody out now.
    package func list(_ identifiers: [(connection: String, identifier: String)], isEnforced: Bool) async throws
        -> [Block]
    {
        let protection = try await services.configuration.sections().bruteForce
        if isEnforced, !protection.blocks(nil) { return [] }
        let standard = try await services.configuration.settings().bruteForceMaximumAttempts
        let (most, now) = (protection.mostAttempts ?? standard, services.now())
        let digests = identifiers.map {
            FailedLogins.digest(connection: $0.connection, identifier: $0.identifier)
        }
        let found = try await services.stores.database.readOnce { transaction in
            try FailedLoginStore.blocked(digests, most: most, at: now, in: transaction)
        }
        return zip(identifiers, digests).flatMap { known, digest in
            found.filter { $0.identifierDigest == digest }.map { block in
                Block(
                    identifier: known.identifier, connection: known.connection,
                    address: block.address == FailedLogins.anyAddress ? nil : block.address)
            }
        }
    }

    /// Takes the blocks of identifiers away, with the failures that have not come to one yet.
    package static func remove(
        _ identifiers: [(connection: String, identifier: String)], in transaction: any SQLTransaction
    ) throws {
        for known in identifiers {
            let digest = FailedLogins.digest(connection: known.connection, identifier: known.identifier)
            try FailedLoginStore.clear(identifierDigest: digest, in: transaction)
        }
    }
}
