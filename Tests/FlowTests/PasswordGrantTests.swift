import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("The password grants")
struct PasswordGrantTests {
    /// A tenant whose web application may use passwords.
    static func fixtures(_ dialect: WireDialect = .standard) -> Fixtures {
        var fixtures = Fixtures()
        fixtures.settings.wireDialect = dialect
        fixtures.settings.defaultDirectory = Connection.database.name
        fixtures.change("regular-web-app") { $0.grantTypes.formUnion([.password, .passwordRealm]) }
        return fixtures
    }

    static func logIn(
        _ party: RelyingParty, _ changes: [String: String?] = [:], headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        try await party.token(
            ["grant_type": "password", "username": "ada@example.com", "password": User.adaPassword]
                .merging(changes) { $1 }, headers: headers)
    }

    @Test("RFC 6749 §4.3: the right password gives an access token for the API; openid an ID token without a session")
    func tokens() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let party = RelyingParty.regularWebApp(server)
            let answer = try await Self.logIn(
                party, ["audience": "appointments:api", "scope": "openid email appointments nothing"])
            #expect(answer.status == .ok && answer.headers[.cacheControl] == "no-store")
            let tokens = try answer.json()
            #expect(tokens["scope"] == "openid email appointments")
            let claims = tokens["access_token"]?.string?.claims ?? [:]
            #expect(claims["sub"] == .string(User.ada.id) && claims["gty"] == "password")
            #expect(claims["azp"] == "regular-web-app")
            let id = tokens["id_token"]?.string?.claims ?? [:]
            #expect(id["email"] == "ada@example.com" && id["sid"] == nil && id["nonce"] == nil)
            #expect(tokens["refresh_token"] == nil)
            let user = try await server.services.stores.users.find(User.ada.id)
            #expect(user?.loginsCount == 1 && user?.lastLogin == server.clock.now)
            let upperCase = try await Self.logIn(party, ["username": "ADA@Example.com"])
            #expect(upperCase.status == .ok)
        }
    }

    @Test(
        "RFC 6749 §4.3.3, §6: a refresh token where offline_access is asked for and allowed; no browser's script gets one"
    )
    func refresh() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let party = RelyingParty.regularWebApp(server)
            for audience in [nil, "appointments:api"] {
                let changes: [String: String?] = ["audience": audience, "scope": "openid offline_access"]
                let refresh = try await Self.logIn(party, changes).json()["refresh_token"]?.string ?? ""
                let refreshed = try await party.refresh(refresh).json()
                #expect(refreshed["access_token"] != nil)
                #expect(refreshed["id_token"]?.string?.claims["sid"] == nil)
                let script = try await Self.logIn(party, changes, headers: [.origin: "https://app.example.com"]).json()
                #expect(script["access_token"] != nil && script["refresh_token"] == nil)
                #expect(script["scope"] == "openid")
            }
        }
    }

    @Test("Auth0: without a scope all of the API's, without an API all of OpenID Connect's; openid alone is widened")
    func scopes() async throws {
        for dialect in WireDialect.allCases {
            try await TestServer.run(Self.fixtures(dialect)) { server in
                let party = RelyingParty.regularWebApp(server)
                let all = try await Self.logIn(party, ["audience": "appointments:api"]).json()
                #expect(all["scope"] == "appointments contacts read:notes write:notes")
                #expect(all["id_token"] == nil)
                let profile = try await Self.logIn(party).json()
                #expect(profile["scope"] == "openid profile email address phone")
                let openID = try await Self.logIn(party, ["scope": "openid"]).json()
                #expect(openID["scope"] == (dialect == .auth0 ? "openid profile email address phone" : "openid"))
                let access = profile["access_token"]?.string ?? ""
                let info = try await server.get("/userinfo", headers: [.authorization: "Bearer \(access)"])
                #expect(try info.json()["email"] == "ada@example.com")
            }
        }
    }

    @Test("Role-based access control counts for passwords too")
    func permissions() async throws {
        var fixtures = Self.fixtures()
        fixtures.changeAPI { $0.enforcesPolicies = true }
        try await TestServer.run(fixtures) { server in
            let answer = try await Self.logIn(.regularWebApp(server), ["audience": "appointments:api"]).json()
            #expect(answer["scope"] == nil && answer["access_token"] != nil)
        }
    }

    @Test("RFC 6749 §5.2: an unknown user and a wrong password are told alike, in either dialect's status")
    func wrongCredentials() async throws {
        for dialect in WireDialect.allCases {
            try await TestServer.run(Self.fixtures(dialect)) { server in
                let party = RelyingParty.regularWebApp(server)
                for changes in [
                    ["password": "wrong"], ["username": "nobody@example.com"], ["username": "grace@example.com"],
                ] {
                    let answer = try await Self.logIn(party, changes)
                    #expect(answer.status == (dialect == .auth0 ? .forbidden : .badRequest))
                    #expect(try answer.json()["error"] == "invalid_grant")
                    #expect(try answer.json()["error_description"] == "Wrong email or password.")
                }
            }
        }
    }

    @Test("An unknown user's password is hashed as a known one's is")
    func sameWork() async throws {
        try await TestServer.run(Self.fixtures(), passwords: PasswordHasher(threads: 1, limit: 0)) { server in
            for username in ["ada@example.com", "nobody@example.com"] {
                let answer = try await Self.logIn(.regularWebApp(server), ["username": username])
                #expect(answer.status == .serviceUnavailable)
                #expect(try answer.json()["error"] == "temporarily_unavailable")
            }
        }
    }

    @Test("Ten failures block the pair of user and address, whether one by one, at once, or on the sign-in page")
    func bruteForce() async throws {
        for dialect in WireDialect.allCases {
            try await TestServer.run(Self.fixtures(dialect)) { server in
                let party = RelyingParty.regularWebApp(server)
                let statuses = try await withThrowingTaskGroup { group in
                    for _ in 0..<14 {
                        group.addTask { try await Self.logIn(party, ["password": "wrong"]).status.code }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(statuses.count { $0 == 429 } == 4)
                let right = try await Self.logIn(party)
                #expect(right.status == .tooManyRequests)
                #expect(try right.json()["error"] == "too_many_attempts")
                let text = try right.json()["error_description"]?.string ?? ""
                #expect(text.hasPrefix("Your account has been blocked after multiple consecutive login attempts."))
                #expect(text.contains("We've sent you") == (dialect == .auth0))
                let other = try await Self.logIn(
                    party, ["username": "grace@example.com", "password": User.gracePassword])
                #expect(other.status == .ok)
                let browser = TestBrowser(server)
                let page = try await browser.logIn(
                    browser.get(party.authorizationURL()), password: User.adaPassword)
                #expect(page.status == .badRequest)
            }
        }
    }

    @Test("Success forgets the failures before it")
    func forgiveness() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let party = RelyingParty.regularWebApp(server)
            for _ in 0..<3 {
                for _ in 0..<9 { _ = try await Self.logIn(party, ["password": "wrong"]) }
                #expect(try await Self.logIn(party).status == .ok)
                // So many at once would be too many by themselves.
                server.clock.advance(by: 60)
            }
        }
    }

    @Test("A blocked user learns so with the right password only")
    func blockedUser() async throws {
        for dialect in WireDialect.allCases {
            var fixtures = Self.fixtures(dialect)
            fixtures.users[0].0.isBlocked = true
            try await TestServer.run(fixtures) { server in
                let party = RelyingParty.regularWebApp(server)
                let answer = try await Self.logIn(party)
                #expect(answer.status == (dialect == .auth0 ? .unauthorized : .badRequest))
                #expect(try answer.json()["error"] == (dialect == .auth0 ? "unauthorized" : "invalid_grant"))
                #expect(try answer.json()["error_description"] == "user is blocked")
                let wrong = try await Self.logIn(party, ["password": "wrong"])
                #expect(try wrong.json()["error_description"] == "Wrong email or password.")
            }
        }
    }

    @Test("RFC 9700 §2.4: no client has the grant unless its grant types say so; requests must be whole")
    func refusals() async throws {
        var fixtures = Self.fixtures()
        fixtures.change("single-page-app") { $0.grantTypes.insert(.passwordRealm) }
        fixtures.connections[0].enabledClients.remove("single-page-app")
        try await TestServer.run(fixtures) { server in
            let realm: [String: String?] = ["grant_type": GrantType.passwordRealm.rawValue]
            for (party, changes, error) in [
                (RelyingParty.thirdParty(server), [:], "unauthorized_client"),
                (.thirdParty(server), realm, "unauthorized_client"),
                (.singlePageApp(server), realm.merging(["realm": Connection.database.name]) { $1 }, "invalid_request"),
                (.regularWebApp(server), ["client_secret": "wrong"], "invalid_client"),
                (.regularWebApp(server), ["username": nil], "invalid_request"),
                (.regularWebApp(server), ["password": ""], "invalid_request"),
                (.regularWebApp(server), ["scope": "a\"b"], "invalid_scope"),
                (.regularWebApp(server), ["audience": "nothing"], "invalid_target"),
                (.regularWebApp(server), realm, "invalid_request"),
                (.regularWebApp(server), realm.merging(["realm": "nowhere"]) { $1 }, "invalid_request"),
            ] as [(RelyingParty, [String: String?], String)] {
                let answer = try await Self.logIn(party, changes)
                #expect(try answer.json()["error"]?.string == error, "\(changes)")
            }
        }
    }

    @Test("Auth0: an API that is none, and a tenant without a default directory, in Auth0's words")
    func auth0Texts() async throws {
        try await TestServer.run(Self.fixtures(.auth0)) { server in
            let answer = try await Self.logIn(.regularWebApp(server), ["audience": "nothing"])
            #expect(answer.status == .badRequest)
            #expect(try answer.json()["error"] == "invalid_request")
            #expect(
                try answer.json()["error_description"] == "invalid audience specified for password grant exchange")
        }
        var fixtures = Self.fixtures(.auth0)
        fixtures.settings.defaultDirectory = nil
        try await TestServer.run(fixtures) { server in
            let answer = try await Self.logIn(.regularWebApp(server))
            #expect(answer.status == .internalServerError)
            #expect(
                try answer.json()["error_description"]
                    == "Authorization server not configured with default connection.")
        }
    }

    @Test("Auth0: a realm is a connection's name or one of its realms, and needs no default directory")
    func realms() async throws {
        var fixtures = Self.fixtures()
        fixtures.settings.defaultDirectory = nil
        fixtures.connections[0].realms = ["employees"]
        try await TestServer.run(fixtures) { server in
            for realm in [Connection.database.name, "employees"] {
                let answer = try await Self.logIn(
                    .regularWebApp(server), ["grant_type": GrantType.passwordRealm.rawValue, "realm": realm])
                #expect(answer.status == .ok)
                #expect(try answer.json()["id_token"]?.string?.claims["sub"] == .string(User.ada.id))
            }
        }
    }

    @Test("An old hash is replaced by a new one, as on the sign-in page")
    func upgrade() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            // "U*U" as bcrypt with cost 5, a published test vector.
            let old = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
            try await server.services.stores.database.write {
                try $0.execute("UPDATE user_password SET hash = \(old) WHERE user_id = \(User.ada.id)")
            }
            #expect(try await Self.logIn(.regularWebApp(server), ["password": "U*U"]).status == .ok)
            let found = try await server.services.stores.users.find(
                connection: Connection.database.name, identifier: "ada@example.com")
            #expect(found?.passwordHash?.hasPrefix("$argon2id$") == true)
            #expect(try await Self.logIn(.regularWebApp(server), ["password": "U*U"]).status == .ok)
        }
    }
}
