import Crypto
import Foundation
import OAuth
import Storage

/// Whose address it is that a code was sent to.
struct PasswordlessUsers: Sendable {
    let services: Services
    let connection: Connection

    /// The user with the address; nil for a stranger's.
    func find(_ address: String) async throws -> User? {
        if address.contains("@") {
            return try await services.stores.users.find(connection: connection.name, identifier: address)?.user
        }
        return try await services.stores.users.find(Self.id(ofNumber: address, connection))
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

    /// Writes down what a right code proves.
    func write(_ user: User, isNew: Bool, in transaction: any SQLTransaction) throws {
        if isNew {
            try UserStore.insert(user, passwordHash: nil, in: transaction)
        } else if user.email != nil, !user.isEmailVerified, var present = try UserStore.find(user.id, in: transaction),
            present.email == user.email
        {
            present.isEmailVerified = true
            try UserStore.update(present, of: present.id, at: services.now(), in: transaction)
        }
    }

    /// Numbers are no identifiers of the user table, so the user's id follows from the number.
    private static func id(ofNumber number: String, _ connection: Connection) -> String {
        let digest = SHA256.hash(data: Array("\(connection.id) \(number)".utf8))
        return "sms|" + digest.prefix(12).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
