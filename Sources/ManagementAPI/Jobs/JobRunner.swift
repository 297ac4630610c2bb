import AuthorizationServer
import Foundation
import Logging
import OAuth
import Storage

/// Does the jobs that requests have asked for, one at a time on each node.
///
/// How far a job has come stands in its row, and moves in the transactions that do the work: what a node has begun when it ends,
/// another one goes on with, or the same after its start.
package struct JobRunner: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Seconds for which a step belongs to its node; each step begins them anew.
    static let lease: TimeInterval = 60

    /// Why a job cannot be done, in words for whoever has asked for it.
    struct Failure: Error {
        let message: String
    }

    /// Does a job that waits, from where it stands to its end.
    /// - Returns: whether there may be more.
    package func runDue() async throws -> Bool {
        let (now, store) = (services.now(), services.stores.jobs)
        guard try await store.isAnyDue(at: now), let job = try await store.claim(at: now, lease: Self.lease) else {
            return false
        }
        do {
            guard !job.isGivenUp else {
                throw Failure(message: "The job was begun several times and never came to an end")
            }
            switch job.kind {
            case .usersImport: try await UsersImportJob(services: services, job: job).run()
            case .usersExport: try await UsersExportJob(services: services, job: job).run()
            // The request that made it has done it.
            case .verificationEmail: break
            }
        } catch is JobStore.Lost {
            services.logger.notice("job taken over by another node", metadata: ["job": "\(job.id)"])
        } catch let failure as Failure {
            try await fail(job, failure.message)
        } catch {
            guard !Task.isCancelled else {
                // The node ends; whoever comes next goes on at once.
                let services = services
                await Task { try? await services.stores.jobs.release(job, at: services.now()) }.value
                return false
            }
            if case SQLError.unavailable = error { throw error }
            services.logger.error("job failed", metadata: ["job": "\(job.id)", "cause": "\(error)"])
            try await fail(job, "An internal error occurred; the server's log has it as \(job.id)")
        }
        return true
    }

    private func fail(_ job: Job, _ message: String) async throws {
        let (now, store) = (services.now(), services.stores.jobs)
        let progress = try await store.find(job.id)?.progress ?? job.progress
        try await services.stores.database.write { transaction in
            try JobStore.finish(job, progress, failure: message, at: now, in: transaction)
        }
    }
}

/// How long the rest of some work is likely to take, from how long the part before has.
struct RemainingTime: Sendable {
    private let start: Date
    private let before: Double

    /// - Parameter fraction: what was done before, from 0 to 1.
    init(from fraction: Double, at now: Date) { (start, before) = (now, fraction) }

    /// Seconds; nil where nothing has been done yet.
    func seconds(at now: Date, fraction: Double) -> Int? {
        guard fraction > before else { return nil }
        let taken = max(0, now.timeIntervalSince(start))
        return Int((taken / (fraction - before) * (1 - min(1, fraction))).rounded(.up))
    }
}
