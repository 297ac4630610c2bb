import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import ManagementAPI
import NIOCore
import NIOFoundationEssentialsCompat
import Storage

/// `/exports`: the files of users-export jobs, for whoever has a link that holds.
struct ExportController: Sendable {
    let services: Services
    let outages: OutageLog

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self).get("exports/:job", use: download)
    }

    @Sendable private func download(_ request: Request, context: WebContext) async throws -> Response {
        let query = request.uri.queryParameters
        let file: ExportFile?
        do {
            file = try await ExportFile(
                jobID: context.parameters.get("job") ?? "", expires: query.get("expires"),
                signature: query.get("signature"), services)
        } catch SQLError.unavailable(let cause) {
            outages.failed(cause, context.logger)
            return .text("The database is not available; try again.\n", status: .serviceUnavailable)
        }
        guard let file else {
            return .text(
                "This link does not hold, or not any more: GET /api/v2/jobs/{id} gives another one.\n",
                status: .forbidden)
        }
        var response = Response(
            status: .ok, headers: [.contentType: "application/gzip", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                try await file.send { try await writer.write(ByteBuffer(bytes: $0)) }
                try await writer.finish(nil)
            })
        response.headers[.contentDisposition] = "attachment; filename=\"\(file.name)\""
        return response
    }
}
