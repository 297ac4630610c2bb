import AuthorizationServer
import Foundation
import OAuth
import Storage

/// `/api/v2/jobs/verification-email`: has a user asked again to verify their address. The mail is put down with the job, so
/// the job is done as soon as it is there.
struct VerificationEmailJobsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("jobs/verification-email")
            .post(
                requires: .update("users"), "Send an email address verification email",
                answers: .object([
                    "id": .text.always, "type": .text.always, "status": .text.always, "created_at": .text.always,
                ]), use: send)
    }

    struct NewMail: Payload {
        let userID: String
        let clientID: String?
        let organizationID: String?
        let identity: String?

        init(from document: inout Document) throws(Document.Problem) {
            userID = try document.requiredString("user_id", most: 255)
            clientID = try document.string("client_id", most: 255)
            organizationID = try document.string("organization_id", most: 255)
            identity = try TicketsResource.identity(&document)
        }
    }

    @Sendable private func send(_ call: Submission<NewMail>) async throws -> Answer {
        let (new, services) = (call.body, management.services)
        let user = try await TicketsResource.user(new.userID, identity: new.identity, management)
        guard user.email != nil else {
            throw ManagementError(400, "The user does not have an email address.", "invalid_body")
        }
        let client = try await client(new.clientID)
        let organization = try await organization(new.organizationID)
        let prepared = try await EmailVerification(services: services).prepare(
            for: user, client: client, organization: organization)
        let way = try await services.messages.way()
        guard way != .none else {
            throw ManagementError(
                400, "The tenant has no e-mail provider: configure one first (POST /api/v2/emails/provider)",
                "no_email_provider")
        }
        let id = RandomBytes.alphanumeric(16, prefix: "job_")
        return try await management.write(call.caller) { transaction, now in
            try prepared?.write(in: transaction)
            try JobStore.note(id, .verificationEmail, at: now, in: transaction)
            let answer: JSONObject = [
                "id": .string(id), "type": .string(Job.Kind.verificationEmail.rawValue), "status": "pending",
                "created_at": UserMembers.time(now),
            ]
            return Changed(
                .created(answer), [.init("jobs", id, before: nil, after: ["user_id": .string(user.id)])])
        }
    }

    private func client(_ id: String?) async throws -> Client? {
        guard let id else { return nil }
        guard let client = try await management.services.configuration.client(id)?.client else {
            throw ManagementError.inexistent("client", "client")
        }
        return client
    }

    private func organization(_ id: String?) async throws -> Organization? {
        guard let id else { return nil }
        let found = try await management.stores.database.readOnce { try OrganizationStore.find(id, in: $0) }
        guard let found else { throw ManagementError.inexistent("organization", "organization") }
        return found
    }
}
