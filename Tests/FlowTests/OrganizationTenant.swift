import AuthorizationServer
import Foundation
import OAuth
import Storage
import TestSupport

/// A tenant with the organization `acme`, and another one beside it where a test wants that.
enum OrganizationTenant {
    static let acme = "org_0123456789abcdef"
    static let other = "org_fedcba9876543210"

    /// A tenant whose web application has this `organization_usage`.
    static func fixtures(
        _ usage: OrganizationUsage, _ behavior: ClientOrganizationSettings.RequireBehavior? = nil,
        changes: (inout Fixtures) -> Void = { _ in }
    ) -> Fixtures {
        var fixtures = Fixtures()
        fixtures.change("regular-web-app") {
            $0.organizations = ClientOrganizationSettings(usage: usage, requireBehavior: behavior)
        }
        changes(&fixtures)
        return fixtures
    }

    /// A server with the organization `acme`, its connection, and Ada as its only member.
    static func run(
        _ fixtures: Fixtures = fixtures(.allow), connection settings: JSONObject? = [:], members: [User] = [.ada],
        _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        try await TestServer.run(fixtures) { server in
            try await add(Organization(id: acme, name: "acme"), connection: settings, members: members, to: server)
            try await body(server)
        }
    }

    static func add(
        _ organization: Organization, connection settings: JSONObject? = [:], members: [User] = [.ada],
        to server: TestServer
    ) async throws {
        let now = server.services.now()
        try await server.services.stores.database.write { transaction in
            try OrganizationStore.save(organization, at: now, in: transaction)
            if let settings {
                let connection = try OrganizationConnection(
                    document: Document(settings, path: ""), connectionID: Connection.database.id)
                try OrganizationStore.save(connection, of: organization.id, in: transaction)
            }
            for user in members { try OrganizationStore.addMember(user.id, to: organization.id, in: transaction) }
        }
    }

    static func isMember(_ userID: String, of id: String = acme, at server: TestServer) async throws -> Bool {
        try await server.services.stores.database.read { try OrganizationStore.isMember(userID, of: id, in: $0) }
    }
}
