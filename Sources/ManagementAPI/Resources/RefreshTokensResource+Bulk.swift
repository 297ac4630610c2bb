import AuthorizationServer
import OAuth
import Storage

extension RefreshTokensResource {
    /// The query of `GET /refresh-tokens`.
    struct Search: Payload {
        let userID: String
        let clientID: String?
        let fields: FieldSelection
        let checkpoint: Paging.Checkpoint

        init(from document: inout Document) throws(Document.Problem) {
            userID = try document.requiredString("user_id", most: 255)
            clientID = try document.string("client_id", most: 255)
            fields = try FieldSelection(from: &document)
            checkpoint = Paging.Checkpoint(
                from: try document.string("from", most: 1024), take: try document.integer("take", in: 1...100) ?? 50)
        }
    }

    /// Which tokens are taken back: some by their ids, or a user's, or those that a user's application has, or has for an API.
    struct Revocation: Payload {
        let ids: [String]
        let userID: String?
        let clientID: String?
        let audience: String?

        init(from document: inout Document) throws(Document.Problem) {
            ids = try document.strings("ids") ?? []
            userID = try document.string("user_id", most: 255)
            clientID = try document.string("client_id", most: 255)
            audience = try document.string("audience", most: 600)
            guard ids.count <= 100 else { throw document.problem("ids", "must be 100 at most") }
            guard clientID == nil || userID != nil else { throw document.problem("user_id", "is required") }
            guard audience == nil || clientID != nil else { throw document.problem("client_id", "is required") }
            guard userID == nil || ids.isEmpty else { throw document.problem("ids", "cannot be there beside user_id") }
        }
    }

    /// What an application notes with a token.
    struct Metadata: Payload {
        let members: JSONObject

        init(from document: inout Document) throws(Document.Problem) {
            members = try NotedMembers.read("refresh_token_metadata", &document)
        }
    }

    @Sendable func search(_ call: Query<Search>) async throws -> Answer {
        let query = call.query
        return try await management.stores.database.read { transaction in
            let tokens = try RefreshTokenStore.list(
                of: query.userID, clientID: query.clientID, after: query.checkpoint.from ?? "",
                limit: query.checkpoint.take + 1, in: transaction)
            return try .window("refresh_tokens", tokens, most: query.checkpoint.take, next: \.family.id) { token in
                query.fields.apply(
                    to: try Self.shown(token, transaction), keeping: ["id", "user_id", "client_id"])
            }
        }
    }

    @Sendable func update(_ call: Submission<Metadata>) async throws -> Answer {
        let (id, metadata) = (call["token"], call.body.members)
        return try await management.write(call.caller) { transaction, _ in
            guard let before = try RefreshTokenStore.find(id: id, in: transaction) else {
                throw ManagementError.inexistent("refresh_token", "refresh token")
            }
            try RefreshTokenStore.setMetadata(metadata, of: id, in: transaction)
            let after = try RefreshTokenStore.find(id: id, in: transaction) ?? before
            let shown = try Self.shown(after, transaction)
            return Changed(
                .ok(shown),
                [.init("refresh-tokens", id, before: try Self.shown(before, transaction), after: shown)])
        }
    }

    @Sendable func revoke(_ call: Submission<Revocation>) async throws -> Answer {
        let wanted = call.body
        guard wanted.userID != nil || !wanted.ids.isEmpty else {
            throw Document.Problem(path: "ids", message: "is required")
        }
        return try await management.write(call.caller) { transaction, now in
            var tokens = try wanted.ids.compactMap { try RefreshTokenStore.find(id: $0, in: transaction) }
            if let userID = wanted.userID {
                while true {
                    let batch = try RefreshTokenStore.list(
                        of: userID, clientID: wanted.clientID, after: tokens.last?.family.id ?? "", limit: 500,
                        in: transaction)
                    guard !batch.isEmpty else { break }
                    tokens += batch
                }
                if let audience = wanted.audience { tokens = tokens.filter { $0.family.audience == audience } }
            }
            for token in tokens {
                try RefreshTokenStore.revoke(
                    authorizationID: token.family.authorizationID, at: now, in: transaction)
            }
            return Changed(
                .accepted,
                try tokens.map { token in
                    .init("refresh-tokens", token.family.id, before: try Self.shown(token, transaction), after: nil)
                })
        }
    }
}
