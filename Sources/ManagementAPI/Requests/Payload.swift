import Foundation
import OAuth
import Storage

/// The query or body of a request as a type. What the type asks of the document is at once its validation and its
/// description: a member that it does not ask for is refused.
package protocol Payload: Sendable {
    /// - Throws: ``Document/Problem`` for the first member with a wrong value.
    init(from document: inout Document) throws(Document.Problem)
    static var schema: [String: DocumentSchema.Member] { get }
    /// Whether it is a list, which stands in the document without a name.
    static var isList: Bool { get }
    /// Whether a request may come without it.
    static var isOptional: Bool { get }
    /// Whether its members are the caller's own.
    static var isOpen: Bool { get }
}

extension Payload {
    package static var isList: Bool { false }
    package static var isOptional: Bool { false }
    package static var isOpen: Bool { false }

    package static var schema: [String: DocumentSchema.Member] {
        let schema = try? DocumentSchema.members { document throws(Document.Problem) in
            var document = document
            _ = try Self.init(from: &document)
        }
        guard let schema else { preconditionFailure("\(Self.self) refuses what it asks for") }
        return schema
    }

    /// - Throws: ``ManagementError`` 400 `invalid_query_string`.
    static func read(query: String) throws(ManagementError) -> Self {
        try read(QueryText.members(query), isQuery: true)
    }

    /// - Throws: ``ManagementError`` 400 `invalid_body`.
    static func read(body request: ManagementRequest) async throws(ManagementError) -> Self {
        if Self.self == NoPayload.self { return try read([:], isQuery: false) }
        let value = try await RequestBody.value(of: request, isOptional: isOptional)
        switch value {
        case .null where isOptional: return try read([:], isQuery: false)
        case .object(let members) where !isList: return try read(members, isQuery: false)
        case .array where isList: return try read(["": value], isQuery: false)
        default: throw .malformedBody("Payload validation error: 'Expected type \(isList ? "array" : "object")'.")
        }
    }

    /// Reads the fields of a form, in which, as in a query, everything is a text.
    /// - Throws: ``ManagementError`` 400 `invalid_body`.
    static func read(form members: JSONObject) throws(ManagementError) -> Self {
        do {
            return try read(members, asTexts: true)
        } catch {
            throw .invalidBody(error)
        }
    }

    private static func read(_ members: JSONObject, isQuery: Bool) throws(ManagementError) -> Self {
        do {
            return try read(members, asTexts: isQuery)
        } catch {
            throw isQuery ? .invalidQuery(error) : .invalidBody(error)
        }
    }

    private static func read(_ members: JSONObject, asTexts: Bool) throws(Document.Problem) -> Self {
        var document = Document(members, path: "", isQuery: asTexts)
        let payload = try Self.init(from: &document)
        _ = try document.remaining(known: [])
        return payload
    }
}

/// No query, or no body.
package struct NoPayload: Payload {
    package init(from document: inout Document) {}
}

/// A body that is a list.
package struct ListOf<Element: Payload>: Payload {
    package let elements: [Element]

    package static var isList: Bool { true }

    package init(from document: inout Document) throws(Document.Problem) {
        var elements: [Element] = []
        for var entry in try document.documents("") ?? [] {
            elements.append(try Element(from: &entry))
            _ = try entry.remaining(known: [])
        }
        self.elements = elements
    }
}

/// A body that is a list of texts.
package struct TextList: Payload {
    package let values: [String]

    package static var isList: Bool { true }

    package init(from document: inout Document) throws(Document.Problem) {
        values = try document.strings("") ?? []
    }
}

/// What a model of the configuration is made of: the same type that a file's entry is read into.
package protocol ConfigurationModel: Sendable {
    init(document: Document, standardID: String) throws(Document.Problem)
    /// Members that the API takes and the model has not, such as a secret.
    static var further: [String: DocumentSchema.Member] { get }
    /// Members that the model has and nobody may write.
    static var readOnly: Set<String> { get }
    /// Members that are chosen when one is made and stay.
    static var immutable: Set<String> { get }
}

extension ConfigurationModel {
    package static var further: [String: DocumentSchema.Member] { [:] }
    package static var readOnly: Set<String> { [] }
    package static var immutable: Set<String> { [] }

    /// The members of the model's document and of its requests, without `fixed`.
    static func schema(without fixed: Set<String>) -> [String: DocumentSchema.Member] {
        let schema = try? DocumentSchema.members { document throws(Document.Problem) in
            _ = try Self.init(document: document, standardID: "x")
        }
        guard let schema else { preconditionFailure("\(Self.self) refuses what it asks for") }
        return schema.merging(further) { $1 }.filter { !fixed.contains($0.key) }
    }
}

extension Payload {
    /// - Throws: ``Document/Problem`` for a member that the schema has not.
    static func requireKnown(_ members: JSONObject) throws(Document.Problem) {
        let names = Set(schema.keys)
        guard let unknown = members.keys.sorted().first(where: { !names.contains($0) }) else { return }
        throw Document.Problem(path: unknown, message: "is no field that may be written here", names: names)
    }
}

/// A new one of the model's kind. Its members are read into the model by whoever creates it.
package struct New<Model: ConfigurationModel>: Payload {
    package let members: JSONObject

    package init(from document: inout Document) throws(Document.Problem) {
        members = document.everything().filter { $0.value != .null }
        try Self.requireKnown(members)
    }

    package static var schema: [String: DocumentSchema.Member] { Model.schema(without: Model.readOnly) }
}

/// What is to change of one: members that are null are removed, and others replaced.
package struct Change<Model: ConfigurationModel>: Payload {
    package let members: JSONObject

    package init(from document: inout Document) throws(Document.Problem) {
        members = document.everything()
        try Self.requireKnown(members)
    }

    package static var schema: [String: DocumentSchema.Member] {
        Model.schema(without: Model.readOnly.union(Model.immutable)).mapValues { DocumentSchema.Member($0.schema) }
    }
}
