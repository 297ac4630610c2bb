import Foundation
import Logging
import OAuth
import Storage

/// Delivers logout tokens to the applications' back channels, Back-Channel Logout 1.0 §2.5.
///
/// Each try is claimed in the database for the length of a lease, so that two nodes do not deliver one token at once and
/// what a node has begun when it ends is tried again.
package struct BackchannelLogout: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Seconds for which a try belongs to its node; more than a request can take.
    static let lease: TimeInterval = 60
    /// Seconds between one try and the next; after the last there is none.
    static let pauses: [TimeInterval] = [10, 30, 120, 420]
    /// Deliveries under way at once.
    private static let batch = 20

    /// Tries what is due, once each.
    /// - Returns: whether there may be more.
    package func deliverDue() async throws -> Bool {
        let now = services.now()
        guard try await services.stores.logoutDeliveries.isAnyDue(at: now) else { return false }
        let deliveries = try await services.stores.logoutDeliveries.claim(at: now, lease: Self.lease, most: Self.batch)
        // What goes wrong with one ends none of the others.
        let failures = await withTaskGroup(of: (any Error)?.self) { group in
            for delivery in deliveries { group.addTask { await failure(of: delivery) } }
            return await group.reduce(into: [any Error]()) { $0 += [$1].compactMap(\.self) }
        }
        if let first = failures.first { throw first }
        return deliveries.count == Self.batch
    }

    private enum Result {
        case delivered
        /// Trying again would come to the same.
        case refused(String)
        case failed(String)

        var failure: String? {
            switch self {
            case .delivered: nil
            case .refused(let cause), .failed(let cause): cause
            }
        }
    }

    private func failure(of delivery: LogoutDelivery) async -> (any Error)? {
        do {
            try await deliver(delivery)
            return nil
        } catch {
            return error
        }
    }

    private func deliver(_ delivery: LogoutDelivery) async throws {
        let store = services.stores.logoutDeliveries
        let metadata: Logger.Metadata = [
            "client_id": "\(delivery.clientID)", "uri": "\(delivery.uri)", "try": "\(delivery.attempts)",
        ]
        let result = try await attempt(delivery)
        services.logDelivery(of: delivery, failure: result.failure)
        switch result {
        case .delivered:
            services.logger.info("logout token delivered", metadata: metadata)
            try await store.finish(delivery)
        case .refused(let cause):
            services.logger.error(
                "logout token refused", metadata: metadata.merging(["cause": "\(cause)"]) { $1 })
            try await store.finish(delivery)
        case .failed(let cause):
            guard delivery.attempts <= Self.pauses.count else {
                services.logger.error(
                    "logout token not delivered, given up", metadata: metadata.merging(["cause": "\(cause)"]) { $1 })
                return try await store.finish(delivery)
            }
            services.logger.warning(
                "logout token not delivered, will be tried again",
                metadata: metadata.merging(["cause": "\(cause)"]) { $1 })
            let pause = Self.pauses[delivery.attempts - 1]
            try await store.putOff(delivery, until: services.now().addingTimeInterval(pause))
        }
    }

    private func attempt(_ delivery: LogoutDelivery) async throws -> Result {
        guard let registered = try await services.configuration.client(delivery.clientID),
            registered.client.logout.backchannelAddresses.contains(delivery.uri)
        else { return .refused("the application does not have this address any more") }
        let keys = try await services.configuration.keyRing()
        do {
            let token = try LogoutToken.sign(
                delivery, subject: try services.secret.subjects.sub(ofUser: delivery.userID, for: registered.client),
                for: registered, issuer: services.issuer, keys: keys,
                box: services.secret.box, at: services.now())
            let answer = try await services.outbound.send(
                OutboundRequest(.post(form: [(name: "logout_token", value: token)]), delivery.uri, mostBytes: 16_384))
            return Self.result(of: answer)
        } catch {
            return .failed("\(error)")
        }
    }

    /// §2.8: 200 is success, and 204 is what some frameworks make of it; 400 says that the application cannot do it.
    private static func result(of answer: OutboundResponse) -> Result {
        switch answer.status {
        case 200, 204: .delivered
        case 400: .refused("400 \(String(decoding: answer.body.prefix(500), as: UTF8.self).forDisplay)")
        default: .failed("the application answered \(answer.status)")
        }
    }
}

extension Services {
    /// Tells what came of a try to deliver a logout token.
    fileprivate func logDelivery(of delivery: LogoutDelivery, failure: String?) {
        var facts = LogTrail.Facts()
        (facts.clientID, facts.userID) = (delivery.clientID, delivery.userID)
        facts.details = [
            "session_id": .string(delivery.sid), "uri": .string(delivery.uri),
            "attempt": .integer(Int64(delivery.attempts)),
        ]
        log(failure == nil ? .backchannelLogout : .failedBackchannelLogout, facts, description: failure)
    }
}
