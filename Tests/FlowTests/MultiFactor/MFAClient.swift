import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// An application with pages of its own, which signs users in with their passwords and has them pass second factors.
struct MFAClient: Sendable {
    let server: TestServer
    let party: RelyingParty

    init(_ server: TestServer, party: RelyingParty? = nil) {
        (self.server, self.party) = (server, party ?? .regularWebApp(server))
    }

    static let number = "+4915112345678"
    static let otp = "http://auth0.com/oauth/grant-type/mfa-otp"
    static let oob = "http://auth0.com/oauth/grant-type/mfa-oob"
    static let recoveryCode = "http://auth0.com/oauth/grant-type/mfa-recovery-code"

    /// A tenant whose web application has passwords and the MFA grants, with a connection for text messages.
    static func fixtures(_ dialect: WireDialect = .standard) -> Fixtures {
        var fixtures = PasswordGrantTests.fixtures(dialect)
        for clientID in ["regular-web-app", "third-party-app"] {
            fixtures.change(clientID) {
                $0.grantTypes.formUnion([
                    .password, .refreshToken, .mfaOTP, .mfaOOB, .mfaRecoveryCode, .passwordlessOTP,
                ])
            }
        }
        for strategy in ["sms", "email"] {
            var connection = Connection(id: "con_\(strategy)00000000000", name: strategy, strategy: strategy)
            connection.enabledClients = ["regular-web-app"]
            if strategy == "sms" { connection.options = ["from": "+15005550006"] }
            fixtures.connections.append(connection)
        }
        return fixtures
    }

    /// A password login that waits for a factor.
    func begin(_ changes: [String: String?] = [:]) async throws -> JSONObject {
        let answer = try await PasswordGrantTests.logIn(party, changes)
        #expect(answer.status == .forbidden, "\(answer.text)")
        let body = try answer.json()
        #expect(body["error"] == "mfa_required")
        #expect(body["error_description"] == "Multifactor authentication required")
        return body
    }

    /// The `mfa_token` of a password login that waits.
    func token(_ changes: [String: String?] = [:]) async throws -> String {
        try #require(try await begin(changes)["mfa_token"]?.string)
    }

    func redeem(
        _ grant: String, _ token: String, _ changes: [String: String?], headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        try await party.token(["grant_type": grant, "mfa_token": token].merging(changes) { $1 }, headers: headers)
    }

    func associate(_ token: String, _ body: JSONObject) async throws -> TestResponse {
        try await server.post(
            "/mfa/associate", json: JSON.text(body), headers: [.authorization: "Bearer \(token)"])
    }

    func challenge(_ token: String, _ changes: [String: String?] = [:]) async throws -> TestResponse {
        try await party.post("/mfa/challenge", ["mfa_token": token].merging(changes) { $1 })
    }

    func authenticators(_ token: String) async throws -> [JSONObject] {
        let answer = try await server.get("/mfa/authenticators", headers: [.authorization: "Bearer \(token)"])
        #expect(answer.status == .ok, "\(answer.text)")
        return try JSON.decode([JSONObject].self, from: Data(answer.text.utf8))
    }

    /// What an app shows now, or some steps later.
    func code(_ secret: String, later: Int64 = 0) -> String {
        TOTP(secret: Base32.decode(secret) ?? []).code(at: TOTP.step(at: server.clock.now) + later)
    }

    /// The code of the newest mail or text message to somebody.
    func sentCode(to address: String) async throws -> String {
        let letter = try #require(try await server.mails(to: address).first)
        // So that the next one is newer.
        server.clock.advance(by: 1)
        return String(try #require(letter.content.text.firstMatch(of: /\b[0-9]{6}\b/)).output)
    }

    static func wrong(_ code: String) -> String { code == "000000" ? "000001" : "000000" }

    /// Enrols an app by the API, in a login that ends with tokens.
    func enroll() async throws -> (secret: String, recoveryCode: String) {
        let token = try await token()
        let answer = try await associate(token, ["authenticator_types": ["otp"]]).json()
        let secret = try #require(answer["secret"]?.string)
        let recoveryCode = try #require(answer["recovery_codes"]?.array?.first?.string)
        let tokens = try await redeem(Self.otp, token, ["otp": code(secret)])
        #expect(tokens.status == .ok, "\(tokens.text)")
        // The code of this step is used.
        server.clock.advance(by: 30)
        return (secret, recoveryCode)
    }

    /// Enrols a phone by the API, in a login that ends with tokens.
    func enrollPhone(_ number: String = number) async throws {
        let token = try await token()
        let answer = try await associate(
            token, ["authenticator_types": ["oob"], "oob_channels": ["sms"], "phone_number": .string(number)])
        #expect(answer.status == .ok, "\(answer.text)")
        let oobCode = try #require(try answer.json()["oob_code"]?.string)
        let tokens = try await redeem(
            Self.oob, token, ["oob_code": oobCode, "binding_code": sentCode(to: number)])
        #expect(tokens.status == .ok, "\(tokens.text)")
    }
}

extension TestServer {
    /// Says which second factors there are, and whether every login needs one.
    func setFactors(_ factors: Set<MultiFactorSettings.Factor>, isRequired: Bool = true) async throws {
        try await services.stores.database.write { transaction in
            var settings = MultiFactorSettings()
            for factor in MultiFactorSettings.Factor.allCases {
                try settings.set(factor.rawValue, factors.contains(factor), path: "")
            }
            settings.isAlwaysRequired = isRequired
            try TenantSectionStore.save(settings, in: transaction)
            try TenantStore.configurationChanged(in: transaction)
        }
        try await services.configuration.refresh()
    }
}
