import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// What becomes of a login at a provider whose connection changes meanwhile, and where its provider may answer.
@Suite("Upstream logins and their connections")
struct UpstreamChangeTests {
    @Test("A connection that is switched off while somebody is at its provider lets nobody in")
    func disabledMeanwhile() async throws {
        try await TestServer.run(UpstreamLoginTests.fixtures("stand-in")) { server in
            let browser = TestBrowser(server)
            let departure = try await UpstreamLoginTests.depart(browser)
            try await server.services.stores.database.write { transaction in
                try ConnectionStore.save(UpstreamLoginTests.connection("stand-in", clients: []), in: transaction)
            }
            try await server.services.configuration.refresh()
            let answer = try await UpstreamLoginTests.arrive(browser, departure)
            #expect(answer.query("code") == nil)
            #expect(browser.cookies["auth0"] == nil)
        }
    }

    @Test("A login that races the deletion of its connection leaves no user behind for the next one of that name")
    func deletedMeanwhile() async throws {
        try await TestServer.run(UpstreamLoginTests.fixtures("stand-in")) { server in
            let (browser, known) = (TestBrowser(server), TestBrowser(server))
            _ = try await UpstreamLoginTests.claims(TestBrowser(server), "user=8")
            let (departure, second) = (
                try await UpstreamLoginTests.depart(browser), try await UpstreamLoginTests.depart(known)
            )
            // As on another node: this one has not heard of it yet.
            try await server.services.stores.database.write { transaction in
                try UserStore.deleteAll(connection: "stand-in", in: transaction)
                try transaction.execute("DELETE FROM connection WHERE name = 'stand-in'")
            }
            let answer = try await UpstreamLoginTests.arrive(browser, departure)
            #expect(answer.query("error") == "invalid_request")
            #expect(answer.query("error_description") == "the connection is not enabled")
            #expect(try await UpstreamLoginTests.arrive(known, second, "user=8").query("code") == nil)
            for id in ["stand-in|7", "stand-in|8"] {
                #expect(try await server.services.stores.users.find(id) == nil)
            }
            #expect(browser.cookies["auth0"] == nil && known.cookies["auth0"] == nil)
            // Nor does anybody sign up to a database that is gone.
            let page = try await UpstreamLoginTests.depart(browser, ["screen_hint": "signup"])
            try await server.services.stores.database.write { transaction in
                try transaction.execute("DELETE FROM connection")
            }
            let signup = try await browser.submit(
                page, [("email", "new@example.com"), ("password", "Analytical-Engine-1843"), ("action", "default")])
            #expect(signup.location == nil && browser.cookies["auth0"] == nil)
            let found = try await server.services.stores.database.read { transaction in
                try UserStore.find(connection: Connection.database.name, identifier: "new@example.com", in: transaction)
            }
            #expect(found == nil)
        }
    }

    @Test("RFC 9700 §4.4.2.2: a connection with a callback of its own takes answers there alone, and nobody else's")
    func ownCallback() async throws {
        var fixtures = UpstreamLoginTests.fixtures("stand-in", "second")
        fixtures.connections[1].options["portico_own_callback"] = true
        try await TestServer.run(fixtures) { server in
            let own = "/login/callback/stand-in"
            for (connection, path, isGood) in [
                ("stand-in", own, true), ("stand-in", "/login/callback", false),
                ("stand-in", "/login/callback/second", false), ("second", own, false),
                ("second", "/login/callback", true), ("second", "/login/callback/second", true),
                ("second", "/login/callback/nothing", false),
            ] {
                let browser = TestBrowser(server)
                let departure = try await UpstreamLoginTests.depart(browser, ["connection": connection])
                let registered = connection == "stand-in" ? own : "/login/callback"
                #expect(departure.query("redirect_uri") == "https://login.example.com\(registered)")
                let state = departure.query("state") ?? ""
                let answer = try await browser.follow(browser.get("\(path)?state=\(state)&user=7"))
                #expect((answer.query("code") != nil) == isGood, "\(connection) at \(path)")
                #expect((answer.query("error") == "access_denied") != isGood)
                #expect((browser.cookies["auth0"] != nil) == isGood)
            }
        }
    }
}
