import Foundation
import OAuth
import Storage

/// Choosing a new password behind a ticket's link.
package struct PasswordChange: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// What the page needs to know.
    package struct Question: Sendable {
        package let email: String?
        package let policy: PasswordPolicy
        package let client: Client?
        /// Where the browser goes once the password is changed; nil where it stays.
        package let resultURL: RedirectURI?
    }

    /// Why no password is changed.
    package enum Refusal: Error, Sendable, Equatable {
        /// The ticket is used, expired or none.
        case ticket(TicketResult)
        case weakPassword([PasswordRules.Rule])
        /// Others have lost it.
        case breachedPassword
        /// A script of the custom database that has the password fails: which, where and why.
        case databaseFails(String)
    }

    /// What is asked for a ticket; nothing is used by asking.
    /// - Throws: ``Refusal/ticket(_:)``.
    package func question(_ secret: Secret) async throws -> Question {
        let (ticket, _, connection) = try await look(secret)
        let settings = TicketSettings(ticket.settings)
        let client = try await settings.client(services)
        return Question(
            email: ticket.email, policy: try PasswordPolicy(connection: connection), client: client,
            resultURL: settings.resultURL.flatMap { RedirectURI($0) })
    }

    private func look(_ secret: Secret) async throws -> (Ticket, User, Connection) {
        let now = services.now()
        let found = try await services.stores.database.read { transaction -> (Ticket, User, Connection)? in
            guard let ticket = try TicketStore.find(secret.digest, .passwordChange, in: transaction) else { return nil }
            let result = ticket.result(at: now)
            guard result == .success else { throw Refusal.ticket(result) }
            guard let user = try UserStore.account(ticket.userID, in: transaction), user.email == ticket.email,
                let connection = try ConnectionStore.find(name: user.connection, in: transaction)
            else { throw Refusal.ticket(.used) }
            return (ticket, user, connection)
        }
        guard let found else { throw Refusal.ticket(.unknown) }
        return found
    }

    /// Changes the password: every session and token of the user ends, for whoever asked for it may have lost the old one.
    /// - Returns: where the browser goes; nil for a page.
    /// - Throws: ``Refusal``, ``PasswordHasher/Busy``.
    package func change(_ secret: Secret, to password: String) async throws -> String? {
        let trail = LogTrail()
        do {
            let redirect = try await change(secret, password, trail)
            services.log(.passwordChange, trail, description: "The password is changed")
            return redirect
        } catch Refusal.ticket(let result) {
            services.log(.failedPasswordChange, trail, description: "The link is \(result.rawValue)")
            throw Refusal.ticket(result)
        } catch Refusal.breachedPassword {
            services.log(.breachedPasswordChange, trail, description: "The password is known from a data breach.")
            throw Refusal.breachedPassword
        } catch Refusal.databaseFails(let cause) {
            services.log(.failedPasswordChange, trail, description: cause)
            throw Refusal.databaseFails(cause)
        }
    }

    private func change(_ secret: Secret, _ password: String, _ trail: LogTrail) async throws -> String? {
        let (ticket, user, connection) = try await look(secret)
        let settings = TicketSettings(ticket.settings)
        trail.note(user)
        trail.note { ($0.clientID, $0.userName) = (settings.clientID, ticket.email) }
        let rules = PasswordRules.check(password, try PasswordPolicy(connection: connection))
        guard rules.allSatisfy(\.isSatisfied) else { throw Refusal.weakPassword(rules) }
        guard try await !services.isRefused(password, at: .passwordChange, trail) else {
            throw Refusal.breachedPassword
        }
        let client = try await settings.client(services)
        let isExternal = connection.externalDatabase != nil
        if isExternal { try await changeElsewhere(secret, user, password, connection, client, trail) }
        let hash = isExternal ? nil : try await services.passwords.hash(password)
        let now = services.now()
        let sessions = SessionEnd(services: services)
        let refused = try await services.stores.database.write { transaction -> TicketResult? in
            // Where the password is elsewhere, it has been changed already, whatever has become of the user here.
            let used =
                isExternal ? ticket : try TicketStore.use(secret.digest, .passwordChange, at: now, in: transaction)
            guard let used else {
                return try TicketStore.find(secret.digest, .passwordChange, in: transaction)?.result(at: now)
                    ?? .unknown
            }
            try UserStore.lock(used.userID, in: transaction)
            guard var user = try UserStore.account(used.userID, in: transaction), isExternal || user.email == used.email
            else { return .used }
            // Another database says itself whether an address is verified.
            if settings.verifiesEmail, !isExternal { user.isEmailVerified = true }
            user.updatedAt = now
            try UserStore.replace(user, in: transaction)
            if let hash {
                try UserStore.setPasswordHash(hash, of: user.id, at: now, in: transaction)
            } else {
                try UserStore.noteExternalPassword(of: user.id, at: now, in: transaction)
            }
            try TicketStore.withdraw(.passwordChange, of: user.id, at: now, in: transaction)
            let owner = try UserStore.primary(of: user.id, in: transaction) ?? user.id
            // Logins with the old password come before this, and are ended, or see the new one.
            try UserStore.lock(owner, in: transaction)
            try sessions.endAll(of: owner, .passwordChanged, in: transaction)
            try RememberedBrowserStore.forget(of: owner, in: transaction)
            let names = [user.email, user.username].compactMap(\.self).map { (user.connection, $0) }
            try LoginBlocks.remove(names.map { (connection: $0.0, identifier: $0.1) }, in: transaction)
            return nil
        }
        // Somebody was faster.
        if let refused { throw Refusal.ticket(refused == .success ? .used : refused) }
        try await RegistrationScripts(services: services, connection: connection, client: client, trail: trail)
            .tell(user, .postChangePassword)
        return settings.redirect(
            email: ticket.email, .success, message: "You can now login to the application with the new password.")
    }

    /// Changes the password where it is. The ticket is used before, so that of two who open the link one changes it; where the
    /// script fails the link is good again.
    private func changeElsewhere(
        _ secret: Secret, _ user: User, _ password: String, _ connection: Connection, _ client: Client?,
        _ trail: LogTrail
    ) async throws {
        let (database, now) = (services.stores.database, services.now())
        let result = try await database.write { transaction -> TicketResult in
            guard try TicketStore.use(secret.digest, .passwordChange, at: now, in: transaction) == nil else {
                return .success
            }
            let found = try TicketStore.find(secret.digest, .passwordChange, in: transaction)
            return found?.result(at: now) == .expired ? .expired : .used
        }
        guard result == .success else { throw Refusal.ticket(result) }
        do {
            try await DatabaseChanges(
                services: services, connection: connection,
                setting: DatabaseScripts.Setting(client: client, trail: trail)
            ).changePassword(of: user, to: password)
        } catch {
            try await database.write { try TicketStore.release(secret.digest, .passwordChange, in: $0) }
            if let refusal = error as? DatabaseChanges.Refusal { throw Refusal.databaseFails(refusal.description) }
            throw error
        }
    }
}
