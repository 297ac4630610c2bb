import AuthorizationServer
import HTTPTypes
import Hummingbird
import OAuth
import Pages
import Storage

/// `/u/organization` and `/u/organization-picker`: which organization the user signs in to, asked before the login or after
/// it.
struct OrganizationController: Sendable {
    let services: Services
    let forms: LoginForms
    let pages: PageResponder

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("u/organization", use: showPrompt)
            .post("u/organization", use: submitPrompt)
            .get("u/organization-picker", use: showPicker)
            .post("u/organization-picker", use: submitPicker)
    }

    private var selection: OrganizationSelection { OrganizationSelection(services: services) }

    // MARK: Before the login

    @Sendable private func showPrompt(_ request: Request, context: WebContext) async throws -> Response {
        try await prompt(forms.visit(request, context))
    }

    @Sendable private func submitPrompt(_ request: Request, context: WebContext) async throws -> Response {
        let visit = try await forms.visit(request, context)
        guard let fields = try await forms.fields(visit, request, context) else {
            return try await prompt(visit, problem: .expiredForm, status: .forbidden)
        }
        let name = fields["organizationName"] ?? ""
        do {
            if fields["action"] == "personal" {
                try await selection.pickNone(visit.login, visit.request)
            } else {
                try await selection.enter(name: name, visit.login, visit.request)
            }
        } catch is OrganizationSelection.Unknown {
            return try await prompt(visit, name: name, problem: .organizationInvalid, status: .badRequest)
        }
        return forms.resume(visit)
    }

    private func prompt(
        _ visit: LoginForms.Visit, name: String = "", problem: FormProblem? = nil, status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        try await pages.respond(
            with: OrganizationPage(
                state: visit.state.text, csrfToken: visit.formToken, applicationName: visit.client.name,
                logoURL: visit.logoURL, organizationName: String(name.prefix(50)),
                allowsPersonal: visit.request.allowsPersonalLogin, problem: problem),
            status: status, to: visit)
    }

    // MARK: After the login

    @Sendable private func showPicker(_ request: Request, context: WebContext) async throws -> Response {
        let query = try FormBody.query(of: request)
        return try await picker(
            forms.visit(request, context), sought: query["q"] ?? "", page: query["page"].flatMap { Int($0) } ?? 1)
    }

    @Sendable private func submitPicker(_ request: Request, context: WebContext) async throws -> Response {
        let visit = try await forms.visit(request, context)
        guard let fields = try await forms.fields(visit, request, context) else {
            return try await picker(visit, problem: .expiredForm, status: .forbidden)
        }
        do {
            if let id = fields["organization"] {
                try await selection.pick(id, visit.login, visit.request, browser: visit.browser)
            } else if fields["action"] == "personal" {
                try await selection.pickNone(visit.login, visit.request)
            } else {
                throw OrganizationSelection.Unknown()
            }
        } catch is OrganizationSelection.Unknown {
            return try await picker(visit, problem: .organizationInvalid, status: .badRequest)
        }
        return forms.resume(visit)
    }

    /// - Parameters:
    ///   - sought: what the names of the organizations have in them that are shown.
    ///   - page: which of them are shown, from 1 on.
    private func picker(
        _ visit: LoginForms.Visit, sought: String = "", page: Int = 1, problem: FormProblem? = nil,
        status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        guard let question = try await selection.question(visit.login, visit.request, browser: visit.browser) else {
            return forms.resume(visit)
        }
        let sought = String(sought.prefix(100))
        let excerpt = question.excerpt(matching: sought, page: page)
        let isLong = question.organizations.count > OrganizationSelection.Question.mostShown
        return try await pages.respond(
            with: OrganizationPickerPage(
                state: visit.state.text, csrfToken: visit.formToken, applicationName: visit.client.name,
                logoURL: visit.logoURL,
                choices: excerpt.organizations.map { organization in
                    OrganizationChoice(
                        id: organization.id, name: organization.shownName, logoURL: organization.branding.logoURL)
                },
                search: isLong
                    ? OrganizationSearch(text: sought, page: excerpt.page, isContinued: excerpt.isContinued) : nil,
                allowsPersonal: question.allowsPersonal, problem: problem),
            status: status, to: visit)
    }
}
