import AuthorizationServer
import Foundation
import OAuth
import Storage

/// `/api/v2/tickets`: links that let whoever gets them change a password or verify an address, once.
struct TicketsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("tickets")
            .post(
                "email-verification", requires: .create("user_tickets"), "Create an email verification ticket",
                answers: .object(["ticket": .text.always]), use: verification
            )
            .post(
                "password-change", requires: .create("user_tickets"), "Create a password change ticket",
                answers: .object(["ticket": .text.always]), use: passwordChange)
    }

    /// Seconds that a ticket can live: 30 days.
    private static let longest = 2_592_000

    struct NewVerification: Payload {
        let userID: String
        let settings: TicketSettings
        let lifetime: Int
        let identity: String?

        init(from document: inout Document) throws(Document.Problem) {
            userID = try document.requiredString("user_id", most: 255)
            settings = try TicketsResource.settings(&document)
            lifetime = try TicketsResource.lifetime(&document)
            identity = try TicketsResource.identity(&document)
        }
    }

    struct NewChange: Payload {
        let userID: String?
        let email: String?
        let connectionID: String?
        let settings: TicketSettings
        let lifetime: Int
        let identity: String?

        init(from document: inout Document) throws(Document.Problem) {
            userID = try document.string("user_id", most: 255)
            email = try document.string("email", most: 320)
            connectionID = try document.string("connection_id", most: 255)
            var settings = try TicketsResource.settings(&document)
            settings.verifiesEmail = try document.bool("mark_email_as_verified", default: false)
            self.settings = settings
            lifetime = try TicketsResource.lifetime(&document)
            identity = try TicketsResource.identity(&document)
        }
    }

    private static func settings(_ document: inout Document) throws(Document.Problem) -> TicketSettings {
        var settings = TicketSettings()
        settings.resultURL = try document.string("result_url", most: 2048)
        if let url = settings.resultURL {
            guard let uri = RedirectURI(url), ["https", "http"].contains(uri.scheme) else {
                throw document.problem("result_url", "must be an https address")
            }
        }
        settings.clientID = try document.string("client_id", most: 255)
        settings.organizationID = try document.string("organization_id", most: 255)
        settings.includesEmail = try document.bool("includeEmailInRedirect", default: false)
        return settings
    }

    private static func lifetime(_ document: inout Document) throws(Document.Problem) -> Int {
        let seconds = try document.integer("ttl_sec", in: 0...longest) ?? 0
        return seconds == 0 ? EmailTemplate.standardLifetime : seconds
    }

    /// The id of the identity that it is about, as Auth0 writes users' ids.
    static func identity(_ document: inout Document) throws(Document.Problem) -> String? {
        guard var identity = try document.document("identity") else { return nil }
        let (provider, id) = (
            try identity.requiredString("provider", most: 255), try identity.requiredString("user_id", most: 255)
        )
        _ = try identity.remaining(known: [])
        return "\(provider)|\(id)"
    }

    @Sendable private func verification(_ call: Submission<NewVerification>) async throws -> Answer {
        let new = call.body
        let user = try await Self.user(new.userID, identity: new.identity, management)
        guard let email = user.email else {
            throw ManagementError(400, "The user does not have an email address.", "invalid_body")
        }
        return try await issue(
            .emailVerification, user, email, try await completed(new.settings), new.lifetime, call.caller)
    }

    @Sendable private func passwordChange(_ call: Submission<NewChange>) async throws -> Answer {
        let new = call.body
        guard new.settings.resultURL == nil || new.settings.clientID == nil else {
            throw Document.Problem(path: "result_url", message: "cannot stand together with client_id")
        }
        let user: User
        switch (new.userID, new.email, new.connectionID) {
        case (let id?, nil, nil): user = try await Self.user(id, identity: new.identity, management)
        case (nil, let email?, let connection?): user = try await self.user(email, connection)
        default:
            throw Document.Problem(path: "user_id", message: "must stand there, or email and connection_id instead")
        }
        let connection = try await management.stores.connections.find(name: user.connection)
        guard connection?.isDatabase == true else {
            throw ManagementError(400, "The user does not have a password here.", "invalid_body")
        }
        return try await issue(
            .passwordChange, user, user.email, try await completed(new.settings), new.lifetime, call.caller)
    }

    /// A ticket for an application leads back to where its logins begin.
    private func completed(_ settings: TicketSettings) async throws -> TicketSettings {
        var settings = settings
        if let id = settings.clientID {
            guard let client = try await management.services.configuration.client(id)?.client else {
                throw ManagementError.inexistent("client", "client")
            }
            if settings.resultURL == nil { settings.resultURL = client.initiateLoginURI }
        }
        return settings
    }

    private func issue(
        _ kind: Ticket.Kind, _ user: User, _ email: String?, _ settings: TicketSettings, _ lifetime: Int,
        _ caller: Caller
    ) async throws -> Answer {
        let ticket = IssuedTicket(
            kind, userID: user.id, email: email, settings: settings, lifetime: lifetime, management.services)
        return try await management.write(caller) { transaction, _ in
            try ticket.write(in: transaction)
            return Changed(
                .created(["ticket": .string(ticket.url)]),
                [
                    .init(
                        "tickets", user.id, before: nil,
                        after: ["type": .string(kind.rawValue), "user_id": .string(user.id)])
                ])
        }
    }

    /// The user, or the identity of theirs that is meant.
    static func user(_ id: String, identity: String?, _ management: Management) async throws -> User {
        let wanted = identity ?? id
        let found = try await management.stores.database.read { transaction -> User? in
            guard try UserStore.find(id, in: transaction) != nil,
                let user = try UserStore.account(wanted, in: transaction)
            else { return nil }
            let owner = try UserStore.primary(of: wanted, in: transaction) ?? wanted
            return owner == id ? user : nil
        }
        guard let found else { throw UsersResource.inexistent }
        return found
    }

    private func user(_ email: String, _ connectionID: String) async throws -> User {
        let found = try await management.stores.database.read { transaction -> User? in
            guard let connection = try ConnectionStore.find(id: connectionID, in: transaction) else {
                throw ManagementError.inexistent("connection", "connection")
            }
            return try UserStore.account(
                connection: connection.name, identifier: EmailAddress(email)?.text ?? email, in: transaction)
        }
        guard let found else { throw UsersResource.inexistent }
        return found
    }
}
