import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Management API: branding and prompts")
struct ManagementBrandingTests {
    private static func loginPage(_ server: TestServer, _ changes: [String: String?] = [:]) async throws -> TestResponse
    {
        let browser = TestBrowser(server)
        let started = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL(changes))
        return try await browser.get(started.location ?? "")
    }

    @Test("Auth0: colours, logo, icon and font are what the pages show, from this server or where the tenant says")
    func branding() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            #expect(try await management.get("branding") == [:])
            #expect(try await !Self.loginPage(server).text.contains("/brand/"))
            let set = try await management.patch(
                "branding",
                [
                    "colors": ["primary": "#0A5", "page_background": "#101010"],
                    "logo_url": "https://cdn.example.com/logo.png", "favicon_url": "https://cdn.example.com/icon.png",
                    "font": ["url": "https://fonts.example.com/a.woff2"],
                ])
            #expect(set["colors"] == ["primary": "#00aa55", "page_background": "#101010"])
            let page = try await Self.loginPage(server)
            #expect(page.text.contains("https://cdn.example.com/logo.png"))
            #expect(page.text.contains(#"<link rel="icon" href="https://cdn.example.com/icon.png">"#))
            let policy = page.headers[.contentSecurityPolicy] ?? ""
            #expect(policy.contains("font-src https://fonts.example.com;") && policy.contains("style-src 'self';"))
            let path = try #require(page.text.firstMatch(of: /href="(\/brand\/[^"]+\.css)"/))
            let style = try await server.get(String(path.1))
            #expect(style.status == .ok && style.headers[.contentType] == "text/css; charset=utf-8")
            #expect(style.text.contains("--canvas: #101010;"))
            #expect(style.text.contains("url(\"https://fonts.example.com/a.woff2\")"))
            #expect(try await server.get("/brand/other.css").status == .notFound)
            for wrong: JSONValue in [
                ["colors": ["primary": "red"]], ["logo_url": "http://cdn.example.com/logo.png"],
                ["font": ["url": "https://*/a.woff2"]], ["logo_url": "https://*.example.com/logo.png"],
                ["font": ["url": "https://a.example/\");}body{"]], ["logo": "x"],
            ] {
                #expect(try await management.send(.patch, "branding", wrong).status == .badRequest)
            }
            let cleared = try await management.patch("branding", ["font": nil, "logo_url": ""])
            #expect(cleared["font"] == nil && cleared["logo_url"] == nil && cleared["favicon_url"] != nil)
            #expect(try await management.send(.get, "branding/templates/universal-login").status == .notImplemented)
        }
    }

    @Test("Auth0: custom texts stand on the pages in their language, and are text there")
    func customTexts() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let path = "prompts/login/custom-text/en"
            #expect(try await management.get(path) == [:])
            let texts: JSONValue = [
                "login": ["title": "Welcome to ${clientName} <b>", "buttonText": "Go", "logoAltText": "Logo"]
            ]
            #expect(try await management.send(.put, path, texts).status == .ok)
            #expect(try await JSONValue.object(management.get(path)) == texts)
            let page = try await Self.loginPage(server)
            #expect(page.text.contains("Welcome to Regular Web App &lt;b&gt;") && page.text.contains(">Go</button>"))
            let german: JSONValue = ["login": ["title": "Willkommen"]]
            #expect(try await management.send(.put, "prompts/login/custom-text/de", german).status == .ok)
            #expect(try await Self.loginPage(server, ["ui_locales": "de-AT"]).text.contains("<h1>Willkommen</h1>"))
            #expect(try await management.send(.put, path, [:]).status == .ok)
            #expect(try await Self.loginPage(server).text.contains("Log in to Regular Web App"))
            #expect(try await management.send(.put, path, ["login": "x"]).status == .badRequest)
            #expect(try await management.send(.put, path, ["login": ["title": 7]]).status == .badRequest)
            #expect(try await management.send(.get, "prompts/login/custom-text/..%2Fx").status == .badRequest)
        }
    }

    @Test("Auth0: the prompts' settings; what this version does not have is refused and not kept")
    func prompts() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let settings = try await management.get("prompts")
            #expect(settings["universal_login_experience"] == "new" && settings["identifier_first"] == false)
            #expect(try await management.patch("prompts", ["identifier_first": false]) == settings)
            for wrong: JSONValue in [["identifier_first": true], ["universal_login_experience": "classic"]] {
                #expect(try await management.send(.patch, "prompts", wrong).status == .badRequest)
            }
        }
    }
}
