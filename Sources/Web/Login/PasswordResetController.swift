import AuthorizationServer
import HTTPTypes
import Hummingbird
import Logging
import OAuth
import Pages
import Storage

/// `/u/reset-password/request`, where a user who cannot sign in asks for a link to a new password, and `/u/reset-verify`,
/// which the link opens.
struct PasswordResetController: Sendable {
    let services: Services
    let forms: LoginForms
    let cookies: BrowserCookies
    let pages: PageResponder

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("u/reset-password/request", use: ask)
            .post("u/reset-password/request", use: request)
            .get("u/reset-verify", use: show)
            .post("u/reset-verify", use: change)
    }

    // MARK: Asking for a link

    @Sendable private func ask(_ request: Request, context: WebContext) async throws -> Response {
        let visit = try await forms.visit(request, context)
        return try await page(visit, email: visit.request.request.loginHint ?? "")
    }

    @Sendable private func request(_ request: Request, context: WebContext) async throws -> Response {
        let visit = try await forms.visit(request, context)
        guard let fields = try await forms.fields(visit, request, context) else {
            return try await page(visit, problem: .expiredForm, status: .forbidden)
        }
        guard let email = fields["email"] else {
            return try await page(visit, problem: .emailRequired, status: .badRequest)
        }
        if let connection = try await visit.request.databaseConnection(services) {
            do {
                try await PasswordResetRequests(services: services).add(
                    email, connection: connection, client: visit.request.client, address: visit.browser.address)
            } catch let refusal as PasswordResetRequests.TooMany {
                var response = try await page(
                    visit, email: email, problem: .tooManyRequests, status: .tooManyRequests)
                response.headers[.retryAfter] = "\(refusal.retryAfter)"
                return response
            }
        }
        return try await pages.respond(
            with: MailNoticePage(.resetRequested, backPath: "/u/login?state=\(visit.state.text)"), to: visit)
    }

    private func page(
        _ visit: LoginForms.Visit, email: String = "", problem: FormProblem? = nil, status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        try await pages.respond(
            with: ForgotPasswordPage(
                state: visit.state.text, csrfToken: visit.formToken, applicationName: visit.client.name,
                applicationLogoURL: visit.logoURL, email: String(email.prefix(254)), problem: problem,
                loginPath: "/u/login?state=\(visit.state.text)"),
            status: status, to: visit)
    }

    // MARK: Behind the link

    @Sendable private func show(_ request: Request, context: WebContext) async throws -> Response {
        try await answering(request, context) { ticket, question, browser in
            try await page(ticket, question, browser)
        }
    }

    @Sendable private func change(_ request: Request, context: WebContext) async throws -> Response {
        let fields = try await FormBody.parameters(of: request, context: context)
        return try await answering(request, context) { ticket, question, browser in
            let expected = services.secret.formToken(browser, state: ticket.digest)
            guard ConstantTime.equal(fields["_csrf"] ?? "", expected) else {
                return try await page(ticket, question, browser, problem: .expiredForm, status: .forbidden)
            }
            guard let password = fields["password"] else {
                return try await page(ticket, question, browser, problem: .passwordRequired, status: .badRequest)
            }
            guard fields["password_again"] == password else {
                return try await page(ticket, question, browser, problem: .passwordMismatch, status: .badRequest)
            }
            do {
                let redirect = try await PasswordChange(services: services).change(ticket, to: password)
                if let redirect { return .found(redirect) }
                return try await pages.respond(
                    with: MailNoticePage(.passwordChanged, backPath: question.client?.initiateLoginURI))
            } catch PasswordChange.Refusal.weakPassword(let rules) {
                return try await page(
                    ticket, question, browser,
                    problem: .passwordTooWeak(rules.map { PasswordRule(text: $0.text, satisfied: $0.isSatisfied) }),
                    status: .badRequest)
            } catch PasswordChange.Refusal.databaseFails {
                return try await page(
                    ticket, question, browser, problem: .passwordNotChanged, status: .serviceUnavailable)
            } catch PasswordChange.Refusal.breachedPassword {
                return try await page(
                    ticket, question, browser, problem: .breachedNewPassword, status: .badRequest)
            }
        }
    }

    /// Runs `body` with what the ticket asks, or says why it is no longer good.
    private func answering(
        _ request: Request, _ context: WebContext,
        _ body: (Secret, PasswordChange.Question, Browser) async throws -> Response
    ) async throws -> Response {
        let ticket = Secret(try FormBody.query(of: request).require("ticket"))
        do {
            return try await cookies.answer(request, context) { browser in
                try await body(ticket, try await PasswordChange(services: services).question(ticket), browser)
            }
        } catch PasswordChange.Refusal.ticket(let result) {
            context.logger.info("link refused", metadata: ["why": "\(result.rawValue)"])
            return try await pages.respond(
                with: MailNoticePage(result.notice(good: .passwordChanged)), status: .badRequest)
        }
    }

    private func page(
        _ ticket: Secret, _ question: PasswordChange.Question, _ browser: Browser, problem: FormProblem? = nil,
        status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        try await pages.respond(
            with: ResetPasswordPage(
                ticket: ticket.text, csrfToken: services.secret.formToken(browser, state: ticket.digest),
                email: question.email, problem: problem,
                passwordRules: PasswordRules.check("", question.policy).map {
                    PasswordRule(text: $0.text, satisfied: false)
                }),
            status: status, formTarget: question.resultURL)
    }
}
