import OAuth
import Storage

/// What a client may register as its redirect URIs itself, OpenID Connect Dynamic Client Registration §2 and
/// [RFC 8252 §7](https://www.rfc-editor.org/rfc/rfc8252#section-7). An administrator may allow more.
struct RedirectURIRules {
    let isNative: Bool
    let usesImplicit: Bool

    static let most = 50

    /// Whether a client that does not say what it is can only be a native application: it has no secret, and its
    /// responses stay on the user's machine. RFC 7591 alone has no `application_type`.
    static func areNative(_ uris: [RegisteredURI], of client: Client) -> Bool {
        !client.isConfidential && !uris.isEmpty
            && uris.allSatisfy { RedirectURI($0.text).map { isLoopback($0) || !isWeb($0) } ?? false }
    }

    /// - Throws: ``Document/Problem`` for the first of the member's URIs that is not allowed.
    func check(_ uris: [RegisteredURI], _ name: String, _ document: Document) throws(Document.Problem) {
        guard uris.count <= Self.most else { throw document.problem(name, "must have at most \(Self.most) URIs") }
        for (index, uri) in uris.enumerated() {
            if let problem = problem(uri.text) {
                throw document.problem("\(name)[\(index)]", "'\(uri.text.forDisplay)' \(problem)")
            }
        }
    }

    private func problem(_ text: String) -> String? {
        guard let uri = RedirectURI(text), !text.contains("*") else { return "has a wildcard; register each URI" }
        guard uri.scheme == uri.scheme.lowercased() else { return "must have its scheme in lower case" }
        if uri.scheme == "https" {
            return usesImplicit && !isNative && uri.isLoopback
                ? "must not be on localhost with the implicit grant" : nil
        }
        guard isNative else { return "must be https, unless application_type is native" }
        if uri.scheme == "http" { return Self.isLoopback(uri) ? nil : "must be https, or http on localhost" }
        return Self.isForeign(uri.scheme) ? "has the scheme of something else than an application" : nil
    }

    private static func isLoopback(_ uri: RedirectURI) -> Bool { uri.scheme == "http" && uri.isLoopback }

    private static func isWeb(_ uri: RedirectURI) -> Bool { ["http", "https"].contains(uri.scheme.lowercased()) }

    /// Schemes that belong to the system or the browser; those that ``RedirectURI`` refuses are not repeated.
    private static let foreignSchemes: Set<String> = [
        "intent", "mailto", "tel", "sms", "chrome", "chrome-extension", "moz-extension", "resource", "jar", "content",
        "android-app", "geo", "market", "urn", "ldap", "ssh", "telnet", "smb",
        "callto", "facetime", "facetime-audio", "feed", "help", "jnlp", "maps", "mk", "res", "search", "search-ms",
        "shell",
        "sip", "sips", "skype", "steam", "wyciwyg", "xmpp", "zoommtg",
    ]

    /// Windows and iOS have families of them, which open settings and installers.
    private static func isForeign(_ scheme: String) -> Bool {
        foreignSchemes.contains(scheme) || scheme.hasPrefix("ms-") || scheme.hasPrefix("itms")
    }
}
