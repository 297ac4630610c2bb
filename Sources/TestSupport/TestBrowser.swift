import HTTPTypes
import HummingbirdTesting
import Synchronization

/// A browser: it keeps cookies, and fills in forms as a person does.
package final class TestBrowser: Sendable {
    package let server: TestServer
    private let jar = Mutex<[String: String]>([:])
    private let own = Mutex<HTTPFields>([:])

    package init(_ server: TestServer) { self.server = server }

    /// What the browser calls itself; nil for nothing.
    package var userAgent: String? {
        get { own.withLock { $0[.userAgent] } }
        set { own.withLock { $0[.userAgent] = newValue } }
    }
    /// What its user reads; nil for what the browser does not say.
    package var acceptLanguage: String? {
        get { own.withLock { $0[.acceptLanguage] } }
        set { own.withLock { $0[.acceptLanguage] = newValue } }
    }
    /// Where a proxy has it from; for servers behind a ``TestProxy``.
    package var address: String? {
        get { own.withLock { $0[Self.forwardedFor] } }
        set { own.withLock { $0[Self.forwardedFor] = newValue } }
    }
    private static let forwardedFor = HTTPField.Name("X-Forwarded-For") ?? .via

    package var cookies: [String: String] { jar.withLock { $0 } }
    /// Sets a cookie, or with nil forgets it.
    package func setCookie(_ name: String, _ value: String?) { jar.withLock { $0[name] = value } }

    /// Opens an address with the cookies so far, and keeps those of the answer.
    package func get(_ path: String) async throws -> TestResponse {
        keep(try await server.get(path, headers: headers))
    }

    /// Sends a form with the cookies so far, and keeps those of the answer.
    package func post(_ path: String, _ form: [(String, String)]) async throws -> TestResponse {
        keep(try await server.post(path, form: form, headers: headers))
    }

    /// Opens the page that `response` leads to, and sends its form with `fields` added to its hidden ones.
    package func submit(
        _ response: TestResponse, _ fields: [(String, String)], to path: String? = nil
    ) async throws -> TestResponse {
        let page = response.location ?? ""
        let html = try await get(page).text
        // Each form of a page has its state and token, and one form is sent.
        let hidden = Dictionary(Self.hiddenFields(html)) { first, _ in first }
        return try await post(path ?? page, hidden.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } + fields)
    }

    /// Signs in on the login page that `response` leads to, and goes on as far as our own pages lead.
    package func logIn(
        _ response: TestResponse, email: String = "ada@example.com", password: String
    ) async throws -> TestResponse {
        try await follow(
            submit(response, [("username", email), ("password", password), ("action", "default")]))
    }

    /// Follows redirects inside the server, to the next page or out of it.
    package func follow(_ response: TestResponse) async throws -> TestResponse {
        var response = response
        while let location = response.location, location.hasPrefix("/authorize/") { response = try await get(location) }
        return response
    }

    /// The hidden inputs of a page's forms.
    package static func hiddenFields(_ html: String) -> [(String, String)] {
        html.matches(of: /<input[^>]*type="hidden"[^>]*>/).compactMap { match in
            guard let name = match.0.firstMatch(of: /name="([^"]*)"/),
                let value = match.0.firstMatch(of: /value="([^"]*)"/)
            else { return nil }
            return (String(name.1), String(value.1))
        }
    }

    private var headers: HTTPFields {
        let cookies = jar.withLock { $0.map { "\($0)=\($1)" }.sorted().joined(separator: "; ") }
        var headers = own.withLock { $0 }
        if !cookies.isEmpty { headers[.cookie] = cookies }
        return headers
    }

    private func keep(_ response: TestResponse) -> TestResponse {
        for cookie in response.headers[values: .setCookie] {
            let pair = cookie.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let isGone = cookie.contains("Max-Age=0")
            jar.withLock { $0[String(pair[0])] = isGone ? nil : String(pair[1]) }
        }
        return response
    }
}
