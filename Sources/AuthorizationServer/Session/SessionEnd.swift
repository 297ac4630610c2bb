import Foundation
import OAuth
import Storage

/// The end of a session, and who hears of it: each application that took part and has registered for that gets a logout
/// token (Back-Channel Logout 1.0), which is put down in the same transaction, and a frame in the browser (Front-Channel
/// Logout 1.0), which the caller shows.
struct SessionEnd: Sendable {
    typealias Initiator = ClientLogoutSettings.Initiator

    private let issuer: Issuer
    private let database: any SQLDatabase
    private let now: Date

    init(services: Services) {
        (issuer, database, now) = (services.issuer, services.stores.database, services.now())
    }

    /// Ends the browser's session because its user logs out; one that has ended already stays so.
    /// - Returns: the session that has ended, and the frames to show.
    func logOut(_ browser: Browser) async throws -> (session: Session?, frames: [LogoutFrame]) {
        guard let digest = browser.session?.digest else { return (nil, []) }
        return try await database.write { transaction in
            guard let session = try SessionStore.delete(digest: digest, in: transaction) else { return (nil, []) }
            let frames = try tell(
                SessionClientStore.take(sessions: [session.sid], in: transaction), .rpLogout, in: transaction)
            return (session, frames)
        }
    }

    /// Ends a browser's former session where a new one begins. Its applications go on in the new one if it is the same
    /// user's; if it is somebody else's, the former user has been logged out.
    func replace(digest: String, with session: Session, in transaction: any SQLTransaction) throws {
        guard let former = try SessionStore.delete(digest: digest, in: transaction) else { return }
        if former.userID == session.userID {
            try SessionClientStore.move(from: former, to: session, in: transaction)
        } else {
            _ = try tell(SessionClientStore.take(sessions: [former.sid], in: transaction), .rpLogout, in: transaction)
        }
    }

    /// Ends sessions whose time is up.
    /// - Parameter most: how many in one transaction.
    /// - Returns: whether there may be more.
    func endExpired(most: Int) async throws -> Bool {
        try await database.write { transaction in
            let sessions = try SessionStore.deleteExpired(at: now, most: most, in: transaction)
            let participants = try SessionClientStore.take(sessions: sessions.map(\.sid), in: transaction)
            let left = try SessionClientStore.takeExpired(at: now, most: most, in: transaction)
            _ = try tell(participants + left, .sessionExpired, in: transaction)
            return sessions.count == most || left.count == most
        }
    }

    private func tell(
        _ participants: [SessionClient], _ initiator: Initiator, in transaction: any SQLTransaction
    ) throws -> [LogoutFrame] {
        var frames: [LogoutFrame] = []
        for participant in participants {
            guard let client = try ClientStore.find(participant.clientID, in: transaction)?.client else { continue }
            for uri in client.logout.backchannel(after: initiator) {
                try LogoutDeliveryStore.insert(LogoutDelivery(participant, uri: uri), at: now, in: transaction)
            }
            if let frame = LogoutFrame(client.logout, sid: participant.sid, issuer: issuer) { frames.append(frame) }
        }
        return frames
    }
}

/// The frame in which an application forgets its user, Front-Channel Logout 1.0 §3.
package struct LogoutFrame: Sendable, Hashable {
    /// The client's `frontchannel_logout_uri`, with `iss` and `sid` where it asks for them.
    package let url: String
    /// What the page's policy must allow.
    package let origin: String

    init?(_ settings: ClientLogoutSettings, sid: String, issuer: Issuer) {
        guard let uri = settings.frontchannelURI.flatMap({ RedirectURI($0) }) else { return nil }
        origin = uri.origin
        url =
            settings.isFrontchannelSessionRequired
            ? uri.adding([(name: "iss", value: issuer.text), (name: "sid", value: sid)]) : uri.text
    }
}

/// Ends the sessions whose time is up, a batch at a time.
package struct ExpiredSessions: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// - Returns: whether there may be more.
    package func endBatch() async throws -> Bool {
        try await SessionEnd(services: services).endExpired(most: ExpiredRowsStore.batch)
    }
}
