import AuthorizationServer
import OAuth
import Storage

/// `/api/v2/users/{id}/revoke-access`: ends a user's sessions, and takes back what was issued in them.
struct UserAccessResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("users")
            .post(
                ":id/revoke-access", requires: .delete("sessions"), "Revoke user access", status: 204,
                answers: .nothing, use: revoke)
    }

    struct Wanted: Payload {
        let sessionID: String?
        let preservesTokens: Bool

        init(from document: inout Document) throws(Document.Problem) {
            sessionID = try document.string("session_id", most: 255)
            preservesTokens = try document.bool("preserve_refresh_tokens", default: false)
        }
    }

    @Sendable private func revoke(_ call: Submission<Wanted>) async throws -> Answer {
        let (id, wanted, ends) = (call["id"], call.body, SessionEnd(services: management.services))
        guard wanted.preservesTokens || call.has("delete:refresh_tokens") else {
            throw ManagementError.insufficientScope(["delete:refresh_tokens"])
        }
        return try await management.write(call.caller) { transaction, now in
            guard try UserStore.find(id, in: transaction) != nil else { throw UsersResource.inexistent }
            let subject = AuditEvent.Subject("users", id, before: ["access": "granted"], after: ["access": "revoked"])
            if let sid = wanted.sessionID {
                guard let session = try SessionStore.find(sid: sid, in: transaction), session.userID == id else {
                    throw ManagementError.inexistent("session", "session")
                }
                try ends.end(
                    session, .sessionRevoked, revokesTokens: !wanted.preservesTokens, in: transaction)
            } else if wanted.preservesTokens {
                while true {
                    let sessions = try SessionStore.list(of: id, at: now, limit: 100, in: transaction)
                    guard !sessions.isEmpty else { break }
                    for session in sessions {
                        try ends.end(session, .sessionRevoked, revokesTokens: false, in: transaction)
                    }
                }
            } else {
                try ends.endAll(of: id, .sessionRevoked, in: transaction)
            }
            return Changed(.noContent, [subject])
        }
    }
}
