import AuthorizationServer
import Foundation
import OAuth
import Storage

/// `/api/v2/keys/signing`: the RSA keys that sign tokens. Those of other algorithms have no certificate, which Auth0's SDKs
/// insist on; a rotation is theirs too.
struct SigningKeysResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("keys/signing")
            .get(
                requires: .read("signing_keys"), "Get all application signing keys", answers: .list(Self.members),
                use: list
            )
            .post(
                "rotate", requires: .create("signing_keys").or(.update("signing_keys")),
                "Rotate the application signing key", answers: .object(Self.changedMembers), use: rotate
            )
            .get(
                ":kid", requires: .read("signing_keys"), "Get an application signing key by its key id",
                answers: .object(Self.members), use: get
            )
            .put(
                ":kid/revoke", requires: .update("signing_keys"), "Revoke an application signing key by its key id",
                answers: .object(Self.changedMembers), use: revoke)
    }

    static let members: Members = [
        "kid": .text.always, "cert": .text.always, "fingerprint": .text, "thumbprint": .text, "pkcs7": .text,
        "current": .bool, "next": .bool, "previous": .bool, "revoked": .bool, "current_since": .text,
        "current_until": .text, "revoked_at": .text,
    ]

    static let changedMembers: Members = ["kid": .text.always, "cert": .text.always]

    @Sendable private func list(_ call: Plain) async throws -> Answer {
        .ok(try await keys().map(Self.shown))
    }

    @Sendable private func get(_ call: Plain) async throws -> Answer {
        guard let key = try await keys().first(where: { $0.id == call["kid"] }) else { throw Self.inexistent }
        return .ok(Self.shown(key))
    }

    @Sendable private func rotate(_ call: Plain) async throws -> Answer {
        let rotation = try management.services.signingKeys.prepareRotation(
            for: try await management.stores.tenant.settings())
        return try await management.configure(call.caller) { transaction, now in
            let before = try Self.state(transaction)
            _ = try rotation(now, transaction)
            let current = try SigningKeyStore.list(in: transaction).first { $0.kind == .rsa && $0.state == .current }
            guard let current else { throw Self.inexistent }
            return Changed(
                Answer.created(Self.identity(current)),
                [.init("keys/signing", current.id, before: before, after: try Self.state(transaction))])
        }
    }

    @Sendable private func revoke(_ call: Plain) async throws -> Answer {
        let id = call["kid"]
        return try await management.configure(call.caller) { transaction, _ in
            guard let key = try SigningKeyStore.list(in: transaction).first(where: { $0.id == id && $0.kind == .rsa })
            else { throw Self.inexistent }
            guard key.state == .previous else {
                throw ManagementError(
                    400, "Only a previous key can be revoked; rotate first, so that another one signs", "invalid_uri")
            }
            let before = try Self.state(transaction)
            try SigningKeyStore.delete(id, in: transaction)
            return Changed(
                .ok(Self.identity(key)),
                [.init("keys/signing", id, before: before, after: try Self.state(transaction))])
        }
    }

    // MARK: Steps

    private static let inexistent = ManagementError(404, "The signing key does not exist", "inexistent_signing_key")

    private func keys() async throws -> [SigningKey] {
        try await management.stores.signingKeys.list().filter { $0.kind == .rsa }
    }

    /// Which key is what.
    private static func state(_ transaction: any SQLTransaction) throws -> JSONObject {
        try Dictionary(
            SigningKeyStore.list(in: transaction).map { ($0.id, JSONValue.string($0.state.rawValue)) }
        ) { first, _ in first }
    }

    private static func identity(_ key: SigningKey) -> JSONObject {
        ["kid": .string(key.id), "cert": .string(key.certificatePEM ?? "")]
    }

    private static func shown(_ key: SigningKey) -> JSONObject {
        identity(key).merging([
            "fingerprint": .string(key.certificateFingerprint(separator: ":")),
            "thumbprint": .string(key.certificateFingerprint(separator: "")),
            "current": .bool(key.state == .current), "next": .bool(key.state == .next),
            "previous": .bool(key.state == .previous), "revoked": false,
        ]) { $1 }
    }
}
