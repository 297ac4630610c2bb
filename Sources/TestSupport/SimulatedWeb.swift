import AuthorizationServer
import Foundation
import OAuth
import Synchronization

/// Other people's servers, as a test makes them up.
package final class SimulatedWeb: OutboundHTTP {
    private struct State {
        var pages: [String: OutboundResponse] = [:]
        var failures: [String: OutboundFailure.Kind] = [:]
        var requests: [OutboundRequest] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// What was asked so far.
    package var requests: [OutboundRequest] { state.withLock { $0.requests } }

    /// Puts a text at an address; nil takes it away.
    package func put(_ text: String?, at url: String, status: Int = 200, type: String = "application/json") {
        let response = text.map { OutboundResponse(status: status, body: Data($0.utf8), contentType: type) }
        state.withLock { $0.pages[url] = response }
    }

    /// Puts a JSON document at an address; nil takes it away.
    package func publish(
        _ value: JSONValue?, at url: String, status: Int = 200, contentType: String = "application/json"
    ) throws {
        put(try value.map { try JSON.text($0) }, at: url, status: status, type: contentType)
    }

    /// Makes requests to an address fail; nil takes that back.
    package func fail(_ kind: OutboundFailure.Kind?, at url: String) {
        state.withLock { $0.failures[url] = kind }
    }

    /// Puts a set of public keys at an address.
    package func put(_ keys: [ForeignKey], at url: String) throws {
        try publish(["keys": .array(try keys.map { .object(try $0.jsonWebKey) })], at: url)
    }

    package func send(_ request: OutboundRequest) async throws(OutboundFailure) -> OutboundResponse {
        let (page, failure) = state.withLock { state in
            state.requests.append(request)
            return (state.pages[request.url], state.failures[request.url])
        }
        if let failure { throw OutboundFailure(failure, "the request failed", mend: "The test wants that.") }
        guard let page else { throw OutboundFailure(.unknownHost, "no such host", mend: "Publish it in the test.") }
        guard page.body.count <= request.mostBytes else {
            throw OutboundFailure(.tooLarge, "the answer is too large", mend: "Make it smaller.")
        }
        return page
    }
}
