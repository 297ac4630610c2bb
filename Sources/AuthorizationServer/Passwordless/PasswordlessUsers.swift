import Crypto
import Foundation
import OAuth
import Storage

/// Whose address it is that a code was sent to.
struct PasswordlessUsers: Sendable {
    let services: Services
    let connection: Connection

    /// Who signs in with the address, whose further identity's it may be; nil for a stranger's.
    func find(_ address: String) async throws -> UserStore.UpstreamAccount? {
        try await services.stores.database.read { try account(address, in: $0) }
    }

    /// The account that has the address; nil for a stranger's.
    func accountID(of address: String, in transaction: any SQLTransaction) throws -> String? {
        address.contains("@")
            ? try identity(address, in: transaction)?.id : Self.id(ofNumber: address, connection)
    }

    private func account(
        _ address: String, in transaction: any SQLTransaction
    ) throws -> UserStore.UpstreamAccount? {
        let id = try accountID(of: address, in: transaction)
        // Asked for a stranger's too, so that it takes as long.
        return try UserStore.upstreamAccount(id ?? "", in: transaction)
    }

    /// The row that has the mail address itself; another user's name may read like one, and proves nothing.
    private func identity(_ address: String, in transaction: any SQLTransaction) throws -> User? {
        let found = try UserStore.account(connection: connection.name, identifier: address, in: transaction)
        return found?.email == address ? found : nil
    }

    /// A user for a stranger who has just proved the address.
    func new(_ address: String) -> User {
        let now = services.now()
        guard address.contains("@") else {
            var user = User(
                id: Self.id(ofNumber: address, connection), connection: connection.name, email: nil, createdAt: now)
            user.profile = ["phone_number": .string(address), "phone_verified": true, "name": .string(address)]
            return user
        }
        var user = User(
            id: "email|\(RandomBytes.hexadecimal(24))", connection: connection.name, email: address, createdAt: now)
        user.isEmailVerified = true
        user.profile = ["name": .string(address), "nickname": .string(String(address.prefix { $0 != "@" }))]
        return user
    }

    /// Writes down what a right code proves: of the identity that has the address, not of the user whose identity it is, who
    /// may have another.
    /// - Throws: ``PasswordlessLogin/Refusal`` where the address is no longer the user's, or either was blocked meanwhile.
    func write(_ user: User, address: String, isNew: Bool, in transaction: any SQLTransaction) throws {
        guard !isNew else {
            // One that is made after its connection has gone would be the next one's of that name.
            guard try ConnectionStore.hold(id: connection.id, in: transaction) else {
                throw PasswordlessLogin.Refusal.wrongCode
            }
            return try UserStore.insert(user, passwordHash: nil, in: transaction)
        }
        let isMail = address.contains("@")
        if isMail {
            try UserStore.lock(connection: connection.name, email: address, in: transaction)
        } else {
            try UserStore.lock(Self.id(ofNumber: address, connection), in: transaction)
        }
        guard let present = try account(address, in: transaction), present.user.id == user.id else {
            throw PasswordlessLogin.Refusal.wrongCode
        }
        guard !present.isBlocked else { throw PasswordlessLogin.Refusal.userIsBlocked }
        guard isMail, !present.identity.isEmailVerified else { return }
        var proved = present.identity
        proved.isEmailVerified = true
        try UserStore.update(proved, of: proved.id, at: services.now(), in: transaction)
    }

    /// Numbers are no identifiers of the user table, so the user's id follows from the number.
    private static func id(ofNumber number: String, _ connection: Connection) -> String {
        let digest = SHA256.hash(data: Array("\(connection.id) \(number)".utf8))
        return "sms|" + digest.prefix(12).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

extension UserStore.UpstreamAccount {
    /// Whether nobody signs in with the account: a block counts for the user and for each identity on its own.
    var isBlocked: Bool { user.isBlocked || identity.isBlocked }
}
