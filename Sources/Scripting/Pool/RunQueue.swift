/// Those who wait for a worker. Shares take turns, however many each has waiting; within one, who came first goes first.
struct RunQueue<Waiter> {
    private struct Entry {
        let number: Int
        let waiter: Waiter
    }

    /// The shares that have somebody waiting, the one whose turn is next first.
    private var turns: [String] = []
    private var entries: [String: [Entry]] = [:]
    private(set) var count = 0
    /// What ``append(_:share:)`` will call the next one.
    private(set) var nextNumber = 1

    func count(of share: String) -> Int { entries[share]?.count ?? 0 }

    mutating func append(_ waiter: Waiter, share: String) {
        if entries[share] == nil { turns.append(share) }
        entries[share, default: []].append(Entry(number: nextNumber, waiter: waiter))
        count += 1
        nextNumber += 1
    }

    /// Whether there is somebody whose share passes.
    func hasNext(where isAllowed: (String) -> Bool) -> Bool { turns.contains(where: isAllowed) }

    /// Takes out the first one of the first share that passes; that share is then the last in turn.
    mutating func next(where isAllowed: (String) -> Bool) -> (share: String, waiter: Waiter)? {
        guard let turn = turns.firstIndex(where: isAllowed) else { return nil }
        let share = turns.remove(at: turn)
        guard let waiter = take(from: share, at: 0) else { return nil }
        if entries[share] != nil { turns.append(share) }
        return (share, waiter)
    }

    /// Takes out the one of that number.
    mutating func remove(_ number: Int) -> Waiter? {
        for (share, line) in entries {
            guard let index = line.firstIndex(where: { $0.number == number }) else { continue }
            return take(from: share, at: index)
        }
        return nil
    }

    /// Takes out the one who came last of the share that has most waiting, where those are more than `length`.
    mutating func removeLast(ofSharesLongerThan length: Int) -> Waiter? {
        guard let (share, line) = entries.max(by: { $0.value.count < $1.value.count }), line.count > length else {
            return nil
        }
        return take(from: share, at: line.count - 1)
    }

    mutating func removeAll() -> [Waiter] {
        defer { (turns, entries, count) = ([], [:], 0) }
        return turns.flatMap { (entries[$0] ?? []).map(\.waiter) }
    }

    private mutating func take(from share: String, at index: Int) -> Waiter? {
        guard let entry = entries[share]?.remove(at: index) else { return nil }
        count -= 1
        if entries[share]?.isEmpty == true {
            entries[share] = nil
            turns.removeAll { $0 == share }
        }
        return entry.waiter
    }
}
