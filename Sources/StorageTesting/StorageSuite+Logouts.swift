import Foundation
import OAuth
import Storage
import Testing

extension StorageSuite {
    static let logouts: [Behaviour] = [
        Behaviour("sessions whose time is up are removed and named, and no others", expiredSessions),
        Behaviour("of twenty that end a session at once, one does", sessionEndRace),
        Behaviour("an application takes part in a session once, and is taken out once", participants),
        Behaviour("applications go on in the session that replaces theirs, under their sid", participantsMove),
        Behaviour("an application that joins a session as it ends is told, or does not join", participantsRace),
        Behaviour("participants of sessions that ended unnoticed are taken when their time is up", participantsExpire),
        Behaviour("a delivery is its claimer's for as long as the lease, then anybody's", deliveryLease),
        Behaviour("a delivery is put off and finished by its last claimer alone", deliveryOwner),
        Behaviour("two nodes that claim deliveries at once get each delivery once", deliveryRace),
    ]

    private static func expiredSessions(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let now = Sample.now
        try await database.write { transaction in
            // A session ends by either of its two ends.
            for (digest, idle, end) in [("idle", 0.0, 9.0), ("end", 9.0, 0.0), ("future", 1.0, 1.0)] {
                try SessionStore.insert(
                    Session(
                        digest: digest, sid: "sid of \(digest)", userID: Sample.userID, connection: Sample.connection,
                        authenticatedAt: now, idleExpiresAt: now + idle, expiresAt: now + end), in: transaction)
            }
        }
        let one = try await database.write { try SessionStore.deleteExpired(at: now, most: 1, in: $0) }
        let other = try await database.write { try SessionStore.deleteExpired(at: now, most: 9, in: $0) }
        #expect(one.count == 1 && other.count == 1)
        #expect(Set((one + other).map(\.sid)) == ["sid of idle", "sid of end"])
        let left = try await database.read { try $0.rows("SELECT digest FROM session") }
        #expect(try left.map { try $0.text("digest") } == ["future"])
    }

    private static func sessionEndRace(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let session = Sample.session("s")
        try await database.write { try SessionStore.insert(session, in: $0) }
        let ended = try await race(20) { _ in
            try await database.write { try SessionStore.delete(digest: "s", in: $0) }
        }
        #expect(ended.compactMap(\.self) == [session])
    }

    private static func participants(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let (session, other) = (Sample.session("s"), Sample.session("t"))
        try await database.write { transaction in
            for clientID in ["a", "b", "a"] {
                try SessionClientStore.insert(SessionClient(session, clientID: clientID), in: transaction)
            }
            try SessionClientStore.insert(SessionClient(other, clientID: "a"), in: transaction)
        }
        let taken = try await race(10) { _ in
            try await database.write { try SessionClientStore.take(sessions: [session.sid, "unknown"], in: $0) }
        }
        #expect(
            taken.flatMap(\.self) == [SessionClient(session, clientID: "a"), SessionClient(session, clientID: "b")])
        #expect(try await database.write { try SessionClientStore.take(sessions: [], in: $0) }.isEmpty)
        let rest = try await database.write { try SessionClientStore.take(sessions: [other.sid], in: $0) }
        #expect(rest == [SessionClient(other, clientID: "a")])
    }

    private static func participantsMove(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let (old, new) = (Sample.session("old"), Sample.session("new", lasting: 500))
        try await database.write { transaction in
            try SessionClientStore.insert(SessionClient(old, clientID: "a"), in: transaction)
            try SessionClientStore.insert(SessionClient(Sample.session("z"), clientID: "z"), in: transaction)
            try SessionClientStore.move(from: old, to: new, in: transaction)
            try SessionClientStore.insert(SessionClient(new, clientID: "a"), in: transaction)
        }
        #expect(try await database.write { try SessionClientStore.take(sessions: [old.sid], in: $0) }.isEmpty)
        let taken = try await database.write { try SessionClientStore.take(sessions: [new.sid], in: $0) }
        #expect(taken.map(\.sid) == [new.sid, old.sid] && taken.map(\.clientID) == ["a", "a"])
        #expect(taken.allSatisfy { $0.expiresAt == new.expiresAt && $0.userID == Sample.userID })
    }

    private static func participantsRace(_ suite: StorageSuite) async throws {
        let nodes = try await suite.openTwice()
        try await Migrations.run(on: nodes[0])
        try await nodes[0].write { try Sample.insert(in: $0) }
        for round in 0..<20 {
            let session = Sample.session("s\(round)")
            try await nodes[0].write { try SessionStore.insert(session, in: $0) }
            let results = try await race(2) { index in
                try await nodes[index].write { transaction in
                    if index == 0 {
                        guard try SessionStore.hold(session, in: transaction) else { return false }
                        try SessionClientStore.insert(SessionClient(session, clientID: "a"), in: transaction)
                        return true
                    }
                    #expect(try SessionStore.delete(digest: session.digest, in: transaction) != nil)
                    return try SessionClientStore.take(sessions: [session.sid], in: transaction).count == 1
                }
            }
            #expect(results == [true, true] || results == [false, false])
        }
        #expect(try await Sample.count("SELECT COUNT(*) AS rows FROM session_client", in: nodes[0]) == 0)
    }

    private static func participantsExpire(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let (past, future) = (Sample.session("past", lasting: 10), Sample.session("future", lasting: 20))
        try await database.write { transaction in
            for clientID in ["a", "b"] {
                try SessionClientStore.insert(SessionClient(past, clientID: clientID), in: transaction)
                try SessionClientStore.insert(SessionClient(future, clientID: clientID), in: transaction)
            }
        }
        let take: @Sendable (Date, Int) async throws -> [SessionClient] = { now, most in
            try await database.write { try SessionClientStore.takeExpired(at: now, most: most, in: $0) }
        }
        #expect(try await take(past.expiresAt - 0.001, 9).isEmpty)
        #expect(try await take(past.expiresAt, 1).count == 1)
        #expect(try await take(past.expiresAt, 9).map(\.sid) == [past.sid])
        #expect(try await take(future.expiresAt, 9).map(\.sid) == [future.sid, future.sid])
    }

    private static func insert(_ count: Int, in database: any SQLDatabase) async throws {
        try await database.write { transaction in
            for index in 0..<count {
                try LogoutDeliveryStore.insert(
                    LogoutDelivery(
                        SessionClient(Sample.session("s\(index)"), clientID: "a"), uri: "https://a.example/out?x=ü"),
                    at: Sample.now, in: transaction)
            }
        }
    }

    private static func deliveryLease(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let deliveries = Stores(database: database).logoutDeliveries
        let now = Sample.now
        // Twice the same is one delivery.
        try await insert(1, in: database)
        try await insert(1, in: database)
        #expect(try await !deliveries.isAnyDue(at: now - 0.001))
        #expect(try await deliveries.claim(at: now - 0.001, lease: 60, most: 9).isEmpty)
        #expect(try await deliveries.isAnyDue(at: now))
        let claimed = try await deliveries.claim(at: now, lease: 60, most: 9)
        #expect(claimed.count == 1 && claimed.first?.attempts == 1)
        #expect(claimed.first?.sid == "sid of s0" && claimed.first?.clientID == "a")
        #expect(claimed.first?.uri == "https://a.example/out?x=ü" && claimed.first?.userID == Sample.userID)
        #expect(try await !deliveries.isAnyDue(at: now + 59))
        #expect(try await deliveries.claim(at: now + 59, lease: 60, most: 9).isEmpty)
        #expect(try await deliveries.claim(at: now + 60, lease: 60, most: 9).map(\.attempts) == [2])
    }

    private static func deliveryOwner(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let deliveries = Stores(database: database).logoutDeliveries
        let now = Sample.now
        try await insert(2, in: database)
        let first = try await deliveries.claim(at: now, lease: 60, most: 1)
        #expect(first.map(\.sid) == ["sid of s0"])
        try await deliveries.putOff(first[0], until: now + 200)
        let second = try await deliveries.claim(at: now + 199, lease: 60, most: 9)
        #expect(second.map(\.sid) == ["sid of s1"])
        let third = try await deliveries.claim(at: now + 200, lease: 60, most: 9)
        #expect(third.map(\.sid) == ["sid of s0"] && third.map(\.attempts) == [2])
        // Its former claimer, late, changes nothing.
        try await deliveries.finish(first[0])
        try await deliveries.putOff(first[0], until: now)
        #expect(try await deliveries.claim(at: now + 201, lease: 60, most: 9).isEmpty)
        #expect(try await Sample.count("SELECT COUNT(*) AS rows FROM logout_delivery", in: database) == 2)
        try await deliveries.finish(third[0])
        try await deliveries.finish(second[0])
        #expect(try await Sample.count("SELECT COUNT(*) AS rows FROM logout_delivery", in: database) == 0)
    }

    private static func deliveryRace(_ suite: StorageSuite) async throws {
        let nodes = try await suite.openTwice()
        try await Migrations.run(on: nodes[0])
        try await nodes[0].write { try Sample.insert(in: $0) }
        try await insert(40, in: nodes[0])
        let claimed = try await race(20) { index in
            try await Stores(database: nodes[index % 2]).logoutDeliveries.claim(at: Sample.now, lease: 60, most: 5)
        }.flatMap(\.self)
        #expect(Set(claimed.map(\.sid)).count == claimed.count)
        #expect(claimed.allSatisfy { $0.attempts == 1 })
        let rest = try await Stores(database: nodes[1]).logoutDeliveries.claim(at: Sample.now, lease: 60, most: 40)
        #expect(Set((claimed + rest).map(\.sid)).count == 40)
    }
}
