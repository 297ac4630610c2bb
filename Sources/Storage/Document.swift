import OAuth

/// A JSON object of Auth0's Management API on its way into a type: each member is taken once, and what is left over is
/// named instead of dropped.
package struct Document {
    private var members: JSONObject
    /// The names that were asked for: what a misspelt one may have meant.
    private var asked: Set<String> = []
    /// Where the object stands in its file or request, such as `clients[2].refresh_token`.
    package let path: String
    /// Whether numbers and truth values are read from texts: in a query everything is one.
    private let isQuery: Bool
    /// Learns what is asked for; nil where a value is read and no schema is made.
    private let observer: SchemaObserver?

    package init(_ members: JSONObject, path: String, isQuery: Bool = false) {
        (self.members, self.path, self.isQuery, observer) = (members, path, isQuery, nil)
    }

    /// A document without a value, which tells `observer` what is read from it.
    init(observer: SchemaObserver, path: String) {
        (members, self.path, isQuery, self.observer) = ([:], path, false, observer)
    }

    /// What a member should have been, at which path.
    package struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
        package let path: String
        package let message: String
        /// The names that there are, where the problem is one that there is not.
        package let names: Set<String>

        package init(path: String, message: String, names: Set<String> = []) {
            (self.path, self.message, self.names) = (path, message, names)
        }
        package var description: String { "\(path): \(message)" }
    }

    /// The path of a member.
    package func path(of name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    /// The names of the members that are there, null ones too.
    package var names: Set<String> { Set(members.keys) }

    /// A problem with a member, for rules that need more than one of them.
    package func problem(_ name: String, _ message: String) -> Problem {
        Problem(path: path(of: name), message: message)
    }

    /// The member's value, taken out; nil where it is absent or null.
    package mutating func take(_ name: String) -> JSONValue? {
        asked.insert(name)
        if let observer { return observer.take(name, path: path(of: name)) }
        guard let value = members.removeValue(forKey: name), value != .null else { return nil }
        return value
    }

    /// A text.
    /// - Throws: ``Problem`` for a value of another kind.
    package mutating func string(_ name: String) throws(Problem) -> String? {
        observer?.note(name, .text(most: nil))
        guard let value = take(name) else { return nil }
        guard let string = value.string else { throw problem(name, "must be a text") }
        return string
    }

    /// A text of no more than `most` bytes, which an index has room for.
    /// - Throws: ``Problem`` for a longer one, or a value of another kind.
    package mutating func string(_ name: String, most: Int) throws(Problem) -> String? {
        let text = try string(name)
        observer?.note(name, .text(most: most == .max ? nil : most))
        guard text?.utf8.count ?? 0 <= most else { throw problem(name, "must be at most \(most) bytes long") }
        return text
    }

    /// A text that must be there and not be empty.
    /// - Throws: ``Problem`` where it is not, or is longer than `most` bytes.
    package mutating func requiredString(_ name: String, most: Int = .max) throws(Problem) -> String {
        guard let string = try string(name, most: most), !string.isEmpty else { throw problem(name, "is required") }
        return string
    }

    /// A truth value, or `standard` where it is absent.
    /// - Throws: ``Problem`` for a value of another kind.
    package mutating func bool(_ name: String, default standard: Bool) throws(Problem) -> Bool {
        try bool(name) ?? standard
    }

    /// A truth value.
    /// - Throws: ``Problem`` for a value of another kind.
    package mutating func bool(_ name: String) throws(Problem) -> Bool? {
        observer?.note(name, .bool)
        guard let value = take(name) else { return nil }
        if isQuery, let text = value.string, let bool = Bool(text) { return bool }
        guard let bool = value.bool else { throw problem(name, "must be true or false") }
        return bool
    }

    /// A whole number.
    /// - Throws: ``Problem`` for a value of another kind or outside `range`.
    package mutating func integer(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
        observer?.note(name, .integer(range))
        guard let value = take(name) else { return nil }
        guard let integer = value.integer ?? (isQuery ? value.string.flatMap(Int.init) : nil), range.contains(integer)
        else {
            throw problem(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return integer
    }

    /// A list of texts.
    /// - Throws: ``Problem`` for a value of another kind, or that of an element.
    package mutating func strings(_ name: String) throws(Problem) -> [String]? {
        observer?.note(name, .texts)
        guard let value = take(name) else { return nil }
        // In a query a list is a name that is there more than once.
        if isQuery, let text = value.string { return [text] }
        guard let array = value.array else { throw problem(name, "must be a list of texts") }
        var strings: [String] = []
        for (index, element) in array.enumerated() {
            guard let string = element.string else { throw problem("\(name)[\(index)]", "must be a text") }
            strings.append(string)
        }
        return strings
    }

    /// A list of URIs, each proved to be one that may be registered.
    package mutating func registeredURIs(_ name: String) throws(Problem) -> [RegisteredURI]? {
        guard let texts = try strings(name) else { return nil }
        var uris: [RegisteredURI] = []
        for (index, text) in texts.enumerated() {
            do {
                uris.append(try RegisteredURI(text))
            } catch {
                throw problem("\(name)[\(index)]", error.description)
            }
        }
        return uris
    }

    /// One of an enumeration's values.
    package mutating func oneOf<T: RawRepresentable & CaseIterable>(
        _ name: String, _ type: T.Type
    ) throws(Problem) -> T? where T.RawValue == String {
        let text = try string(name)
        observer?.note(name, .choice(T.allCases.map(\.rawValue)))
        guard let string = text else { return nil }
        guard let value = T(rawValue: string) else {
            let values = T.allCases.map(\.rawValue).joined(separator: ", ")
            throw problem(name, "'\(string.forDisplay)' is none of \(values)")
        }
        return value
    }

    /// The object that a member holds.
    package mutating func document(_ name: String) throws(Problem) -> Document? {
        if let observer {
            asked.insert(name)
            return observer.object(name).map { Document(observer: $0, path: path(of: name)) }
        }
        guard let value = take(name) else { return nil }
        guard let object = value.object else { throw problem(name, "must be an object") }
        return Document(object, path: path(of: name))
    }

    /// An object, as it is.
    /// - Throws: ``Problem`` for a value of another kind.
    package mutating func object(_ name: String) throws(Problem) -> JSONObject? {
        observer?.note(name, .anyObject)
        guard let value = take(name) else { return nil }
        guard let object = value.object else { throw problem(name, "must be an object") }
        return object
    }

    /// The objects of the list that a member holds.
    package mutating func documents(_ name: String) throws(Problem) -> [Document]? {
        if let observer {
            asked.insert(name)
            return observer.list(name).map { [Document(observer: $0, path: path(of: "\(name)[0]"))] }
        }
        guard let value = take(name) else { return nil }
        guard let array = value.array else { throw problem(name, "must be a list of objects") }
        var documents: [Document] = []
        for (index, element) in array.enumerated() {
            let path = path(of: "\(name)[\(index)]")
            guard let object = element.object else { throw Problem(path: path, message: "must be an object") }
            documents.append(Document(object, path: path))
        }
        return documents
    }

    /// Every member that is left, null ones too.
    package mutating func everything() -> JSONObject {
        let rest = members
        members = [:]
        return rest
    }

    /// The members of `known` that are left: fields of Auth0's that the server keeps and gives back.
    /// - Throws: ``Problem`` for the first member that is not Auth0's at all.
    package mutating func remaining(known: Set<String>) throws(Problem) -> JSONObject {
        observer?.note(known)
        let rest = members
        members = [:]
        if let unknown = rest.keys.sorted().first(where: { !known.contains($0) }) {
            throw Problem(
                path: path(of: unknown),
                message: "is no field that Portico knows here; remove it or check its spelling",
                names: asked.union(known))
        }
        return rest
    }
}
