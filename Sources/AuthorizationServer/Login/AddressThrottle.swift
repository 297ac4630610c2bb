import Foundation
import OAuth
import Storage

/// Suspicious IP throttling: how much one address may still fail at, whoever it tries to be.
struct AddressThrottle: Sendable {
    private let subject: String
    private let allowance: SuspiciousIPThrottling.Allowance

    /// - Parameter address: as attempts are counted, see ``Browser/address``.
    /// - Returns: nil where nothing is counted: throttling is off, or the address is on the allowlist or unknown.
    init?(_ stage: SuspiciousIPThrottling.Stage, address: String, _ services: Services) async throws {
        guard let ip = RequestOrigin.current?.ip,
            let allowance = try await services.configuration.sections().suspiciousIP.allowance(stage, ip)
        else { return nil }
        (subject, self.allowance) = (stage.subject(address), allowance)
    }

    /// Whether the address has nothing left.
    func isExhausted(at now: Date, in transaction: any SQLTransaction) throws -> Bool {
        try RateLimitStore.isExhausted(subject, allowance, at: now, in: transaction)
    }

    /// Whether half of what the address has is gone: more than people mistype.
    func isHalfExhausted(at now: Date) -> SQL {
        var half = allowance
        half.most = max(1, allowance.most / 2)
        return RateLimitStore.exhausted(subject, half, at: now)
    }

    /// Takes one attempt, whatever it comes to.
    /// - Returns: whether there was one left.
    func take(_ services: Services) async throws -> Bool {
        let now = services.now()
        return try await services.stores.database.write { transaction in
            try RateLimitStore.take(subject, allowance, at: now, in: transaction)
        }
    }

    /// Counts a failure. That is not done before the attempt, as with one user's failures: successes from one address, such
    /// as a company's, would wait for one another.
    func countFailure(_ services: Services) async throws {
        let now = services.now()
        try await services.stores.database.write { transaction in
            try RateLimitStore.count(subject, allowance, at: now, in: transaction)
        }
    }
}
