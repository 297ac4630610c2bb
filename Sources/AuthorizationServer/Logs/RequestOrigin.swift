import Foundation
import OAuth
import Synchronization

/// Where a request comes from, for the log and for the lists of addresses that attack protection leaves alone.
package struct RequestOrigin: Sendable {
    /// The request that this task answers; nil where none caused what happens.
    @TaskLocal package static var current: RequestOrigin?

    /// Names the request in the server's log and in its answer.
    package let requestID: String
    package let userAgent: String?
    private let acceptLanguage: String?
    private let address: Address
    private let startedAt = ContinuousClock.now

    package init(requestID: String, ip: String?, userAgent: String?, acceptLanguage: String? = nil) {
        (self.requestID, self.userAgent, address) = (requestID, userAgent, Address(ip))
        self.acceptLanguage = acceptLanguage
    }

    /// The language that the browser likes best, as its `Accept-Language` has it; nil for none. Scripts alone ask for it, so that
    /// it is read for them alone.
    package var language: String? { acceptLanguage.flatMap(Self.preferred) }

    /// The first of the languages with the greatest weight,
    /// [RFC 9110 §12.5.4](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4).
    private static func preferred(_ languages: String) -> String? {
        var best: (tag: String, weight: Double)?
        for language in languages.prefix(500).split(separator: ",").prefix(20) {
            let parts = language.split(separator: ";").map { $0.trimming(while: \.isWhitespace) }
            guard let tag = parts.first, tag.wholeMatch(of: /[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*/) != nil else {
                continue
            }
            let given = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            if given > best?.weight ?? 0 { best = (String(tag), given) }
        }
        return best?.tag
    }

    /// The client's address; nil where it is unknown.
    package var ip: String? { address.text.withLock { $0 } }

    /// Which browser it is: a digest of the cookie by which it is known; nil where it shows none.
    package var deviceID: String? { address.device.withLock { $0 } }

    /// Notes by which cookie the browser is known.
    package func recognize(_ browser: Secret) { address.device.withLock { $0 = "v0:\(browser.digest)" } }

    /// Takes the word of a client that may be trusted for whose address it is.
    func forward(to ip: String) { address.text.withLock { $0 = ip } }

    /// An address that becomes known better while a request is answered.
    private final class Address: Sendable {
        let text: Mutex<String?>
        let device = Mutex<String?>(nil)

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

extension Substring {
    fileprivate func trimming(while isLeftOut: (Character) -> Bool) -> Substring {
        var text = drop(while: isLeftOut)
        while let last = text.last, isLeftOut(last) { text.removeLast() }
        return text
    }
}
