import Foundation
import OAuth
import Synchronization

/// The key sets that clients publish at their `jwks_uri`, fetched when they are needed and kept for a while.
///
/// A client may change its keys at any time: a signature by a key that is not there asks for the set anew, but not more
/// often than ``pause``, so that nobody can make this server ask somebody else's at will.
package final class RemoteKeySets: Sendable {
    private struct Entry {
        var keys: JSONWebKeySet?
        var fetchedAt: Date
        var triedAt: Date
        var failure: Problem?
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var running: [String: Task<JSONWebKeySet, any Error>] = [:]
    }

    /// Why there are no keys.
    package struct Problem: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// Seconds for which a set is used without asking again.
    static let lifetime: TimeInterval = 600
    /// Seconds between two requests for one set.
    static let pause: TimeInterval = 30
    /// Seconds for which an old set is used while its address does not answer.
    static let grace: TimeInterval = 3600
    private static let most = 1000

    private let outbound: any OutboundHTTP
    private let state = Mutex(State())

    init(outbound: any OutboundHTTP) { self.outbound = outbound }

    /// The keys at `url`.
    /// - Parameter newest: whether those that are known have not sufficed.
    /// - Throws: ``Problem``.
    package func keys(at url: String, newest: Bool = false, now: Date) async throws -> JSONWebKeySet {
        let step = state.withLock { state -> Step in
            if let task = state.running[url] { return .wait(task) }
            if let entry = state.entries[url] {
                let isFresh = now.timeIntervalSince(entry.fetchedAt) < Self.lifetime && !newest
                let mayAsk = now.timeIntervalSince(entry.triedAt) >= Self.pause
                if let keys = entry.keys, isFresh || !mayAsk { return .use(keys) }
                if let failure = entry.failure, !mayAsk { return .fail(failure) }
            }
            let task = Task { try await self.fetch(url, now) }
            state.running[url] = task
            return .wait(task)
        }
        switch step {
        case .use(let keys): return keys
        case .fail(let problem): throw problem
        case .wait(let task): return try await task.value
        }
    }

    private enum Step {
        case use(JSONWebKeySet)
        case fail(Problem)
        case wait(Task<JSONWebKeySet, any Error>)
    }

    private func fetch(_ url: String, _ now: Date) async throws -> JSONWebKeySet {
        let result = await ask(url)
        return try state.withLock { state in
            state.running[url] = nil
            var entry = state.entries[url] ?? Entry(keys: nil, fetchedAt: .distantPast, triedAt: now)
            entry.triedAt = now
            switch result {
            case .success(let keys): (entry.keys, entry.fetchedAt, entry.failure) = (keys, now, nil)
            case .failure(let problem):
                entry.failure = problem
                if now.timeIntervalSince(entry.fetchedAt) >= Self.grace { entry.keys = nil }
            }
            if state.entries[url] == nil, state.entries.count >= Self.most {
                state.entries.min { $0.value.triedAt < $1.value.triedAt }.map { state.entries[$0.key] = nil }
            }
            state.entries[url] = entry
            return try entry.keys ?? result.get()
        }
    }

    private func ask(_ url: String) async -> Result<JSONWebKeySet, Problem> {
        let response: OutboundResponse
        do throws(OutboundFailure) {
            response = try await outbound.send(
                OutboundRequest(.get, url, accept: "application/jwk-set+json, application/json"))
        } catch {
            return .failure(Problem(description: error.description))
        }
        guard response.status == 200, let members = try? JSON.decode(JSONObject.self, from: response.body) else {
            return .failure(Problem(description: "\(url.forDisplay) answered \(response.status) and no JSON object"))
        }
        do throws(JSONWebKey.Problem) {
            return .success(try JSONWebKeySet(members))
        } catch {
            return .failure(Problem(description: "\(url.forDisplay) is no JSON Web Key Set: \(error.description)"))
        }
    }
}
