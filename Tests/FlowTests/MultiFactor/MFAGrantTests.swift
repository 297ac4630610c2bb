import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import StorageTesting
import TestSupport
import Testing

@Suite("Auth0: logins without a browser go on after a second factor (mfa_token and its grants)")
struct MFAGrantTests {
    private typealias Client = MFAClient

    @Test("mfa_required has an mfa_token and says what the user can do: enrol, or pass what is enrolled")
    func requirements() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            try await server.setFactors([.otp, .sms, .recoveryCode])
            let client = Client(server)
            let first = try await client.begin()
            #expect(first["mfa_requirements"] == ["enroll": [["type": "otp"], ["type": "phone"]]])
            #expect((first["mfa_token"]?.string?.count ?? 0) >= 32)
            _ = try await client.enroll()
            let second = try await client.begin()
            #expect(second["mfa_requirements"] == ["challenge": [["type": "otp"], ["type": "recovery-code"]]])
        }
    }

    @Test(
        "mfa-otp answers as the password grant would have: scope, API, refresh token, acr and amr, time of the password"
    )
    func otp() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            try await server.requireFactors()
            let client = Client(server)
            let (secret, _) = try await client.enroll()
            let token = try await client.token([
                "scope": "openid email appointments offline_access", "audience": "appointments:api",
            ])
            let passwordAt = server.clock.now
            server.clock.advance(by: 60)
            let answer = try await client.redeem(Client.otp, token, ["otp": client.code(secret)])
            #expect(answer.status == .ok && answer.headers[.cacheControl] == "no-store")
            let tokens = try answer.json()
            #expect(tokens["scope"] == "openid email appointments offline_access")
            #expect(tokens["refresh_token"] != nil && tokens["recovery_code"] == nil)
            let id = tokens["id_token"]?.string?.claims ?? [:]
            #expect(id["sub"] == .string(User.ada.id) && id["email"] == "ada@example.com")
            #expect(id["amr"] == ["mfa"] && id["acr"] == .string(FactorVisitor.context))
            let access = tokens["access_token"]?.string?.claims ?? [:]
            #expect(access["gty"] == "password" && access["aud"]?.array?.first == "appointments:api")
            let refreshed = try await client.party.refresh(tokens["refresh_token"]?.string ?? "").json()
            #expect(refreshed["id_token"]?.string?.claims["amr"] == ["mfa"])
            let user = try await server.services.stores.users.find(User.ada.id)
            #expect(user?.loginsCount == 2 && passwordAt < server.clock.now)
        }
    }

    @Test("RFC 6749 §5.2: a token is used once, a wrong code does not use it, and it ends after ten minutes")
    func lifetime() async throws {
        for dialect in WireDialect.allCases {
            try await TestServer.run(Client.fixtures(dialect)) { server in
                try await server.requireFactors()
                let client = Client(server)
                let (secret, _) = try await client.enroll()
                let token = try await client.token()
                let wrong = try await client.redeem(
                    Client.otp, token, ["otp": Client.wrong(client.code(secret))])
                #expect(wrong.status == (dialect == .auth0 ? .forbidden : .badRequest))
                #expect(try wrong.json()["error"] == "invalid_grant")
                #expect(try wrong.json()["error_description"] == "Invalid otp_code.")
                #expect(try await client.redeem(Client.otp, token, ["otp": client.code(secret)]).status == .ok)
                server.clock.advance(by: 30)
                let again = try await client.redeem(Client.otp, token, ["otp": client.code(secret)])
                #expect(try again.json()["error_description"] == "Malformed mfa_token")
                #expect(again.status == (dialect == .auth0 ? .forbidden : .badRequest))
                let late = try await client.token()
                server.clock.advance(by: 601)
                let expired = try await client.redeem(Client.otp, late, ["otp": client.code(secret)])
                #expect(expired.status == (dialect == .auth0 ? .unauthorized : .badRequest))
                #expect(try expired.json()["error"] == "expired_token")
                #expect(try expired.json()["error_description"] == "mfa_token is expired")
            }
        }
    }

    @Test("Of requests that use one token at the same time one gets tokens, with one code or with several")
    func race() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            try await server.requireFactors()
            let client = Client(server)
            let (secret, recoveryCode) = try await client.enroll()
            for round in 0..<3 {
                let token = try await client.token()
                let code = client.code(secret)
                let statuses = try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                    for index in 0..<6 {
                        let usesRecovery = round == 0 && index == 3
                        group.addTask {
                            usesRecovery
                                ? try await client.redeem(
                                    Client.recoveryCode, token, ["recovery_code": recoveryCode]
                                ).status
                                : try await client.redeem(Client.otp, token, ["otp": code]).status
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(statuses.count { $0 == .ok } == 1, "\(statuses)")
                server.clock.advance(by: 90)
            }
        }
    }

    @Test("Ten wrong codes of a user's an hour are looked at, in however many logins and at the same time")
    func guesses() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            try await server.requireFactors()
            let client = Client(server)
            let (secret, _) = try await client.enroll()
            let tokens = [try await client.token(), try await client.token()]
            let wrong = Client.wrong(client.code(secret))
            let statuses = try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                for index in 0..<14 {
                    group.addTask { try await client.redeem(Client.otp, tokens[index % 2], ["otp": wrong]).status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.count { $0 == .badRequest } == 10)
            #expect(statuses.count { $0 == .tooManyRequests } == 4)
            let right = try await client.redeem(Client.otp, tokens[0], ["otp": client.code(secret)])
            #expect(right.status == .tooManyRequests)
            #expect(try right.json()["error"] == "too_many_attempts")
        }
    }

    @Test("mfa-recovery-code answers with the next recovery code, and the one before is worth nothing")
    func recovery() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            try await server.requireFactors()
            let client = Client(server)
            let (_, recoveryCode) = try await client.enroll()
            let answer = try await client.redeem(
                Client.recoveryCode, client.token(), ["recovery_code": recoveryCode])
            #expect(answer.status == .ok)
            let next = try #require(try answer.json()["recovery_code"]?.string)
            let old = try await client.redeem(
                Client.recoveryCode, client.token(), ["recovery_code": recoveryCode])
            #expect(old.status == .badRequest)
            #expect(try old.json()["error_description"] == "Invalid recovery_code.")
            #expect(
                try await client.redeem(Client.recoveryCode, client.token(), ["recovery_code": next]).status == .ok)
        }
    }

    @Test("A token is its application's alone, and the application's grant_types decide")
    func clients() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            try await server.requireFactors()
            let client = Client(server)
            let (secret, _) = try await client.enroll()
            let token = try await client.token()
            let other = Client(server, party: .thirdParty(server))
            let stolen = try await other.redeem(Client.otp, token, ["otp": client.code(secret)])
            #expect(try stolen.json()["error_description"] == "Malformed mfa_token")
            #expect(try await other.challenge(token).status == .badRequest)
            let machine = Client(server, party: .machine(server))
            let ungranted = try await machine.redeem(Client.otp, token, ["otp": client.code(secret)])
            #expect(try ungranted.json()["error"] == "unauthorized_client")
            let unproved = try await client.redeem(
                Client.otp, token, ["otp": client.code(secret), "client_secret": "wrong"])
            #expect(unproved.status == .unauthorized)
            for missing in ["mfa_token", "otp"] {
                let answer = try await client.redeem(
                    Client.otp, token, ["otp": "1"].merging([missing: String?.none]) { $1 })
                #expect(try answer.json()["error_description"] == .string("Missing required parameter: \(missing)"))
            }
            // The code was not spent by any of them.
            #expect(try await client.redeem(Client.otp, token, ["otp": client.code(secret)]).status == .ok)
        }
    }

    @Test("Who is blocked, removed or has another password after the first factor gets nothing with the second one")
    func changed() async throws {
        for change in ["block", "password", "remove", "grant", "connection"] {
            try await TestServer.run(Client.fixtures()) { server in
                try await server.requireFactors()
                let client = Client(server)
                let (secret, _) = try await client.enroll()
                let token = try await client.token()
                let management = try await ManagementClient(server)
                let id = User.ada.id.replacing("|", with: "%7C")
                server.clock.advance(by: 1)
                switch change {
                case "block": _ = try await management.patch("users/\(id)", ["blocked": true])
                case "password": _ = try await management.patch("users/\(id)", ["password": "Analytical-1843-Engine"])
                case "remove": _ = try await management.send(.delete, "users/\(id)")
                case "grant":
                    _ = try await management.patch(
                        "clients/regular-web-app", ["grant_types": [.string(Client.otp), "client_credentials"]])
                default:
                    let name = User.ada.connection
                    let connection = try #require(
                        try await server.services.stores.connections.find(name: name))
                    _ = try await management.patch("connections/\(connection.id)", ["enabled_clients": ["machine"]])
                }
                try await server.services.configuration.refresh()
                let answer = try await client.redeem(Client.otp, token, ["otp": client.code(secret)])
                #expect((400..<500).contains(answer.status.code), "\(change): \(answer.text)")
                #expect(try answer.json()["access_token"] == nil)
            }
        }
    }

    @Test("Passwordless codes wait for a second factor, too; a stranger becomes a user with the first one")
    func passwordless() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            try await server.requireFactors()
            let client = Client(server)
            let started = try await client.party.post(
                "/passwordless/start", ["connection": "email", "email": "new@example.com", "send": "code"])
            #expect(started.status == .ok)
            let code = try await client.sentCode(to: "new@example.com")
            let answer = try await client.party.token([
                "grant_type": "http://auth0.com/oauth/grant-type/passwordless/otp", "username": "new@example.com",
                "otp": code, "realm": "email", "scope": "openid email",
            ])
            #expect(answer.status == .forbidden)
            let token = try #require(try answer.json()["mfa_token"]?.string)
            let secret = try #require(
                try await client.associate(token, ["authenticator_types": ["otp"]]).json()["secret"]?.string)
            let tokens = try await client.redeem(Client.otp, token, ["otp": client.code(secret)]).json()
            let claims = tokens["id_token"]?.string?.claims ?? [:]
            #expect(claims["sub"]?.string?.hasPrefix("email|") == true && claims["amr"] == ["mfa"])
        }
    }

    @Test("RFC 9449 §5: a login that was begun with a key goes on with that key")
    func bound() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            try await server.requireFactors()
            let client = Client(server)
            let (secret, _) = try await client.enroll()
            let (key, other) = (ClientKey(server), ClientKey(server))
            let begun = try await PasswordGrantTests.logIn(client.party, headers: try key.headers())
            let token = try #require(try begun.json()["mfa_token"]?.string)
            for headers: HTTPFields in [[:], try other.headers()] {
                let answer = try await client.redeem(
                    Client.otp, token, ["otp": client.code(secret)], headers: headers)
                #expect(try answer.json()["error"] == "invalid_grant")
            }
            let answer = try await client.redeem(
                Client.otp, token, ["otp": client.code(secret)], headers: try key.headers())
            #expect(try answer.json()["token_type"] == "DPoP")
        }
    }

    @Test("The database has neither tokens nor secrets of logins that wait in the clear")
    func storage() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            try await server.setFactors([.otp, .sms, .recoveryCode])
            let client = Client(server)
            let token = try await client.token()
            let answer = try await client.associate(token, ["authenticator_types": ["otp"]]).json()
            let other = try await client.token()
            let sent = try await client.associate(
                other,
                ["authenticator_types": ["oob"], "oob_channels": ["sms"], "phone_number": .string(Client.number)]
            ).json()
            let secrets = [
                token, other, try #require(answer["secret"]?.string),
                try #require(answer["recovery_codes"]?.array?.first?.string),
                try #require(sent["oob_code"]?.string),
            ]
            let stored = try await server.services.stores.database.storedBytes()
            for text in secrets { #expect(text.count >= 24 && stored.range(of: Data(text.utf8)) == nil) }
        }
    }

    @Test("Discovery names the grants, as OpenID Connect Discovery §3 has them")
    func discovery() async throws {
        try await TestServer.run { server in
            let document = try await server.get("/.well-known/openid-configuration").json()
            let grants = document["grant_types_supported"]?.array?.compactMap(\.string) ?? []
            #expect(Set(grants).isSuperset(of: [Client.otp, Client.oob, Client.recoveryCode]))
            #expect(document["mfa_challenge_endpoint"] == .string(TestServer.issuer + "mfa/challenge"))
        }
    }
}
