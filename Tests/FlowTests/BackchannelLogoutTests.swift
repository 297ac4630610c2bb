import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import JWTKit
import OAuth
import Storage
import TestSupport
import Testing

@Suite("OpenID Connect Back-Channel Logout 1.0")
struct BackchannelLogoutTests {
    private static func run(
        _ change: (inout Fixtures) throws -> Void = { _ in },
        _ body: @Sendable (TestServer, TestBrowser, LogoutReceiver) async throws -> Void
    ) async throws {
        try await TestServer.run(LogoutFixtures.telling(change)) { server in
            try await body(server, TestBrowser(server), LogoutReceiver())
        }
    }

    private static func logOut(_ browser: TestBrowser, _ token: String) async throws {
        _ = try await browser.get(TestServer.logoutURL(["id_token_hint": token]))
        #expect(try await !browser.isLoggedIn())
    }

    @Test(
        "oidcc-backchannel-rp-initiated-logout §2.4, §2.5: a logout token, posted as a form, with the ID token's sub and sid"
    )
    func logoutToken() async throws {
        struct Claims: JWTPayload {
            let iss: IssuerClaim
            func verify(using algorithm: some JWTAlgorithm) throws {}
        }
        try await Self.run { server, browser, receiver in
            let idToken = try await browser.idToken(.regularWebApp(server))
            #expect(try await receiver.deliver(server).isEmpty)
            try await Self.logOut(browser, idToken)
            let received = try await receiver.deliver(server)
            let delivery = try #require(received.first)
            #expect(received.count == 1)
            #expect(delivery.url == LogoutFixtures.backchannel)
            #expect(delivery.form.map(\.name) == ["logout_token"])
            let (token, now) = (delivery.token, Int(server.clock.now.timeIntervalSince1970))
            #expect(token.tokenHeader == ["alg": "RS256", "typ": "logout+jwt", "kid": "key-current"])
            let claims = token.claims
            #expect(claims["iss"] == "https://login.example.com/")
            #expect(claims["aud"] == "regular-web-app")
            #expect(claims["sub"] == idToken.claims["sub"])
            #expect(claims["sid"] == idToken.claims["sid"])
            #expect(claims["iat"]?.integer == now)
            #expect(claims["exp"]?.integer == now + 120)
            #expect(claims["jti"]?.string?.isEmpty == false)
            #expect(claims["events"] == ["http://schemas.openid.net/event/backchannel-logout": [:]])
            #expect(claims["nonce"] == nil)
            #expect(claims.count == 8)
            let keys = JWTKeyCollection()
            try await keys.add(jwksJSON: try await server.get("/.well-known/jwks.json").text)
            #expect(try await keys.verify(token, as: Claims.self).iss.value == "https://login.example.com/")
            #expect(try await receiver.deliver(server).isEmpty)
        }
    }

    @Test("§2.6: a logout token is signed as the application's ID tokens are")
    func algorithms() async throws {
        for algorithm in SigningAlgorithm.allCases {
            try await Self.run({ fixtures in
                fixtures.settings.signingAlgorithms = SigningAlgorithms(SigningAlgorithm.allCases)
                fixtures.change("regular-web-app") { $0.idTokenAlgorithm = algorithm }
            }) { server, browser, receiver in
                try await Self.logOut(browser, browser.idToken(.regularWebApp(server)))
                let header = try await receiver.deliver(server).first?.token.tokenHeader ?? [:]
                #expect(header["alg"]?.string == algorithm.rawValue && header["typ"] == "logout+jwt")
            }
        }
    }

    @Test("§2.5: every application of the session is told at each of its addresses, and no other")
    func everyParticipant() async throws {
        try await Self.run({
            $0.change("single-page-app") {
                $0.logout.backchannelURLs = [LogoutFixtures.secondBackchannel, "https://spa.example.com/other"]
            }
        }) { server, browser, receiver in
            let other = TestBrowser(server)
            _ = try await other.idToken(.regularWebApp(server))
            _ = try await browser.idToken(.singlePageApp(server))
            _ = try await browser.idToken(.singlePageApp(server))
            let token = try await browser.idToken(.thirdParty(server), ["scope": "openid"])
            try await Self.logOut(browser, token)
            let received = try await receiver.deliver(server)
            #expect(received.map(\.url) == [LogoutFixtures.secondBackchannel, "https://spa.example.com/other"])
            #expect(received.allSatisfy { $0.token.claims["aud"] == "single-page-app" })
            #expect(received.allSatisfy { $0.token.claims["sid"] == token.claims["sid"] })
            #expect(try await other.isLoggedIn())
        }
    }

    @Test("Auth0's /v2/logout tells too, where returnTo is refused as well")
    func auth0Logout() async throws {
        for query in ["", "?returnTo=https%3A%2F%2Fevil.example%2F"] {
            try await Self.run { server, browser, receiver in
                _ = try await browser.idToken(.regularWebApp(server))
                _ = try await browser.get("/v2/logout" + query)
                #expect(try await receiver.deliver(server).count == 1)
            }
        }
    }

    @Test("A failure is tried again after pauses, with a fresh token, and after five tries not any more")
    func retries() async throws {
        try await Self.run { server, browser, receiver in
            try await Self.logOut(browser, browser.idToken(.regularWebApp(server)))
            receiver.answerNext(500, nil, 302, 404, 503)
            var tokens = try await receiver.deliver(server).map(\.token)
            for pause in [10.0, 30, 120, 420] {
                server.clock.advance(by: pause - 1)
                #expect(try await receiver.deliver(server).isEmpty)
                server.clock.advance(by: 1)
                tokens += try await receiver.deliver(server).map(\.token)
                #expect(tokens.last?.claims["iat"]?.integer == Int(server.clock.now.timeIntervalSince1970))
            }
            #expect(tokens.count == 5)
            #expect(Set(tokens.map { $0.claims["jti"] }).count == 5)
            server.clock.advance(by: 86_400)
            #expect(try await receiver.deliver(server).isEmpty)
        }
    }

    @Test("§2.8: 200 and 204 are success, 400 is final", arguments: [200, 204, 400])
    func finalAnswers(status: Int) async throws {
        try await Self.run { server, browser, receiver in
            try await Self.logOut(browser, browser.idToken(.regularWebApp(server)))
            receiver.answerNext(503, status)
            #expect(try await receiver.deliver(server).count == 1)
            server.clock.advance(by: 10)
            #expect(try await receiver.deliver(server).count == 1)
            server.clock.advance(by: 86_400)
            #expect(try await receiver.deliver(server).isEmpty)
        }
    }

    @Test("A node that ends in the middle of a try leaves it to the next one")
    func interruptedTry() async throws {
        try await Self.run { server, browser, receiver in
            try await Self.logOut(browser, browser.idToken(.regularWebApp(server)))
            let claimed = try await server.services.stores.logoutDeliveries.claim(
                at: server.clock.now, lease: 60, most: 9)
            #expect(claimed.count == 1)
            #expect(try await receiver.deliver(server).isEmpty)
            server.clock.advance(by: 60)
            #expect(try await receiver.deliver(server).count == 1)
        }
    }

    @Test("A token that cannot be signed keeps no other waiting, and is given up as others are")
    func unsignable() async throws {
        try await Self.run { server, browser, receiver in
            _ = try await browser.idToken(.singlePageApp(server))
            try await Self.logOut(browser, browser.idToken(.regularWebApp(server)))
            var client = try #require(try await server.services.stores.clients.find("regular-web-app")).client
            client.idTokenAlgorithm = .es256
            let (changed, now) = (client, server.clock.now)
            try await server.services.stores.database.write { transaction in
                try ClientStore.save(changed, secretDigest: nil, sealedSecret: nil, at: now, in: transaction)
            }
            #expect(try await receiver.deliver(server).map(\.url) == [LogoutFixtures.secondBackchannel])
            for pause in [10.0, 30, 120, 420] {
                server.clock.advance(by: pause)
                #expect(try await server.services.stores.logoutDeliveries.isAnyDue(at: server.clock.now))
                #expect(try await receiver.deliver(server).isEmpty)
            }
            #expect(try await !server.services.stores.logoutDeliveries.isAnyDue(at: server.clock.now + 86_400))
        }
    }

    @Test("An address that the application has given up meanwhile gets nothing")
    func addressGone() async throws {
        try await Self.run { server, browser, receiver in
            try await Self.logOut(browser, browser.idToken(.regularWebApp(server)))
            let now = server.clock.now
            try await server.services.stores.database.write { transaction in
                try ClientStore.save(.regularWebApp, secretDigest: nil, sealedSecret: nil, at: now, in: transaction)
            }
            #expect(try await receiver.deliver(server).isEmpty)
            #expect(try await !server.services.stores.logoutDeliveries.isAnyDue(at: now + 86_400))
        }
    }

    @Test("Another user's login in the same browser logs the former user out of their applications")
    func replacedByAnotherUser() async throws {
        try await Self.run { server, browser, receiver in
            let party = RelyingParty.regularWebApp(server)
            let adas = try await browser.idToken(party)
            let started = try await browser.get(party.authorizationURL(["prompt": "login"]))
            _ = try await browser.logIn(started, email: "grace@example.com", password: User.gracePassword)
            let received = try await receiver.deliver(server)
            #expect(received.map { $0.token.claims["sub"] } == [.string(User.ada.id)])
            #expect(received.map { $0.token.claims["sid"] } == [adas.claims["sid"]])
        }
    }

    @Test("The same user's new login logs nobody out; the session's end tells each sid that an application knows")
    func renewedBySameUser() async throws {
        try await Self.run { server, browser, receiver in
            let party = RelyingParty.regularWebApp(server)
            let first = try await browser.idToken(party)
            let started = try await browser.get(party.authorizationURL(["prompt": "login"]))
            let answered = try await browser.logIn(started, password: User.adaPassword)
            let second = try await party.redeem(answered.query("code") ?? "").json()["id_token"]?.string ?? ""
            #expect(first.claims["sid"] != second.claims["sid"])
            #expect(try await receiver.deliver(server).isEmpty)
            try await Self.logOut(browser, second)
            let told = try await receiver.deliver(server).map { $0.token.claims["sid"]?.string ?? "" }
            #expect(Set(told) == Set([first, second].compactMap { $0.claims["sid"]?.string }))
            #expect(told.count == 2)
        }
    }

    @Test("Auth0: a session whose time is up is told to those that selected session-expired, and to no others")
    func expired() async throws {
        try await Self.run({ fixtures in
            fixtures.change("single-page-app") { $0.logout.initiators = .selected([.sessionExpired]) }
        }) { server, browser, receiver in
            _ = try await browser.idToken(.regularWebApp(server))
            _ = try await browser.idToken(.singlePageApp(server))
            let sessions = ExpiredSessions(services: server.services)
            #expect(try await !sessions.endBatch())
            #expect(try await receiver.deliver(server).isEmpty)
            server.clock.advance(by: 3 * 86_400 + 1)
            #expect(try await !sessions.endBatch())
            #expect(try await receiver.deliver(server).map(\.url) == [LogoutFixtures.secondBackchannel])
            #expect(try await !sessions.endBatch())
            #expect(try await receiver.deliver(server).isEmpty)
        }
    }

    @Test("Auth0: an application that selected other initiators hears nothing of a logout; one with mode all hears all")
    func initiators() async throws {
        try await Self.run({ fixtures in
            fixtures.change("regular-web-app") { $0.logout.initiators = .all }
            fixtures.change("single-page-app") { $0.logout.initiators = .selected([.passwordChanged]) }
        }) { server, browser, receiver in
            _ = try await browser.idToken(.singlePageApp(server))
            try await Self.logOut(browser, browser.idToken(.regularWebApp(server)))
            #expect(try await receiver.deliver(server).map(\.url) == [LogoutFixtures.backchannel])
        }
    }

    @Test("A session that ends with its user is told when it would have ended")
    func userDeleted() async throws {
        try await Self.run({ fixtures in
            fixtures.change("regular-web-app") { $0.logout.initiators = .all }
        }) { server, browser, receiver in
            _ = try await browser.idToken(.regularWebApp(server))
            try await server.services.stores.database.write { try UserStore.delete(User.ada.id, in: $0) }
            let sessions = ExpiredSessions(services: server.services)
            server.clock.advance(by: 7 * 86_400 - 1)
            #expect(try await !sessions.endBatch())
            #expect(try await receiver.deliver(server).isEmpty)
            server.clock.advance(by: 1)
            #expect(try await !sessions.endBatch())
            #expect(try await receiver.deliver(server).map { $0.token.claims["sub"] } == [.string(User.ada.id)])
        }
    }

    @Test("§2.2, Front-Channel §2: a client that registers itself names its channels, and is told")
    func dynamicClient() async throws {
        let channels: JSONObject = [
            "backchannel_logout_uri": "https://app.example.com/dynamic", "backchannel_logout_session_required": true,
            "frontchannel_logout_uri": "https://app.example.com/frame", "frontchannel_logout_session_required": true,
            "post_logout_redirect_uris": [.string(LogoutFixtures.goodbye)],
        ]
        try await TestServer.run(.openRegistration) { server in
            let refused = try await DynamicClient.send(
                DynamicClient.metadata(["frontchannel_logout_uri": "https://other.example.com/frame"]), to: server)
            #expect(try refused.json()["error"] == "invalid_client_metadata")
            let client = try await DynamicClient(server, channels.mapValues(Optional.some))
            for (name, value) in channels { #expect(client.registration[name] == value, "\(name)") }
            let (browser, receiver) = (TestBrowser(server), LogoutReceiver())
            let token = try await browser.idToken(client.party, ["scope": "openid"])
            let page = try await browser.get(
                TestServer.logoutURL(["id_token_hint": token, "post_logout_redirect_uri": LogoutFixtures.goodbye]))
            #expect(page.text.contains("https://app.example.com/frame?iss="))
            #expect(page.text.contains("url=" + LogoutFixtures.goodbye))
            let received = try await receiver.deliver(server)
            #expect(received.map(\.url) == ["https://app.example.com/dynamic"])
            #expect(received.first?.token.claims["sid"] == token.claims["sid"])
        }
    }

    @Test("A login at an application that registered no logout address writes nothing about it")
    func nothingForOthers() async throws {
        try await TestServer.run { server in
            _ = try await TestBrowser(server).idToken(.regularWebApp(server))
            let rows = try await server.services.stores.database.read {
                try $0.rows("SELECT client_id FROM session_client")
            }
            #expect(rows.isEmpty)
        }
    }
}
