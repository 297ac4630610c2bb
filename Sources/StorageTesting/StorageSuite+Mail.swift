import Foundation
import OAuth
import Storage
import Testing

extension StorageSuite {
    static let mail: [Behaviour] = [
        Behaviour("a mail is its claimer's for as long as the lease, then anybody's", mailLease),
        Behaviour("a mail that is sent says nothing any more, and is never sent again", mailSent),
        Behaviour("two nodes that claim mails at once get each mail once", mailRace),
        Behaviour("a mail that belongs to a transaction that fails is not there", mailUndone),
        Behaviour("what the development inbox keeps is never due", mailKept),
        Behaviour("of twenty that use a ticket at once, one does", ticketRace),
        Behaviour("a ticket is of one kind, ends in time, and can be withdrawn", ticketEnds),
        Behaviour("a request for a new password is taken once, and ends with its mail", resetRequests),
        Behaviour("the sweep removes what is done with: mails, and tickets after a day", mailSweep),
        Behaviour("an e-mail provider and templates come back as they were saved", mailSettings),
    ]

    private static func preparedTwice(of suite: StorageSuite) async throws -> [any SQLDatabase] {
        let databases = try await suite.openTwice()
        try await Migrations.run(on: databases[0])
        try await databases[0].write { try Sample.insert(in: $0) }
        return databases
    }

    private static func sample(_ id: String, _ state: QueuedMail.State = .waiting, at now: Date = Sample.now)
        -> QueuedMail
    {
        QueuedMail(
            id: id, kind: .verifyEmail, recipient: "ada@example.com", userID: Sample.userID, sealedContent: "sealed",
            state: state, createdAt: now.storable, expiresAt: (now + 100).storable)
    }

    private static func mailLease(_ suite: StorageSuite) async throws {
        let (database, now) = (try await suite.prepared(), Sample.now)
        let store = Stores(database: database).mail
        #expect(try await store.isAnyDue(at: now) == false)
        try await database.write { try MailStore.enqueue(sample("m"), in: $0) }
        #expect(try await store.isAnyDue(at: now))
        let first = try #require(try await store.claim(at: now, lease: 60, most: 9).first)
        #expect(first.attempts == 1 && first.sealedContent == "sealed" && first.recipient == "ada@example.com")
        #expect(try await store.claim(at: now + 59, lease: 60, most: 9).isEmpty)
        let second = try #require(try await store.claim(at: now + 60, lease: 60, most: 9).first)
        #expect(second.attempts == 2)
        // The first claimer has lost it: what it finds out counts only where the mail went out.
        try await store.putOff(first, until: now + 1000, problem: "late")
        #expect(try await store.finish(first, as: .failed, at: now + 61) == false)
        try await store.putOff(second, until: now + 70, problem: "busy")
        #expect(try await store.claim(at: now + 69, lease: 60, most: 9).isEmpty)
        #expect(try await store.claim(at: now + 70, lease: 60, most: 9).count == 1)
        #expect(try await store.finish(first, as: .sent, at: now + 71))
        #expect(try await store.isAnyDue(at: now + 9999) == false)
    }

    private static func mailSent(_ suite: StorageSuite) async throws {
        let (database, now) = (try await suite.prepared(), Sample.now)
        let store = Stores(database: database).mail
        try await database.write { try MailStore.enqueue(sample("m"), in: $0) }
        let claimed = try #require(try await store.claim(at: now, lease: 60, most: 1).first)
        #expect(try await store.finish(claimed, as: .sent, at: now))
        #expect(try await store.finish(claimed, as: .sent, at: now) == false)
        // Whoever puts the same mail down again, because a transaction ran twice, puts down nothing.
        try await database.write { try MailStore.enqueue(sample("m"), in: $0) }
        #expect(try await store.isAnyDue(at: now + 9999) == false)
        let row = try await database.read { try $0.row("SELECT * FROM mail") }
        #expect(try row?.text("state") == "sent" && row?.optionalText("sealed_content") == nil)
    }

    private static func mailRace(_ suite: StorageSuite) async throws {
        let databases = try await preparedTwice(of: suite)
        try await databases[0].write { transaction in
            for index in 0..<40 { try MailStore.enqueue(sample("m\(index)"), in: transaction) }
        }
        let claimed = try await race(20) { index in
            try await Stores(database: databases[index % 2]).mail.claim(at: Sample.now, lease: 60, most: 2)
        }.flatMap(\.self).map(\.id)
        #expect(claimed.count == Set(claimed).count)
        let rest = try await Stores(database: databases[0]).mail.claim(at: Sample.now, lease: 60, most: 100)
        #expect(claimed.count + rest.count == 40)
    }

    private static func mailUndone(_ suite: StorageSuite) async throws {
        struct Failure: Error {}
        let database = try await suite.prepared()
        await #expect(throws: Failure.self) {
            try await database.write { transaction in
                try MailStore.enqueue(sample("m"), in: transaction)
                throw Failure()
            }
        }
        #expect(try await Stores(database: database).mail.isAnyDue(at: Sample.now) == false)
    }

    private static func mailKept(_ suite: StorageSuite) async throws {
        let (database, now) = (try await suite.prepared(), Sample.now)
        let store = Stores(database: database).mail
        try await database.write { transaction in
            try MailStore.enqueue(sample("old", .kept), in: transaction)
            try MailStore.enqueue(sample("new", .kept, at: now + 1), in: transaction)
            try MailStore.enqueue(sample("waits"), in: transaction)
        }
        #expect(try await store.kept(most: 9).map(\.id) == ["new", "old"])
        #expect(try await store.kept("old")?.sealedContent == "sealed")
        #expect(try await store.kept("waits") == nil)
        #expect(try await store.claim(at: now + 50, lease: 60, most: 9).map(\.id) == ["waits"])
        try await store.deleteKept()
        #expect(try await store.kept(most: 9).isEmpty)
    }

    private static func ticket(
        _ kind: Ticket.Kind, lasting: TimeInterval = 100, askedBy: JSONValue? = nil
    ) -> Ticket {
        var settings: JSONObject = ["result_url": "https://app.example.com/"]
        settings["asked_by"] = askedBy
        return Ticket(
            kind, userID: Sample.userID, email: "ada@example.com", settings: settings,
            createdAt: Sample.now.storable, expiresAt: (Sample.now + lasting).storable)
    }

    private static func ticketRace(_ suite: StorageSuite) async throws {
        let databases = try await preparedTwice(of: suite)
        try await databases[0].write { transaction in
            try TicketStore.insert(ticket(.passwordChange), digest: "t", in: transaction)
        }
        let used = try await race(20) { index in
            try await databases[index % 2].write {
                try TicketStore.use("t", .passwordChange, at: Sample.now + 1, in: $0)
            }
        }
        #expect(used.compactMap(\.self).count == 1)
    }

    private static func ticketEnds(_ suite: StorageSuite) async throws {
        let (database, now) = (try await suite.prepared(), Sample.now)
        let store = Stores(database: database).tickets
        let (verification, change) = (ticket(.emailVerification), ticket(.passwordChange, askedBy: "tenant"))
        try await database.write { transaction in
            try TicketStore.insert(verification, digest: "v", in: transaction)
            try TicketStore.insert(change, digest: "p", in: transaction)
        }
        #expect(try await store.find("v", .emailVerification) == verification)
        #expect(try await store.find("v", .passwordChange) == nil)
        func use(_ digest: String, _ kind: Ticket.Kind, at date: Date) async throws -> Ticket? {
            try await database.write { try TicketStore.use(digest, kind, at: date, in: $0) }
        }
        #expect(try await use("v", .passwordChange, at: now) == nil)
        #expect(try await use("v", .emailVerification, at: now + 100) == nil)
        #expect(try await use("v", .emailVerification, at: now + 99)?.userID == Sample.userID)
        #expect(try await store.find("v", .emailVerification)?.usedAt == (now + 99).storable)
        let askedFor = ticket(.passwordChange, askedBy: "anybody")
        try await database.write { transaction in
            try TicketStore.insert(askedFor, digest: "a", in: transaction)
            try TicketStore.insert(ticket(.passwordChange), digest: "former", in: transaction)
            try TicketStore.withdrawAskedFor(.passwordChange, of: Sample.userID, at: now, in: transaction)
        }
        #expect(try await store.find("a", .passwordChange)?.usedAt == now.storable)
        #expect(try await store.find("former", .passwordChange)?.usedAt == now.storable)
        #expect(try await store.find("p", .passwordChange)?.usedAt == nil)
        try await database.write {
            try TicketStore.withdraw(.passwordChange, of: Sample.userID, at: now + 1, in: $0)
        }
        #expect(try await use("p", .passwordChange, at: now + 2) == nil)
        #expect(try await store.find("p", .passwordChange)?.usedAt == (now + 1).storable)
    }

    private static func resetRequests(_ suite: StorageSuite) async throws {
        let (database, now) = (try await suite.prepared(), Sample.now)
        let store = Stores(database: database).passwordResetRequests
        let request = PasswordResetRequest(
            id: "r", connection: Sample.connection, identifier: "ada@example.com", document: ["client_id": "app"],
            createdAt: now.storable)
        #expect(try await store.isAnyDue(at: now) == false)
        try await store.insert(request)
        #expect(try await store.isAnyDue(at: now))
        let claimed = try await race(10) { _ in try await store.claim(at: now, lease: 60, most: 5) }.flatMap(\.self)
        #expect(claimed.map(\.identifier) == ["ada@example.com"] && claimed.first?.document == ["client_id": "app"])
        let finished = try await race(10) { _ in
            try await database.write { try PasswordResetRequestStore.finish(request, in: $0) }
        }
        #expect(finished.filter(\.self).count == 1)
        #expect(try await store.isAnyDue(at: now + 9999) == false)
    }

    private static func mailSweep(_ suite: StorageSuite) async throws {
        let (database, now) = (try await suite.prepared(), Sample.now)
        let stores = Stores(database: database)
        try await database.write { transaction in
            for (id, state) in [("waits", QueuedMail.State.waiting), ("kept", .kept)] {
                try MailStore.enqueue(sample(id, state), in: transaction)
            }
            try TicketStore.insert(ticket(.unblock), digest: "past", in: transaction)
            try TicketStore.insert(ticket(.unblock, lasting: 101), digest: "future", in: transaction)
        }
        _ = try await stores.expiredRows.deleteBatch(at: now + 100 + 86_400)
        #expect(try await Sample.count("SELECT COUNT(*) AS rows FROM mail WHERE id = 'waits'", in: database) == 1)
        #expect(try await Sample.count("SELECT COUNT(*) AS rows FROM mail", in: database) == 1)
        #expect(try await stores.tickets.find("past", .unblock) == nil)
        #expect(try await stores.tickets.find("future", .unblock) != nil)
    }

    private static func mailSettings(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let (provider, password) = try EmailProvider.read(
            Document(
                [
                    "name": "smtp", "default_from_address": "Example <mail@example.com>",
                    "credentials": ["smtp_host": "mail.example.com", "smtp_user": "u", "smtp_pass": "secret"],
                    "settings": ["headers": ["X-Tag": "one"]],
                ], path: ""))
        #expect(password == "secret" && provider.security == .startTLS && provider.port == 587)
        var template = EmailTemplate(kind: .resetEmail, subject: "S", body: "<p>{{ url }}</p>")
        (template.resultURL, template.isEnabled, template.urlLifetime) = ("https://app.example.com/", false, 60)
        let saved = template
        try await database.write { transaction in
            try EmailProviderStore.save(provider, sealedPassword: "sealed", in: transaction)
            try EmailTemplateStore.save(saved, in: transaction)
        }
        let (stored, templates) = try await database.read { transaction in
            (try EmailProviderStore.find(in: transaction), try EmailTemplateStore.list(in: transaction))
        }
        #expect(stored?.provider == provider && stored?.sealedPassword == "sealed" && templates == [saved])
        try await database.write { transaction in
            try EmailProviderStore.delete(in: transaction)
            try EmailTemplateStore.delete(.resetEmail, in: transaction)
        }
        let left = try await database.read { transaction in
            (
                try EmailProviderStore.find(in: transaction) == nil,
                try EmailTemplateStore.find(.resetEmail, in: transaction)
            )
        }
        #expect(left.0 && left.1 == nil)
    }
}
