import AuthorizationServer
import Hummingbird
import ManagementAPI
import OAuth
import Pages

/// Every route of the server, top to bottom.
package func buildRouter(
    services: Services, configuration: WebConfiguration, outages: OutageLog = OutageLog(),
    assets: PageAssets = .embedded
) throws -> Router<WebContext> {
    let pages = PageResponder(
        services: services, renderer: try PageRenderer(assets: assets), isDevelopment: configuration.isDevelopment)
    let modes = ResponseModes(pages: pages)
    let cookies = BrowserCookies(isSecure: services.issuer.isSecure)
    let forms = LoginForms(services: services, cookies: cookies)

    let router = Router(context: WebContext.self, options: .autoGenerateHeadEndpoints)
    router.addMiddleware {
        RequestLog()
        SecurityHeaders(isStrict: services.issuer.isSecure && !configuration.isDevelopment)
        ClientAddress(trustedProxies: configuration.trustedProxies)
        RequestOrigins()
        UnknownAddress()
    }
    router.addRoutes(HealthController(services: services, outages: outages).endpoints)
    router.addRoutes(AssetsController(assets: assets).endpoints)
    router.addRoutes(BrandController(services: services).endpoints)
    router.addRoutes(ExportController(services: services, outages: outages).endpoints)

    let certificates = ClientCertificates(
        headers: configuration.clientCertificates, trustedProxies: configuration.trustedProxies)
    let oauthErrors = OAuthErrors(
        services: services, outages: outages, isDevelopment: configuration.isDevelopment)
    router.group().add(middleware: CrossOrigin(policy: .anybody)).add(middleware: oauthErrors)
        .addRoutes(DiscoveryController(services: services).endpoints)
        .addRoutes(RegistrationController(services: services).endpoints)
    let api = router.group().add(middleware: CrossOrigin(policy: .applications(services.configuration)))
        .add(middleware: DPoPNonces(services: services))
        .add(middleware: oauthErrors)
        .add(middleware: certificates)
    api.addRoutes(TokenController(services: services).endpoints)
    api.addRoutes(DeviceController(services: services).endpoints)
    api.addRoutes(DatabaseConnectionsController(services: services).endpoints)
    api.addRoutes(PasswordlessController(services: services).endpoints)
    api.addRoutes(MFAAPIController(services: services).endpoints)
    api.addRoutes(UserInfoController(services: services).endpoints)

    router.group().add(middleware: oauthErrors).add(middleware: certificates)
        .addRoutes(IntrospectionController(services: services).endpoints)

    router.group().add(middleware: CrossOrigin(policy: .management(services.configuration)))
        .add(middleware: DPoPNonces(services: services))
        .addRoutes(ManagementController(api: ManagementAPI(services: services), outages: outages).endpoints)

    let browser = router.group().add(middleware: PageErrors(pages: pages, modes: modes, outages: outages))
    browser.addRoutes(AuthorizeController(services: services, cookies: cookies, modes: modes).endpoints)
    browser.addRoutes(LoginController(services: services, forms: forms, cookies: cookies, pages: pages).endpoints)
    browser.addRoutes(CallbackController(services: services, cookies: cookies).endpoints)
    browser.addRoutes(
        CodeLoginController(services: services, forms: forms, cookies: cookies, pages: pages).endpoints)
    browser.addRoutes(PasswordlessLinkController(services: services, cookies: cookies, pages: pages).endpoints)
    browser.addRoutes(SAMLMetadataController(services: services).endpoints)
    browser.addRoutes(SignupController(services: services, forms: forms, cookies: cookies, pages: pages).endpoints)
    browser.addRoutes(AccountController(services: services, forms: forms, pages: pages).endpoints)
    browser.addRoutes(OrganizationController(services: services, forms: forms, pages: pages).endpoints)
    browser.addRoutes(InvitationController(services: services, forms: forms, pages: pages).endpoints)
    browser.addRoutes(ConsentController(services: services, forms: forms, pages: pages).endpoints)
    browser.addRoutes(MFAController(services: services, forms: forms, cookies: cookies, pages: pages).endpoints)
    browser.addRoutes(MFACodeController(services: services, forms: forms, cookies: cookies, pages: pages).endpoints)
    browser.addRoutes(UnblockController(services: services, pages: pages).endpoints)
    browser.addRoutes(ActivateController(services: services, cookies: cookies, pages: pages).endpoints)
    browser.addRoutes(EmailVerificationController(services: services, cookies: cookies, pages: pages).endpoints)
    browser.addRoutes(
        PasswordResetController(services: services, forms: forms, cookies: cookies, pages: pages).endpoints)
    // Nobody can have it in production: the route is not there.
    if configuration.isDevelopment, services.keepsMail {
        browser.addRoutes(InboxController(services: services, pages: pages).endpoints)
    }
    let logouts = LogoutResponder(cookies: cookies, pages: pages)
    browser.addRoutes(LogoutController(services: services, cookies: cookies, responder: logouts).endpoints)
    browser.addRoutes(EndSessionController(services: services, cookies: cookies, responder: logouts).endpoints)
    return router
}
