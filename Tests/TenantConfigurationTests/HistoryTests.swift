import AuthorizationServer
import Foundation
import OAuth
import Storage
import TenantConfiguration
import Testing

@Suite("An apply is in the history and can be taken back")
struct HistoryTests {
    @Test("A rollback gives every resource back that an apply created, changed or deleted, and its secret")
    func rollback() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop)
            let (before, robot) = (try await tenant.export(), try await tenant.client("Robot"))
            try await tenant.apply(
                """
                tenant: {friendly_name: Other}
                resourceServers: [{identifier: other, scopes: [{value: read}]}]
                clients:
                  - {name: Robot, client_id: robot-id, client_secret: another-secret-0123456789}
                  - {name: New, app_type: spa}
                roles: [{name: Reader, permissions: [{resource_server_identifier: other, permission_name: read}]}]
                clientGrants: [{client_id: Robot, audience: other, scope: [read]}]
                databases: [{name: Users, options: {disable_signup: true}}]
                """, delete: true)
            #expect(try await tenant.export() != before)
            let plan = try await Plan.rollback(stores: tenant.stores, box: Tenant.box)
            #expect(plan.text.contains("client_secret: (the one before)"))
            #expect(plan.text.contains("- application New") && plan.text.contains("+ application Web"))
            #expect(!plan.text.contains(robot?.secretDigest ?? "?"))
            _ = try await plan.apply(to: tenant.stores, at: Tenant.now)
            #expect(try await tenant.export() == before)
            #expect(try await tenant.client("Robot")?.secretDigest == robot?.secretDigest)
            #expect(try await tenant.plan(shop, delete: true).isEmpty)
        }
    }

    @Test("Rollbacks go back one apply after the other, and end with none")
    func stepByStep() async throws {
        try await Tenant.run { tenant in
            let empty = try await tenant.export()
            try await tenant.apply("roles: [{name: A}]")
            let one = try await tenant.export()
            try await tenant.apply("roles: [{name: B}]", delete: true)
            for expected in [one, empty] {
                _ = try await Plan.rollback(stores: tenant.stores, box: Tenant.box).apply(
                    to: tenant.stores, at: Tenant.now)
                #expect(try await tenant.export() == expected)
            }
            await #expect(throws: Plan.NothingToRollBack.self) {
                _ = try await Plan.rollback(stores: tenant.stores, box: Tenant.box)
            }
        }
    }

    @Test("The history says when, who and how much; it forgets the oldest, and an apply that changes nothing")
    func history() async throws {
        try await Tenant.run { tenant in
            for index in 0..<(ConfigurationHistoryStore.most + 2) {
                let plan = try await tenant.plan("tenant: {friendly_name: Name \(index)}")
                _ = try await plan.apply(to: tenant.stores, at: Tenant.now, by: ChangeAuthor(user: "ada"))
            }
            try await tenant.apply("tenant: {friendly_name: Name \(ConfigurationHistoryStore.most + 1)}")
            let applies = try await tenant.stores.configurationHistory.list()
            #expect(applies.count == ConfigurationHistoryStore.most)
            #expect(applies.first?.appliedBy == "ada" && applies.first?.changes == 1)
            #expect(applies.first?.appliedAt == Tenant.now && applies.first?.rolledBackAt == nil)
            #expect(applies.first?.summary.contains("friendly_name") == true)
        }
    }

    @Test("A rollback that somebody's change comes before is out of date")
    func outdated() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply("roles: [{name: A}]")
            let plan = try await Plan.rollback(stores: tenant.stores, box: Tenant.box)
            try await tenant.apply("roles: [{name: B}]")
            await #expect(throws: Plan.Outdated.self) { _ = try await plan.apply(to: tenant.stores, at: Tenant.now) }
        }
    }

    @Test("What the history keeps of secrets is sealed")
    func sealed() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop)
            let apply = try #require(try await tenant.stores.configurationHistory.list().first)
            let digest = try #require(try await tenant.client("Web")?.secretDigest)
            #expect(try Tenant.box.open(apply.sealedRows).contains(digest))
            #expect(!apply.sealedRows.contains(digest) && !apply.summary.contains(digest))
        }
    }

    @Test("A secret that was replaced since the apply stays: a rollback does not bring one back that somebody may know")
    func newerSecret() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop)
            try await tenant.apply(
                """
                clients:
                  - {name: Robot, client_id: robot-id, client_secret: another-secret-0123456789, description: Changed}
                """)
            // As the rotation of the Management API does.
            let rotated = try #require(try await tenant.client("Robot"))
            try await tenant.stores.database.write { transaction in
                try transaction.execute(
                    "UPDATE client SET secret_digest = 'rotated' WHERE client_id = \(rotated.client.clientID)")
            }
            let plan = try await Plan.rollback(stores: tenant.stores, box: Tenant.box)
            #expect(
                plan.text.contains("! application Robot: client_secret was replaced since that apply"), "\(plan.text)")
            #expect(!plan.text.contains("(the one before)") && plan.text.contains("description"))
            _ = try await plan.apply(to: tenant.stores, at: Tenant.now)
            let robot = try #require(try await tenant.client("Robot"))
            #expect(robot.secretDigest == "rotated" && robot.client.other["description"] == nil)
        }
    }

    @Test("A key that was replaced since the apply stays, too")
    func newerKey() async throws {
        try await Tenant.run { tenant in
            func file(_ uri: String, _ description: String) -> String {
                """
                clients: [{name: Keyed, client_id: keyed, app_type: regular_web, description: \(description),
                    token_endpoint_auth_method: private_key_jwt, jwks_uri: "\(uri)"}]
                """
            }
            try await tenant.apply(file("https://one.example.com/jwks", "One"))
            try await tenant.apply(file("https://two.example.com/jwks", "Two"))
            let present = try #require(try await tenant.client("Keyed")).client.document
            let replaced = present.merging(["jwks_uri": "https://three.example.com/jwks"]) { $1 }
            let text = try JSON.text(replaced)
            try await tenant.stores.database.write { transaction in
                try transaction.execute("UPDATE client SET document = \(text) WHERE client_id = 'keyed'")
            }
            _ = try await Plan.rollback(stores: tenant.stores, box: Tenant.box).apply(to: tenant.stores, at: Tenant.now)
            let members = try #require(try await tenant.client("Keyed")).client.document
            #expect(members["jwks_uri"] == "https://three.example.com/jwks" && members["description"] == "One")
        }
    }

    @Test(
        "Each resource that an apply or a rollback changes is a log event: who, what, before and after, without secrets"
    )
    func logged() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(shop)
            let author = ChangeAuthor(user: "ada", hostname: "desk", command: "apply")
            _ = try await tenant.plan(
                """
                clients:
                  - {name: Robot, client_id: robot-id, client_secret: another-secret-0123456789, description: Changed}
                roles: [{name: Clerk, permissions: []}, {name: New}]
                """, delete: true
            ).apply(to: tenant.stores, at: Tenant.now, by: author)
            let first = try await tenant.events("ada")
            #expect(
                Set(first.compactMap(\.description)).isSuperset(of: [
                    "Update application Robot", "Delete application Web", "Create role New", "Update role Clerk",
                ]), "\(first.map(\.description))")
            let robot = try #require(first.first { $0.description == "Update application Robot" })
            #expect(robot.type == "sapi" && robot.hostname == "desk")
            #expect(robot.details["request"]?.object?["command"] == "portico apply")
            #expect(robot.details["after"]?.object?["description"] == "Changed")
            #expect(robot.details["before"]?.object?["description"] == nil)
            #expect(robot.details["after"]?.object?["client_secret"] == "[REDACTED]")
            let clerk = try #require(first.first { $0.description == "Update role Clerk" })
            #expect(clerk.details["before"]?.object?["permissions"]?.array?.count == 2)
            let digests = try await tenant.stores.clients.list().compactMap(\.secretDigest)
            for event in first {
                let text = try JSON.text(event.document)
                #expect(!text.contains("another-secret"), "\(text)")
                #expect(digests.allSatisfy { !text.contains($0) }, "\(text)")
            }
            _ = try await Plan.rollback(stores: tenant.stores, box: Tenant.box).apply(
                to: tenant.stores, at: Tenant.now, by: ChangeAuthor(user: "bob", command: "rollback"))
            let second = try await tenant.events("bob")
            #expect(second.contains { $0.description == "Delete role New" }, "\(second.map(\.description))")
            #expect(second.allSatisfy { $0.details["request"]?.object?["command"] == "portico rollback" })
        }
    }
}

extension Tenant {
    /// The log events of somebody.
    fileprivate func events(_ user: String) async throws -> [LogEvent] {
        try await stores.logEvents.list(after: nil, limit: 1000).filter { $0.userName == user }
    }
}
