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

    private typealias Step = JSONPath.Step

    /// Leaves out the part at `path`; where there is none, a text stands in for it, or its surroundings go.
    /// - Returns: the part's path in the file, its value, and whether its problem is new; nil where nothing helps.
    mutating func leaveOut(_ problemPath: String) -> (path: String, value: JSONValue?, isNew: Bool)? {
        let steps = JSONPath.steps(String(problemPath.dropFirst(path.count)))
        guard !steps.isEmpty else { return nil }
        let original = originalPath(steps)
        let found = JSONPath.value(at: steps[...], in: value)
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
        value = JSONPath.removing(steps[...], from: value) ?? value
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
}
