import OAuth
import Storage

extension Planner {
    /// Reads a document until it has no problem left, so that all are told at once: what is wrong is told and left out.
    mutating func parse<T>(
        _ members: JSONObject, path: String, _ make: (Document) throws(Document.Problem) -> T
    ) -> T? {
        var remaining = RemainingMembers(members, path: path)
        let before = problems.count
        for _ in 0..<500 {
            do {
                let made = try make(Document(remaining.members, path: path))
                return problems.count == before ? made : nil
            } catch {
                guard let found = remaining.leaveOut(error.path) else { return nil }
                if found.isNew { problems.append(file.problem(found.path, Self.message(error, of: found.value))) }
            }
        }
        return nil
    }

    private static func message(_ problem: Document.Problem, of value: JSONValue?) -> String {
        switch value {
        case .integer, .number, .bool:
            if problem.message == "must be a text" { return "must be a text; put it in quotes" }
        default: break
        }
        let name = problem.path.split(separator: ".").last.map(String.init) ?? ""
        let near = problem.names.isEmpty ? nil : Spelling.nearest(to: name, among: problem.names)
        return problem.message + (near.map { "; did you mean \($0)?" } ?? "")
    }
}

/// The members of an entry whose problems are not known yet.
private struct RemainingMembers {
    private var value: JSONValue
    private let path: String
    /// The positions in the file of what was left out of each list, in order.
    private var leftOut: [String: [Int]] = [:]
    private var told: Set<String> = []
    private var stoodIn: Set<String> = []

    init(_ members: JSONObject, path: String) { (value, self.path) = (.object(members), path) }

    var members: JSONObject { value.object ?? [:] }

    private enum Step: Hashable {
        case name(String)
        case index(Int)
    }

    /// Leaves out the part at `path`; where there is none, a text stands in for it, or its surroundings go.
    /// - Returns: the part's path in the file, its value, and whether its problem is new; nil where nothing helps.
    mutating func leaveOut(_ problemPath: String) -> (path: String, value: JSONValue?, isNew: Bool)? {
        let steps = Self.steps(String(problemPath.dropFirst(path.count)))
        guard !steps.isEmpty else { return nil }
        let original = originalPath(steps)
        let found = Self.value(at: steps[...], in: value)
        let isNew = told.insert(original).inserted
        if found != nil {
            remove(steps)
        } else if steps.count > 1 {
            remove(Array(steps.dropLast()))
        } else if case .name(let name) = steps[0], stoodIn.insert(name).inserted, var members = value.object {
            members[name] = "stand-in"
            value = .object(members)
        } else {
            return nil
        }
        return (original, found, isNew)
    }

    private mutating func remove(_ steps: [Step]) {
        if case .index(let index)? = steps.last {
            let list = originalPath(Array(steps.dropLast()))
            leftOut[list] = ((leftOut[list] ?? []) + [originalIndex(index, in: list)]).sorted()
        }
        value = Self.removing(steps[...], from: value) ?? value
    }

    private func originalPath(_ steps: [Step]) -> String {
        var result = path
        for step in steps {
            switch step {
            case .name(let name): result += result.isEmpty ? name : ".\(name)"
            case .index(let index): result += "[\(originalIndex(index, in: result))]"
            }
        }
        return result
    }

    private func originalIndex(_ index: Int, in list: String) -> Int {
        (leftOut[list] ?? []).reduce(index) { position, gone in gone <= position ? position + 1 : position }
    }

    /// The names and positions in `.refresh_token.leeway` or `.callbacks[2]`.
    private static func steps(_ path: String) -> [Step] {
        path.split(separator: ".").flatMap { part -> [Step] in
            let pieces = part.split(separator: "[", omittingEmptySubsequences: false)
            return [.name(String(pieces[0]))] + pieces.dropFirst().compactMap { Int($0.dropLast()).map(Step.index) }
        }
    }

    private static func value(at steps: ArraySlice<Step>, in value: JSONValue) -> JSONValue? {
        guard let step = steps.first else { return value }
        let child: JSONValue? =
            switch step {
            case .name(let name): value.object?[name]
            case .index(let index): value.array.flatMap { $0.indices.contains(index) ? $0[index] : nil }
            }
        return child.flatMap { Self.value(at: steps.dropFirst(), in: $0) }
    }

    /// `value` without the part at `steps`; nil where that is all of it.
    private static func removing(_ steps: ArraySlice<Step>, from value: JSONValue) -> JSONValue? {
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
}
