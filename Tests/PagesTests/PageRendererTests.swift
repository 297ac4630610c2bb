import Foundation
import Pages
import Testing

@Suite("Pages")
struct PageRendererTests {
    static let renderer = Result { try PageRenderer() }

    static func html(_ page: some Page, chrome: PageChrome = Samples.chrome) throws -> String {
        try renderer.get().render(page, chrome: chrome)
    }

    @Test("Every page renders", arguments: Samples.pages.map(\.name))
    func renders(name: String) throws {
        let html = try Self.html(try sample(name))
        #expect(html.hasPrefix("<!doctype html>"))
        #expect(html.contains("<html lang=\"en\" dir=\"ltr\">"))
        #expect(html.matches(of: /<h1>[^<]+<\/h1>/).count == 1)
        #expect(html.contains(/<title>[^<]+<\/title>/))
        #expect(!html.contains("{{") && !html.contains("}}"))
        #expect(html.contains("Acme Health"))
    }

    @Test("Every page in the list has a sample")
    func samplesAreComplete() {
        let sampled = Set(Samples.pages.map { type(of: $0.page).template })
        #expect(sampled == Set(Pages.all.map { $0.template }))
    }

    @Test("No page needs inline script or style", arguments: Samples.pages.map(\.name))
    func contentSecurityPolicy(name: String) throws {
        let html = try Self.html(try sample(name))
        #expect(!html.contains(/<style|\sstyle=|\son[a-z]+=|javascript:/))
        for script in html.matches(of: /<script[^>]*>([^<]*)<\/script>/) {
            #expect(script.1.isEmpty)
        }
    }

    @Test("Every asset that a page names can be fetched", arguments: Samples.pages.map(\.name))
    func assets(name: String) throws {
        let paths = try Self.html(try sample(name)).matches(of: /"\/assets\/([^"]+)"/).map { String($0.1) }
        #expect(paths.count >= 3)
        for path in paths {
            #expect(PageAssets.embedded.find(path) != nil, "\(path)")
        }
    }

    @Test("Every field has a label, and every id that is named is there once", arguments: Samples.pages.map(\.name))
    func accessibility(name: String) throws {
        let html = try Self.html(try sample(name))
        let ids = html.matches(of: /\sid="([^"]+)"/).map { String($0.1) }
        #expect(Set(ids).count == ids.count)
        let named = html.matches(of: /\s(?:for|aria-describedby|aria-labelledby)="([^"]+)"/)
        for id in named.flatMap({ $0.1.split(separator: " ") }) {
            #expect(ids.contains(String(id)), "\(id)")
        }
        for input in html.matches(of: /<input [^>]*>/) where !input.0.contains("type=\"hidden\"") {
            let id = try #require(input.0.firstMatch(of: /\sid="([^"]+)"/)).1
            #expect(html.contains("<label for=\"\(id)\">"))
            #expect(input.0.contains("autocomplete=\""))
        }
        #expect(html.matches(of: /\sautofocus/).count <= 1)
        for image in html.matches(of: /<img [^>]*>/) {
            #expect(image.0.contains("alt="))
        }
    }

    @Test("The login form has Auth0's fields")
    func loginFields() throws {
        let html = try Self.html(Samples.login())
        #expect(html.contains("<form method=\"post\" action=\"/u/login?state=hKFo2SBYcQ\""))
        #expect(html.contains("name=\"state\" value=\"hKFo2SBYcQ\""))
        #expect(html.contains("name=\"_csrf\" value=\"9v3kd81\""))
        #expect(html.contains(/name="username"[^>]*autocomplete="username"/))
        #expect(html.contains(/name="password" type="password" autocomplete="current-password"/))
        #expect(html.contains("type=\"submit\" name=\"action\" value=\"default\""))
        #expect(html.contains("<a href=\"/u/signup?state=hKFo2SBYcQ\">"))
    }

    @Test("Without a signup path there is no link to it")
    func noSignup() throws {
        let html = try Self.html(LoginPage(state: "s", csrfToken: "c", applicationName: "App"))
        #expect(!html.contains("Sign up"))
    }

    @Test("A state is encoded in the form's address")
    func stateInAddress() throws {
        let html = try Self.html(LoginPage(state: "a b&c=d#é", csrfToken: "c", applicationName: "App"))
        #expect(html.contains("action=\"/u/login?state=a%20b%26c%3Dd%23%C3%A9\""))
        #expect(html.contains("name=\"state\" value=\"a b&amp;c=d#é\""))
    }

    @Test("The signup form asks for a new password by its rules")
    func signupFields() throws {
        let html = try Self.html(Samples.signup())
        #expect(html.contains("action=\"/u/signup?state=hKFo2SBYcQ\""))
        #expect(html.contains(/name="email" type="email"/))
        #expect(html.contains(/name="password" type="password" autocomplete="new-password"/))
        #expect(html.contains("aria-describedby=\"password-rules\""))
        #expect(html.contains("<li>At least 8 characters</li>"))
        #expect(!html.contains("class=\"satisfied\""))
    }

    @Test("A weak password comes back with the rules that it breaks")
    func weakPassword() throws {
        let html = try Self.html(Samples.signup(problem: .passwordTooWeak(Samples.rules)))
        #expect(html.contains(/<li class="satisfied">At least 8 characters<span[^>]*> \(satisfied\)/))
        #expect(
            html.contains(/<li>A lower-case letter, an upper-case letter and a number<span[^>]*> \(not satisfied\)/)
        )
        #expect(html.contains("aria-describedby=\"password-problem password-rules\""))
    }

    @Test("The consent says who asks for what, and offers both answers")
    func consent() throws {
        let html = try Self.html(Samples.consent)
        let text = html.replacing(/<[^>]+>/, with: "")
        #expect(html.contains("<title>Authorize Appointments</title>"))
        #expect(html.contains("<h1>Authorize App</h1>"))
        #expect(text.contains("Hi Ada Lovelace, Appointments is requesting access to your Acme Health account."))
        #expect(text.contains("Appointments: read and write your appointments"))
        #expect(html.contains("name=\"action\" value=\"accept\">Accept</button>"))
        #expect(html.contains("name=\"action\" value=\"deny\">Decline</button>"))
        #expect(html.contains("name=\"audience\" value=\"https://appointments.acme.example/api\""))
        #expect(html.contains("name=\"scope\" value=\"openid profile read:appointments\""))
    }

    @Test("In production an error says no more than everybody may know")
    func productionError() throws {
        let html = try Self.html(Samples.error())
        for text in ["403", "invalid_request", "Callback URL mismatch.", "8f14e45fceea167a5a36"] {
            #expect(html.contains(text))
        }
        #expect(!html.contains("How to fix it") && !html.contains("<mark") && !html.contains("Development"))
    }

    @Test("In development an error names the cause, the mend and the setting, and marks the difference")
    func developmentError() throws {
        let html = try Self.html(Samples.error(development: Samples.mismatch))
        #expect(html.contains("Allowed Callback URLs (callbacks)"))
        #expect(html.contains("callba<mark class=\"gap\"></mark>k</code>"))
        #expect(html.contains("callba<mark>c</mark>k</code>"))
        #expect(html.contains("The request has “callbak” where the application has “callback”."))
        #expect(html.contains("<dt><code>redirect_uri</code></dt>"))
    }

    @Test("A form post carries its parameters, even one called submit")
    func formPost() throws {
        let page = FormPostPage(
            action: "com.acme.app://callback",
            parameters: [(name: "submit", value: "1"), (name: "state", value: "a\nb")]
        )
        let html = try Self.html(page)
        #expect(html.contains("action=\"com.acme.app://callback\""))
        #expect(html.contains("<input type=\"hidden\" name=\"submit\" value=\"1\">"))
        #expect(html.contains("<input type=\"hidden\" name=\"state\" value=\"a&#10;b\">"))
        #expect(html.contains("data-auto-submit"))
        #expect(html.contains(/\/assets\/form-post-[0-9a-f]{8}\.js/))
        #expect(html.contains(/<button class="button primary" type="submit">Continue/))
    }

    @Test("The application's logo comes before the tenant's")
    func logos() throws {
        let chrome = PageChrome(tenantName: "Acme", logoURL: "https://acme.example/logo.png")
        let own = LoginPage(
            state: "s",
            csrfToken: "c",
            applicationName: "App",
            applicationLogoURL: "https://app.example/logo.png"
        )
        #expect(try Self.html(own, chrome: chrome).contains("src=\"https://app.example/logo.png\""))
        let none = LoginPage(state: "s", csrfToken: "c", applicationName: "App")
        #expect(try Self.html(none, chrome: chrome).contains("src=\"https://acme.example/logo.png\""))
    }

    private func sample(_ name: String) throws -> any Page {
        try #require(Samples.pages.first { $0.name == name }).page
    }
}
