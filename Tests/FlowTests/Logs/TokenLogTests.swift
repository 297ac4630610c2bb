import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Log events of tokens")
struct TokenLogTests {
    @Test("seacft and feacft: a code that is redeemed, and the same code again")
    func code() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let code = try await party.code(nil, ["audience": "appointments:api", "scope": "openid appointments"])
            _ = try await party.redeem(code)
            _ = try await party.redeem(code)
            _ = try await party.redeem("nothing")
            let events = try await server.logEvents()
            #expect(events.map(\.type) == ["s", "seacft", "feacft", "feacft"])
            #expect(events[1].userName == "ada@example.com" && events[1].audience == "appointments:api")
            #expect(events[1].scope == "openid appointments" && events[1].clientName == "Regular Web App")
            #expect(events[2].details["reason"] == "code_replayed" && events[2].details["error"] == "invalid_grant")
            #expect(events[3].details["reason"] == nil)
        }
    }

    @Test("sertft, ferrt, fertft: a refresh, a rotated token that is used again, and one that is unknown")
    func refresh() async throws {
        try await TestServer.run(RefreshTokenTests.rotating()) { server in
            let party = RelyingParty.regularWebApp(server)
            let first = try await RefreshTokenTests.firstToken(party)
            _ = try await party.refresh(first)
            _ = try await party.refresh(first)
            _ = try await party.refresh("nothing")
            let events = try await server.logEvents().dropFirst(2)
            #expect(events.map(\.type) == ["sertft", "ferrt", "fertft"])
            #expect(events.map(\.userID) == [User.ada.id, User.ada.id, nil])
            #expect(events.map(\.audience) == ["appointments:api", "appointments:api", nil])
        }
    }

    @Test("seccft and feccft: a machine's tokens; a wrong secret names the client that it pretends to be")
    func clientCredentials() async throws {
        try await TestServer.run { server in
            let form = ["grant_type": "client_credentials", "audience": "appointments:api"] as [String: String?]
            _ = try await RelyingParty.machine(server).token(form)
            _ = try await RelyingParty.machine(server).token(form.merging(["client_secret": "wrong"]) { $1 })
            let events = try await server.logEvents()
            #expect(events.map(\.type) == ["seccft", "feccft"])
            #expect(events.allSatisfy { $0.clientName == "Machine" && $0.userID == nil })
            #expect(events[0].audience == "appointments:api" && events[0].scope == "appointments read:notes")
            #expect(events[1].details["error"] == "invalid_client")
        }
    }

    @Test("sepft and fepft: the password grant; what was wrong with the password is a detail")
    func password() async throws {
        try await TestServer.run(PasswordGrantTests.fixtures()) { server in
            let party = RelyingParty.regularWebApp(server)
            _ = try await PasswordGrantTests.logIn(party)
            _ = try await PasswordGrantTests.logIn(party, ["password": "wrong"])
            _ = try await PasswordGrantTests.logIn(party, ["username": "eve@example.com"])
            let events = try await server.logEvents()
            #expect(events.map(\.type) == ["sepft", "fepft", "fepft"])
            #expect(events.map { $0.details["reason"] } == [nil, "fp", "fu"])
            #expect(events.map(\.userName) == ["ada@example.com", "ada@example.com", "eve@example.com"])
        }
    }

    @Test("sepotpft and fepotpft: the passwordless grant; a wrong code is a detail")
    func passwordless() async throws {
        try await TestServer.run(PasswordlessTests.fixtures()) { server in
            _ = try await PasswordlessTests.start(server)
            let code = try await PasswordlessTests.code(server, to: "new@example.com")
            _ = try await PasswordlessTests.redeem(server, code == "000000" ? "000001" : "000000")
            _ = try await PasswordlessTests.redeem(server, code)
            let events = try await server.logEvents()
            #expect(events.map(\.type) == ["cls", "fepotpft", "sepotpft"])
            #expect(events.map { $0.details["reason"] } == [nil, "fp", nil])
            #expect(events.map(\.userName) == Array(repeating: "new@example.com", count: 3))
        }
    }

    @Test("sede, fede, fdeaz, fdeac, fdecc: the device flow; a device that waits is no event")
    func device() async throws {
        try await TestServer.run(.withTelevision()) { server in
            let (party, browser) = (RelyingParty.television(server), TestBrowser(server))
            _ = try await party.post("/oauth/device/code", ["audience": "nothing"])
            let (deviceCode, userCode) = try await DeviceFlowTests.begin(party)
            _ = try await DeviceFlowTests.poll(party, deviceCode)
            _ = try await browser.get("/activate?user_code=BBBB-BBBB")
            _ = try await DeviceFlowTests.letIn(browser, userCode)
            server.clock.advance(by: 60)
            #expect(try await DeviceFlowTests.poll(party, deviceCode).status == .ok)
            let (refused, refusedCode) = try await DeviceFlowTests.begin(party)
            _ = try await DeviceFlowTests.confirm(browser, refusedCode, action: "cancel")
            #expect(try await DeviceFlowTests.poll(party, refused).status != .ok)
            let events = try await server.logEvents()
            #expect(events.map(\.type) == ["fdeaz", "fdeac", "s", "sede", "fdecc", "fede"])
            #expect(events[3].userID == User.ada.id && events[3].audience == "appointments:api")
            #expect(events[4].clientID == "television")
        }
    }

    @Test("secte and fecte: a token exchange")
    func tokenExchange() async throws {
        try await TestServer.run(TokenExchangeTests.fixtures()) { server in
            let token = try await TokenExchangeTests.userToken(server)
            let party = RelyingParty.appointmentsAPI(server)
            let answer = try await TokenExchangeTests.exchange(party, token, ["audience": "rooms:api"])
            #expect(answer.status == .ok)
            _ = try await TokenExchangeTests.exchange(party, "rubbish", ["audience": "rooms:api"])
            let events = try await server.logEvents().dropFirst(2)
            #expect(events.map(\.type) == ["secte", "fecte"])
            #expect(events.first?.userID == User.ada.id && events.first?.audience == "rooms:api")
        }
    }

    @Test("jwt_bearer_exchange_failed: an assertion that is none")
    func jwtBearer() async throws {
        try await TestServer.run(JWTBearerTests.fixtures(ForeignKey.rsa())) { server in
            _ = try await RelyingParty.machine(server).token(
                ["grant_type": GrantType.jwtBearer.rawValue, "assertion": "rubbish", "audience": "appointments:api"])
            #expect(try await server.logTypes() == ["jwt_bearer_exchange_failed"])
        }
    }

    @Test("srrt: a refresh token that is revoked; a token that is none is no event")
    func revocation() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let token = try await RefreshTokenTests.firstToken(party)
            _ = try await party.revoke("nothing")
            _ = try await party.revoke(token)
            let events = try await server.logEvents().dropFirst(2)
            #expect(events.map(\.type) == ["srrt"] && events.first?.userID == User.ada.id)
        }
    }

    @Test("fpar: a pushed request that is refused")
    func pushed() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            _ = try await party.post("/oauth/par", ["response_type": "code", "redirect_uri": "https://evil.test/"])
            let events = try await server.logEvents()
            #expect(events.map(\.type) == ["fpar"] && events.first?.clientName == "Regular Web App")
        }
    }

    @Test("sapi and fapi: a client that registers itself, or may not")
    func registration() async throws {
        try await TestServer.run { server in
            _ = try await DynamicClient.send(DynamicClient.metadata(), to: server)
            let events = try await server.logEvents()
            #expect(events.map(\.type) == ["fapi"])
            #expect(events.first?.details["operation"] == "Register a client")
        }
        try await TestServer.run(.openRegistration) { server in
            let answer = try await DynamicClient.send(DynamicClient.metadata(), to: server).json()
            let events = try await server.logEvents()
            #expect(events.map(\.type) == ["sapi"])
            #expect(events.first?.clientID == answer["client_id"]?.string && events.first?.clientID != nil)
        }
    }

    @Test("No event has a secret, a password, a code or a token in it")
    func secrets() async throws {
        try await TestServer.run(PasswordGrantTests.fixtures()) { server in
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            let code = try await party.code(browser, RefreshTokenTests.wanted)
            let tokens = try await party.redeem(code).json()
            let refresh = tokens["refresh_token"]?.string ?? ""
            _ = try await party.redeem(code)
            _ = try await party.refresh(refresh)
            _ = try await party.revoke(refresh)
            _ = try await PasswordGrantTests.logIn(party, ["password": "a-wrong-password-1234"])
            _ = try await PasswordGrantTests.logIn(party)
            let text = try JSON.text(try await server.logEvents().map(\.document))
            for secret in [
                code, refresh, tokens["access_token"]?.string ?? "", tokens["id_token"]?.string ?? "",
                User.adaPassword, "a-wrong-password-1234", Client.regularWebAppSecret,
                browser.cookies["auth0"] ?? "",
            ] {
                #expect(secret.count > 10 && !text.contains(secret.prefix(40)))
            }
        }
    }
}
