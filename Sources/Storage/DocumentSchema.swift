import OAuth

/// What a type reads from a ``Document``: the shape of a request's payload, told by the code that reads it, so that no
/// description of it can say something else.
package indirect enum DocumentSchema: Sendable, Hashable {
    case text(most: Int?)
    case bool
    case integer(ClosedRange<Int>)
    case choice([String])
    case texts
    case list([String: Member])
    case object([String: Member])
    /// An object whose members are the caller's.
    case anyObject
    case any

    /// A member of an object.
    package struct Member: Sendable, Hashable {
        package var schema: DocumentSchema
        package var isRequired: Bool
        /// Whether null may stand there.
        package var isNullable: Bool

        package init(_ schema: DocumentSchema, isRequired: Bool = false, isNullable: Bool = false) {
            (self.schema, self.isRequired, self.isNullable) = (schema, isRequired, isNullable)
        }
    }

    /// The members that `read` asks for.
    /// - Throws: ``Document/Problem`` where `read` refuses even what it has said to want: a defect of its own.
    package static func members(
        readBy read: (Document) throws(Document.Problem) -> Void
    ) throws(Document.Problem) -> [String: Member] {
        let observer = SchemaObserver()
        // Each turn tells of one more member that must be there.
        while true {
            do {
                try read(Document(observer: observer, path: ""))
                return observer.members
            } catch {
                guard observer.standIn(for: error.path) else { throw error }
            }
        }
    }
}

/// Collects what is asked of a document that has no value.
final class SchemaObserver {
    private var kinds: [String: DocumentSchema] = [:]
    private var children: [String: (observer: SchemaObserver, isList: Bool)] = [:]
    private var required: Set<String> = []
    /// What is given where something must be there, by its path; the outermost observer keeps them all.
    private var standIns: [String: JSONValue] = [:]
    /// Objects whose members are known, and which cannot all be there at once.
    private var absent: Set<String> = []
    private let root: SchemaObserver?

    init(below root: SchemaObserver? = nil) { self.root = root }

    func take(_ name: String, path: String) -> JSONValue? {
        if kinds[name] == nil { kinds[name] = .any }
        return (root ?? self).standIns[path]
    }

    func note(_ name: String, _ kind: DocumentSchema) { kinds[name] = kind }

    func note(_ known: Set<String>) {
        for name in known where kinds[name] == nil && children[name] == nil { kinds[name] = .any }
    }

    func object(_ name: String) -> SchemaObserver? { child(name, isList: false) }

    func list(_ name: String) -> SchemaObserver? { child(name, isList: true) }

    private func child(_ name: String, isList: Bool) -> SchemaObserver? {
        if absent.contains(name) { return nil }
        if let (observer, _) = children[name] { return observer }
        let observer = SchemaObserver(below: root ?? self)
        children[name] = (observer, isList)
        return observer
    }

    /// Gives a value to the member that was missed, and leaves out the object that was too much; false where that has been
    /// tried, or there is no such member.
    func standIn(for path: String) -> Bool {
        var (observer, steps) = (self, path.split(separator: ".").map { String($0.prefix { $0 != "[" }) })
        guard let name = steps.popLast() else { return false }
        for step in steps {
            guard let (child, _) = observer.children[step] else { return false }
            observer = child
        }
        if observer.children[name] != nil { return observer.absent.insert(name).inserted }
        guard standIns[path] == nil, let kind = observer.kinds[name] else { return false }
        observer.required.insert(name)
        standIns[path] =
            switch kind {
            // An address is the only text that is read with rules of its own inside of what a request must have.
            case .text, .any: name == "email" ? "x@example.com" : "x"
            case .bool: false
            case .integer(let range): .integer(Int64(range.lowerBound))
            case .choice(let values): .string(values.first ?? "x")
            case .texts: ["x"]
            case .list: []
            case .object, .anyObject: [:]
            }
        return true
    }

    var members: [String: DocumentSchema.Member] {
        var members = kinds.mapValues { DocumentSchema.Member($0) }
        for (name, (observer, isList)) in children {
            members[name] = DocumentSchema.Member(isList ? .list(observer.members) : .object(observer.members))
        }
        for name in required { members[name]?.isRequired = true }
        return members
    }
}
