import Foundation
import OAuth
import Storage
import Testing

extension StorageSuite {
    static let organizations: [Behaviour] = [
        Behaviour("organizations: insert, replace, find, list, delete", organizationsAreKept),
        Behaviour("organizations: pages and checkpoints in each order", organizationPages),
        Behaviour("organizations: connections and client grants end with either side", organizationConnections),
        Behaviour("organizations: members and their roles end with the user, the role, the organization", members),
        Behaviour("invitations: what was written reads back, and a ticket counts once, in time", invitations),
        Behaviour("invitations: one of many who race for a ticket gets it", invitationRace),
        Behaviour("invitations: end with what they need, and lose roles that are gone", invitationReferences),
    ]

    private static func organization(_ name: String, _ members: JSONObject = [:]) throws -> Organization {
        try Organization(
            document: Document(members.merging(["name": .string(name)]) { $1 }, path: ""), standardID: "org_\(name)")
    }

    private static func save(_ names: [String], in database: any SQLDatabase) async throws {
        try await database.write { transaction in
            for (index, name) in names.enumerated() {
                try OrganizationStore.save(organization(name), at: Sample.now + Double(index), in: transaction)
            }
        }
    }

    private static func organizationsAreKept(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        var acme = try organization(
            "acme",
            [
                "display_name": "Äcme 😀", "metadata": ["plan": "gold"], "third_party_client_access": "block",
                "branding": [
                    "logo_url": "https://example.com/l.png",
                    "colors": ["primary": "#102030", "page_background": "#FFF"],
                ],
            ])
        let written = acme
        try await database.write { try OrganizationStore.save(written, at: Sample.now, in: $0) }
        #expect(try await database.read { try OrganizationStore.find("org_acme", in: $0) } == acme)
        #expect(try await database.read { try OrganizationStore.find(name: "ACME", in: $0) } == acme)
        acme.name = "acme-2"
        let renamed = acme
        try await database.write { try OrganizationStore.save(renamed, at: Sample.now + 9, in: $0) }
        #expect(try await database.read { try OrganizationStore.list(in: $0) } == [acme])
        let other = Organization(id: "org_other", name: "acme-2")
        let double = await failure {
            try await database.write { try OrganizationStore.save(other, at: Sample.now, in: $0) }
        }
        #expect(isUniqueViolation(double))
        try await database.write { try OrganizationStore.delete("org_acme", in: $0) }
        #expect(try await database.read { try OrganizationStore.list(in: $0) }.isEmpty)
    }

    private static func organizationPages(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        try await save(["c", "a", "e", "b", "d"], in: database)
        let orders: [(OrganizationStore.Order, String)] = [
            (.init(.name), "abcde"), (.init(.name, isDescending: true), "edcba"), (.init(.displayName), "abcde"),
            (.init(.createdAt), "caebd"), (.init(.createdAt, isDescending: true), "dbeac"),
        ]
        for (order, expected) in orders {
            let walked = try await database.read { transaction in
                var (names, checkpoint): (String, String?) = ("", nil)
                while true {
                    let part = try OrganizationStore.page(by: order, after: checkpoint, limit: 2, in: transaction)
                    names += part.map(\.name).joined()
                    guard part.count == 2, let last = part.last else { return names }
                    checkpoint = try OrganizationStore.checkpoint(of: last.id, by: order, in: transaction)
                }
            }
            #expect(walked == expected, "\(order)")
            let page = try await database.read { try OrganizationStore.page(by: order, start: 1, limit: 3, in: $0) }
            #expect(page.map(\.name).joined() == expected.dropFirst().prefix(3), "\(order)")
        }
        let nonsense = try await database.read { transaction in
            try OrganizationStore.page(by: .init(.createdAt), after: "eCB5", limit: 2, in: transaction)
        }
        #expect(nonsense.isEmpty)
        #expect(try await database.read { try OrganizationStore.count(in: $0) } == 5)
    }

    private static func organizationConnections(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        try await save(["acme", "other"], in: database)
        var connection = OrganizationConnection(connectionID: "con_1")
        (connection.assignsMembershipOnLogin, connection.isSignupEnabled) = (true, true)
        (connection.showsAsButton, connection.isEnabled, connection.displayName) = (false, false, "Staff")
        let written = connection
        try await database.write { transaction in
            try OrganizationStore.save(OrganizationConnection(connectionID: "con_1"), of: "org_acme", in: transaction)
            try OrganizationStore.save(written, of: "org_acme", in: transaction)
            try ClientGrantStore.save(
                ClientGrant(id: "cgr_1", clientID: Sample.clientID, audience: Sample.audience, scope: .empty),
                in: transaction)
            for id in ["org_acme", "org_other"] {
                try OrganizationStore.addClientGrant("cgr_1", to: id, in: transaction)
                try OrganizationStore.addClientGrant("cgr_1", to: id, in: transaction)
            }
        }
        try await database.read { transaction throws in
            #expect(try OrganizationStore.connections(of: "org_acme", in: transaction) == [written])
            #expect(try OrganizationStore.connections(in: transaction) == ["org_acme": [written]])
            #expect(try OrganizationStore.clientGrants(of: "org_other", in: transaction).map(\.id) == ["cgr_1"])
            #expect(
                try OrganizationStore.organizations(ofGrant: "cgr_1", in: transaction).map(\.name) == ["acme", "other"])
        }
        let missing = await failure {
            try await database.write { transaction in
                try OrganizationStore.save(
                    OrganizationConnection(connectionID: "con_x"), of: "org_acme", in: transaction)
            }
        }
        #expect(missing as? SQLError == .foreignKeyViolation)
        try await database.write { transaction in
            try OrganizationStore.delete("org_other", in: transaction)
            try ConnectionStore.delete(name: Sample.connection, in: transaction)
        }
        #expect(try await database.read { try OrganizationStore.connections(in: $0) }.isEmpty)
        #expect(try await database.read { try OrganizationStore.clientGrants(in: $0) } == ["org_acme": ["cgr_1"]])
        try await database.write { try ClientGrantStore.delete("cgr_1", in: $0) }
        #expect(try await database.read { try OrganizationStore.clientGrants(in: $0) }.isEmpty)
    }

    private static func role(_ name: String) throws -> Role {
        try Role(
            document: Document(
                [
                    "name": .string(name),
                    "permissions": [
                        ["resource_server_identifier": .string(Sample.audience), "permission_name": .string(name)]
                    ],
                ], path: ""), standardID: "rol_\(name)")
    }

    private func withMembers() async throws -> any SQLDatabase {
        let database = try await prepared()
        try await Self.save(["acme", "other"], in: database)
        try await database.write { transaction in
            for name in ["reader", "writer"] { try RoleStore.save(Self.role(name), in: transaction) }
            for number in 2...4 {
                try UserStore.insert(Sample.user("auth0|\(number)", email: nil), passwordHash: nil, in: transaction)
                try OrganizationStore.addMember("auth0|\(number)", to: "org_acme", in: transaction)
            }
            try OrganizationStore.addMember("auth0|2", to: "org_acme", in: transaction)
            try OrganizationStore.addMember("auth0|2", to: "org_other", in: transaction)
            for name in ["reader", "writer", "reader"] {
                try OrganizationStore.assign(roleID: "rol_\(name)", to: "auth0|2", in: "org_acme", transaction)
            }
            try OrganizationStore.assign(roleID: "rol_reader", to: "auth0|3", in: "org_acme", transaction)
        }
        return database
    }

    private static func members(_ suite: StorageSuite) async throws {
        let database = try await suite.withMembers()
        try await database.read { transaction throws in
            func roles(_ user: String, _ id: String = "org_acme") throws -> [String] {
                try OrganizationStore.roles(of: user, in: id, transaction).map(\.name)
            }
            func members(_ role: String? = nil, after: String = "", limit: Int = 9) throws -> [String] {
                try OrganizationStore.members(
                    of: "org_acme", roleID: role, after: after, limit: limit, in: transaction
                ).map(\.id)
            }
            #expect(try roles("auth0|2") == ["reader", "writer"] && roles("auth0|2", "org_other").isEmpty)
            #expect(try members() == ["auth0|2", "auth0|3", "auth0|4"])
            #expect(try members(after: "auth0|2", limit: 1) == ["auth0|3"])
            #expect(try members("rol_reader") == ["auth0|2", "auth0|3"])
            #expect(try OrganizationStore.countMembers(of: "org_acme", in: transaction) == 3)
            #expect(
                try OrganizationStore.organizations(of: "auth0|2", in: transaction).map(\.name) == ["acme", "other"])
            #expect(
                try OrganizationStore.permissions(of: "auth0|2", in: "org_acme", audience: Sample.audience, transaction)
                    == ["reader", "writer"])
            #expect(
                try OrganizationStore.permissions(
                    of: "auth0|2", in: "org_other", audience: Sample.audience, transaction
                )
                .isEmpty)
        }
        let stranger = await failure {
            try await database.write { transaction in
                try OrganizationStore.assign(roleID: "rol_reader", to: Sample.userID, in: "org_acme", transaction)
            }
        }
        #expect(stranger as? SQLError == .foreignKeyViolation)
        try await database.write { transaction in
            try RoleStore.delete(id: "rol_writer", in: transaction)
            try OrganizationStore.removeMember("auth0|3", from: "org_acme", in: transaction)
            try UserStore.delete("auth0|4", in: transaction)
        }
        try await database.read { transaction in
            let users = try OrganizationStore.members(of: "org_acme", limit: 9, in: transaction)
            #expect(users.map(\.id) == ["auth0|2"])
            #expect(try OrganizationStore.roles(of: "auth0|2", in: "org_acme", transaction).map(\.name) == ["reader"])
            #expect(try OrganizationStore.roles(of: "auth0|3", in: "org_acme", transaction).isEmpty)
            #expect(try !OrganizationStore.isMember("auth0|3", of: "org_acme", in: transaction))
        }
        try await database.write { try OrganizationStore.delete("org_acme", in: $0) }
        #expect(try await database.read { try OrganizationStore.organizations(of: "auth0|2", in: $0) }.count == 1)
    }

    static func invitation(
        _ id: String = "uinv_1", ticketDigest: String = "digest", roles: [String] = []
    ) -> OrganizationInvitation {
        OrganizationInvitation(
            id: id, organizationID: "org_acme", ticketDigest: ticketDigest, inviterName: "Ada",
            inviteeEmail: "new@example.com",
            clientID: Sample.clientID, connectionID: "con_1", roles: roles, appMetadata: ["a": 1],
            userMetadata: ["b": "ü"], createdAt: Sample.now, expiresAt: Sample.now + 100)
    }

    private func invited() async throws -> any SQLDatabase {
        let database = try await withMembers()
        try await database.write { transaction in
            try OrganizationStore.save(OrganizationConnection(connectionID: "con_1"), of: "org_acme", in: transaction)
            try OrganizationInvitationStore.insert(
                Self.invitation(roles: ["rol_reader", "rol_writer"]), in: transaction)
        }
        return database
    }

    private static func invitations(_ suite: StorageSuite) async throws {
        let database = try await suite.invited()
        let written = invitation(roles: ["rol_reader", "rol_writer"])
        func redeem(
            _ digest: String, _ organization: String = "org_acme", at time: Date = Sample.now
        ) async throws -> OrganizationInvitation? {
            try await database.write { transaction in
                try OrganizationInvitationStore.redeem(
                    ticketDigest: digest, organizationID: organization, at: time, in: transaction)
            }
        }
        try await database.read { transaction throws in
            #expect(try OrganizationInvitationStore.find("uinv_1", of: "org_acme", in: transaction) == written)
            #expect(try OrganizationInvitationStore.find("uinv_1", of: "org_other", in: transaction) == nil)
            let list = try OrganizationInvitationStore.list(
                of: "org_acme", newestFirst: true, start: 0, limit: 5, in: transaction)
            #expect(try list == [written] && OrganizationInvitationStore.count(of: "org_acme", in: transaction) == 1)
        }
        #expect(try await redeem("other") == nil)
        #expect(try await redeem("digest", "org_other") == nil)
        #expect(try await redeem("digest", at: Sample.now + 100) == nil)
        #expect(try await redeem("digest", at: Sample.now + 99) == written)
        #expect(try await redeem("digest") == nil)
        try await database.write { transaction in
            try OrganizationInvitationStore.insert(
                invitation("uinv_2", ticketDigest: "second"), in: transaction)
            try OrganizationInvitationStore.delete("uinv_2", of: "org_other", in: transaction)
        }
        #expect(try await redeem("second") == invitation("uinv_2", ticketDigest: "second"))
    }

    private static func invitationRace(_ suite: StorageSuite) async throws {
        let database = try await suite.invited()
        let taken = try await race(8) { _ in
            try await database.write { transaction in
                try OrganizationInvitationStore.redeem(
                    ticketDigest: "digest", organizationID: "org_acme", at: Sample.now, in: transaction)
            }
        }
        #expect(taken.compactMap(\.self).count == 1)
        #expect(taken.compactMap(\.self).first?.roles == ["rol_reader", "rol_writer"])
    }

    private static func invitationReferences(_ suite: StorageSuite) async throws {
        let ends: [@Sendable (any SQLTransaction) throws -> Void] = [
            { try ConnectionStore.delete(name: Sample.connection, in: $0) },
            { try OrganizationStore.removeConnection("con_1", from: "org_acme", in: $0) },
            { try ClientStore.delete(Sample.clientID, in: $0) }, { try OrganizationStore.delete("org_acme", in: $0) },
        ]
        for (index, end) in ends.enumerated() {
            let database = try await suite.invited()
            try await database.write { try RoleStore.delete(id: "rol_reader", in: $0) }
            let found = try await database.read {
                try OrganizationInvitationStore.find("uinv_1", of: "org_acme", in: $0)
            }
            #expect(found?.roles == ["rol_writer"])
            try await database.write { try end($0) }
            let gone = try await database.read {
                try OrganizationInvitationStore.find("uinv_1", of: "org_acme", in: $0)
            }
            #expect(gone == nil, "end \(index)")
        }
    }
}
