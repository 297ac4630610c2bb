import Foundation
import OAuth
import Storage
import Testing

extension StorageSuite {
    static let logs: [Behaviour] = [
        Behaviour("a log event comes back as it was written", logEventComesBack),
        Behaviour("ids of log events grow, also where the clock is set back", logIDsGrow),
        Behaviour("who follows the log from id to id misses nothing that two nodes write", logIsFollowed),
        Behaviour("the log is searched alike in every database", logIsSearched),
        Behaviour("a log stream goes on where it was, and one node sends for it at a time", logStreamGoesOn),
        Behaviour("log events are kept for their time, and no longer", logsAreKeptForTheirTime),
    ]

    static func logEvent(_ type: LogEventType = .login, _ description: String? = nil) -> LogEvent {
        LogEvent(type, at: Sample.now, description: description)
    }

    @discardableResult
    static func append(
        _ events: [LogEvent], at now: Date = Sample.now, to database: any SQLDatabase
    ) async throws -> [LogEvent] {
        try await database.write { try LogEventStore.append(events, at: now, in: $0) }
    }

    private static func logEventComesBack(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let store = Stores(database: database).logEvents
        var full = logEvent(.failedRefresh, "Unknown or invalid refresh token.")
        (full.clientID, full.clientName, full.connection) = ("client", "Client", "users")
        (full.connectionID, full.ip, full.userAgent) = ("con_1", "192.0.2.1", "curl/8")
        (full.userID, full.userName, full.hostname) = ("auth0|1", "ada@example.com", "login.example.com")
        (full.audience, full.scope, full.strategy) = ("api", "openid email", "auth0")
        (full.strategyType, full.isMobile) = ("database", true)
        full.details = ["request_id": "r", "elapsed_ms": 3, "nested": ["a": [true, nil]]]
        let written = try await append([full, logEvent()], to: database)
        for event in written { #expect(try await store.find(event.id) == event) }
        #expect(try await store.list(after: nil, limit: 10) == written)
        #expect(try await store.list(after: written[0].id, limit: 10) == [written[1]])
        #expect(try await store.list(after: nil, limit: 1) == [written[0]])
        #expect(try await store.newestID() == written[1].id)
        #expect(try await store.find("900") == nil)
        #expect(try await store.userNames([Sample.userID, "auth0|nobody"]) == [Sample.userID: "ada@example.com"])
    }

    private static func logIDsGrow(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        var ids: [String] = []
        for offset in [0, 0, 0.001, -3600, 0.5, 60] {
            ids += try await append([logEvent(), logEvent()], at: Sample.now + offset, to: database).map(\.id)
        }
        #expect(ids == ids.sorted() && Set(ids).count == 12)
        #expect(ids.allSatisfy { $0.hasPrefix("900") && $0.count == 32 && $0.allSatisfy(\.isNumber) })
        #expect(ids[0] == LogEventID.first(at: Sample.now))
        #expect(try await Stores(database: database).logEvents.list(after: nil, limit: 100).map(\.id) == ids)
    }

    private static func logIsFollowed(_ suite: StorageSuite) async throws {
        let nodes = try await suite.nodes()
        let store = Stores(database: nodes[0]).logEvents
        let reader = Task {
            var (seen, last): ([String], String?) = ([], nil)
            while seen.count < 240, !Task.isCancelled {
                let found = try await store.list(after: last, limit: 7)
                seen += found.compactMap(\.description)
                last = found.last?.id ?? last
                if found.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
            }
            return seen
        }
        _ = try await race(24) { index in
            // The nodes' clocks differ.
            try await append(
                (0..<10).map { logEvent(.login, "\(index) \($0)") }, at: Sample.now + Double(index % 2),
                to: nodes[index % 2])
        }
        let deadline = Task {
            try await Task.sleep(for: .seconds(20))
            reader.cancel()
        }
        let seen = try await reader.value
        deadline.cancel()
        #expect(Set(seen).count == 240 && seen.count == 240)
    }

    private static func logsAreKeptForTheirTime(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let sweep = Stores(database: database).expiredRows
        for offset in [0.0, 1, 2] {
            try await append([logEvent(.login, "\(offset)")], at: Sample.now + offset, to: database)
        }
        #expect(try await sweep.deleteBatch(at: Sample.now) == false)
        #expect(try await Sample.count("SELECT COUNT(*) AS rows FROM log_event", in: database) == 3)
        #expect(try await sweep.deleteBatch(at: Sample.now, logsBefore: Sample.now + 1) == false)
        let left = try await Stores(database: database).logEvents.list(after: nil, limit: 10)
        #expect(left.map(\.description) == ["1.0", "2.0"])
    }

    private static func logIsSearched(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let store = Stores(database: database).logEvents
        func event(_ type: LogEventType, _ user: String?, _ description: String, at offset: Double) -> LogEvent {
            var event = LogEvent(type, at: Sample.now + offset, description: description)
            (event.userID, event.userName) = (user.map { "auth0|\($0)" }, user.map { "\($0)@example.com" })
            (event.clientID, event.isMobile) = ("app_1", offset > 0)
            return event
        }
        let day = 86_400.0
        for (type, user, description, offset) in [
            (.login, "ada", "100% sure", -2 * day), (.wrongPassword, "ada", "Wrong", 0),
            (.unknownUser, nil, "Wrong", 1),
            (.login, "Grace", "a_b", day),
        ] as [(LogEventType, String?, String, Double)] {
            try await append(
                [event(type, user, description, at: offset)], at: Sample.now + offset, to: database)
        }
        let today = LogEvent.text(of: Sample.now)
        for (text, found) in [
            ("type:s", ["s", "s"]), ("type:s AND user_id:\"auth0|ada\"", ["s"]), ("type:fp type:fu", ["fu", "fp"]),
            ("type:(fp OR fu)", ["fu", "fp"]), ("NOT type:s", ["fu", "fp"]), ("-type:s", ["fu", "fp"]),
            ("type:f*", ["fu", "fp"]), ("type:f?", ["fu", "fp"]), ("type:f", []),
            ("user_name:grace@example.com", ["s"]),
            ("user_name:GRACE*", ["s"]), ("wrong", ["fu", "fp"]), ("\"100% sure\"", ["s"]), ("description:1*_*", []),
            ("description:a_b", ["s"]), ("description:a?b", ["s"]), ("description:*%*", ["s"]),
            ("_exists_:user_id", ["s", "fp", "s"]), ("NOT user_name:ada@example.com", ["s", "fu"]),
            ("date:[\(today.prefix(10)) TO *]", ["s", "fu", "fp"]), ("date:\(today.prefix(10))", ["fu", "fp"]),
            ("date:>=\"\(today)\"", ["s", "fu", "fp"]), ("date:[* TO \"\(today)\"]", ["fp", "s"]),
            ("isMobile:true", ["s", "fu"]),
            ("client_id:app_1 AND (type:fp OR (type:s AND user_id:*ada))", ["fp", "s"]),
            ("type:[fp TO fu]", ["fu", "fp"]), ("client_id:APP_1", []),
        ] {
            var query = LogEventQuery()
            query.search = try SearchQuery(text)
            #expect(try await store.list(query).map(\.type) == found, "\(text)")
            #expect(try await store.count(query) == found.count, "\(text)")
        }
        var page = LogEventQuery()
        (page.offset, page.limit) = (1, 2)
        #expect(try await store.list(page).map(\.type) == ["fu", "fp"])
        page.isNewestFirst = false
        #expect(try await store.list(page).map(\.type) == ["fp", "fu"])
        page.userID = "auth0|ada"
        #expect(try await store.list(page).map(\.type) == ["fp"])
        for text in [
            "nothing:x", "date:x", "isMobile:x", "type:", "(type:s", "type:s)", "\"open", "type:[a b]", "", "AND",
        ] {
            let error = await failure {
                var query = LogEventQuery()
                query.search = try SearchQuery(text)
                return try await store.list(query)
            }
            #expect(error is SearchQuery.Problem || text == "AND", "\(text)")
        }
        let deep = String(repeating: "(", count: 500) + "type:s" + String(repeating: ")", count: 500)
        #expect(throws: SearchQuery.Problem.self) { try SearchQuery(deep) }
        #expect(throws: SearchQuery.Problem.self) { try SearchQuery(String(repeating: "a ", count: 1000)) }
    }

    private static func logStreamGoesOn(_ suite: StorageSuite) async throws {
        let nodes = try await suite.nodes()
        let stores = nodes.map { Stores(database: $0).logStreams }
        let members: JSONObject = [
            "name": "webhook", "type": "http", "sink": ["httpEndpoint": "https://hook.example.com/logs"],
        ]
        let stream = try LogStream(document: Document(members, path: ""), standardID: "lst_1")
        let now = Sample.now.storable
        try await append([logEvent()], to: nodes[0])
        try await nodes[0].write { try LogStreamStore.save(stream, sealedSecrets: "sealed", at: now, in: $0) }
        // What happened before the stream was there is not sent.
        #expect(try await !stores[0].isAnyDue(at: now))
        let written = try await append([logEvent(), logEvent()], to: nodes[0])
        #expect(try await stores[0].isAnyDue(at: now))
        let claims = try await race(10) { try await stores[$0 % 2].claim(at: now, lease: 60) }.compactMap(\.self)
        let claim = try #require(claims.first)
        #expect(claims.count == 1 && claim.stream == stream && claim.sealedSecrets == "sealed")
        #expect(try await stores[1].claim(at: now + 59, lease: 60) == nil)
        try await stores[0].putOff(claim, until: now + 10, isSuspended: false)
        #expect(try await stores[0].claim(at: now + 9, lease: 60) == nil)
        let second = try #require(try await stores[1].claim(at: now + 10, lease: 60))
        #expect(second.failures == 1 && second.cursor == claim.cursor)
        // A try whose lease has passed changes nothing any more.
        try await stores[0].advance(claim, to: "9", at: now)
        try await stores[1].advance(second, to: written[0].id, at: now)
        let third = try #require(try await stores[0].claim(at: now, lease: 60))
        #expect(third.failures == 0 && third.cursor == written[0].id)
        try await stores[0].putOff(third, until: now, isSuspended: true)
        #expect(try await !stores[0].isAnyDue(at: now + 3600))
        try await nodes[0].write { try LogStreamStore.save(stream, sealedSecrets: nil, at: now, in: $0) }
        let fourth = try #require(try await stores[1].claim(at: now, lease: 60))
        #expect(fourth.sealedSecrets == "sealed" && fourth.cursor == written[0].id)
        try await stores[1].advance(fourth, to: written[1].id, at: now)
        #expect(try await !stores[0].isAnyDue(at: now))
        try await nodes[0].write { try LogStreamStore.delete(stream.id, in: $0) }
        #expect(try await nodes[0].read { try LogStreamStore.list(in: $0) }.isEmpty)
    }
}
