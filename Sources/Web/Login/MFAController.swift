import AuthorizationServer
import HTTPTypes
import Hummingbird
import OAuth
import Pages
import Storage

/// `/u/mfa-…`: the second factor. Each page shows only what the login waits for; whoever opens another one goes back to where the
/// authorization endpoint decides.
struct MFAController: Sendable {
    let services: Services
    let forms: LoginForms
    let cookies: BrowserCookies
    let pages: PageResponder

    private typealias Question = MultiFactorLogin.Question

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("u/mfa-otp-enrollment") { try await show($0, $1, enrollment) }
            .post("u/mfa-otp-enrollment") { request, context in
                try await submit(request, context, enrollment) { question, fields in
                    try await login.enroll(
                        question, code: fields["code"] ?? "", remembers: fields["rememberBrowser"] == "true")
                }
            }
            .get("u/mfa-otp-challenge") { try await show($0, $1, challenge) }
            .post("u/mfa-otp-challenge") { request, context in
                try await submit(request, context, challenge) { question, fields in
                    try await login.challenge(
                        question, code: fields["code"] ?? "", remembers: fields["rememberBrowser"] == "true")
                }
            }
            .get("u/mfa-recovery-code-challenge") { try await show($0, $1, recovery) }
            .post("u/mfa-recovery-code-challenge") { request, context in
                try await submit(request, context, recovery) { question, fields in
                    try await login.recover(question, code: fields["code"] ?? "")
                }
            }
            .get("u/mfa-recovery-code-enrollment") { try await show($0, $1, newRecoveryCode) }
            .post("u/mfa-recovery-code-enrollment") { request, context in
                try await submit(request, context, newRecoveryCode) { question, _ in
                    try await login.noteRecoveryCode(question)
                    return nil
                }
            }
    }

    private var login: MultiFactorLogin { MultiFactorLogin(services: services) }

    // MARK: Asking and answering

    /// A page for what the login waits for; nil where it waits for something else.
    private typealias Answering =
        @Sendable (LoginForms.Visit, Question, FormProblem?, HTTPResponse.Status) async throws
        -> Response?

    private func show(_ request: Request, _ context: WebContext, _ page: Answering) async throws -> Response {
        let visit = try await forms.visit(request, context)
        guard let question = try await login.question(visit.login, browser: visit.browser),
            let response = try await page(visit, question, nil, .ok)
        else { return forms.resume(visit) }
        return response
    }

    private func submit(
        _ request: Request, _ context: WebContext, _ page: Answering,
        _ answer: (Question, OAuth.Parameters) async throws -> Secret?
    ) async throws -> Response {
        let visit = try await forms.visit(request, context)
        let fields = try await forms.fields(visit, request, context)
        guard let question = try await login.question(visit.login, browser: visit.browser),
            let refused = try await page(visit, question, .expiredForm, .forbidden)
        else { return forms.resume(visit) }
        guard let fields else { return refused }
        do {
            let remembered = try await answer(question, fields)
            var response = forms.resume(visit)
            if let remembered { cookies.addRemembered(remembered, to: &response) }
            return response
        } catch is TransactionNotFound {
            // Another tab, or another browser of the user's, has changed what the login waits for.
            return forms.resume(visit)
        } catch let refusal as MultiFactorLogin.Refusal {
            let isRecovery = request.uri.path.contains("recovery")
            let problem: FormProblem =
                refusal == .tooMany ? .tooManyFactorCodes : isRecovery ? .wrongRecoveryCode : .wrongFactorCode
            let status: HTTPResponse.Status = refusal == .tooMany ? .tooManyRequests : .badRequest
            return try await page(visit, question, problem, status) ?? forms.resume(visit)
        }
    }

    // MARK: Pages

    @Sendable private func enrollment(
        _ visit: LoginForms.Visit, _ question: Question, _ problem: FormProblem?, _ status: HTTPResponse.Status
    ) async throws -> Response? {
        guard let secret = question.secret, let keyURI = question.keyURI else { return nil }
        return try await pages.respond(
            with: MFAOTPEnrollmentPage(
                state: visit.state.text, csrfToken: visit.formToken, applicationName: visit.client.name,
                logoURL: visit.logoURL, secret: secret, keyURI: keyURI, offersPhone: question.enrollsPhone,
                mayRemember: question.mayRemember, problem: problem),
            status: status, to: visit)
    }

    @Sendable private func challenge(
        _ visit: LoginForms.Visit, _ question: Question, _ problem: FormProblem?, _ status: HTTPResponse.Status
    ) async throws -> Response? {
        guard question.takesOTP else { return nil }
        return try await pages.respond(
            with: MFAOTPChallengePage(
                state: visit.state.text, csrfToken: visit.formToken, applicationName: visit.client.name,
                logoURL: visit.logoURL, others: question.others(than: .otp),
                mayRemember: question.mayRemember, problem: problem),
            status: status, to: visit)
    }

    @Sendable private func recovery(
        _ visit: LoginForms.Visit, _ question: Question, _ problem: FormProblem?, _ status: HTTPResponse.Status
    ) async throws -> Response? {
        guard question.takesRecoveryCode else { return nil }
        return try await pages.respond(
            with: MFARecoveryCodeChallengePage(
                state: visit.state.text, csrfToken: visit.formToken, applicationName: visit.client.name,
                logoURL: visit.logoURL, others: question.others(than: .recoveryCode), problem: problem),
            status: status, to: visit)
    }

    @Sendable private func newRecoveryCode(
        _ visit: LoginForms.Visit, _ question: Question, _ problem: FormProblem?, _ status: HTTPResponse.Status
    ) async throws -> Response? {
        guard let code = question.newRecoveryCode else { return nil }
        return try await pages.respond(
            with: MFARecoveryCodeEnrollmentPage(
                state: visit.state.text, csrfToken: visit.formToken, applicationName: visit.client.name,
                logoURL: visit.logoURL, code: code, problem: problem),
            status: status, to: visit)
    }
}
