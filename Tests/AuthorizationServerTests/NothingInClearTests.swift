import Foundation
import OAuth
import Storage
import StorageTesting
import TestSupport
import Testing

@testable import AuthorizationServer

@Suite("A stolen database opens nothing")
struct NothingInClearTests {
    @Test("No secret, password, code, token, cookie or private key stands in the database")
    func nothingInClear() async throws {
        var fixtures = Fixtures()
        fixtures.changeAPI { $0.signingAlgorithm = .hs256 }
        fixtures.resourceServers[0].signingSecret = "api-signing-secret-0123456789"
        fixtures.change("regular-web-app") { $0.idTokenAlgorithm = .hs256 }
        try await TestServer.run(fixtures) { server in
            let (party, browser) = (RelyingParty.singlePageApp(server), TestBrowser(server))
            let started = try await browser.get(party.authorizationURL())
            let state = try #require(started.query("state"))
            let scope = ["scope": "openid email offline_access", "audience": "appointments:api"] as [String: String?]
            let code = try await party.code(browser, scope)
            let unused = try await party.code(browser, scope)
            let tokens = try await party.redeem(code).json()
            let refresh = try #require(tokens["refresh_token"]?.string)
            let rotated = try await party.refresh(refresh).json()
            let opaque = try await RelyingParty.regularWebApp(server).tokens(["scope": "openid"])
            let pem = try await server.services.configuration.keyRing().current.key.pem()

            // The first lines of the PEM are the modulus, which is public.
            var secrets: [String: String] = [
                "code": code, "unredeemed code": unused, "refresh token": refresh, "state": state,
                "opaque access token": opaque["access_token"]?.string ?? "",
                "access token": tokens["access_token"]?.string ?? "",
                "ID token": tokens["id_token"]?.string ?? "",
                "rotated refresh token": rotated["refresh_token"]?.string ?? "",
                "password": User.adaPassword, "another password": User.gracePassword,
                "client secret": Client.regularWebAppSecret, "machine's secret": Client.machineSecret,
                "API secret": "api-signing-secret-0123456789", "PEM": "PRIVATE KEY",
                "private key": String(pem.split(separator: "\n").dropLast(4).last ?? ""),
            ]
            for (name, value) in browser.cookies { secrets["cookie \(name)"] = value }
            #expect(browser.cookies.count >= 2)
            let stored = try await server.services.stores.database.storedBytes()
            // What is no secret is found, so the search works.
            #expect(stored.range(of: Data("ada@example.com".utf8)) != nil)
            #expect(stored.range(of: Data(Secret(code).digest.utf8)) != nil)
            for (name, secret) in secrets {
                #expect(secret.count >= 11, "\(name) was not issued")
                #expect(stored.range(of: Data(secret.utf8)) == nil, "\(name) stands in the database")
            }
        }
    }
}
