import Foundation
import OAuth
import Storage

/// Rows that behaviours start from.
enum Sample {
    static let now = Date(timeIntervalSince1970: 1_780_000_000.123)
    static let clientID = "app"
    static let audience = "notes:api"
    static let userID = "auth0|000000000000000000000001"
    static let connection = "Users"

    /// One application, API, connection and user.
    static func insert(in transaction: any SQLTransaction) throws {
        try ClientStore.save(
            Client(clientID: clientID, name: "App"), secretDigest: "digest", sealedSecret: "sealed", at: now,
            in: transaction)
        try ResourceServerStore.save(api(), sealedSigningSecret: nil, in: transaction)
        try ConnectionStore.save(
            Connection(id: "con_1", name: connection, strategy: Connection.databaseStrategy), in: transaction)
        try UserStore.insert(user(), passwordHash: "hash", in: transaction)
    }

    static func api(_ identifier: String = audience) -> ResourceServer {
        var api = ResourceServer(id: "api \(identifier)", name: "Notes", identifier: identifier)
        api.scopes = [.init(value: "read:notes", description: "Read"), .init(value: "write:notes")]
        return api
    }

    static func user(_ id: String = userID, email: String? = "ada@example.com") -> User {
        User(id: id, connection: connection, email: email, createdAt: now.storable)
    }

    static func session(_ digest: String, userID: String = userID, lasting: TimeInterval = 100) -> Session {
        Session(
            digest: digest, sid: "sid of \(digest)", userID: userID, connection: connection, authenticatedAt: now,
            idleExpiresAt: now + lasting / 2, expiresAt: now + lasting)
    }

    static func login(_ digest: String, browser: String = "browser", at time: Date = now) -> LoginTransaction {
        LoginTransaction(
            digest: digest, browserDigest: browser, clientID: clientID,
            purpose: .authorization(Parameters(trusted: ["state": "a=b&ü😀", "scope": "openid"])), createdAt: time,
            expiresAt: time + 3600)
    }

    static func code(_ digest: String, expiresAt: Date = now + 600) throws -> AuthorizationCode {
        AuthorizationCode(
            digest: digest, authorizationID: "authorization of \(digest)", clientID: clientID, userID: userID,
            redirectURI: "https://app.example.com/cb?x=1", scope: Scope(["openid", "read:notes"]), audience: audience,
            nonce: "n-0S6_WzA2Mj",
            proofKey: try ProofKey(
                Parameters(trusted: [
                    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
                ])),
            claims: try claims(), sid: "sid", authenticatedAt: now, showsAuthenticationTime: true,
            expiresAt: expiresAt, keyThumbprint: "thumbprint")
    }

    static func pushedRequest(_ digest: String, expiresAt: Date = now + 30) -> PushedAuthorizationRequest {
        PushedAuthorizationRequest(
            digest: digest, clientID: clientID, parameters: ["state": "a=b&ü😀", "scope": "openid"],
            expiresAt: expiresAt)
    }

    static func claims() throws -> ClaimsRequest { try ClaimsRequest(parsing: #"{"userinfo":{"name":null}}"#) }

    static let confirmation = Confirmation(keyThumbprint: "thumbprint", certificateThumbprint: "certificate")

    static func accessToken(_ digest: String, expiresAt: Date = now + 600) -> AccessToken {
        AccessToken(
            digest: digest, authorizationID: "authorization", clientID: clientID, userID: userID,
            scope: Scope(["openid", "email"]), expiresAt: expiresAt, confirmation: confirmation)
    }

    static func family(
        _ id: String, clientID: String = clientID, userID: String = userID, expiresAt: Date? = now + 600
    ) -> RefreshTokenFamily {
        RefreshTokenFamily(
            id: id, authorizationID: "authorization of \(id)", clientID: clientID, userID: userID, audience: audience,
            scope: Scope(["openid", "offline_access"]), sid: "sid", authenticatedAt: now,
            showsAuthenticationTime: false, isRotating: true, expiresAt: expiresAt)
    }

    static func key(_ id: String, _ state: SigningKey.State, _ kind: SigningKey.Kind = .rsa) -> SigningKey {
        SigningKey(
            id: id, kind: kind, state: state, sealedPrivateKey: "sealed \(id)",
            certificate: kind == .rsa ? "DER" : nil, createdAt: now)
    }

    /// How many rows a table has.
    static func count(_ table: SQL, in database: any SQLDatabase) async throws -> Int {
        try await database.read { try $0.row(table)?.integer("rows") ?? 0 }
    }
}
