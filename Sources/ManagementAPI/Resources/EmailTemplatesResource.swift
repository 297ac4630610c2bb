import AuthorizationServer
import OAuth
import Storage
import TenantConfiguration

/// `/api/v2/email-templates`: how the tenant's mails read.
struct EmailTemplatesResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("email-templates")
            .post(
                requires: .create("email_templates"), "Create an email template", status: 200,
                answers: .object(Self.shown), use: create
            )
            .get(
                ":name", requires: .read("email_templates"), "Get an email template", answers: .object(Self.shown),
                use: get
            )
            .patch(
                ":name", requires: .update("email_templates"), "Patch an email template", answers: .object(Self.shown),
                use: update
            )
            .put(
                ":name", requires: .update("email_templates"), "Update an email template",
                answers: .object(Self.shown), use: replace
            )
    }

    static let shown: Members = [
        "template": .text.always, "body": .text.always, "from": .text, "subject": .text.always,
        "syntax": .text.always, "resultUrl": .text, "urlLifetimeInSeconds": .count.always,
        "includeEmailInRedirect": .bool.always, "enabled": .bool.always,
    ]

    /// The members that a request has. What they may be, ``EmailTemplate`` says.
    private static let members: [String: DocumentSchema.Member] = [
        "template": .init(.choice(MessageKind.allCases.filter(\.hasTemplate).map(\.rawValue)), isRequired: true),
        "body": .init(.text(most: 256 * 1024), isRequired: true),
        "from": .init(.text(most: 1024), isNullable: true),
        "subject": .init(.text(most: 1024), isRequired: true), "syntax": .init(.choice(["liquid"])),
        "resultUrl": .init(.text(most: 2048), isNullable: true),
        "urlLifetimeInSeconds": .init(.integer(0...2_592_000), isNullable: true),
        "includeEmailInRedirect": .init(.bool), "enabled": .init(.bool),
    ]

    struct NewTemplate: Payload {
        let members: JSONObject

        init(from document: inout Document) throws(Document.Problem) {
            members = document.everything()
            try Self.requireKnown(members)
        }

        static var schema: [String: DocumentSchema.Member] { EmailTemplatesResource.members }
    }

    struct TemplateChange: Payload {
        let members: JSONObject

        init(from document: inout Document) throws(Document.Problem) {
            members = document.everything()
            try Self.requireKnown(members)
        }

        static var schema: [String: DocumentSchema.Member] {
            EmailTemplatesResource.members.mapValues { DocumentSchema.Member($0.schema, isNullable: $0.isNullable) }
        }
    }

    private static let inexistent = ManagementError(
        404, "The template does not exist", "inexistent_email_template")

    private static func kind(_ name: String) throws -> MessageKind {
        guard let kind = MessageKind(rawValue: name), kind.hasTemplate else { throw inexistent }
        return kind
    }

    @Sendable private func get(_ call: Plain) async throws -> Answer {
        let kind = try Self.kind(call["name"])
        let template = try await management.stores.database.readOnce { try EmailTemplateStore.find(kind, in: $0) }
        guard let template else { throw Self.inexistent }
        return .ok(template.document)
    }

    @Sendable private func create(_ call: Submission<NewTemplate>) async throws -> Answer {
        let template = try EmailTemplateRules.template(EmailTemplateRules.merged(call.body.members, onto: nil))
        return try await management.configure(call.caller) { transaction, _ in
            guard try EmailTemplateStore.find(template.kind, in: transaction) == nil else {
                throw ManagementError(409, "The template already exists", "email_template_conflict")
            }
            return try Self.save(template, replacing: nil, transaction)
        }
    }

    @Sendable private func update(_ call: Submission<TemplateChange>) async throws -> Answer {
        let (kind, members) = (try Self.kind(call["name"]), call.body.members)
        try Self.requireSame(kind, members)
        return try await management.configure(call.caller) { transaction, _ in
            guard let existing = try EmailTemplateStore.find(kind, in: transaction) else { throw Self.inexistent }
            let template = try EmailTemplateRules.template(EmailTemplateRules.merged(members, onto: existing))
            return try Self.save(template, replacing: existing, transaction)
        }
    }

    /// Auth0's `PUT` makes a template where there is none.
    @Sendable private func replace(_ call: Submission<TemplateChange>) async throws -> Answer {
        let kind = try Self.kind(call["name"])
        try Self.requireSame(kind, call.body.members)
        let members = call.body.members.merging(["template": .string(kind.rawValue)]) { $1 }
        let template = try EmailTemplateRules.template(EmailTemplateRules.merged(members, onto: nil))
        return try await management.configure(call.caller) { transaction, _ in
            try Self.save(template, replacing: EmailTemplateStore.find(kind, in: transaction), transaction)
        }
    }

    private static func requireSame(_ kind: MessageKind, _ members: JSONObject) throws {
        guard let name = members["template"], name != .string(kind.rawValue) else { return }
        throw Document.Problem(path: "template", message: "must be \(kind.rawValue), as in the address")
    }

    private static func save(
        _ template: EmailTemplate, replacing existing: EmailTemplate?, _ transaction: any SQLTransaction
    ) throws -> Changed<Answer> {
        try EmailTemplateStore.save(template, in: transaction)
        return Changed(
            .ok(template.document),
            [
                .init(
                    "email-templates", template.kind.rawValue, before: existing?.document, after: template.document)
            ])
    }
}
