import AuthorizationServer
import Foundation
import OAuth
import Storage
import Synchronization
import TestSupport

/// The back channels of the tenant's applications: keeps what is posted to them, and answers as a test says.
final class LogoutReceiver: OutboundHTTP {
    struct Delivery: Sendable {
        let url: String
        let form: [(name: String, value: String)]

        var token: String { form.first { $0.name == "logout_token" }?.value ?? "" }
    }

    private struct State {
        var deliveries: [Delivery] = []
        var statuses: [Int?] = []
    }
    private let state = Mutex(State())

    var deliveries: [Delivery] { state.withLock { $0.deliveries } }

    /// The answers to the next requests, nil for none at all; afterwards 200.
    func answerNext(_ statuses: Int?...) { state.withLock { $0.statuses += statuses } }

    func send(_ request: OutboundRequest) async throws(OutboundFailure) -> OutboundResponse {
        let form: [(name: String, value: String)] = if case .post(let form) = request.method { form } else { [] }
        let status = state.withLock { state -> Int? in
            state.deliveries.append(Delivery(url: request.url, form: form))
            return state.statuses.isEmpty ? 200 : state.statuses.removeFirst()
        }
        guard let status else { throw OutboundFailure(.timeout, "nobody answers", mend: "wait") }
        return OutboundResponse(status: status, body: Data(), contentType: nil)
    }

    /// Lets the background service of a node look once for what is due.
    /// - Returns: what has come.
    @discardableResult
    func deliver(_ server: TestServer) async throws -> [Delivery] {
        let before = deliveries.count
        let node = server.services
        let services = Services(
            issuer: node.issuer, stores: node.stores, secret: node.secret, passwords: node.passwords, outbound: self,
            logger: node.logger, now: node.now)
        while try await BackchannelLogout(services: services).deliverDue() {}
        return Array(deliveries[before...]).sorted { $0.url < $1.url }
    }
}
