import AuthorizationServer
import OAuth
import Storage
import TenantConfiguration

/// `/api/v2/tenants/settings`.
struct TenantsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("tenants")
            .get(
                "settings", requires: .read("tenant_settings"), "Get tenant settings", answers: .object(Self.members),
                use: get
            )
            .patch(
                "settings", requires: .update("tenant_settings"), "Update tenant settings",
                answers: .object(Self.members), use: update)
    }

    static let members = Settings.schema.optional

    struct Fields: Payload {
        let fields: FieldSelection

        init(from document: inout Document) throws(Document.Problem) { fields = try FieldSelection(from: &document) }
    }

    /// Some of the settings; null removes one.
    struct Settings: Payload {
        let members: JSONObject

        init(from document: inout Document) throws(Document.Problem) {
            members = document.everything()
            try Self.requireKnown(members)
        }

        static var schema: [String: DocumentSchema.Member] {
            let schema = try? DocumentSchema.members { document throws(Document.Problem) in
                _ = try TenantSettings(document: document)
            }
            guard let schema else { preconditionFailure("the settings refuse what they ask for") }
            return schema
        }
    }

    @Sendable private func get(_ call: Query<Fields>) async throws -> Answer {
        .ok(call.query.fields.apply(to: try await management.stores.tenant.settings().document))
    }

    @Sendable private func update(_ call: Submission<Settings>) async throws -> Answer {
        // Auth0 clears a text with an empty one.
        let changes = call.body.members.mapValues { $0 == "" ? .null : $0 }
        let kinds = try await Set(management.stores.signingKeys.list().map(\.kind))
        let current = try await management.stores.tenant.settings()
        // Keys take time to make: before anybody waits.
        let planned = try TenantWrite(
            Self.changed(current, changes), having: kinds, box: management.services.secret.box)
        return try await management.configure(call.caller) { transaction, now in
            let before = try TenantStore.settings(in: transaction)
            guard before == current else {
                throw ManagementError.conflict("The settings are being changed by somebody else; try again")
            }
            let problem = TenantWrite.problems(
                of: planned.settings, clients: try ClientStore.list(in: transaction).map(\.client),
                apis: try ResourceServerStore.list(in: transaction).map(\.resourceServer)
            ).first
            if let problem { throw problem }
            try planned.save(at: now, in: transaction)
            return Changed(
                .ok(planned.settings.document),
                [.init("tenants", "settings", before: before.document, after: planned.settings.document)])
        }
    }

    private static func changed(
        _ settings: TenantSettings, _ changes: JSONObject
    ) throws(Document.Problem) -> TenantSettings {
        try TenantSettings(document: Document(TenantWrite.merged(settings, changes), path: ""))
    }
}
