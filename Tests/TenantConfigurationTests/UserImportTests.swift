import Foundation
import OAuth
import Storage
import TenantConfiguration
import Testing

@Suite("Importing users")
struct UserImportTests {
    static let connection = "Users"

    static func run(
        _ text: String, in tenant: Tenant, upsert: Bool = false, progress: (UserImport.Progress) -> Void = { _ in }
    ) async throws -> UserImport.Report {
        let file = try tenant.write(text, to: "users.json")
        return try await UserImport(stores: tenant.stores, connection: connection)
            .run(file: file, upsert: upsert, at: Tenant.now, progress: progress)
    }

    static func user(_ email: String, in tenant: Tenant) async throws -> (user: User, passwordHash: String?)? {
        try await tenant.stores.users.find(connection: connection, identifier: email)
    }

    private static let two = [
        #"{"email": "ada@example.com", "name": "Ada {\"[\\"}"#, #"{"email": "grace@example.com"}"#,
    ]

    @Test(
        "§13.1: an array, one user a line, and both with a byte order mark or odd white space",
        arguments: [
            "[\(two.joined(separator: ","))]", two.joined(separator: "\n"), two.joined(separator: "\r\n") + "\r\n",
            "\u{FEFF}[\n\(two.joined(separator: "\n,\n"))\n]\n", "\u{FEFF}\(two.joined(separator: "\n\n"))",
            " \t\n[ \(two.joined(separator: " ,\t")) ] \n\n",
        ])
    func forms(text: String) async throws {
        try await Tenant.run { tenant in
            let report = try await Self.run(text, in: tenant)
            #expect(report.text == "2 inserted, 0 updated, 0 rejected.")
            #expect(try await Self.user("ada@example.com", in: tenant)?.user.profile["name"] == "Ada {\"[\\")
            #expect(try await Self.user("grace@example.com", in: tenant) != nil)
        }
    }

    @Test("§13.1: every field arrives; the address is trimmed and in lower case, the id has its prefix")
    func fields() async throws {
        try await Tenant.run { tenant in
            let hash = "$2b$10$" + String(repeating: "a", count: 53)
            let report = try await Self.run(
                #"""
                [{"email": " Ada@Example.COM ", "email_verified": true, "user_id": "42", "username": "ADA",
                  "blocked": true, "name": "Ada Lovelace", "nickname": "ada", "given_name": "Ada",
                  "family_name": "Lovelace",
                  "picture": "https://example.com/a.png", "phone_number": "+1", "phone_verified": true,
                  "user_metadata": {"theme": {"dark": true}}, "app_metadata": {"plan": 1}, "password_hash": "\#(hash)"},
                 {"email": "grace@example.com", "user_id": "auth0|43"}, {"email": "mary@example.com", "name": null}]
                """#, in: tenant)
            #expect(report.rejected.isEmpty)
            let ada = try #require(try await Self.user("ada@example.com", in: tenant))
            #expect(ada.user.id == "auth0|42")
            #expect(ada.user.username == "ada")
            #expect(ada.user.isEmailVerified && ada.user.isBlocked)
            #expect(
                ada.user.profile == [
                    "name": "Ada Lovelace", "nickname": "ada", "given_name": "Ada",
                    "family_name": "Lovelace",
                    "picture": "https://example.com/a.png", "phone_number": "+1", "phone_number_verified": true,
                ])
            #expect(ada.user.userMetadata == ["theme": ["dark": true]])
            #expect(ada.user.appMetadata == ["plan": 1])
            #expect(ada.passwordHash == hash)
            #expect(try await Self.user("grace@example.com", in: tenant)?.user.id == "auth0|43")
            let mary = try #require(try await Self.user("mary@example.com", in: tenant))
            #expect(mary.user.id.wholeMatch(of: /auth0\|[0-9a-f]{24}/) != nil)
            #expect(mary.passwordHash == nil && mary.user.profile.isEmpty)
        }
    }

    @Test("Without upsert a user who is there already is rejected, within one file too")
    func duplicates() async throws {
        try await Tenant.run { tenant in
            _ = try await Self.run(#"{"email": "ada@example.com", "user_id": "1", "username": "ada"}"#, in: tenant)
            let report = try await Self.run(
                """
                {"email": "ADA@example.com", "name": "New"}
                {"email": "b@example.com", "user_id": "1"}
                {"email": "c@example.com", "username": "Ada"}
                {"email": "d@example.com"}
                {"email": "d@example.com"}
                """, in: tenant)
            #expect(report.inserted == 1)
            #expect(report.rejected.map(\.index) == [1, 2, 3, 5])
            #expect(Set(report.rejected.map(\.code)) == ["DUPLICATED_USER"])
            #expect(report.rejected.first?.email == "ada@example.com")
            #expect(try await Self.user("ada@example.com", in: tenant)?.user.profile.isEmpty == true)
        }
    }

    @Test("An upsert replaces the fields that a row has, and leaves the others, id and address")
    func upsert() async throws {
        try await Tenant.run { tenant in
            _ = try await Self.run(
                #"""
                {"email": "ada@example.com", "user_id": "1", "email_verified": true, "blocked": true, "name": "Ada",
                 "nickname": "a", "user_metadata": {"a": 1, "b": 2}, "app_metadata": {"plan": "x"}}
                """#, in: tenant)
            let report = try await Self.run(
                #"""
                {"email": "Ada@example.com", "user_id": "2", "name": "Ada L", "user_metadata": {"c": 3}}
                {"email": "new@example.com"}
                {"email": "other@example.com", "user_id": "1"}
                """#, in: tenant, upsert: true)
            #expect((report.inserted, report.updated) == (1, 1))
            #expect(report.rejected.map(\.code) == ["DUPLICATED_USER"])
            var ada = try #require(try await Self.user("ada@example.com", in: tenant)).user
            #expect(ada.id == "auth0|1")
            #expect(ada.profile == ["name": "Ada L", "nickname": "a"])
            #expect(ada.userMetadata == ["c": 3])
            #expect(ada.appMetadata == ["plan": "x"])
            // A row that says nothing of it must not let a blocked user in again.
            #expect(ada.isBlocked && ada.isEmailVerified)
            _ = try await Self.run(
                #"{"email": "ada@example.com", "blocked": false, "email_verified": false}"#, in: tenant, upsert: true)
            ada = try #require(try await Self.user("ada@example.com", in: tenant)).user
            #expect(!ada.isBlocked && !ada.isEmailVerified)
            #expect(ada.userMetadata == ["c": 3])
        }
    }

    @Test("An upsert replaces a password until its owner has signed in")
    func upsertedPassword() async throws {
        try await Tenant.run { tenant in
            let hashes = ["a", "b", "c"].map { "$2b$10$" + String(repeating: $0, count: 53) }
            func row(_ hash: String) -> String { #"{"email": "ada@example.com", "password_hash": "\#(hash)"}"# }
            _ = try await Self.run(row(hashes[0]), in: tenant)
            _ = try await Self.run(row(hashes[1]), in: tenant, upsert: true)
            let ada = try #require(try await Self.user("ada@example.com", in: tenant))
            #expect(ada.passwordHash == hashes[1])
            _ = try await Self.run(#"{"email": "ada@example.com"}"#, in: tenant, upsert: true)
            #expect(try await Self.user("ada@example.com", in: tenant)?.passwordHash == hashes[1])
            let id = ada.user.id
            try await tenant.stores.database.write { try UserStore.recordLogin(of: id, at: Tenant.now, in: $0) }
            let report = try await Self.run(row(hashes[2]), in: tenant, upsert: true)
            #expect(report.updated == 1)
            #expect(try await Self.user("ada@example.com", in: tenant)?.passwordHash == hashes[1])
        }
    }

    @Test("An upsert leaves a user of another connection alone, as whose identity the row's account signs in")
    func linkedAccount() async throws {
        try await Tenant.run { tenant in
            let file = try tenant.write(#"{"email": "ada@example.com", "user_id": "1", "name": "Ada"}"#, to: "a.json")
            _ = try await UserImport(stores: tenant.stores, connection: "Other").run(file: file, upsert: false)
            _ = try await Self.run(#"{"email": "ada@example.com", "user_id": "2"}"#, in: tenant)
            try await tenant.stores.database.write { try UserStore.link("auth0|2", to: "auth0|1", in: $0) }
            let report = try await Self.run(
                #"{"email": "ada@example.com", "name": "Mallory", "blocked": true, "app_metadata": {"admin": true}}"#,
                in: tenant, upsert: true)
            #expect(report.updated == 0 && report.rejected.map(\.code) == ["DUPLICATED_USER"])
            #expect(report.rejected.first?.message.contains("linked to another user") == true)
            let ada = try #require(try await tenant.stores.users.find("auth0|1"))
            #expect(ada.profile == ["name": "Ada"] && ada.appMetadata.isEmpty && !ada.isBlocked)
        }
    }

    @Test("The same address in two connections is two users")
    func connections() async throws {
        try await Tenant.run { tenant in
            let file = try tenant.write(#"{"email": "ada@example.com"}"#, to: "users.json")
            for connection in ["One", "Two"] {
                let report = try await UserImport(stores: tenant.stores, connection: connection).run(
                    file: file, upsert: false)
                #expect(report.inserted == 1)
            }
            #expect(try await tenant.stores.users.list(limit: 10).count == 2)
        }
    }

    @Test("An import into a connection that has gone stops, and writes nothing more")
    func removedConnection() async throws {
        try await Tenant.run { tenant in
            let file = try tenant.write(#"{"email": "ada@example.com"}"#, to: "users.json")
            let importing = UserImport(stores: tenant.stores, connection: "Users", holding: ["con_users"])
            await #expect(throws: UserImport.ConnectionGone.self) {
                try await importing.run(file: file, upsert: false)
            }
            #expect(try await tenant.stores.users.list(limit: 10).isEmpty)
            try await tenant.stores.database.write {
                try ConnectionStore.save(Connection(id: "con_users", name: "Users", strategy: "auth0"), in: $0)
            }
            #expect(try await importing.run(file: file, upsert: false).inserted == 1)
        }
    }
}
