import Foundation
import OAuth
import Storage

/// What scripts have noted of a user, written down at once when they have ended.
struct UserNotes: Sendable {
    private(set) var appMetadata: JSONObject = [:]
    private(set) var userMetadata: JSONObject = [:]

    /// Bytes of a user's metadata of either kind at most, as JSON.
    static let mostBytes = 1 << 20

    mutating func noteApp(_ name: String, _ value: JSONValue) { appMetadata[name] = value }
    mutating func noteUser(_ name: String, _ value: JSONValue) { userMetadata[name] = value }

    var isEmpty: Bool { appMetadata.isEmpty && userMetadata.isEmpty }

    /// Notes on the user as it is in memory. A value that is null takes the member away.
    func apply(to user: inout User) {
        user.appMetadata = Self.merged(user.appMetadata, appMetadata)
        user.userMetadata = Self.merged(user.userMetadata, userMetadata)
    }

    static func merged(_ metadata: JSONObject, _ changes: JSONObject) -> JSONObject {
        metadata.merging(changes) { $1 }.filter { $0.value != .null }
    }

    /// - Throws: ``ScriptOperation/Problem`` where the user would have too much of them.
    static func check(_ user: User) throws {
        for (name, metadata) in [("app_metadata", user.appMetadata), ("user_metadata", user.userMetadata)]
        where try JSON.bytes(metadata).count > mostBytes {
            throw ScriptOperation.Problem(description: "\(name) would have more than \(mostBytes >> 10) KB")
        }
    }

    /// Writes the notes down, on the user as it is now.
    /// - Returns: the user; nil where there is none any more.
    @discardableResult
    func write(to userID: String, _ services: Services) async throws -> User? {
        let now = services.now()
        return try await services.stores.database.write { transaction in
            try UserStore.lock(userID, in: transaction)
            guard var user = try UserStore.find(userID, in: transaction) else { return nil }
            apply(to: &user)
            try Self.check(user)
            user.updatedAt = now
            try UserStore.replace(user, in: transaction)
            return user
        }
    }
}
