import AuthorizationServer
import HTTPTypes
import Hummingbird
import Logging
import OAuth
import Pages
import Storage

/// `/activate`: where a user lets a device in, and the page on which that ends.
struct ActivateController: Sendable {
    let services: Services
    let cookies: BrowserCookies
    let pages: PageResponder

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("activate", use: show)
            .post("activate", use: submit)
            .get("activate/done", use: done)
    }

    /// Without a code the page asks for one; with one it shows what the code stands for. The form that asks is sent with
    /// GET, because looking changes nothing.
    @Sendable private func show(_ request: Request, context: WebContext) async throws -> Response {
        guard let typed = try FormBody.query(of: request)["user_code"] else {
            return try await pages.respond(with: ActivatePage())
        }
        return try await answering(typed, request, context) { question, browser in
            try await page(question, browser)
        }
    }

    @Sendable private func submit(_ request: Request, context: WebContext) async throws -> Response {
        let fields = try await FormBody.parameters(of: request, context: context)
        let activation = DeviceActivation(services: services)
        return try await answering(fields["user_code"] ?? "", request, context) { question, browser in
            guard ConstantTime.equal(fields["_csrf"] ?? "", activation.formToken(question, browser)) else {
                return try await page(question, browser, problem: .expiredForm, status: .forbidden)
            }
            switch fields["action"] {
            case "confirm":
                return .found(
                    "/authorize/resume?state=\(try await activation.confirm(question, browser: browser).text)")
            case "cancel":
                try await activation.cancel(question)
                return .found("/activate/done?error=access_denied")
            default: throw OAuthError.invalidRequest("Invalid action", hint: "action is confirm or cancel.")
            }
        }
    }

    /// Runs `body` with the device that waits for `typed`, or asks for another code.
    private func answering(
        _ typed: String, _ request: Request, _ context: WebContext,
        _ body: (DeviceActivation.Question, Browser) async throws -> Response
    ) async throws -> Response {
        do {
            return try await cookies.answer(request, context) { browser in
                let question = try await DeviceActivation(services: services).question(typed, browser: browser)
                return try await body(question, browser)
            }
        } catch let refusal as DeviceActivation.Refusal {
            context.logger.info(
                "user code refused", metadata: ["why": "\(refusal)", "address": "\(context.clientAddress)"])
            let (problem, status): (FormProblem, HTTPResponse.Status) =
                switch refusal {
                case .unknownCode: (.userCodeInvalid, .badRequest)
                case .tooManyGuesses: (.tooManyUserCodes, .tooManyRequests)
                }
            return try await pages.respond(
                with: ActivatePage(userCode: String(typed.prefix(40)), problem: problem), status: status)
        }
    }

    private func page(
        _ question: DeviceActivation.Question, _ browser: Browser, problem: FormProblem? = nil,
        status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        try await pages.respond(
            with: ActivateConfirmPage(
                userCode: question.userCode,
                csrfToken: DeviceActivation(services: services).formToken(question, browser),
                applicationName: question.client.name, applicationLogoURL: question.client.logoURI, problem: problem),
            status: status)
    }

    /// The end, good or not: it tells nothing of the request, so anybody may open it.
    @Sendable private func done(_ request: Request, context: WebContext) async throws -> Response {
        let error = try FormBody.query(of: request)["error"]
        return try await pages.respond(with: ActivatedPage(isConnected: error == nil))
    }
}
