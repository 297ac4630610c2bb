import OAuth
import Storage

/// The members of an object in an answer, by their names.
package typealias Members = [String: DocumentSchema.Member]

/// What a route answers with when all went well: declared with the route, told by the OpenAPI document, and held against
/// every answer in the tests.
package indirect enum AnswerShape: Sendable, Hashable {
    /// No body.
    case nothing
    case object(Members)
    /// An object whose members are the caller's own.
    case anyObject
    /// A list without a name.
    case list(Members)
    /// A list as the request asks for it: without a name; with totals under its name; or, from checkpoint to checkpoint,
    /// under its name with `next`. Which of them a route knows, its query says.
    case page(String, Members)
    /// A list under its name, with `next` where it goes on.
    case window(String, Members)
    /// A whole number and nothing else.
    case number
    /// A list of texts.
    case texts
    /// One or the other.
    case either(AnswerShape, AnswerShape)
    /// That, or 204 where there is nothing.
    case orNothing(AnswerShape)
    /// Text, such as a file with a line for each user.
    case file(mediaType: String)

    /// Whether what is answered is a file.
    package var isFile: Bool { if case .file = self { true } else { false } }

    /// Whether there may be nothing to answer with.
    package var mayBeNothing: Bool { if case .orNothing = self { true } else { false } }

    /// What an answer to the route may look like: one of these.
    package func variants(of route: Route) -> [Variant] {
        switch self {
        case .nothing, .file: []
        case .number: [.number]
        case .texts: [.texts]
        case .anyObject: [.anyObject]
        case .orNothing(let shape): shape.variants(of: route)
        case .either(let one, let other): one.variants(of: route) + other.variants(of: route)
        case .object(let members): [.object(route.query["fields"] == nil ? members : members.optional)]
        case .list(let members): [.list(members)]
        case .window(let name, let members): [.object([name: .list(members).always, "next": .text.orNull])]
        case .page(let name, let members): Self.pages(name, members, of: route)
        }
    }

    /// A body: an object, a list of objects or of texts, or a number.
    package enum Variant: Sendable, Hashable {
        case number
        case texts
        case anyObject
        case object(Members)
        case list(Members)
    }

    private static func pages(_ name: String, _ members: Members, of route: Route) -> [Variant] {
        let members = route.query["fields"] == nil ? members : members.optional
        var variants: [Variant] = [.list(members)]
        let list = DocumentSchema.Member.list(members).always
        if route.query["include_totals"] != nil {
            variants.append(
                .object([
                    name: list, "start": .count.always, "limit": .count.always, "total": .count.always,
                    "length": .count,
                ]))
        }
        if route.query["take"] != nil { variants.append(.object([name: list, "next": .text])) }
        return variants
    }
}

extension Members {
    /// Stands for members that nobody can name: an answer that declares it may have any others too.
    package static var others: String { "*" }

    /// The members of a model's document.
    /// - Parameters:
    ///   - always: those that every one has.
    ///   - further: those that the answer has beside the document.
    static func of<Model: ConfigurationModel>(
        _ model: Model.Type, always: Set<String>, and further: Members = [:]
    ) -> Members {
        var members = Model.schema(without: []).optional.merging(further) { $1 }
        for name in members.keys { members[name]?.isRequired = always.contains(name) }
        return members
    }

    /// The same, none of which must be there, nor their own members.
    var optional: Members { mapValues { DocumentSchema.Member($0.schema.optional, isNullable: $0.isNullable) } }
}

extension DocumentSchema {
    fileprivate var optional: DocumentSchema {
        switch self {
        case .object(let members): .object(members.optional)
        case .list(let members): .list(members.optional)
        default: self
        }
    }
}

extension DocumentSchema.Member {
    static let text = Self(.text(most: nil))
    static let texts = Self(.texts)
    static let bool = Self(.bool)
    /// A whole number from 0 on.
    static let count = Self(.integer(0...Int.max))
    /// An object with members of its own kind.
    static let anyObject = Self(.anyObject)
    static let anything = Self(.any)

    static func object(_ members: Members) -> Self { Self(.object(members)) }
    static func list(_ members: Members) -> Self { Self(.list(members)) }
    static func choice(_ values: [String]) -> Self { Self(.choice(values)) }

    /// The same, in every answer.
    var always: Self { Self(schema, isRequired: true, isNullable: isNullable) }
    /// The same, or null.
    var orNull: Self { Self(schema, isRequired: isRequired, isNullable: true) }
}
