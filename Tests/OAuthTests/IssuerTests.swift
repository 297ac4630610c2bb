import OAuth
import Testing

@Suite("Issuer")
struct IssuerTests {
    @Test(
        "Auth0's issuers end in a slash; a missing one is added",
        arguments: [
            ("https://login.example.com/", "https://login.example.com/", "login.example.com", true),
            ("https://login.example.com", "https://login.example.com/", "login.example.com", true),
            ("http://localhost:8080", "http://localhost:8080/", "localhost:8080", false),
            ("http://[::1]:8080/", "http://[::1]:8080/", "[::1]:8080", false),
        ]
    )
    func accepted(text: String, issuer: String, domain: String, isSecure: Bool) throws {
        let made = try Issuer(text)
        #expect(made.text == issuer)
        #expect("\(made)" == issuer)
        #expect(made.domain == domain)
        #expect(made.origin + "/" == issuer)
        #expect(made.isSecure == isSecure)
        #expect(made.url("oauth/token") == issuer + "oauth/token")
        #expect(made.userInfoAudience == issuer + "userinfo")
    }

    @Test(
        "OIDC Discovery §3: no path, query or fragment, and one spelling",
        arguments: [
            "", "/", "login.example.com", "https://", "https:///", "https://login.example.com/tenant",
            "https://login.example.com/tenant/", "https://login.example.com//", "https://login.example.com/?a",
            "https://login.example.com?a", "https://login.example.com/#", "https://login.example.com/#a",
            "https://login.example.com#a/", "https://Login.example.com/", "HTTPS://login.example.com/",
            "ftp://login.example.com/", "https://user@login.example.com/", "https://login.example.com /",
            "https://lögin.example.com/", "app://login/",
        ]
    )
    func refused(text: String) {
        let problem = #expect(throws: Issuer.Problem.self) { _ = try Issuer(text) }
        #expect(problem?.description.contains("https://login.example.com/") == true)
    }
}
