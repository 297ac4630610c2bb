import OAuth
import Storage
import Testing

@testable import TenantConfiguration

@Suite("Every table of the configuration is one that a rollback restores")
struct ConfigurationTableTests {
    /// What is no configuration: users and what they do, and what the server notes for itself.
    private static let data: Set<String> = [
        "client_registration", "client_metadata_document", "rate_limit", "signing_key", "user_account", "user_password",
        "user_role", "user_permission", "failed_login", "session", "session_client", "logout_delivery",
        "login_transaction", "authorization_code", "device_code", "access_token", "userinfo_claims",
        "refresh_token_family",
        "refresh_token", "revoked_authorization", "used_assertion", "pushed_request", "configuration_apply",
        "consent_grant", "log_event", "job", "job_piece", "job_error", "user_term",
        "authenticator", "recovery_code", "remembered_browser", "phone_authenticator", "mfa_token", "mail",
        "passwordless_code", "password_reset_request",
        "ticket", "upstream_token", "upstream_transaction",
        "organization_member", "organization_member_role", "organization_invitation", "organization_invitation_role",
    ]

    @Test("A table is in ConfigurationRows.tables, or in this test's list of what is no configuration")
    func complete() {
        let configuration = Set(ConfigurationRows.tables.map(\.name))
        #expect(configuration.isDisjoint(with: Self.data))
        for table in Table.all {
            #expect(
                configuration.contains(table.name) || Self.data.contains(table.name),
                "\(table.name): add it to ConfigurationRows.tables and RollbackTable.all, or here if it is data")
        }
    }

    @Test("A plan can name the rows of each")
    func named() {
        #expect(Set(ConfigurationRows.tables.map(\.name)) == Set(RollbackTable.all.keys))
    }

    @Test("A rollback gives a log stream back, and the stream goes on where it was")
    func logStream() async throws {
        try await Tenant.run { tenant in
            func file(_ endpoint: String, _ secret: String) -> String {
                """
                logStreams:
                  - {name: Audit, type: http, sink: {httpEndpoint: \(endpoint), httpSigningSecret: \(secret)}}
                """
            }
            try await tenant.apply(file("https://one.example.com/", "the-first-signing-secret"))
            let first = try await tenant.logStreams()
            try await tenant.apply(file("https://two.example.com/", "the-second-signing-secret"))
            // A delivery moves the stream on, which no rollback takes back.
            try await tenant.stores.database.write { try $0.execute("UPDATE log_stream SET last_log_id = 'later'") }
            let plan = try await Plan.rollback(stores: tenant.stores, box: Tenant.box)
            #expect(plan.text.contains("~ log stream Audit") && plan.text.contains("sink (secrets): (the one before)"))
            _ = try await plan.apply(to: tenant.stores, at: Tenant.now)
            let restored = try await tenant.logStreams()
            #expect(restored.map(\.stream) == first.map(\.stream))
            #expect(restored.map(\.sealedSecrets) == first.map(\.sealedSecrets))
            #expect(restored.map(\.cursor) == ["later"])
            // Nothing is left of the apply that made it.
            _ = try await Plan.rollback(stores: tenant.stores, box: Tenant.box).apply(
                to: tenant.stores, at: Tenant.now)
            let none = try await tenant.logStreams()
            #expect(none.isEmpty)
        }
    }
}

extension Tenant {
    fileprivate func logStreams() async throws -> [LogStreamState] {
        try await stores.database.read { try LogStreamStore.list(in: $0) }
    }
}
