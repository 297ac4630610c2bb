import AuthorizationServer
import HTTPTypes
import Hummingbird
import OAuth
import Pages
import Storage

/// `/u/mfa-sms-…` and `/u/mfa-email-challenge`: second factors whose codes are sent to the user. As ``MFAController``, a page shows
/// only what the login waits for.
struct MFACodeController: Sendable {
    let services: Services
    let forms: LoginForms
    let cookies: BrowserCookies
    let pages: PageResponder

    private typealias Question = MultiFactorLogin.Question
    private typealias Channel = MultiFactorLogin.Channel

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("u/mfa-sms-challenge") { try await showChallenge(.sms, $0, $1) }
            .post("u/mfa-sms-challenge") { try await submitChallenge(.sms, $0, $1) }
            .get("u/mfa-email-challenge") { try await showChallenge(.email, $0, $1) }
            .post("u/mfa-email-challenge") { try await submitChallenge(.email, $0, $1) }
            .get("u/mfa-sms-enrollment") { try await showEnrollment($0, $1) }
            .post("u/mfa-sms-enrollment") { try await submitEnrollment($0, $1) }
    }

    private var login: MultiFactorLogin { MultiFactorLogin(services: services) }

    // MARK: Passing a factor

    /// The first time that the page is opened in a login, the code is sent: nobody has to ask for it.
    @Sendable private func showChallenge(
        _ channel: Channel, _ request: Request, _ context: WebContext
    ) async throws -> Response {
        let visit = try await forms.visit(request, context)
        guard let question = try await login.question(visit.login, browser: visit.browser),
            question.offers(channel)
        else { return forms.resume(visit) }
        do {
            try await login.sendOnce(channel, question, sending(visit))
            return try await page(channel, visit, question)
        } catch is TransactionNotFound {
            return forms.resume(visit)
        } catch let refusal as MultiFactorLogin.SendingRefusal {
            return try await page(channel, visit, question, Self.problem(refusal), Self.status(refusal))
        }
    }

    @Sendable private func submitChallenge(
        _ channel: Channel, _ request: Request, _ context: WebContext
    ) async throws -> Response {
        let visit = try await forms.visit(request, context)
        let fields = try await forms.fields(visit, request, context)
        guard let question = try await login.question(visit.login, browser: visit.browser),
            question.offers(channel)
        else { return forms.resume(visit) }
        guard let fields else { return try await page(channel, visit, question, .expiredForm, .forbidden) }
        do {
            if fields["action"] == "resend" {
                try await login.send(channel, question, sending(visit))
                return try await page(channel, visit, question)
            }
            return resume(
                visit,
                remembering: try await login.answer(
                    channel, question, code: fields["code"] ?? "", remembers: fields["rememberBrowser"] == "true"))
        } catch is TransactionNotFound {
            return forms.resume(visit)
        } catch let refusal as MultiFactorLogin.SendingRefusal {
            return try await page(channel, visit, question, Self.problem(refusal), Self.status(refusal))
        } catch let refusal as MultiFactorLogin.Refusal {
            return try await page(channel, visit, question, Self.problem(refusal), Self.status(refusal))
        }
    }

    private func page(
        _ channel: Channel, _ visit: LoginForms.Visit, _ question: Question, _ problem: FormProblem? = nil,
        _ status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        let isMail = channel == .email
        return try await pages.respond(
            with: MFACodeChallengePage(
                isMail: isMail, address: (isMail ? question.email : question.phone) ?? "", state: visit.state.text,
                csrfToken: visit.formToken, applicationName: visit.client.name, logoURL: visit.logoURL,
                others: question.others(than: isMail ? .email : .sms), mayRemember: question.mayRemember,
                problem: problem),
            status: status, to: visit)
    }

    // MARK: Enrolling a phone

    @Sendable private func showEnrollment(_ request: Request, _ context: WebContext) async throws -> Response {
        let visit = try await forms.visit(request, context)
        guard let question = try await login.question(visit.login, browser: visit.browser), question.enrollsPhone
        else { return forms.resume(visit) }
        return try await enrollment(visit, question, number: question.pendingNumber ?? "")
    }

    @Sendable private func submitEnrollment(_ request: Request, _ context: WebContext) async throws -> Response {
        let visit = try await forms.visit(request, context)
        let fields = try await forms.fields(visit, request, context)
        guard let question = try await login.question(visit.login, browser: visit.browser), question.enrollsPhone
        else { return forms.resume(visit) }
        let number = fields?["phone"] ?? question.pendingNumber ?? ""
        guard let fields else { return try await enrollment(visit, question, number: number, .expiredForm, .forbidden) }
        do {
            switch fields["action"] {
            case "send", "other":
                let typed = fields["action"] == "send" ? fields["phone"] ?? "" : nil
                try await login.beginPhone(question, number: typed, sending(visit))
                // A page of its own, so that loading it again sends nothing.
                return .found("/u/mfa-sms-enrollment?state=\(visit.state.text)").reachable(from: visit.request.target)
            default:
                return resume(
                    visit,
                    remembering: try await login.enrollPhone(
                        question, code: fields["code"] ?? "", remembers: fields["rememberBrowser"] == "true"))
            }
        } catch is TransactionNotFound {
            return forms.resume(visit)
        } catch let refusal as MultiFactorLogin.SendingRefusal {
            return try await enrollment(
                visit, question, number: number, Self.problem(refusal), Self.status(refusal))
        } catch let refusal as MultiFactorLogin.Refusal {
            return try await enrollment(
                visit, question, number: number, Self.problem(refusal), Self.status(refusal))
        }
    }

    private func enrollment(
        _ visit: LoginForms.Visit, _ question: Question, number: String, _ problem: FormProblem? = nil,
        _ status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        try await pages.respond(
            with: MFASMSEnrollmentPage(
                state: visit.state.text, csrfToken: visit.formToken, applicationName: visit.client.name,
                logoURL: visit.logoURL, number: String(number.prefix(40)), isSent: question.pendingNumber != nil,
                offersOTP: question.secret != nil, mayRemember: question.mayRemember, problem: problem),
            status: status, to: visit)
    }

    // MARK: What they share

    private func sending(_ visit: LoginForms.Visit) -> MultiFactorLogin.Sending {
        MultiFactorLogin.Sending(
            client: visit.request.client, browser: visit.browser, language: visit.request.request.uiLocales.first)
    }

    private func resume(_ visit: LoginForms.Visit, remembering remembered: Secret?) -> Response {
        var response = forms.resume(visit)
        if let remembered { cookies.addRemembered(remembered, to: &response) }
        return response
    }

    private static func problem(_ refusal: MultiFactorLogin.Refusal) -> FormProblem {
        refusal == .tooMany ? .tooManyFactorCodes : .wrongCode
    }

    private static func status(_ refusal: MultiFactorLogin.Refusal) -> HTTPResponse.Status {
        refusal == .tooMany ? .tooManyRequests : .badRequest
    }

    private static func problem(_ refusal: MultiFactorLogin.SendingRefusal) -> FormProblem {
        switch refusal {
        case .addressInvalid: .addressInvalid
        case .tooManyRequests: .tooManyCodes
        case .notSent: .codeNotSent
        }
    }

    private static func status(_ refusal: MultiFactorLogin.SendingRefusal) -> HTTPResponse.Status {
        switch refusal {
        case .addressInvalid: .badRequest
        case .tooManyRequests: .tooManyRequests
        case .notSent: .serviceUnavailable
        }
    }
}

extension MultiFactorLogin.Question {
    fileprivate func offers(_ channel: MultiFactorLogin.Channel) -> Bool {
        (channel == .email ? email : phone) != nil
    }

    /// What will do in the place of a factor.
    func others(than factor: MultiFactorSettings.Factor) -> MFAOtherMethods {
        MFAOtherMethods(
            otp: takesOTP && factor != .otp, sms: phone != nil && factor != .sms,
            email: email != nil && factor != .email, recoveryCode: takesRecoveryCode && factor != .recoveryCode)
    }
}
