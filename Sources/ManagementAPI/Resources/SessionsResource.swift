import AuthorizationServer
import OAuth
import Storage

/// `/api/v2/sessions` and `/users/{id}/sessions`: the browsers that users are signed in with.
struct SessionsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("")
            .get(
                "sessions/:session", requires: .read("sessions"), "Get session", answers: .object(Self.members),
                use: get
            )
            .patch(
                "sessions/:session", requires: .update("sessions"), "Update session", answers: .object(Self.members),
                use: update
            )
            .delete("sessions/:session", requires: .delete("sessions"), "Delete session", status: 202, use: delete)
            .post(
                "sessions/:session/revoke", requires: .delete("sessions"), "Revoke session", status: 202,
                answers: .nothing, use: revoke
            )
            .get(
                "users/:id/sessions", requires: .read("sessions"), "Get sessions for user",
                answers: .window("sessions", Self.members), use: list
            )
            .delete(
                "users/:id/sessions", requires: .delete("sessions"), "Delete sessions for user", status: 202,
                use: deleteAll)
    }

    static let members: Members = [
        "id": .text.always, "user_id": .text.always, "authenticated_at": .text, "updated_at": .text,
        "last_interacted_at": .text, "idle_expires_at": .text, "expires_at": .text, "created_at": .text,
        "authentication": .object(["methods": .list(["name": .text, "timestamp": .text])]),
        "clients": .list(["client_id": .text]), "session_metadata": .anyObject, "device": .anyObject,
        "cookie": .object(["mode": .text]),
    ]

    struct Pages: Payload {
        let paging: Paging

        init(from document: inout Document) throws(Document.Problem) {
            paging = try Paging(from: &document, checkpoints: true)
        }
    }

    @Sendable private func get(_ call: Plain) async throws -> Answer {
        let (id, now) = (call["session"], management.services.now())
        let session = try await management.stores.database.readOnce { try SessionStore.find(sid: id, in: $0) }
        guard let session, min(session.expiresAt, session.idleExpiresAt) > now else {
            throw ManagementError.inexistent("session", "session")
        }
        return .ok(Self.shown(session))
    }

    @Sendable private func list(_ call: Query<Pages>) async throws -> Answer {
        let (id, now) = (call["id"], management.services.now())
        let checkpoint = call.query.paging.checkpoint
        let most = checkpoint?.take ?? call.query.paging.perPage
        let sessions = try await management.stores.database.readOnce { transaction in
            try SessionStore.list(of: id, at: now, after: checkpoint?.from ?? "", limit: most + 1, in: transaction)
        }
        return .window("sessions", sessions, most: most, next: \.sid, Self.shown)
    }

    struct Metadata: Payload {
        let members: JSONObject

        init(from document: inout Document) throws(Document.Problem) {
            members = try NotedMembers.read("session_metadata", &document)
        }
    }

    @Sendable private func update(_ call: Submission<Metadata>) async throws -> Answer {
        let (id, metadata) = (call["session"], call.body.members)
        return try await management.write(call.caller) { transaction, now in
            guard let before = try SessionStore.find(sid: id, in: transaction),
                min(before.expiresAt, before.idleExpiresAt) > now
            else { throw ManagementError.inexistent("session", "session") }
            try SessionStore.setMetadata(metadata, of: id, in: transaction)
            let after = try SessionStore.find(sid: id, in: transaction) ?? before
            return Changed(
                .ok(Self.shown(after)), [.init("sessions", id, before: Self.shown(before), after: Self.shown(after))])
        }
    }

    @Sendable private func delete(_ call: Plain) async throws -> Answer {
        try await end(call, revokesTokens: false)
    }

    @Sendable private func revoke(_ call: Plain) async throws -> Answer {
        try await end(call, revokesTokens: true)
    }

    @Sendable private func deleteAll(_ call: Plain) async throws -> Answer {
        let (id, ends) = (call["id"], SessionEnd(services: management.services))
        return try await management.write(call.caller) { transaction, now in
            var subjects: [AuditEvent.Subject] = []
            while true {
                let batch = try SessionStore.list(of: id, at: now, limit: 100, in: transaction)
                guard !batch.isEmpty else { break }
                for session in batch {
                    try ends.end(session, .sessionRevoked, revokesTokens: false, in: transaction)
                    subjects.append(.init("sessions", session.sid, before: Self.shown(session), after: nil))
                }
            }
            return Changed(.accepted, subjects)
        }
    }

    private func end(_ call: Plain, revokesTokens: Bool) async throws -> Answer {
        let (id, ends) = (call["session"], SessionEnd(services: management.services))
        return try await management.write(call.caller) { transaction, _ in
            guard let session = try SessionStore.find(sid: id, in: transaction) else { return Changed(.accepted, []) }
            try ends.end(session, .sessionRevoked, revokesTokens: revokesTokens, in: transaction)
            return Changed(.accepted, [.init("sessions", id, before: Self.shown(session), after: nil)])
        }
    }

    private static func shown(_ session: Session) -> JSONObject {
        var members: JSONObject = [
            "id": .string(session.sid), "user_id": .string(session.userID),
            "authenticated_at": UserMembers.time(session.authenticatedAt),
            "updated_at": UserMembers.time(session.lastUsedAt),
            "last_interacted_at": UserMembers.time(session.lastUsedAt),
            "idle_expires_at": UserMembers.time(session.idleExpiresAt),
            "expires_at": UserMembers.time(session.expiresAt),
            "authentication": [
                "methods": [["name": "pwd", "timestamp": UserMembers.time(session.authenticatedAt)]]
            ],
        ]
        if !session.metadata.isEmpty { members["session_metadata"] = .object(session.metadata) }
        let device = DeviceMembers.members(session.firstDevice, session.lastDevice)
        if !device.isEmpty { members["device"] = .object(device) }
        members["cookie"] = session.cookieMode.map { ["mode": .string($0.rawValue)] }
        return members
    }
}

/// What applications note with a session or a refresh token: texts, as at Auth0.
enum NotedMembers {
    /// Null and an empty object remove all.
    static func read(_ name: String, _ document: inout Document) throws(Document.Problem) -> JSONObject {
        let members = try document.object(name) ?? [:]
        guard members.count <= 25 else { throw document.problem(name, "must have 25 members at most") }
        for (key, value) in members.sorted(by: { $0.key < $1.key }) {
            guard key.utf8.count <= 255, let text = value.string, text.utf8.count <= 255 else {
                throw document.problem("\(name).\(key.forDisplay)", "must be a text of 255 bytes at most")
            }
        }
        return members
    }
}
