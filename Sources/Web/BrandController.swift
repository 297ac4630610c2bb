import AuthorizationServer
import HTTPTypes
import Hummingbird
import NIOCore
import OAuth
import Pages
import Storage

/// `/brand/*` and `/organization-brand/*`: the stylesheet of the tenant's colours and font, and of each organization's. Its
/// name carries a hash of what is in it.
struct BrandController: Sendable {
    let services: Services

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("brand/:name", use: find)
            .get("organization-brand/:organization/:name", use: find)
    }

    @Sendable private func find(_ request: Request, context: WebContext) async throws -> Response {
        let branding = try await services.configuration.sections().branding
        guard let style = BrandStyle(branding, of: try await organization(context)),
            context.parameters.get("name") == style.name
        else { throw HTTPError(.notFound) }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/css; charset=utf-8", .cacheControl: "public, max-age=31536000, immutable",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(string: style.text)))
    }

    private func organization(_ context: WebContext) async throws -> Organization? {
        guard let id = context.parameters.get("organization") else { return nil }
        let found = try await services.stores.database.readOnce { try OrganizationStore.find(id, in: $0) }
        guard let found else { throw HTTPError(.notFound) }
        return found
    }
}

/// The stylesheet that the tenant's branding comes to, or an organization's on top of it.
struct BrandStyle: Sendable {
    let text: String
    private let organizationID: String?

    /// nil where the pages look as they do by themselves.
    init?(_ branding: Branding, of organization: Organization? = nil) {
        let colors = organization?.branding.colors
        let brand = Brand(
            primary: colors?.primary ?? branding.primaryColor,
            background: colors?.pageBackground ?? branding.pageBackground, fontURL: branding.fontURL)
        guard let text = brand.stylesheet else { return nil }
        (self.text, organizationID) = (text, colors == nil ? nil : organization?.id)
    }

    var name: String { "\(Secret(text).digest.prefix(16)).css" }
    /// Where browsers find it.
    var path: String { organizationID.map { "/organization-brand/\($0)/\(name)" } ?? "/brand/\(name)" }
}
