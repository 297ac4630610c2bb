import Foundation
import OAuth
import Storage
import Testing

extension StorageSuite {
    static let jobs: [Behaviour] = [
        Behaviour("a job's file comes in piece by piece, and nobody sees the job before", jobUpload),
        Behaviour("of jobs that are made at once no more than allowed are taken", jobLimit),
        Behaviour("a job is its claimer's for as long as the lease, then goes on where it stands", jobLease),
        Behaviour("two nodes that claim jobs at once get each job once", jobRace),
        Behaviour("a job that is over keeps its errors for a day, an import's file no longer", jobEnds),
    ]

    private static func submit(
        _ id: String, to database: any SQLDatabase, most: Int = 9, at now: Date = Sample.now
    ) async throws -> Job? {
        guard try await Stores(database: database).jobs.beginUpload(id, .usersImport, most: most, at: now) else {
            return nil
        }
        return try await database.write {
            try JobStore.submit(id, settings: ["upsert": true], most: most, at: now, in: $0)
        }
    }

    private static func jobUpload(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let store = Stores(database: database).jobs
        #expect(try await store.beginUpload("job_1", .usersImport, most: 1, at: Sample.now))
        #expect(try await store.beginUpload("job_2", .usersImport, most: 1, at: Sample.now) == false)
        // Each piece keeps it; a node that has died over it sends none, and is in nobody's way for long.
        for minute in 1...3 {
            try await database.write { try JobStore.keepUpload("job_1", at: Sample.now + Double(minute) * 60, in: $0) }
        }
        #expect(try await store.beginUpload("job_2", .usersImport, most: 1, at: Sample.now + 299) == false)
        #expect(try await store.beginUpload("job_0", .usersImport, most: 1, at: Sample.now + 300))
        try await store.delete("job_0")
        let late = await failure {
            try await database.write { try JobStore.keepUpload("job_1", at: Sample.now + 300, in: $0) }
        }
        #expect(late is JobStore.Lost)
        let bytes = Data((0..<JobStore.pieceSize).map { UInt8(truncatingIfNeeded: $0) })
        try await database.write { try JobStore.writePiece(1, bytes, of: "job_1", in: $0) }
        #expect(try await store.find("job_1") == nil)
        #expect(try await store.claim(at: Sample.now, lease: 60) == nil)
        let job = try await database.write {
            try JobStore.submit("job_1", settings: ["upsert": true], most: 1, at: Sample.now, in: $0)
        }
        #expect(try await store.find("job_1") == job && job?.status == .pending && job?.settings == ["upsert": true])
        #expect(try await store.piece(1, of: "job_1") == bytes)
        #expect(try await store.piece(2, of: "job_1") == nil)
        let twice = await failure {
            try await database.write {
                _ = try JobStore.submit("job_1", settings: [:], most: 1, at: Sample.now, in: $0)
            }
        }
        #expect(twice is JobStore.Lost)
        let unknown = await failure {
            try await database.write { try JobStore.writePiece(1, bytes, of: "job_2", in: $0) }
        }
        #expect(unknown as? SQLError == .foreignKeyViolation)
        try await store.delete("job_1")
        #expect(try await store.piece(1, of: "job_1") == nil)
    }

    private static func jobLimit(_ suite: StorageSuite) async throws {
        let nodes = try await suite.nodes()
        let taken = try await race(10) { index in
            try await submit("job_\(index)", to: nodes[index % 2], most: 2)?.id
        }
        #expect(taken.compactMap(\.self).count == 2)
        let export = try await nodes[0].write {
            try JobStore.create("job_e", .usersExport, settings: [:], most: 1, at: Sample.now, in: $0)
        }
        #expect(export?.status == .pending)
    }

    private static func jobLease(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let (store, now) = (Stores(database: database).jobs, Sample.now)
        _ = try await submit("job_1", to: database)
        #expect(try await store.isAnyDue(at: now))
        let first = try #require(try await store.claim(at: now, lease: 60))
        #expect(first.status == .processing)
        #expect(try await store.isAnyDue(at: now + 59) == false)
        #expect(try await store.claim(at: now + 59, lease: 60) == nil)
        var progress = Job.Progress()
        (progress.position, progress.inserted, progress.percentage, progress.secondsLeft) = ("512", 7, 42, 3)
        let noted = progress
        try await database.write { try JobStore.advance(first, to: noted, until: now + 90, in: $0) }
        #expect(try await store.claim(at: now + 60, lease: 60) == nil)
        let second = try #require(try await store.claim(at: now + 90, lease: 60))
        #expect(second.progress == noted)
        // Who has lost the job writes nothing more, and gives nothing back.
        let lost = await failure {
            try await database.write { transaction in
                try JobStore.writeErrors([JobError(row: 1, document: [:])], of: first, in: transaction)
                try JobStore.advance(first, to: Job.Progress(), until: now + 200, in: transaction)
            }
        }
        #expect(lost is JobStore.Lost)
        #expect(try await store.errors(of: "job_1", limit: 9).isEmpty)
        try await store.release(first, at: now)
        #expect(try await store.claim(at: now + 91, lease: 60) == nil)
        try await store.release(second, at: now + 91)
        #expect(try await store.claim(at: now + 91, lease: 60)?.progress == noted)
    }

    private static func jobRace(_ suite: StorageSuite) async throws {
        let nodes = try await suite.nodes()
        for index in 0..<6 { _ = try await submit("job_\(index)", to: nodes[0], at: Sample.now + Double(index)) }
        let claimed = try await race(12) { index in
            try await Stores(database: nodes[index % 2]).jobs.claim(at: Sample.now + 10, lease: 60)?.id
        }
        let ids = claimed.compactMap(\.self)
        #expect(Set(ids).count == ids.count)
    }

    private static func jobEnds(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let (stores, now) = (Stores(database: database), Sample.now)
        _ = try await submit("job_1", to: database)
        try await database.write { try JobStore.writePiece(1, Data("[]".utf8), of: "job_1", in: $0) }
        let job = try #require(try await stores.jobs.claim(at: now, lease: 60))
        let errors = [2, 1].map { JobError(row: $0, document: ["user": ["email": "ada@example.com"]]) }
        try await database.write { transaction in
            try JobStore.writeErrors(errors, of: job, in: transaction)
            try JobStore.finish(job, Job.Progress(), failure: nil, at: now, in: transaction)
        }
        #expect(try await stores.jobs.find("job_1")?.status == .completed)
        #expect(try await stores.jobs.piece(1, of: "job_1") == nil)
        #expect(try await stores.jobs.isAnyDue(at: now + 1000) == false)
        _ = try await stores.expiredRows.deleteBatch(at: now + Job.lifetime - 1)
        #expect(try await stores.jobs.errors(of: "job_1", limit: 9).map(\.row) == [1, 2])
        _ = try await stores.expiredRows.deleteBatch(at: now + Job.lifetime)
        #expect(try await stores.jobs.find("job_1") == nil)
        #expect(try await stores.jobs.errors(of: "job_1", limit: 9).isEmpty)
    }
}
