import Foundation
import Synchronization

/// Where a request comes from, for the log and for the lists of addresses that attack protection leaves alone.
package struct RequestOrigin: Sendable {
    /// The request that this task answers; nil where none caused what happens.
    @TaskLocal package static var current: RequestOrigin?

    /// Names the request in the server's log and in its answer.
    package let requestID: String
    package let userAgent: String?
    private let address: Address
    private let startedAt = ContinuousClock.now

    package init(requestID: String, ip: String?, userAgent: String?) {
        (self.requestID, self.userAgent, address) = (requestID, userAgent, Address(ip))
    }

    /// The client's address; nil where it is unknown.
    package var ip: String? { address.text.withLock { $0 } }

    /// Takes the word of a client that may be trusted for whose address it is.
    func forward(to ip: String) { address.text.withLock { $0 = ip } }

    /// An address that becomes known better while a request is answered.
    private final class Address: Sendable {
        let text: Mutex<String?>

        init(_ text: String?) { self.text = Mutex(text) }
    }

    /// Milliseconds since the request came.
    var elapsedMilliseconds: Int64 {
        let elapsed = (ContinuousClock.now - startedAt).components
        return elapsed.seconds * 1000 + elapsed.attoseconds / 1_000_000_000_000_000
    }

    /// Whether a phone or tablet says that it is one.
    var isMobile: Bool {
        guard let userAgent else { return false }
        return ["Mobile", "Android", "iPhone", "iPad"].contains { userAgent.contains($0) }
    }
}
