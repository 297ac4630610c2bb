import AuthorizationServer
import HTTPTypes
import Hummingbird
import NIOCore
import OAuth
import Pages
import Storage

/// `/brand/*`: the stylesheet of the tenant's colours and font. Its name carries a hash of what is in it.
struct BrandController: Sendable {
    let services: Services

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self).get("brand/:name", use: find)
    }

    @Sendable private func find(_ request: Request, context: WebContext) async throws -> Response {
        guard let style = BrandStyle(try await services.configuration.sections().branding),
            context.parameters.get("name") == style.name
        else { throw HTTPError(.notFound) }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/css; charset=utf-8", .cacheControl: "public, max-age=31536000, immutable",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(string: style.text)))
    }
}

/// The stylesheet that the tenant's branding comes to.
struct BrandStyle: Sendable {
    let text: String

    /// nil where the pages look as they do by themselves.
    init?(_ branding: Branding) {
        let brand = Brand(
            primary: branding.primaryColor, background: branding.pageBackground, fontURL: branding.fontURL)
        guard let text = brand.stylesheet else { return nil }
        self.text = text
    }

    var name: String { "\(Secret(text).digest.prefix(16)).css" }
    /// Where browsers find it.
    var path: String { "/brand/\(name)" }
}
