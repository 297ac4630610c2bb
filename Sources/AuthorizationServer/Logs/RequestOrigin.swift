import Foundation

/// Where a request comes from, for the log and for the lists of addresses that attack protection leaves alone.
package struct RequestOrigin: Sendable {
    /// The request that this task answers; nil where none caused what happens.
    @TaskLocal package static var current: RequestOrigin?

    /// Names the request in the server's log and in its answer.
    package let requestID: String
    /// The client's address; nil where it is unknown.
    package let ip: String?
    package let userAgent: String?
    private let startedAt = ContinuousClock.now

    package init(requestID: String, ip: String?, userAgent: String?) {
        (self.requestID, self.ip, self.userAgent) = (requestID, ip, userAgent)
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
