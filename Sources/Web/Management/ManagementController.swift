import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import ManagementAPI
import NIOCore
import NIOFoundationEssentialsCompat
import OAuth
import Storage

/// `/api/v2`: hands each request to ``ManagementAPI``, which knows the addresses.
struct ManagementController: Sendable {
    let api: ManagementAPI
    let outages: OutageLog

    var endpoints: RouteCollection<WebContext> {
        let routes = RouteCollection(context: WebContext.self)
        for method in [HTTPRequest.Method.get, .post, .put, .patch, .delete, .options] {
            routes.on("api/v2/**", method: method, use: answer)
        }
        return routes
    }

    @Sendable private func answer(_ request: Request, context: WebContext) async throws -> Response {
        do {
            let answer = try await api.answer(Self.request(request, context))
            if answer.status >= 400 {
                context.logger.info(
                    "refused",
                    metadata: [
                        "path": "\(request.uri.path)", "status": "\(answer.status)",
                        "why": "\(answer.body?.object?["message"]?.string ?? "")",
                    ])
            }
            return try Self.response(answer)
        } catch SQLError.unavailable(let cause) {
            outages.failed(cause, context.logger)
            var response = try Self.response(
                ManagementError(503, "The database is not available; try again.", "service_unavailable").answer)
            response.headers[.retryAfter] = "5"
            return response
        } catch {
            context.logger.error("request failed", metadata: ["path": "\(request.uri.path)", "cause": "\(error)"])
            return try Self.response(
                ManagementError(500, "An internal error occurred; the log has it as \(context.requestID)").answer)
        }
    }

    private static func response(_ answer: Answer) throws -> Response {
        let status = HTTPResponse.Status(code: answer.status)
        var response =
            try answer.body.map { try Response.json($0, status: status) }
            ?? Response(status: status, headers: [.cacheControl: "no-store"])
        for (name, value) in answer.headers {
            if let name = HTTPField.Name(name) { response.headers[name] = value }
        }
        return response
    }

    private static func request(_ request: Request, _ context: WebContext) -> ManagementRequest {
        let path = String(request.uri.path.dropFirst("/api/v2/".count))
        return ManagementRequest(
            method: request.method == .head ? "GET" : request.method.rawValue, path: path,
            query: request.uri.query ?? "", token: token(request, context),
            contentTypeHeader: request.headers[.contentType] ?? "", address: context.clientAddress,
            userAgent: request.headers[.userAgent] ?? "", requestID: context.requestID,
            knownVersions: request.headers[.ifNoneMatch] ?? "",
            body: { most async throws(ManagementRequest.BodyProblem) in
                do {
                    return Data(buffer: try await request.body.collect(upTo: most))
                } catch is NIOTooManyBytesError {
                    throw .tooLarge
                } catch {
                    throw .incomplete
                }
            }, pieces: { take in try await pieces(of: request, take) })
    }

    private static func pieces(of request: Request, _ take: (Data) async throws -> Void) async throws {
        var iterator = request.body.makeAsyncIterator()
        while true {
            let piece: ByteBuffer?
            do {
                piece = try await iterator.next()
            } catch {
                throw ManagementRequest.BodyProblem.incomplete
            }
            guard let piece else { return }
            try await take(Data(buffer: piece))
        }
    }

    /// The token of the `Authorization` header, and of nothing else.
    private static func token(_ request: Request, _ context: WebContext) -> PresentedAccessToken? {
        let parts = (request.headers[.authorization] ?? "").split(separator: " ", maxSplits: 1)
        let type = [TokenType.bearer, .dpop].first { $0.rawValue.lowercased() == parts.first?.lowercased() }
        guard let type, parts.count == 2 else { return nil }
        return PresentedAccessToken(
            String(parts[1]).trimmed, type: type, proofs: request.headers[values: .dpop],
            method: request.method.rawValue, certificate: context.clientCertificate)
    }
}
