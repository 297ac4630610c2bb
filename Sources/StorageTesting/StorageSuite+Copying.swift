import Foundation
import OAuth
import Storage
import Synchronization
import Testing

extension StorageSuite {
    static let copying: [Behaviour] = [
        Behaviour("a copy has every row of every table", copyHasEverything),
        Behaviour("a copy that was interrupted goes on where it stopped", copyGoesOn),
        Behaviour("a target that holds something is refused and left alone", fullTargetIsRefused),
        Behaviour("a source that changes during the copy is noticed", changedSourceIsNoticed),
    ]

    /// A database with rows in every table: those of the first schema, and a batch and a half of users.
    private func filled() async throws -> any SQLDatabase {
        let database = try await open()
        try await Migrations.run(on: database, upTo: 1)
        try await database.write { transaction in
            for statement in Self.firstSchemaRows { try transaction.execute(statement) }
        }
        try await Migrations.run(on: database)
        try await database.write { transaction in
            for statement in Self.laterSchemaRows { try transaction.execute(statement) }
            try LogEventStore.append(
                [Self.logEvent(), Self.logEvent(.failedLogin, "x")], at: Sample.now, in: transaction)
            try LogStreamStore.save(
                LogStream(
                    document: Document(
                        ["name": "a", "type": "http", "sink": ["httpEndpoint": "https://hook.example.com/"]], path: ""),
                    standardID: "lst_1"), sealedSecrets: nil, at: Sample.now, in: transaction)
            try RuleStore.save(Self.rule("rul_1", "Rule", order: 1), in: transaction)
            try RuleConfigurationStore.save(RuleConfiguration(key: "K", sealedValue: "sealed"), in: transaction)
            let action = try Self.action("1", "Action")
            try ActionStore.save(action, in: transaction)
            _ = try ActionStore.deploy(action, action.content, versionID: "v", at: Sample.now, in: transaction)
            try ActionBindingStore.replace(
                .postLogin,
                by: [ActionBinding(id: "b", trigger: .postLogin, actionID: "1", displayName: "A", at: Sample.now)],
                in: transaction)
            try PushedAuthorizationRequestStore.insert(Sample.pushedRequest("copied"), in: transaction)
            try ConfigurationHistoryStore.append(
                ConfigurationApply(
                    at: Sample.now, by: "ada", changes: 1, summary: "+ role Clerk", sealedRows: "sealed"),
                in: transaction)
            for index in 0..<(TenantCopy.batch + TenantCopy.batch / 2) {
                try UserStore.insert(
                    Sample.user("auth0|copied \(index)", email: "copied\(index)@example.com"), passwordHash: nil,
                    in: transaction)
            }
            try MailStore.enqueue(
                QueuedMail(
                    id: "m", kind: .verifyEmail, recipient: "ada@example.com", userID: nil, sealedContent: "sealed",
                    state: .waiting, createdAt: Sample.now, expiresAt: Sample.now), in: transaction)
            try TicketStore.insert(
                Ticket(
                    .unblock, userID: "auth0|copied 0", email: nil, createdAt: Sample.now, expiresAt: Sample.now),
                digest: "ticket", in: transaction)
            try EmailTemplateStore.save(EmailTemplate(kind: .resetEmail, subject: "S", body: "B"), in: transaction)
            let participant = SessionClient(Sample.session("s"), clientID: Sample.clientID)
            try SessionClientStore.insert(participant, in: transaction)
            try LogoutDeliveryStore.insert(
                LogoutDelivery(participant, uri: "https://app.example.com/logout"), at: Sample.now, in: transaction)
        }
        return database
    }

    /// A row of each table that later steps made.
    private static let laterSchemaRows: [SQL] = [
        "INSERT INTO client_registration VALUES ('old', 'digest', 1)",
        "INSERT INTO used_assertion VALUES ('digest', 4000000000000)",
        """
        INSERT INTO device_code VALUES ('d', 'u', 'authorization', 'old', 'openid', NULL, 'approved', 'auth0|1', 'sid', 1,
            10, 1, 4000000000000, '{}', 1)
        """,
        "INSERT INTO userinfo_claims VALUES ('authorization', '{}', 4000000000000)",
        "INSERT INTO upstream_token VALUES ('auth0|old', 'sealed')",
        "INSERT INTO authenticator VALUES ('auth0|old', 'totp|dev_1', 'sealed', 1, 1, 1)",
        "INSERT INTO recovery_code VALUES ('auth0|old', 'digest', 1)",
        "INSERT INTO remembered_browser VALUES ('digest', 'auth0|old', 4000000000000)",
        "INSERT INTO phone_authenticator VALUES ('auth0|old', 'sms|dev_1', '+4915112345678', 1, 1)",
        "INSERT INTO mfa_token VALUES ('digest', 'old', 'auth0|old', 'sealed', 4000000000000)",
        "INSERT INTO passwordless_code VALUES ('subject', 'code', 0, 4000000000000, 'sealed')",
        "INSERT INTO upstream_transaction VALUES ('d', 'b', 'con_1', 'sealed', 1, 4000000000000)",
        "INSERT INTO revoked_authorization VALUES ('authorization', 4000000000000)",
        "INSERT INTO client_metadata_document VALUES ('old', 1)",
        "INSERT INTO rate_limit VALUES ('registration 192.0.2.1', 3, 4000000000000)",
        "INSERT INTO organization VALUES ('org_1', 'acme', 'Acme', '{\"id\":\"org_1\",\"name\":\"acme\"}', 1)",
        "INSERT INTO organization_connection SELECT 'org_1', id, '{}' FROM connection",
        "INSERT INTO organization_client_grant SELECT 'org_1', id FROM client_grant",
        "INSERT INTO organization_member SELECT 'org_1', user_id FROM user_account",
        "INSERT INTO organization_member_role SELECT 'org_1', user_id, role_id FROM user_role",
        """
        INSERT INTO organization_invitation VALUES ('uinv_1', 'org_1', 'digest', 'old', NULL, 'Ada', 'a@example.com', '{}',
            '{}', 1, 4000000000000)
        """,
        "INSERT INTO organization_invitation_role SELECT 'uinv_1', id FROM role",
        "INSERT INTO password_reset_request VALUES ('r', 'Users', 'ada@example.com', '{}', 0, 1, 1)",
        "INSERT INTO email_provider VALUES ('smtp', '{}', 'sealed')",
        "INSERT INTO tenant_section VALUES ('branding', '{}')",
        "INSERT INTO job VALUES ('job_1', 'users_import', 'pending', '{}', '{}', NULL, 0, 1, 1, 4000000000000)",
        "INSERT INTO job_piece VALUES ('job_1', 1, 'W10=')", "INSERT INTO job_error VALUES ('job_1', 1, '{}')",
    ]

    private static func rows(of database: any SQLDatabase) async throws -> [String: [[SQLValue]]] {
        try await database.read { transaction in
            try Dictionary(
                uniqueKeysWithValues: Table.all.map { table in
                    (table.name, try table.rows(after: [], limit: 10_000, in: transaction))
                })
        }
    }

    private static func copyHasEverything(_ suite: StorageSuite) async throws {
        let (source, target) = (try await suite.filled(), try await suite.open())
        let steps = Mutex<[TenantCopy.Progress]>([])
        let report = try await TenantCopy(from: source, named: "source", to: target).run { step in
            steps.withLock { $0.append(step) }
        }
        let (before, after) = (try await rows(of: source), try await rows(of: target))
        #expect(before == after)
        for table in Table.all { #expect(before[table.name]?.isEmpty == false, "\(table.name) is empty in this test") }
        #expect(report.tables.map(\.rows) == Table.all.map { before[$0.name]?.count ?? 0 })
        #expect(!report.wasResumed)
        let done = steps.withLock { $0.map(\.done) }
        #expect(done == done.sorted() && steps.withLock { $0.last.map { $0.done == $0.total } } == true)
        // Nothing of the copying itself is left, and the target is a tenant that can be copied back.
        let back = try await suite.open()
        let second = try await TenantCopy(from: target, named: "target", to: back).run()
        #expect(second.tables == report.tables)
    }

    /// The writes until the first batch of users is there: the migrations', the marks', and one for each table before.
    private static var writesUntilFirstUsers: Int {
        2 + (Table.all.firstIndex { $0.name == "user_account" } ?? 0) + 1
    }

    private static func copyGoesOn(_ suite: StorageSuite) async throws {
        let (source, target) = (try await suite.filled(), try await suite.open())
        let interrupted = InterruptedWrites(target, after: writesUntilFirstUsers)
        let error = await failure { try await TenantCopy(from: source, named: "source", to: interrupted).run() }
        #expect(error is InterruptedWrites.Interruption)
        let stopped = try await rows(of: target)
        #expect(stopped["user_account"]?.count == TenantCopy.batch)
        let half = await failure { try await TenantCopy.requireFinished(in: target) }
        #expect((half as? TenantCopy.Problem)?.description.contains("interrupted") == true)
        let foreign = await failure { try await TenantCopy(from: source, named: "another", to: target).run() }
        #expect((foreign as? TenantCopy.Problem)?.description.contains("unfinished copy of source") == true)
        let report = try await TenantCopy(from: source, named: "source", to: target).run()
        #expect(report.wasResumed)
        try await TenantCopy.requireFinished(in: target)
        #expect(try await rows(of: target) == rows(of: source))
    }

    private static func fullTargetIsRefused(_ suite: StorageSuite) async throws {
        let (source, target) = (try await suite.filled(), try await suite.prepared())
        let before = try await rows(of: target)
        let error = await failure { try await TenantCopy(from: source, named: "source", to: target).run() }
        #expect((error as? TenantCopy.Problem)?.description.contains("not empty") == true)
        #expect(try await rows(of: target) == before)
        // Being refused twice is no unfinished copy.
        let again = await failure { try await TenantCopy(from: source, named: "source", to: target).run() }
        #expect((again as? TenantCopy.Problem)?.description.contains("not empty") == true)
    }

    private static func changedSourceIsNoticed(_ suite: StorageSuite) async throws {
        let (source, target) = (try await suite.filled(), try await suite.open())
        let interrupted = InterruptedWrites(target, after: writesUntilFirstUsers)
        _ = await failure { try await TenantCopy(from: source, named: "source", to: interrupted).run() }
        try await source.write { try UserStore.setBlocked(true, "auth0|copied 0", in: $0) }
        let error = await failure { try await TenantCopy(from: source, named: "source", to: target).run() }
        #expect((error as? TenantCopy.Problem)?.description.contains("'user_account' is not the same") == true)
    }
}

/// A database that ends after some writes, as a process does that is killed.
private final class InterruptedWrites: SQLDatabase {
    struct Interruption: Error {}

    private let base: any SQLDatabase
    private let left: Mutex<Int>

    init(_ base: any SQLDatabase, after writes: Int) {
        self.base = base
        left = Mutex(writes)
    }

    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
        try await base.read(body)
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
        let isOver = left.withLock { left in
            left -= 1
            return left < 0
        }
        guard !isOver else { throw Interruption() }
        return try await base.write(body)
    }

    func configurationChanges() -> AsyncStream<Void> { base.configurationChanges() }
    func close() throws { try base.close() }
}
