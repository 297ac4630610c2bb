import AuthorizationServer
import Foundation
import OAuth
import Synchronization

/// Other people's servers, as a test makes them up.
package final class SimulatedWeb: OutboundHTTP {
    private struct State {
        var pages: [String: OutboundResponse] = [:]
        var requests: [OutboundRequest] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// What was asked so far.
    package var requests: [OutboundRequest] { state.withLock { $0.requests } }

    /// Puts a document at an address; nil takes it away.
    package func publish(
        _ value: JSONValue?, at url: String, status: Int = 200, contentType: String = "application/json"
    ) throws {
        let response = try value.map {
            OutboundResponse(status: status, body: try JSON.bytes($0), contentType: contentType)
        }
        state.withLock { $0.pages[url] = response }
    }

    package func send(_ request: OutboundRequest) async throws(OutboundFailure) -> OutboundResponse {
        let page = state.withLock { state in
            state.requests.append(request)
            return state.pages[request.url]
        }
        guard let page else { throw OutboundFailure(.unknownHost, "no such host", mend: "Publish it in the test.") }
        guard page.body.count <= request.mostBytes else {
            throw OutboundFailure(.tooLarge, "the answer is too large", mend: "Make it smaller.")
        }
        return page
    }
}
