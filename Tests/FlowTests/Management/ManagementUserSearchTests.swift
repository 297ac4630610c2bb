import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Management API: searching users")
struct ManagementUserSearchTests {
    private static func fixtures() -> Fixtures {
        var fixtures = Fixtures()
        let people: [(String, String, JSONObject, Int)] = [
            ("mary", "Mary Shelley", ["plan": "gold", "level": 3, "tags": ["author", "gothic"]], 0),
            ("marie", "Marie Curie", ["plan": "Silver", "level": 7, "staff": true], 5),
            ("max", "Max Planck", ["plan": "gold", "address": ["city": "Berlin"], "level": 10.5], 12),
        ]
        for (name, full, metadata, logins) in people {
            var user = User(
                id: "auth0|\(name)00000000000000000000", connection: Connection.database.name,
                email: "\(name)@science.example", createdAt: Date(timeIntervalSince1970: 1_790_000_000))
            user.profile = ["name": .string(full), "given_name": .string(String(full.split(separator: " ")[0]))]
            user.appMetadata = metadata
            user.loginsCount = logins
            user.isBlocked = name == "max"
            fixtures.users.append((user, User.adaPassword))
        }
        return fixtures
    }

    @Test(
        "q finds users as Auth0's query language says",
        arguments: [
            (#"email:"mary@science.example""#, ["mary"]), ("email:MARY@science.example", ["mary"]),
            ("email:*@science.example", ["marie", "mary", "max"]), ("name:mar*", ["marie", "mary"]),
            (#"name:"mary shelley""#, ["mary"]), ("name:mary", []), ("given_name:Max", ["max"]),
            ("curie", ["marie"]), ("CUR", ["marie"]), ("urie", []), ("*urie*", ["marie"]), ("cur*", ["marie"]),
            ("mary@sci", ["mary"]), ("science.ex", ["marie", "mary", "max"]), (#""marie curie""#, ["marie"]),
            (#""curie marie""#, ["marie"]), (#""mary curie""#, []), ("ma", []),
            ("NOT username:x AND name:mary*", ["mary"]),
            ("-curie", ["ada", "grace", "mary", "max"]),
            ("created_at:2026-09-21T14:13:20Z", ["marie", "mary", "max"]),
            (#"name:(mar* AND NOT "mary shelley")"#, ["marie"]),
            ("app_metadata.plan:gold", ["mary", "max"]),
            (#"app_metadata.plan:"silver""#, ["marie"]),
            ("app_metadata.tags:gothic", ["mary"]), ("app_metadata.staff:true", ["marie"]),
            ("app_metadata.address.city:Berlin", ["max"]), ("app_metadata.level:[3 TO 7]", ["marie", "mary"]),
            ("app_metadata.level:{3 TO 7]", ["marie"]), ("app_metadata.level:>7", ["max"]),
            ("app_metadata.level:[7 TO *]", ["marie", "max"]), ("_exists_:app_metadata.staff", ["marie"]),
            ("logins_count:[1 TO 5]", ["marie"]), ("logins_count:{5 TO *}", ["max"]),
            ("logins_count:>9223372036854775807", []), ("logins_count:<-9223372036854775808", []),
            ("app_metadata.level:[1 TO 0x10]", []), ("blocked:true", ["max"]),
            ("app_metadata.plan:gold AND NOT blocked:true", ["mary"]),
            ("app_metadata.plan:gold AND -blocked:true", ["mary"]),
            ("given_name:(Max OR Marie)", ["marie", "max"]), ("given_name:Max given_name:Marie", ["marie", "max"]),
            ("(given_name:Max OR given_name:Marie) AND blocked:false", ["marie"]),
            ("identities.provider:auth0 AND name:m?ry*", ["mary"]), ("user_id:auth0|max*", ["max"]),
            ("created_at:[2026-09-01 TO 2026-10-01]", ["marie", "mary", "max"]), ("_missing_:email", []),
            ("*", ["ada", "grace", "marie", "mary", "max"]),
        ])
    func query(q: String, expected: [String]) async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let management = try await ManagementClient(server)
            let found = try await management.list("users?sort=email:1&q=\(q.formEncoded)")
            let names = found.compactMap { $0["email"]?.string?.split(separator: "@").first.map(String.init) }
            #expect(names == expected.sorted())
        }
    }

    static let long = String(repeating: "a", count: 127)

    @Test(
        "What the search's index has only in part, or not at all, is found nonetheless; what has changed is found anew",
        arguments: [
            ("app_metadata.ratio:10.5", ["max"]), ("app_metadata.ratio:10", []),
            ("app_metadata.many.m249:yes", ["max"]),
            (#"app_metadata.long:"\#(long)bb""#, ["max"]), (#"app_metadata.long:"\#(long)b""#, []),
            ("app_metadata.long:\(long)*", ["max"]), ("app_metadata.long:b\(long.dropFirst())*", []),
            ("app_metadata.long:aaa*b", ["max"]), (#"app_metadata.name:"ÉMILE""#, ["max"]),
            ("app_metadata.plan:gold", ["mary"]), ("app_metadata.plan:bronze", ["max"]), ("max@", ["max"]),
            ("_exists_:app_metadata.address", []), ("_exists_:app_metadata.ratio", ["max"]),
        ])
    func incompleteTerms(q: String, expected: [String]) async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let management = try await ManagementClient(server)
            let many = JSONObject(uniqueKeysWithValues: (0..<250).map { ("m\($0)", JSONValue.string("yes")) })
            _ = try await management.patch(
                "users/auth0%7Cmax00000000000000000000",
                [
                    "app_metadata": [
                        "ratio": 10.5, "many": .object(many), "long": .string(Self.long + "bb"), "name": "Émile",
                        "plan": "bronze", "address": nil,
                    ]
                ])
            let found = try await management.list("users?sort=email:1&q=\(q.formEncoded)")
            let names = found.compactMap { $0["email"]?.string?.split(separator: "@").first.map(String.init) }
            #expect(names == expected.sorted())
        }
    }

    @Test(
        "A query that cannot be read is 400 invalid_query_string",
        arguments: [
            "email:", "(email:a@b.test", "email:a@b.test)", "colour:red", "name:a*", "logins_count:[1 TO", #"name:"x"#,
            "app_metadata.a\"b:1", "app_metadata:x", "AND", "[1 TO 2]", "name:*\(Self.long)aa*",
            "name:*ab*cd*ef*gh*ij*",
        ])
    func unreadable(q: String) async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let answer = try await management.send(.get, "users?q=\(q.formEncoded)")
            #expect(answer.status == .badRequest)
            #expect(try answer.json()["errorCode"] == "invalid_query_string")
            #expect(try answer.json()["message"]?.string?.hasSuffix("on property q.") == true)
        }
    }

    @Test("Sorting, totals and pages; no more than the first 1000")
    func pages() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let management = try await ManagementClient(server)
            let sorted = try await management.list("users?sort=name:-1&fields=given_name&q=email:*@science.example")
            #expect(sorted == [["given_name": "Max"], ["given_name": "Mary"], ["given_name": "Marie"]])
            let page = try await management.get("users?page=1&per_page=2&include_totals=true&sort=email:1")
            #expect(page["total"] == 5 && page["start"] == 2 && page["limit"] == 2 && page["length"] == 2)
            #expect(try await management.get("users?page=20&per_page=50&include_totals=true")["users"] == [])
            #expect(try await management.send(.get, "users?sort=password:1").status == .badRequest)
            #expect(try await management.send(.get, "users?search_engine=v1").status == .badRequest)
            let connection = try await management.list("users?connection=Nowhere")
            #expect(connection.isEmpty)
        }
    }
}
