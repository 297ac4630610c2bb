import Pages
import Testing

@Suite("The problems of forms")
struct FormProblemTests {
    static let all: [FormProblem] = [
        .wrongCredentials, .blocked, .tooManyAttempts, .emailRequired, .emailInvalid, .unknownDomain,
        .passwordRequired, .passwordTooWeak(Samples.rules), .signupFailed, .signupDisabled, .signupTakesOver, .busy,
        .cannotVerify, .passwordNotChanged,
        .expiredForm,
    ]

    @Test("Each is shown once, as an alert", arguments: all)
    func isShown(problem: FormProblem) throws {
        for html in [
            try PageRendererTests.html(Samples.login(problem: problem)),
            try PageRendererTests.html(Samples.signup(problem: problem)),
        ] {
            #expect(html.matches(of: /role="alert"/).count == 1)
            #expect(!html.contains(">\(problem.key)<"), "it has no text")
        }
    }

    @Test(
        "The texts that clients know are Auth0's",
        arguments: [
            (FormProblem.wrongCredentials, "Wrong email or password"),
            (.blocked, "Your account has been blocked after multiple consecutive login attempts."),
            (.tooManyAttempts, "Too many login attempts for this user. Please wait, and try again later."),
            (.emailRequired, "Please enter an email address"),
            (.passwordRequired, "Password is required"),
            (.unknownDomain, "Email does not match any enterprise directory"),
        ]
    )
    func texts(problem: FormProblem, text: String) throws {
        #expect(try PageRendererTests.html(Samples.login(problem: problem)).contains(">\(text)</p>"))
    }

    @Test("A problem describes the fields that it is about, and no others")
    func describes() throws {
        let both = try PageRendererTests.html(Samples.login(problem: .wrongCredentials))
        #expect(both.matches(of: /aria-invalid="true" aria-describedby="alert"/).count == 2)
        let email = try PageRendererTests.html(Samples.login(problem: .emailInvalid))
        #expect(email.contains(/id="username"[^>]*aria-invalid="true" aria-describedby="email-problem" autofocus/))
        #expect(email.matches(of: /aria-invalid/).count == 1)
        let busy = try PageRendererTests.html(Samples.login(problem: .busy))
        #expect(!busy.contains("aria-invalid"))
    }

    @Test("Email address and CSRF token come back, the password does not")
    func fields() throws {
        let html = try PageRendererTests.html(Samples.login(problem: .wrongCredentials))
        #expect(html.contains("value=\"ada@acme.example\""))
        #expect(!html.contains(/<input id="password"[^>]*value=/))
        #expect(html.contains(/<input id="password"[^>]*autofocus/))
    }
}
