import OAuth

/// Where a part of a document stands: `clients[2].callbacks[0]`.
enum JSONPath {
    /// One step into a document.
    enum Step: Hashable {
        case name(String)
        case index(Int)
    }

    /// The names and positions in `.refresh_token.leeway` or `.callbacks[2]`.
    static func steps(_ path: String) -> [Step] {
        path.split(separator: ".").flatMap { part -> [Step] in
            let pieces = part.split(separator: "[", omittingEmptySubsequences: false)
            return [.name(String(pieces[0]))] + pieces.dropFirst().compactMap { Int($0.dropLast()).map(Step.index) }
        }
    }

    /// The part of `value` at `steps`; nil where there is none.
    static func value(at steps: ArraySlice<Step>, in value: JSONValue) -> JSONValue? {
        guard let step = steps.first else { return value }
        let child: JSONValue? =
            switch step {
            case .name(let name): value.object?[name]
            case .index(let index): value.array.flatMap { $0.indices.contains(index) ? $0[index] : nil }
            }
        return child.flatMap { Self.value(at: steps.dropFirst(), in: $0) }
    }

    /// `value` without the part at `steps`; nil where that is all of it.
    static func removing(_ steps: ArraySlice<Step>, from value: JSONValue) -> JSONValue? {
        guard let step = steps.first else { return nil }
        switch step {
        case .name(let name):
            guard var members = value.object, let child = members[name] else { return value }
            members[name] = removing(steps.dropFirst(), from: child)
            return .object(members)
        case .index(let index):
            guard var array = value.array, array.indices.contains(index) else { return value }
            if let child = removing(steps.dropFirst(), from: array[index]) {
                array[index] = child
            } else {
                array.remove(at: index)
            }
            return .array(array)
        }
    }

    /// `value` without the parts at `paths`; what lacks a part that has a problem goes as a whole.
    static func removing(_ paths: [String], from value: JSONValue) -> JSONValue {
        var targets: Set<[Step]> = []
        for path in paths {
            var steps = steps(path)
            while !steps.isEmpty, Self.value(at: steps[...], in: value) == nil { steps.removeLast() }
            if !steps.isEmpty { targets.insert(steps) }
        }
        // From the end of each list on, so that the positions before stay what they are.
        let ordered = targets.sorted { left, right in
            for (a, b) in zip(left, right) where a != b {
                if case .index(let first) = a, case .index(let second) = b { return first > second }
                return "\(a)" < "\(b)"
            }
            return left.count > right.count
        }
        return ordered.reduce(value) { value, steps in removing(steps[...], from: value) ?? value }
    }
}
