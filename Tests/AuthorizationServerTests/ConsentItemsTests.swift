import OAuth
import Storage
import Testing

@testable import AuthorizationServer

@Suite("The consent page's lines")
struct ConsentItemsTests {
    private static let api: ResourceServer = {
        var api = ResourceServer(id: "api", name: "Appointments", identifier: "appointments:api")
        api.scopes = [
            .init(value: "appointments", description: "See your appointments"), .init(value: "empty", description: ""),
            .init(value: "delete:notes", description: "Remove your notes for good"), .init(value: "read:notes"),
        ]
        return api
    }()

    @Test(
        "Each scope in the user's words",
        arguments: [
            ("openid", []), ("", []),
            ("openid profile", ["Profile: See your profile"]), ("email", ["Profile: See your email address"]),
            ("email_verified", ["Profile: See your email address"]), ("nickname", ["Profile: See your profile"]),
            ("openid profile email", ["Profile: See your profile and your email address"]),
            (
                "address phone email profile",
                ["Profile: See your profile, your email address, your phone number and your postal address"]
            ),
            ("offline_access", ["Offline access: Keep this access while you are not there"]),
            ("appointments", ["appointments: See your appointments"]), ("contacts", ["contacts: Use contacts"]),
            ("empty", ["empty: Use empty"]), ("read:notes", ["Notes: read your notes"]),
            ("read:notes write:notes", ["Notes: read and write your notes"]),
            ("read:notes write:notes share:notes", ["Notes: read, write and share your notes"]),
            ("read:notes delete:notes", ["delete:notes: Remove your notes for good", "Notes: read your notes"]),
            (
                "read:calendar_entries read:notes",
                ["Calendar entries: read your calendar entries", "Notes: read your notes"]
            ),
            ("read:", ["read:: Use read:"]), (":notes", [":notes: Use :notes"]), (":", [":: Use :"]),
            ("a:b:c", ["B:c: a your b:c"]),
            (
                "offline_access appointments openid email",
                [
                    "Profile: See your email address", "appointments: See your appointments",
                    "Offline access: Keep this access while you are not there",
                ]
            ),
        ])
    func texts(scope: String, lines: [String]) throws {
        let items = ConsentItems.make(try Scope(parsing: scope), Self.api)
        #expect(items.map { "\($0.title): \($0.detail)" } == lines)
    }

    @Test("Only the API's own scopes are said to be the API's")
    func api() throws {
        let items = ConsentItems.make(try Scope(parsing: "openid profile appointments x:y offline_access"), Self.api)
        #expect(items.map(\.api) == [nil, "Appointments", "Appointments", nil])
    }

    @Test("Without an API the same scopes are worded by their names")
    func withoutAPI() {
        #expect(
            ConsentItems.make(Scope(["appointments", "openid"]), nil)
                == [Consent.Item(title: "appointments", detail: "Use appointments")])
    }

    @Test("No scope that is asked for goes unsaid")
    func complete() {
        for value in Scope.claims.keys where value != "openid" {
            #expect(!ConsentItems.make(Scope([value]), Self.api).isEmpty, "\(value)")
        }
        for value in ["x", "x:y", "https://api.example.com/read", "!", "a:"] {
            #expect(ConsentItems.make(Scope([value]), Self.api).count == 1, "\(value)")
        }
    }
}
