import HTTPTypes
import Hummingbird
import NIOCore
import Pages

/// `/assets/*`: the pages' stylesheet, scripts and images. Their names carry a hash of what is in them, so browsers keep
/// them for ever.
struct AssetsController: Sendable {
    let assets: PageAssets

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self).get("assets/:name", use: find)
    }

    @Sendable private func find(_ request: Request, context: WebContext) throws -> Response {
        guard let name = context.parameters.get("name"), let asset = assets.find(name) else {
            throw HTTPError(.notFound)
        }
        return Response(
            status: .ok,
            headers: [.contentType: asset.contentType, .cacheControl: "public, max-age=31536000, immutable"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: asset.bytes)))
    }
}
