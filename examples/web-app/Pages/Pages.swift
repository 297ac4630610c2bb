import Foundation

/// The pages of the application.
enum Pages {
    static func signedOut(_ settings: Settings) -> HTML {
        layout(
            title: "Sign in",
            """
            <section class="hero">
              <h1>A regular web application</h1>
              <p class="lead">It signs you in with the Authorization Code Flow and calls an API on your behalf.</p>
              <div class="actions">
                <a class="button primary" href="/login">Sign in</a>
                <a class="button" href="/login/hybrid">Sign in with the Hybrid Flow</a>
              </div>
            </section>
            <section class="card">
            <h2>How it works</h2>
            <ol>
              <li><b>Authorize.</b> The button sends you to the identity server, which sends you back with a code.</li>
              <li><b>Get tokens.</b> This server trades the code and its secret for tokens.</li>
              <li><b>Call the API.</b> It sends the access token along as a Bearer token.</li>
              <li><b>Refresh.</b> It gets a new access token without asking you again.</li>
            </ol>
            <p class="note">In the Hybrid Flow the identity server has your browser post an ID token and an access token
            together with the code; this server makes sure that the three belong together.</p>
            </section>
            <section class="card">
            <h2>Who takes part</h2>
            <dl>
              <dt>Identity server</dt><dd>\(settings.issuer)</dd>
              <dt>Application</dt><dd>\(settings.clientID)</dd>
              <dt>API</dt><dd>\(settings.audience) at \(settings.apiURL)</dd>
            </dl>
            </section>
            """)
    }

    static func signedIn(_ user: User, notice: String?, answer: APIAnswer?) -> HTML {
        layout(
            title: user.name,
            """
            <section class="hero">
              <h1>Hello, \(user.name)</h1>
              <p class="lead">\([user.email, user.id].compactMap(\.self).joined(separator: " · "))</p>
              <div class="actions">
                \(button("Call the API", "/call-api", kind: "primary"))
                \(button("Refresh", "/refresh", enabled: user.refreshToken != nil))
                \(button("Sign out", "/logout"))
              </div>
              \(user.refreshToken == nil ? noRefreshToken : nil)
            </section>
            \(notice.map { "<p class=\"notice\" role=\"status\">\($0)</p>" as HTML })
            \(answer.map(card))
            \(user.frontChannel.map(card))
            \(card("ID token", "Tells this application who you are. Its signature was verified.", user.idToken))
            \(card("Access token", accessTokenNote(user), user.accessToken))
            \(user.refreshToken.map { card("Refresh token", refreshTokenNote, $0) })
            <p class="note">The tokens are here to learn from. A real application shows them to nobody.</p>
            """)
    }

    static func problem(_ problem: Problem) -> HTML {
        layout(
            title: problem.title,
            """
            <section class="hero problem">
              <h1>\(problem.title)</h1>
              <p class="lead">\(problem.explanation)</p>
              \(problem.hint.map { "<p>\($0)</p>" as HTML })
              \(problem.code.map { "<p>Error code: <code>\($0)</code></p>" as HTML })
              <div class="actions">
                <a class="button primary" href="/login">Sign in</a>
                <a class="button" href="/">Back to the start</a>
              </div>
            </section>
            """)
    }

    private static let refreshTokenNote = "Gets new access tokens. Only the identity server can read it."

    private static let noRefreshToken: HTML = """
        <p class="note">There is no refresh token: the API must allow offline access, and the application the grant
        refresh_token.</p>
        """

    private static func button(_ label: String, _ path: String, kind: String = "", enabled: Bool = true) -> HTML {
        """
        <form method="post" action="\(path)"><button class="button \(kind)"\(enabled ? nil : " disabled" as HTML)>\
        \(label)</button></form>
        """
    }

    private static func card(_ answer: APIAnswer) -> HTML {
        """
        <article class="card" id="answer">
          <h2>Answer of the API</h2>
          <p><code>\(answer.request)</code> <span class="status">\(answer.status)</span></p>
          \(answer.challenge.map { "<p><code>WWW-Authenticate: \($0)</code></p>" as HTML })
          <pre tabindex="0">\(answer.body)</pre>
        </article>
        """
    }

    private static func card(_ frontChannel: FrontChannel) -> HTML {
        """
        <article class="card">
          <h2>What the browser brought</h2>
          <p>An ID token and an access token came with the code. The hashes in the ID token were compared with the
          others; who exchanges one of them is found out.</p>
          <dl>\(frontChannel.hashes.map(row))</dl>
          \(JWTParts(frontChannel.idToken).map(parts))
          <details><summary>Raw ID token</summary><pre class="raw" tabindex="0">\(frontChannel.idToken)</pre></details>
          <details><summary>Raw access token, which is not used</summary>\
          <pre class="raw" tabindex="0">\(frontChannel.accessToken)</pre></details>
        </article>
        """
    }

    private static func row(_ hash: FrontChannel.Hash) -> HTML {
        "<dt>\(hash.claim)</dt><dd>\(hash.value) is the hash of the \(hash.of)</dd>"
    }

    private static func card(_ name: String, _ note: String, _ token: String) -> HTML {
        """
        <article class="card">
          <h2>\(name)</h2>
          <p>\(note)</p>
          \(JWTParts(token).map(parts))
          <details><summary>Raw token</summary><pre class="raw" tabindex="0">\(token)</pre></details>
        </article>
        """
    }

    private static func parts(_ token: JWTParts) -> HTML {
        """
        <h3>Header</h3><pre tabindex="0">\(token.prettyHeader)</pre>
        <h3>Payload</h3><pre tabindex="0">\(token.prettyPayload)</pre>
        """
    }

    private static func accessTokenNote(_ user: User) -> String {
        guard let expires = user.accessTokenExpires else { return "Opens the API." }
        let minutes = Int(expires.timeIntervalSinceNow / 60)
        guard expires > Date() else { return "Has expired: refresh it." }
        let left = minutes < 60 ? "\(minutes) min" : "\(minutes / 60) h \(minutes % 60) min"
        return "Opens the API for another \(left), until \(expires.formatted(.iso8601))."
    }

    private static func layout(title: String, _ content: HTML) -> HTML {
        """
        <!doctype html>
        <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <meta name="color-scheme" content="light dark">
          <title>\(title) – Regular web application</title>
          <link rel="icon" href="data:,">
          <link rel="stylesheet" href="/style.css">
        </head>
        <body><main>
        \(content)
        </main></body>
        </html>
        """
    }
}
