import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import OAuth

/// `/mfa/challenge`, `/mfa/associate` and `/mfa/authenticators`: Auth0's MFA API.
struct MFAAPIController: Sendable {
    let services: Services

    /// What a request to begin an enrolment may have: a few short members.
    private static let mostBytes = 16 * 1024

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .post("mfa/challenge", use: challenge)
            .post("mfa/associate", use: associate)
            .get("mfa/authenticators", use: authenticators)
            .delete("mfa/authenticators/:id", use: remove)
            .on("mfa/challenge", method: .options) { _, _ in Response(status: .noContent) }
            .on("mfa/associate", method: .options) { _, _ in Response(status: .noContent) }
            .on("mfa/authenticators", method: .options) { _, _ in Response(status: .noContent) }
            .on("mfa/authenticators/:id", method: .options) { _, _ in Response(status: .noContent) }
    }

    private var api: MFAAPI { MFAAPI(services: services) }

    @Sendable private func challenge(_ request: Request, context: WebContext) async throws -> Response {
        let parameters = try await FormBody.parameters(of: request, context: context, allowsJSON: true)
        return try Response.json(
            await api.challenge(
                parameters, authorizationHeader: request.headers[.authorization],
                certificate: context.clientCertificate, visitor(request, context)))
    }

    @Sendable private func associate(_ request: Request, context: WebContext) async throws -> Response {
        let presented = presented(request, context)
        let body = try await FormBody.object(of: request, mostBytes: Self.mostBytes, refusal: .invalidRequest)
        return try Response.json(await api.associate(body, presented, visitor(request, context)))
    }

    @Sendable private func authenticators(_ request: Request, context: WebContext) async throws -> Response {
        try Response.json(await api.authenticators(presented(request, context)))
    }

    @Sendable private func remove(_ request: Request, context: WebContext) async throws -> Response {
        let id = context.parameters.get("id") ?? ""
        try await api.remove(id.removingPercentEncoding ?? id, presented(request, context))
        return Response(status: .noContent, headers: [.cacheControl: "no-store"])
    }

    private func visitor(_ request: Request, _ context: WebContext) -> MFAAPI.Visitor {
        MFAAPI.Visitor(
            address: context.clientAddress, forwarded: request.forwardedAddress,
            language: request.headers[.acceptLanguage])
    }

    /// What the header `Authorization` presents; nil for nothing, or for another scheme.
    private func presented(_ request: Request, _ context: WebContext) -> PresentedAccessToken? {
        let parts = (request.headers[.authorization] ?? "").split(separator: " ", maxSplits: 1).map(String.init)
        let type = [TokenType.bearer, .dpop].first { $0.rawValue.lowercased() == parts.first?.lowercased() }
        guard parts.count == 2, let type else { return nil }
        return PresentedAccessToken(
            parts[1], type: type, proofs: request.headers[values: .dpop], method: request.method.rawValue,
            certificate: context.clientCertificate)
    }
}
