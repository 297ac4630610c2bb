import Foundation
import OAuth
import Storage

/// What actions want of a login's session, or of the refresh token that is exchanged; done when they have ended. What they want of
/// one that the login makes stands in ``ScriptChanges/refreshToken``.
struct SessionNotes: Sendable {
    /// What an action can speak of.
    enum Holder: String, Sendable, Equatable {
        case session
        case refreshToken
    }

    /// Something that an action wants.
    enum Change: Sendable, Equatable {
        /// A value by its name; nil takes it away.
        case metadata(String, String?)
        case noMetadata
        /// The end, which may come earlier than it would, and never later.
        case expiry(Date)
        case idleExpiry(Date)
        /// How the browser keeps the session's cookie.
        case cookieMode(CookieMode)
        /// Something that the user has proved, by a method of the tenant's own.
        case method(String)
        /// The end now; the login is refused with it.
        case revocation(keepsRefreshTokens: Bool)
    }

    private var changes: [(holder: Holder, change: Change)] = []

    var isEmpty: Bool { changes.isEmpty }

    /// - Throws: ``ScriptOperation/Problem`` where the login has nothing of the kind.
    mutating func note(_ change: Change, of holder: Holder, _ login: ScriptedLogin) throws(ScriptOperation.Problem) {
        guard holder == .session ? login.session != nil : login.refreshToken != nil else {
            throw ScriptOperation.Problem(
                description: "api.\(holder.rawValue): there is none in this flow (look at event.\(holder.member))")
        }
        changes.append((holder: holder, change: change))
    }

    /// Writes them down.
    func write(_ login: ScriptedLogin, _ services: Services) async throws {
        let (notes, end) = (self, SessionEnd(services: services))
        let now = services.now()
        try await services.stores.database.write { transaction in
            if let session = login.session { try notes.write(to: session, end, at: now, in: transaction) }
            if let token = login.refreshToken { try notes.write(to: token.family, at: now, in: transaction) }
        }
    }

    private func changes(of holder: Holder) -> [Change] { changes.filter { $0.holder == holder }.map(\.change) }

    /// Methods that a session remembers at most; the oldest go.
    private static let mostMethods = 20

    private func write(
        to session: Session, _ end: SessionEnd, at now: Date, in transaction: any SQLTransaction
    ) throws {
        let changes = changes(of: .session)
        guard !changes.isEmpty, let present = try SessionStore.find(sid: session.sid, in: transaction) else { return }
        for case .revocation(let keepsTokens) in changes {
            return try end.end(present, .sessionRevoked, revokesTokens: !keepsTokens, in: transaction)
        }
        var (expiresAt, idleExpiresAt) = (present.expiresAt, present.idleExpiresAt)
        var (mode, methods) = (present.cookieMode, present.recordedMethods)
        for change in changes {
            if case .expiry(let date) = change { expiresAt = min(expiresAt, date) }
            if case .idleExpiry(let date) = change { idleExpiresAt = min(idleExpiresAt, date) }
            if case .cookieMode(let wanted) = change { mode = wanted }
            if case .method(let name) = change {
                methods.removeAll { $0.name == name }
                methods.append(RecordedMethod(name: name, timestamp: now))
            }
        }
        if let mode, mode != present.cookieMode {
            try SessionStore.setCookieMode(mode, of: present.sid, in: transaction)
        }
        if methods != present.recordedMethods {
            try SessionStore.setRecordedMethods(methods.suffix(Self.mostMethods), of: present.sid, in: transaction)
        }
        if (expiresAt, idleExpiresAt) != (present.expiresAt, present.idleExpiresAt) {
            try SessionStore.setExpiry(
                of: present.sid, expiresAt: expiresAt, idleExpiresAt: idleExpiresAt, in: transaction)
        }
        if let metadata = Self.metadata(present.metadata, changes) {
            try SessionStore.setMetadata(metadata, of: present.sid, in: transaction)
        }
    }

    private func write(to family: RefreshTokenFamily, at now: Date, in transaction: any SQLTransaction) throws {
        let changes = changes(of: .refreshToken)
        guard !changes.isEmpty else { return }
        for case .revocation in changes {
            return try RefreshTokenStore.revoke(
                authorizationID: family.authorizationID, at: now, in: transaction)
        }
        for case .expiry(let date) in changes where date < family.expiresAt ?? .distantFuture {
            try RefreshTokenStore.setExpiry(of: family.id, expiresAt: date, in: transaction)
        }
        guard let present = try RefreshTokenStore.find(id: family.id, in: transaction) else { return }
        if let metadata = Self.metadata(present.metadata, changes) {
            try RefreshTokenStore.setMetadata(metadata, of: family.id, in: transaction)
        }
    }

    /// - Returns: nil where they say nothing of metadata.
    fileprivate static func metadata(_ present: JSONObject, _ changes: [Change]) -> JSONObject? {
        var (metadata, isChanged) = (present, false)
        for change in changes {
            switch change {
            case .metadata(let name, let value): (metadata[name], isChanged) = (value.map(JSONValue.string), true)
            case .noMetadata: (metadata, isChanged) = ([:], true)
            default: break
            }
        }
        return isChanged ? metadata : nil
    }
}

extension SessionNotes.Holder {
    /// The member of the event.
    var member: String { self == .session ? "session" : "refresh_token" }
}

extension NewRefreshToken {
    /// Takes something in that an action wants of the refresh token.
    mutating func take(_ change: SessionNotes.Change) {
        if case .expiry(let date) = change { expiresAt = min(expiresAt ?? date, date) }
        if case .idleExpiry(let date) = change { idleExpiresAt = min(idleExpiresAt ?? date, date) }
        if let changed = SessionNotes.metadata(metadata, [change]) { metadata = changed }
    }
}

extension SessionNotes.Change {
    /// Whether it is an end for want of use.
    var isIdleExpiry: Bool { if case .idleExpiry = self { true } else { false } }
}
