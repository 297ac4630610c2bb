import Foundation
import OAuth
import Storage
import TenantConfiguration
import Testing

@Suite("Users that an import rejects")
struct UserImportRejectionTests {
    private static let bcrypt = "$2b$10$" + String(repeating: "a", count: 53)
    private static let value = #"{"value": "\#(bcrypt)"}"#
    private static let argon2 = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA"

    @Test(
        "Each row is rejected alone, with Auth0's code and the field",
        arguments: [
            (#"{"name": "A"}"#, "INVALID_FORMAT", "email"), (#"{"email": "no address"}"#, "INVALID_FORMAT", "email"),
            (#"{"email": 7}"#, "INVALID_FORMAT", "email"),
            (#"{"email": "a@example.com", "blocked": "yes"}"#, "INVALID_FORMAT", "blocked"),
            (#"{"email": "a@example.com", "user_id": "a b"}"#, "INVALID_FORMAT", "user_id"),
            (#"{"email": "a@example.com", "user_id": ""}"#, "INVALID_FORMAT", "user_id"),
            (#"{"email": "a@example.com", "username": "b@example.com"}"#, "INVALID_FORMAT", "username"),
            (#"{"email": "a@example.com", "username": ""}"#, "INVALID_FORMAT", "username"),
            (#"{"email": "a@example.com", "user_metadata": []}"#, "INVALID_FORMAT", "user_metadata"),
            (#"{"email": "a@example.com", "user_metadata": {"a.b": 1}}"#, "INVALID_FORMAT", "user_metadata.a.b"),
            (
                #"{"email": "a@example.com", "app_metadata": {"clientID": 1}}"#, "INVALID_FORMAT",
                "app_metadata.clientID"
            ),
            (
                #"{"email": "a@example.com", "nam": "A"}"#, "ADDITIONAL_PROPERTIES_NOT_ALLOWED",
                "nam: is no field of a user; did you mean name?"
            ),
            (#"{"email": "a@example.com", "logins_count": 1}"#, "ADDITIONAL_PROPERTIES_NOT_ALLOWED", "logins_count"),
            (
                #"{"email": "a@example.com", "mfa_factors": [{"totp": {"secret": "x"}}]}"#, "NOT_SUPPORTED",
                "mfa_factors"
            ),
            (#"{"email": "a@example.com", "username": "a\u0000b"}"#, "INVALID_FORMAT", "username"),
            (#"{"email": "a@example.com", "name": "a\u0000b"}"#, "INVALID_FORMAT", "name: has the character NUL"),
            (#"{"email": "a@example.com", "app_metadata": {"a": [{"b\u0000": 1}]}}"#, "INVALID_FORMAT", "app_metadata"),
            (#"{"email": "a@example.com" "name": 1}"#, "INVALID_FORMAT", ""),
            ("{}", "INVALID_FORMAT", "email"),
        ])
    func codes(row: String, code: String, field: String) async throws {
        try await Tenant.run { tenant in
            let good = #"{"email": "good\#(0)@example.com"}"#
            let report = try await UserImportTests.run("\(good)\n\(row)\n", in: tenant)
            #expect(report.inserted == 1)
            #expect(report.rejected.first?.index == 2)
            #expect(report.rejected.first?.code == code)
            #expect(report.rejected.first?.message.hasPrefix(field) == true, "\(report.text)")
            #expect(report.text.hasPrefix("row 2 "))
        }
    }

    @Test("Of a rejected row what may be shown is shown: no password by whatever name, and no metadata")
    func shown() async throws {
        try await Tenant.run { tenant in
            let report = try await UserImportTests.run(
                #"""
                {"email": "a@example.com", "name": "A", "blocked": true, "password": "x", "passwordHash": "x",
                 "password_hash": "x", "custom_password_hash": {"hash": {"value": "x"}}, "user_id": {"password": "x"},
                 "app_metadata": {"token": "x"}}
                """#, in: tenant)
            #expect(report.rejected.map(\.user) == [["email": "a@example.com", "name": "A", "blocked": true]])
        }
    }

    @Test("What is no object is rejected with OBJECT_REQUIRED, and the users around it are taken")
    func objectRequired() async throws {
        try await Tenant.run { tenant in
            let report = try await UserImportTests.run(
                #"[{"email": "a@example.com"}, 7, "text", null, {"email": "b@example.com"}, true]"#, in: tenant)
            #expect(report.inserted == 2)
            #expect(report.rejected.map(\.index) == [2, 3, 4, 6])
            #expect(Set(report.rejected.map(\.code)) == ["OBJECT_REQUIRED"])
        }
    }

    @Test(
        "§13.1: bcrypt and Argon2 hashes are taken; others are rejected with what to do",
        arguments: [
            (#""password_hash": "\#(bcrypt)""#, nil),
            (#""password_hash": "\#(bcrypt.replacing("$2b$", with: "$2y$"))""#, nil),
            (#""custom_password_hash": {"algorithm": "bcrypt", "hash": {"value": "\#(bcrypt)"}}"#, nil),
            (
                #""custom_password_hash": {"algorithm": "argon2", "hash": {"encoding": "utf8", "value":"\#(argon2)"}}"#,
                nil
            ),
            (#""password_hash": "secret""#, "INVALID_FORMAT"), (#""password_hash": "$argon2id$x""#, "INVALID_FORMAT"),
            (#""password_hash": "$2b$10$\#(String(repeating: " ", count: 53))""#, "INVALID_FORMAT"),
            (#""password_hash": 7"#, "INVALID_FORMAT"),
            (#""custom_password_hash": {"algorithm": "pbkdf2", "hash": {"value": "x"}}"#, "NOT_SUPPORTED"),
            (#""custom_password_hash": {"algorithm": "bcrypt"}"#, "OBJECT_REQUIRED"),
            (#""custom_password_hash": {"algorithm": "bcrypt", "hash": {}}"#, "INVALID_FORMAT"),
            (
                #""custom_password_hash": {"algorithm": "bcrypt", "hash": {"value": "\#(bcrypt)", "encoding": "hex"}}"#,
                "NOT_SUPPORTED"
            ),
            (
                #""custom_password_hash": {"algorithm":"bcrypt", "hash": \#(value), "password":{"encoding":"utf16le"}}"#,
                "NOT_SUPPORTED"
            ),
            (
                #""custom_password_hash": {"algorithm": "bcrypt", "hash": \#(value), "salt": {"value": "x"}}"#,
                "ADDITIONAL_PROPERTIES_NOT_ALLOWED"
            ),
        ] as [(String, String?)])
    func hashes(field: String, code: String?) async throws {
        try await Tenant.run { tenant in
            let report = try await UserImportTests.run(#"{"email": "a@example.com", \#(field)}"#, in: tenant)
            #expect(report.rejected.map(\.code) == (code.map { [$0] } ?? []), "\(report.text)")
            #expect(report.rejected.first?.message.contains("password_hash") ?? true)
            #expect(!report.text.contains(Self.bcrypt))
        }
    }

    @Test("A file cut off in the middle keeps the users before the cut and says so")
    func cutOff() async throws {
        try await Tenant.run { tenant in
            for (index, tail) in ["{", "{\"email\": \"b", "{\"email\": \"b@example.com\", \"name\": \"\\"].enumerated()
            {
                let report = try await UserImportTests.run(
                    "[{\"email\": \"a\(index)@example.com\"}, \(tail)", in: tenant)
                #expect(report.inserted == 1)
                #expect(report.rejected.map(\.code) == ["INVALID_FORMAT"])
                #expect(report.rejected.first?.message.contains("the file is cut off") == true)
            }
        }
    }

    @Test("A text without its closing quote spoils its own line only")
    func openQuote() async throws {
        try await Tenant.run { tenant in
            let report = try await UserImportTests.run(
                "{\"email\": \"a@example.com}\n{\"email\": \"b@example.com\"}\n{\"email\": \"c@example.com\"}\n",
                in: tenant)
            #expect(report.inserted == 2)
            #expect(report.rejected.map(\.index) == [1])
        }
    }

    @Test("A user of more than a megabyte is rejected, and the next one is taken")
    func tooLarge() async throws {
        try await Tenant.run { tenant in
            let name = String(repeating: "x", count: 1 << 20)
            let report = try await UserImportTests.run(
                "{\"email\": \"a@example.com\", \"name\": \"\(name)\"}\n{\"email\": \"b@example.com\"}\n", in: tenant)
            #expect(report.inserted == 1)
            #expect(report.rejected.map(\.message) == ["The object is larger than 1 MiB"])
        }
    }

    @Test(
        "A file that is something else is refused as a whole",
        arguments: ["<html>", "email,name\na,b\n", "PK\u{3}\u{4}", "\"a\""])
    func somethingElse(text: String) async throws {
        try await Tenant.run { tenant in
            let error = await #expect(throws: UserImport.NotUsers.self) {
                try await UserImportTests.run(text, in: tenant)
            }
            #expect(error?.description.hasPrefix("users.json is no users file") == true)
            let missing = tenant.folder.appending(path: "missing.json")
            await #expect(throws: (any Error).self) {
                try await UserImport(stores: tenant.stores, connection: "Users").run(file: missing, upsert: false)
            }
        }
    }
}
