import AuthorizationServer
import OAuth
import Storage

/// What is to be known of a provider that speaks OAuth 2.0.
struct OAuth2Provider: Sendable {
    var authorizationURL: String
    var tokenURL: String
    var clientID: String
    var secret: ClientSecret
    /// What the provider calls itself in its answers (RFC 9207); nil where that is not known.
    var issuer: String?
    /// Whether the provider is one that the tenant's own settings describe: answers in a name that those do not know are then
    /// refused. The well-known ones are nobody else's.
    var isOfTenantsChoice = false
    /// What is asked for in every login.
    var scope: [String]
    /// Whether the code is bound to its request ([RFC 7636](https://www.rfc-editor.org/rfc/rfc7636)); providers that do not know
    /// that take no notice, but for a few.
    var usesPKCE = true
    /// Whether the client proves itself with HTTP Basic instead of parameters.
    var usesBasic = false
    /// Parameters of every authorization request.
    var parameters: [(name: String, value: String)] = []
    /// The application's parameters that are passed on.
    var forwarded: [ForwardedParameter] = []
    /// Where users log out; nil where there is no address for that.
    var logout: (@Sendable (UpstreamLeaving) -> RedirectURI?)?
    /// Further headers for the provider's endpoints.
    var headers: [(name: String, value: String)] = []

    /// How the provider recognizes this server.
    enum ClientSecret: Sendable {
        case none
        case text(String)
        /// A token that is made for each request.
        case made(@Sendable (Services) throws(UpstreamFailure) -> String)
    }
}

/// How a provider's token endpoint wants to be shown the client's secret (RFC 6749 §2.3.1).
enum TokenEndpointProof: String, CaseIterable {
    case basic = "client_secret_basic"
    case post = "client_secret_post"
}

/// A parameter that goes from the application's request to the provider's: an entry of Auth0's `upstream_params`.
struct ForwardedParameter: Sendable {
    /// What the provider calls it.
    let name: String
    let source: Source

    enum Source: Sendable {
        case fixed(String)
        /// The application's parameter with this name.
        case parameter(String)
    }

    /// What no application may set: the provider's answer would be another login's, or go somewhere else.
    private static let reserved: Set<String> = [
        "client_id", "client_secret", "code_challenge", "code_challenge_method", "id_token_hint", "nonce",
        "redirect_uri",
        "request", "request_uri", "response_mode", "response_type", "scope", "state",
    ]

    init(_ name: String, _ source: Source) { (self.name, self.source) = (name, source) }

    /// Reads `upstream_params`.
    /// - Throws: ``Document/Problem`` for an entry that is none, or sets what none may.
    static func read(_ options: inout Document) throws(Document.Problem) -> [ForwardedParameter] {
        guard var settings = try options.document("upstream_params") else { return [] }
        var parameters: [ForwardedParameter] = []
        for name in settings.names.sorted() {
            guard var entry = try settings.document(name) else { continue }
            guard !reserved.contains(name) else { throw entry.problem("", "'\(name)' is this server's to set") }
            if let alias = try entry.string("alias") {
                parameters.append(ForwardedParameter(name, .parameter(alias)))
            } else if let value = try entry.string("value") {
                parameters.append(ForwardedParameter(name, .fixed(value)))
            } else {
                throw entry.problem("alias", "is required, or value")
            }
        }
        return parameters
    }

    func value(in sent: Parameters) -> String? {
        switch source {
        case .fixed(let value): value
        case .parameter(let name): sent[name]
        }
    }
}

extension Document {
    /// A scope, written as a text or as a list.
    mutating func scope(_ name: String, standard: [String]) throws(Problem) -> [String] {
        guard let value = take(name) else { return standard }
        let texts: [String]
        if let text = value.string {
            texts = [text]
        } else if let array = value.array, array.allSatisfy({ $0.string != nil }) {
            texts = array.compactMap(\.string)
        } else {
            throw problem(name, "must be a text or a list of texts")
        }
        return texts.flatMap { ScopeText.values($0) }
    }

    /// An object whose members are texts, in the order of their names; empty where it is absent.
    mutating func texts(_ name: String) throws(Problem) -> [(name: String, value: String)] {
        guard var members = try document(name) else { return [] }
        var texts: [(name: String, value: String)] = []
        for name in members.names.sorted() {
            if let value = try members.string(name, most: 2048) { texts.append((name: name, value: value)) }
        }
        return texts
    }

    /// The URL of a provider's endpoint; nil where it is absent.
    mutating func endpoint(_ name: String) throws(Problem) -> String? {
        guard let text = try string(name, most: 2048), !text.isEmpty else { return nil }
        guard let uri = RedirectURI(text), uri.isAskable, uri.text == text else {
            throw problem(name, "must be an https:// address")
        }
        return text
    }

    /// The URL of a provider's endpoint.
    mutating func requiredEndpoint(_ name: String) throws(Problem) -> String {
        guard let text = try endpoint(name) else { throw problem(name, "is required") }
        return text
    }
}

/// Lists of scope values as people write them.
enum ScopeText {
    /// The values, parted by blanks or commas.
    static func values(_ text: String) -> [String] { text.split { " ,\n\t".contains($0) }.map(String.init) }
}
