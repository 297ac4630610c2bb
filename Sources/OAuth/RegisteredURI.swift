/// A URI that a client registered: exact, or with one `*` in the left-most label of its host.
///
/// Matching is a comparison of whole strings; only where a `*` stands is a part of one DNS label free. Ports, paths,
/// queries and case always count.
package struct RegisteredURI: Sendable, Hashable {
    package let text: String
    private let wildcard: Wildcard?

    private struct Wildcard: Sendable, Hashable {
        /// The scheme and what precedes the `*` in the label.
        let scheme, labelPrefix, labelSuffix, remainingAuthority: String
        let afterAuthority: String
    }

    /// Why a URI cannot be registered, in words for the person who wrote it.
    package struct Problem: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// - Throws: ``Problem`` for a URI that is not absolute, has a fragment or a dangerous scheme, or a `*` in a place
    ///   where it would match what the registrar does not own.
    package init(_ text: String) throws(Problem) {
        guard !text.contains("#") else {
            throw Problem(description: "'\(text.forDisplay)' has a fragment; remove everything from '#' on")
        }
        guard let uri = RedirectURI(text) else {
            throw Problem(
                description: "'\(text.forDisplay)' is not an absolute URI such as https://app.example.com/callback")
        }
        self.text = text
        guard text.contains("*") else {
            wildcard = nil
            return
        }
        wildcard = try Self.wildcard(in: uri)
    }

    private static func wildcard(in uri: RedirectURI) throws(Problem) -> Wildcard {
        let labels = uri.authority.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard ["http", "https"].contains(uri.scheme), uri.text.count(where: { $0 == "*" }) == 1,
            labels.count == 2, labels[0].contains("*")
        else {
            throw Problem(
                description:
                    "'\(uri.text.forDisplay)': one '*' is allowed, in the left-most label of an http or https host")
        }
        guard isOwned(labels[1].prefix { $0 != ":" }) else {
            throw Problem(
                description: "'\(uri.text.forDisplay)' would match hosts of other owners; "
                    + "keep at least two labels after the '*', as in https://*.example.com")
        }
        let parts = labels[0].split(separator: "*", maxSplits: 1, omittingEmptySubsequences: false)
        return Wildcard(
            scheme: uri.scheme, labelPrefix: String(parts[0]), labelSuffix: String(parts[1]),
            remainingAuthority: String(labels[1]), afterAuthority: String(uri.afterAuthority))
    }

    /// Whether one owner can be expected of every host under `host`: it has two labels at least and is no address.
    private static func isOwned(_ host: Substring) -> Bool {
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        return host == "localhost"
            || labels.count >= 2 && labels.allSatisfy { !$0.isEmpty }
                && labels.last?.contains(where: \.isLetter) == true
    }

    /// Whether `uri` is the registered one.
    package func matches(_ uri: RedirectURI) -> Bool {
        guard let wildcard else { return uri.text == text }
        return uri.scheme == wildcard.scheme && uri.afterAuthority == wildcard.afterAuthority
            && Self.matches(authority: uri.authority, wildcard)
    }

    /// Whether both are on this machine by http and differ in nothing but the port, RFC 8252 §7.3.
    package func matchesIgnoringLoopbackPort(_ uri: RedirectURI) -> Bool {
        guard let registered = RedirectURI(text), registered.scheme == "http", registered.isLoopback else {
            return false
        }
        return uri.scheme == registered.scheme && uri.host == registered.host
            && uri.afterAuthority == registered.afterAuthority
    }

    /// Whether `uri` is the registered one but for its query, as logout compares.
    package func matchesIgnoringQuery(_ uri: RedirectURI) -> Bool {
        guard let withoutQuery = RedirectURI(uri.withoutQuery),
            let registered = try? RegisteredURI(String(text.prefix { $0 != "?" }))
        else { return false }
        return registered.matches(withoutQuery)
    }

    private static func matches(authority: String, _ wildcard: Wildcard) -> Bool {
        let labels = authority.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard labels.count == 2, labels[1] == wildcard.remainingAuthority else { return false }
        let label = labels[0]
        guard label.count > wildcard.labelPrefix.count + wildcard.labelSuffix.count,
            label.hasPrefix(wildcard.labelPrefix), label.hasSuffix(wildcard.labelSuffix)
        else { return false }
        return label.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }
}
