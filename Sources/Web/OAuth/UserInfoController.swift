import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import OAuth

/// `GET` and `POST /userinfo`; errors as [RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3) and
/// [RFC 9449 §7.1](https://www.rfc-editor.org/rfc/rfc9449#section-7.1) say.
struct UserInfoController: Sendable {
    let services: Services

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("userinfo", use: claims)
            .post("userinfo", use: claims)
            .on("userinfo", method: .options) { _, _ in Response(status: .noContent) }
    }

    @Sendable private func claims(_ request: Request, context: WebContext) async throws -> Response {
        guard let token = try await accessToken(request, context) else { return challenge(nil, for: nil) }
        do {
            switch try await UserInfoEndpoint(services: services).answer(token) {
            case .claims(let claims): return try Response.json(claims)
            case .signed(let token):
                return Response(
                    status: .ok, headers: [.contentType: "application/jwt", .cacheControl: "no-store"],
                    body: ResponseBody(byteBuffer: ByteBuffer(string: token)))
            }
        } catch let error as OAuthError where error.code != .serverError {
            return challenge(error, for: token.type)
        }
    }

    /// The token of the `Authorization` header, or of a form body (RFC 6750 §2.1, §2.2); never of the query.
    private func accessToken(_ request: Request, _ context: WebContext) async throws -> PresentedAccessToken? {
        if let header = request.headers[.authorization] {
            let parts = header.split(separator: " ", maxSplits: 1)
            let type = [TokenType.bearer, .dpop].first { $0.rawValue.lowercased() == parts.first?.lowercased() }
            guard let type, parts.count == 2 else { return nil }
            return PresentedAccessToken(
                String(parts[1]).trimmed, type: type, proofs: request.headers[values: .dpop],
                method: request.method.rawValue, certificate: context.clientCertificate)
        }
        guard request.method == .post, request.headers[.contentType]?.hasPrefix("application/x-www-form") == true else {
            return nil
        }
        return try await FormBody.parameters(of: request, context: context)["access_token"]
            .map { PresentedAccessToken($0, certificate: context.clientCertificate) }
    }

    /// Where no token was sent, or one in the wrong way, both ways are named.
    private func challenge(_ error: OAuthError?, for type: TokenType?) -> Response {
        guard let error else {
            var response = Response.text("Unauthorized", status: .unauthorized)
            response.headers[values: .wwwAuthenticate] = [#"Bearer realm="Users""#, "DPoP \(Self.algorithms)"]
            return response
        }
        let status: HTTPResponse.Status =
            switch error.code {
            case .insufficientScope: .forbidden
            case .invalidRequest: .badRequest
            default: .unauthorized
            }
        let description = Self.headerText(error.description)
        let scope = error.code == .insufficientScope ? #", scope="openid""# : ""
        var response = Response.text(status == .unauthorized ? "Unauthorized" : description, status: status)
        let problem = #"error="\#(error.code.rawValue)", error_description="\#(description)"\#(scope)"#
        response.headers[values: .wwwAuthenticate] =
            type == .dpop
            ? [#"DPoP realm="Users", \#(problem), \#(Self.algorithms)"#]
            : [#"Bearer realm="Users", \#(problem)"#, "DPoP \(Self.algorithms)"]
        return response
    }

    /// The text in the characters that an `error_description` may have (RFC 6750 §3), so that nothing a token brings ends it.
    private static func headerText(_ text: String) -> String {
        String(
            text.unicodeScalars.map { scalar in
                switch scalar {
                case "\"": "'"
                case "\\": "/"
                case " "..."~": Character(scalar)
                default: "?"
                }
            })
    }

    private static let algorithms =
        #"algs="\#(JWSAlgorithm.asymmetric.map(\.rawValue).sorted().joined(separator: " "))""#
}
