import AuthorizationServer
import OAuth
import Storage

/// `/api/v2/users/{id}/identities`: several accounts of one person become one user, who signs in with any of them.
struct UserIdentitiesResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("users/:id/identities")
            .post(
                requires: .update("users").orOwn("update:current_user_identities"), "Link a user account",
                answers: .list(UserMembers.identityMembers), use: link
            )
            .delete(
                ":provider/:user", requires: .update("users").orOwn("update:current_user_identities"),
                "Unlink a user identity", status: 200, answers: .list(UserMembers.identityMembers), use: unlink)
    }

    /// Which account is to be linked: named, or proved by an ID token of its user's.
    struct Account: Payload {
        let provider: String?
        let userID: String?
        let idToken: String?

        init(from document: inout Document) throws(Document.Problem) {
            provider = try document.string("provider", most: 64)
            userID = try document.string("user_id", most: 255)
            idToken = try document.string("link_with", most: 16_384)
            _ = try document.string("connection_id", most: 255)
        }

        /// The whole id: Auth0 takes it with the provider before it or without.
        var id: String? {
            guard let provider, let userID else { return nil }
            return userID.hasPrefix("\(provider)|") ? userID : "\(provider)|\(userID)"
        }
    }

    @Sendable private func link(_ call: Submission<Account>) async throws -> Answer {
        let (id, secondary) = (call["id"], try await account(call))
        guard secondary != id else {
            throw ManagementError(400, "Main account and link account cannot be the same", "invalid_body")
        }
        let (sessions, isOwn) = (SessionEnd(services: management.services), !call.has("update:users"))
        return try await management.write(call.caller) { transaction, _ in
            for user in [id, secondary].sorted() { try UserStore.lock(user, in: transaction) }
            let before = try Self.identities(of: id, transaction)
            if isOwn { try Self.requireVerified(id, transaction) }
            guard try UserStore.find(secondary, in: transaction) != nil else {
                guard try UserStore.primary(of: secondary, in: transaction) == nil else {
                    throw ManagementError.conflict("The account is linked already", "identity_conflict")
                }
                throw UsersResource.inexistent
            }
            try sessions.endAll(of: secondary, .sessionRevoked, in: transaction)
            try UserStore.link(secondary, to: id, in: transaction)
            let after = try Self.identities(of: id, transaction)
            return Changed(
                Answer(status: 201, body: .array(after)),
                [.init("users", id, before: ["identities": .array(before)], after: ["identities": .array(after)])])
        }
    }

    @Sendable private func unlink(_ call: Plain) async throws -> Answer {
        let (id, secondary) = (call["id"], "\(call["provider"])|\(call["user"])")
        let sessions = SessionEnd(services: management.services)
        return try await management.write(call.caller) { transaction, _ in
            try UserStore.lock(id, in: transaction)
            let before = try Self.identities(of: id, transaction)
            guard try UserStore.unlink(secondary, from: id, in: transaction) else {
                throw ManagementError(404, "The identity is not one of the user's", "inexistent_identity")
            }
            // Which of the sessions began with the identity that leaves nobody has written down.
            try sessions.endAll(of: id, .sessionRevoked, in: transaction)
            let after = try Self.identities(of: id, transaction)
            return Changed(
                Answer(status: 200, body: .array(after)),
                [.init("users", id, before: ["identities": .array(before)], after: ["identities": .array(after)])])
        }
    }

    // MARK: Steps

    /// The id of the account that a request means. Users prove that an account is theirs; whoever manages users need not.
    private func account(_ call: Submission<Account>) async throws -> String {
        if let token = call.body.idToken {
            let hint = try await IDTokenHint(token, services: management.services)
            guard let hint, hint.expiresAt > management.services.now() else {
                throw Document.Problem(path: "link_with", message: "is no valid ID token of this tenant")
            }
            // Every application has ID tokens of its users. One that is nobody's own would make its user's account a part of
            // whoever runs another application.
            guard call.caller.principal.user == nil || hint.client.clientID == call.caller.principal.client.clientID
            else {
                throw Document.Problem(path: "link_with", message: "was issued to another application")
            }
            return hint.subject
        }
        guard let id = call.body.id else { throw Document.Problem(path: "user_id", message: "is required") }
        guard call.has("update:users") else {
            throw Document.Problem(path: "link_with", message: "is required")
        }
        return id
    }

    /// Whoever has signed up with somebody else's address must not keep a way in for when its owner takes the account over.
    private static func requireVerified(_ id: String, _ transaction: any SQLTransaction) throws {
        guard let user = try UserStore.find(id, in: transaction), user.email != nil, !user.isEmailVerified else {
            return
        }
        throw ManagementError(
            403, "The account's e-mail address must be verified before others are linked to it", "email_not_verified")
    }

    private static func identities(of id: String, _ transaction: any SQLTransaction) throws -> [JSONValue] {
        guard let user = try UserStore.find(id, in: transaction) else { throw UsersResource.inexistent }
        let others = try UserStore.identities(of: [id], in: transaction)[id] ?? []
        return [user].map { UserMembers.identity(of: $0, withProfile: true) }
            + others.map { UserMembers.identity(of: $0, withProfile: true) }
    }
}
