import AuthorizationServer
import Foundation
import OAuth
import Storage

/// Auth0's Management API: `/api/v2`.
package struct ManagementAPI: Sendable {
    /// Every resource, in the order of the OpenAPI document; adding one is its file and its line here.
    static let resources: [any Resource.Type] = [
        ClientsResource.self,
        ClientCredentialsResource.self,
        ClientConnectionsResource.self,
        ResourceServersResource.self,
        ClientGrantsResource.self,
        ConnectionsResource.self,
        UsersResource.self,
        UsersByEmailResource.self,
        UserIdentitiesResource.self,
        UserAuthorizationResource.self,
        RolesResource.self,
        OrganizationsResource.self,
        OrganizationConnectionsResource.self,
        OrganizationMembersResource.self,
        OrganizationGrantsResource.self,
        OrganizationInvitationsResource.self,
        GrantsResource.self,
        SessionsResource.self,
        RefreshTokensResource.self,
        SigningKeysResource.self,
        TenantsResource.self,
        LogsResource.self,
        UserLogsResource.self,
        LogStreamsResource.self,
        RulesResource.self,
        RulesConfigsResource.self,
        ActionsResource.self,
        ActionVersionsResource.self,
        ActionTriggersResource.self,
        JobsResource.self,
        AttackProtectionResource.self,
        GuardianResource.self,
        LoginBlocksResource.self,
        StatsResource.self,
        UserAccessResource.self,
        BrandingResource.self,
        PromptsResource.self,
        CustomDomainsResource.self,
        TicketsResource.self,
        VerificationEmailJobsResource.self,
        EmailProviderResource.self,
        EmailTemplatesResource.self,
    ]

    private let services: Services
    private let access: ManagementAccess
    /// Every address that the API answers.
    package let routes: [Route]
    private let description: OpenAPIDocument

    package init(services: Services) {
        self.services = services
        let management = Management(services: services)
        access = ManagementAccess(services: services)
        routes = Self.resources.flatMap { $0.init(management).routes.all }
        description = OpenAPIDocument(routes: routes, issuer: services.issuer)
    }

    /// Answers a request.
    /// - Throws: whatever is no fault of the caller's, such as a database that is away.
    package func answer(_ request: ManagementRequest) async throws -> Answer {
        do {
            return try await answered(request)
        } catch {
            guard let refusal = ManagementError(error) else { throw error }
            return refusal.answer
        }
    }

    private func answered(_ request: ManagementRequest) async throws -> Answer {
        let path = try Self.path(request.path)
        if path == ["openapi.json"], request.method == "GET" {
            return description.answer(to: request)
        }
        let (found, known) = (route(request.method, path), KnownRoutes.find(request.method, path))
        // `clients/search` is no client.
        if let known, found.map({ $0.0.path.precision < known.precision }) ?? true {
            throw ManagementError.notImplemented("\(request.method) /api/v2/\(known)")
        }
        guard let (route, values) = found else { throw ManagementError.notFound }
        let principal = try await principal(request)
        do {
            try route.scope.require(of: principal, userID: values["id"])
            return try await route.run(RequestParts(request: request, principal: principal, route: route, path: values))
        } catch {
            if request.method != "GET", let refusal = ManagementError(error) {
                let caller = Caller(
                    principal: principal, operation: route.summary, status: route.status, request: request)
                services.logs.record(caller.logEvent(of: refusal, at: services.now()))
            }
            throw error
        }
    }

    /// The parts of a path, each decoded on its own: an identifier has slashes of its own (`https:%2F%2Fapi…`).
    private static func path(_ text: String) throws(ManagementError) -> [String] {
        var parts: [String] = []
        for part in text.split(separator: "/", omittingEmptySubsequences: false) {
            guard let decoded = QueryText.decode(part) else {
                throw .invalidPath(Document.Problem(path: "path", message: "must be percent-encoded UTF-8"))
            }
            parts.append(decoded)
        }
        return parts.last == "" ? parts.dropLast() : parts
    }

    private func route(_ method: String, _ path: [String]) -> (Route, [String: String])? {
        var best: (route: Route, values: [String: String])?
        for route in routes where route.method.rawValue == method {
            guard let values = route.path.match(path) else { continue }
            if best.map({ $0.route.path.precision < route.path.precision }) ?? true { best = (route, values) }
        }
        return best.map { ($0.route, $0.values) }
    }

    private func principal(_ request: ManagementRequest) async throws -> ManagementPrincipal {
        guard let token = request.token else { throw ManagementError.missingToken }
        do {
            return try await access.principal(token, at: "api/v2/\(request.path)")
        } catch let error as OAuthError where error.code != .serverError {
            throw ManagementError.invalidToken(error, isDPoP: token.type == .dpop)
        }
    }
}
