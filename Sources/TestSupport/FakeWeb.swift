import AuthorizationServer
import Foundation
import OAuth
import Synchronization

/// Everybody else's servers, as a test wants them: what stands at which address, and who has asked for it.
package final class FakeWeb: OutboundHTTP {
    private struct State {
        var answers: [String: OutboundResponse] = [:]
        var requests: [OutboundRequest] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// What has been asked, oldest first.
    package var requests: [OutboundRequest] { state.withLock { $0.requests } }

    /// Puts a document at an address; nil takes it away.
    package func put(_ text: String?, at url: String, status: Int = 200, type: String = "application/json") {
        state.withLock { state in
            state.answers[url] = text.map {
                OutboundResponse(status: status, body: Data($0.utf8), contentType: type)
            }
        }
    }

    /// Puts a set of public keys at an address.
    package func put(_ keys: [ForeignKey], at url: String) throws {
        let set: JSONObject = ["keys": .array(try keys.map { .object(try $0.jsonWebKey) })]
        put(try JSON.text(set), at: url)
    }

    package func send(_ request: OutboundRequest) async throws(OutboundFailure) -> OutboundResponse {
        let answer = state.withLock { state in
            state.requests.append(request)
            return state.answers[request.url]
        }
        guard let answer else { throw OutboundFailure(.unreachable, "No connection", mend: "Put something there.") }
        guard answer.body.count <= request.mostBytes else {
            throw OutboundFailure(.tooLarge, "Too large", mend: "Put something smaller there.")
        }
        return answer
    }
}
