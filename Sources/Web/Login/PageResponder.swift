import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import OAuth
import Pages
import Storage

/// Turns pages into answers: the tenant's chrome around them, and the policy that their browser must keep.
struct PageResponder: Sendable {
    let services: Services
    let renderer: PageRenderer
    let isDevelopment: Bool

    /// - Parameters:
    ///   - target: where the page's form may lead in the end. Browsers hold the redirects after a form to the page's
    ///     policy too, so the application's origin has to be in it.
    ///   - client: the application whose policy and terms the page links to.
    ///   - isFramed: whether pages of the target's origin, and no others, may frame this one.
    ///   - formTarget: where the page's form may lead that is not an authorization response.
    ///   - frames: the origins that the page may frame.
    ///   - organization: whose name, logo and colours the page has in place of the tenant's.
    func respond(
        with page: some Page, status: HTTPResponse.Status = .ok, target: ResponseTarget? = nil,
        client: Client? = nil, isFramed: Bool = false, formTarget: RedirectURI? = nil, frames: [String] = [],
        locales: [String] = [], organization: Organization? = nil
    ) async throws -> Response {
        let settings = (try? await services.configuration.settings()) ?? TenantSettings()
        let sections = (try? await services.configuration.sections()) ?? TenantSections()
        var chrome = PageChrome(
            tenantName: organization?.shownName ?? settings.friendlyName ?? services.issuer.domain,
            logoURL: organization?.branding.logoURL ?? sections.branding.logoURL ?? settings.pictureURL,
            supportURL: settings.supportURL, policyURL: client?.information.policyURI,
            termsURL: client?.information.termsURI, locales: locales)
        chrome.faviconURL = sections.branding.faviconURL
        chrome.stylesheetPath = BrandStyle(sections.branding, of: organization)?.path
        chrome.customTexts = CustomPageTexts.pages(sections.customTexts)
        let response = Response(
            status: status,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                .contentSecurityPolicy: Self.policy(
                    target?.redirectURI ?? formTarget, isFramed: isFramed, frames: frames,
                    font: sections.branding.fontURL.flatMap { RedirectURI($0)?.origin },
                    allowsHTTP: !services.issuer.isSecure),
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(string: renderer.render(page, chrome: chrome))))
        return target.map(response.reachable) ?? response
    }

    /// A page of a login transaction, whose answer goes to the application in the end.
    func respond(
        with page: some Page, status: HTTPResponse.Status = .ok, to visit: LoginForms.Visit
    ) async throws -> Response {
        try await respond(
            with: page, status: status, target: visit.request.target, client: visit.client,
            locales: visit.request.request.uiLocales, organization: visit.request.organization?.organization)
    }

    private static func policy(
        _ formTarget: RedirectURI?, isFramed: Bool, frames: [String], font: String?, allowsHTTP: Bool
    )
        -> String
    {
        // Without https of its own the server is a developer's, and so may be the providers that a form leads to.
        var targets = "'self' https:" + (allowsHTTP ? " http:" : "")
        if let formTarget, formTarget.scheme != "https" {
            targets += " " + (formTarget.scheme == "http" ? formTarget.origin : formTarget.scheme + ":")
        }
        let ancestor = isFramed ? formTarget?.origin : nil
        let framed = Set(frames).sorted().joined(separator: " ")
        return "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' https: data:; "
            + (framed.isEmpty ? "" : "frame-src \(framed); ") + (font.map { "font-src \($0); " } ?? "")
            + "form-action \(targets); frame-ancestors \(ancestor ?? "'none'"); base-uri 'none'"
    }

    /// The page for an error that cannot be told to a client.
    func respond(
        to error: OAuthError, mismatch: CallbackMismatch? = nil, _ context: WebContext,
        status: HTTPResponse.Status? = nil
    ) async throws -> Response {
        let status = status ?? (mismatch != nil && error.code == .unauthorizedClient ? .forbidden : .badRequest)
        return try await respond(
            with: ErrorPage(
                status: status.code, code: error.code.rawValue,
                headline: mismatch != nil && error.code == .unauthorizedClient
                    ? "Callback URL mismatch." : "Something went wrong",
                summary: isDevelopment ? error.description : Self.summary(error),
                requestID: context.requestID, development: isDevelopment ? detail(error, mismatch) : nil),
            status: status)
    }

    /// What may be shown to anybody: no setting, no address, nothing that was sent.
    private static func summary(_ error: OAuthError) -> String {
        switch error.code {
        case .unauthorizedClient:
            "The provided redirect_uri is not in the list of allowed callback URLs."
        case .invalidClientMetadata:
            "The application could not say who it is. It has to be mended by those who make it."
        case .temporarilyUnavailable, .tooManyRequests: "The service is not available right now. Try again in a moment."
        case .serverError: "An error happened on our side."
        default: "The link or the form that brought you here is not valid any more, or was not complete."
        }
    }

    private func detail(_ error: OAuthError, _ mismatch: CallbackMismatch?) -> DevelopmentDetail {
        let isCallback = error.code == .unauthorizedClient
        return DevelopmentDetail(
            cause: error.description, fix: error.hint ?? "The server's log has more under this request id.",
            setting: mismatch.map { mismatch in
                (isCallback ? "Allowed Callback URLs (callbacks)" : "Allowed Logout URLs (allowed_logout_urls)")
                    + (mismatch.clientName.isEmpty ? " of the tenant" : " of \(mismatch.clientName)")
            },
            comparison: mismatch.flatMap { mismatch in
                mismatch.nearest.map { CallbackComparison(sent: mismatch.sent, nearest: $0) }
            },
            parameters: [])
    }
}

extension AuthorizationFailure {
    var mismatch: CallbackMismatch? { if case .display(_, let mismatch) = self { mismatch } else { nil } }
}
