import Foundation
import OAuth
import Storage
import Synchronization

/// What actions have put aside for their next run (`api.cache`), in this process's memory: any entry may be gone.
package final class ScriptCache: Sendable {
    /// A text, and the seconds for which it is good.
    struct Entry: Sendable, Equatable {
        let value: String
        let lifetime: TimeInterval
    }

    private struct Kept {
        let value: String
        let expiresAt: Date
    }

    // Auth0's limits.
    static let longestValue = 4096
    private static let mostEntries = 20
    private static let mostBytes = 8192
    private static let longest: TimeInterval = 86_400

    private let entries = Mutex<[ActionTrigger: [String: Kept]]>([:])

    init() {}

    /// The entries of a trigger, as an action gets them: the sandbox counts by a clock of its own.
    func members(of trigger: ActionTrigger, at now: Date) -> JSONObject {
        let entries = entries.withLock { $0[trigger] ?? [:] }.filter { $0.value.expiresAt > now }
        return entries.mapValues { entry in
            [
                "value": .string(entry.value),
                "ttl": .integer(Int64(entry.expiresAt.timeIntervalSince(now) * 1000)),
            ]
        }
    }

    /// Keeps an entry, or lets go of it; what is too much makes room by the entries that end first.
    func set(_ key: String, _ entry: Entry?, of trigger: ActionTrigger, at now: Date) {
        entries.withLock { all in
            var kept = (all[trigger] ?? [:]).filter { $0.value.expiresAt > now }
            kept[key] = entry.map {
                Kept(value: $0.value, expiresAt: now.addingTimeInterval(min($0.lifetime, Self.longest)))
            }
            while kept.count > Self.mostEntries
                || kept.reduce(0, { $0 + $1.key.utf8.count + $1.value.value.utf8.count }) > Self.mostBytes
            {
                let others = kept.filter { $0.key != key }
                guard let first = others.min(by: { $0.value.expiresAt < $1.value.expiresAt })?.key else { break }
                kept[first] = nil
            }
            all[trigger] = kept
        }
    }
}
