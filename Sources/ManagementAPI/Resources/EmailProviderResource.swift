import AuthorizationServer
import OAuth
import Storage
import TenantConfiguration

/// `/api/v2/emails/provider`: what sends the tenant's mail. The password is written and never read.
struct EmailProviderResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("emails/provider")
            .get(
                requires: .read("email_provider"), "Get email provider", answers: .object(Self.shown.optional), use: get
            )
            .post(
                requires: .create("email_provider"), "Configure email provider", answers: .object(Self.shown),
                use: create
            )
            .patch(
                requires: .update("email_provider"), "Update email provider", answers: .object(Self.shown), use: update
            )
            .delete(requires: .delete("email_provider"), "Delete email provider", use: delete)
    }

    static let shown: Members = [
        "name": .text.always, "enabled": .bool.always, "default_from_address": .text.always,
        "credentials": .object(["smtp_host": .text, "smtp_port": .count, "smtp_user": .text]).always,
        "settings": .object(["security": .text, "headers": .anyObject]).always,
    ]

    /// The members that a request has. What they may be, ``EmailProvider`` says.
    private static let members: [String: DocumentSchema.Member] = [
        "name": .init(.choice(["smtp"] + EmailProvider.foreign.sorted()), isRequired: true),
        "enabled": .init(.bool), "default_from_address": .init(.text(most: 320), isRequired: true),
        "credentials": .init(
            .object([
                "smtp_host": .init(.text(most: 253), isRequired: true), "smtp_port": .init(.integer(1...65_535)),
                "smtp_user": .init(.text(most: 255)), "smtp_pass": .init(.text(most: 4096)),
            ]), isRequired: true),
        "settings": .init(
            .object([
                "security": .init(.choice(EmailProvider.Security.allCases.map(\.rawValue))),
                "headers": .init(.anyObject),
            ])),
    ]

    struct NewProvider: Payload {
        let members: JSONObject

        init(from document: inout Document) throws(Document.Problem) {
            members = document.everything()
            try Self.requireKnown(members)
        }

        static var schema: [String: DocumentSchema.Member] { EmailProviderResource.members }
    }

    struct ProviderChange: Payload {
        let members: JSONObject

        init(from document: inout Document) throws(Document.Problem) {
            members = document.everything()
            try Self.requireKnown(members)
        }

        static var schema: [String: DocumentSchema.Member] {
            EmailProviderResource.members.mapValues { DocumentSchema.Member($0.schema) }
        }
    }

    private static let inexistent = ManagementError(
        404, "There is not a configured email provider", "inexistent_email_provider")

    struct Fields: Payload {
        let fields: FieldSelection

        init(from document: inout Document) throws(Document.Problem) { fields = try FieldSelection(from: &document) }
    }

    @Sendable private func get(_ call: Query<Fields>) async throws -> Answer {
        let stored = try await management.stores.database.readOnce { try EmailProviderStore.find(in: $0) }
        guard let stored else { throw Self.inexistent }
        return .ok(call.query.fields.apply(to: stored.provider.document))
    }

    @Sendable private func create(_ call: Submission<NewProvider>) async throws -> Answer {
        let (members, box) = (call.body.members, management.services.secret.box)
        try Self.refuseForeign(members)
        return try await management.configure(call.caller) { transaction, _ in
            guard try EmailProviderStore.find(in: transaction) == nil else {
                throw ManagementError(409, "An email provider is already configured", "email_provider_conflict")
            }
            let write = try EmailProviderWrite(members.filter { $0.value != .null }, replacing: nil, box: box)
            try write.save(in: transaction)
            let document = write.provider.document
            return Changed(.created(document), [.init("emails", "provider", before: nil, after: document)])
        }
    }

    @Sendable private func update(_ call: Submission<ProviderChange>) async throws -> Answer {
        let (members, box) = (call.body.members, management.services.secret.box)
        try Self.refuseForeign(members)
        return try await management.configure(call.caller) { transaction, _ in
            guard let existing = try EmailProviderStore.find(in: transaction) else { throw Self.inexistent }
            let write = try EmailProviderWrite(
                EmailProviderWrite.merged(members, onto: existing.provider), replacing: existing, box: box)
            try write.save(in: transaction)
            let document = write.provider.document
            return Changed(
                .ok(document),
                [.init("emails", "provider", before: existing.provider.document, after: document)])
        }
    }

    /// Auth0's other providers are nothing that this server could pretend to have.
    private static func refuseForeign(_ members: JSONObject) throws {
        guard let name = members["name"]?.string, EmailProvider.foreign.contains(name) else { return }
        throw ManagementError(
            501, "This version of Portico has no provider '\(name)': use 'smtp' with that provider's SMTP host",
            "not_implemented")
    }

    @Sendable private func delete(_ call: Plain) async throws -> Answer {
        try await management.configure(call.caller) { transaction, _ in
            guard let existing = try EmailProviderStore.find(in: transaction) else { return Changed(.noContent, []) }
            try EmailProviderStore.delete(in: transaction)
            return Changed(
                .noContent, [.init("emails", "provider", before: existing.provider.document, after: nil)])
        }
    }
}
