import OAuth
import Storage

/// The query of `GET /users`.
struct UserSearch: Payload {
    let paging: Paging
    let fields: FieldSelection
    let filter: UserFilter
    let order: UserStore.Order

    private enum Engine: String, CaseIterable { case v1, v2, v3 }

    /// Users of one query that can be paged through, as at Auth0.
    static let window = 1000

    static let beyond = ManagementError(
        400, "You can only page through the first \(window) records; narrow the query", "invalid_paging")

    init(from document: inout Document) throws(Document.Problem) {
        paging = try Paging(from: &document)
        fields = try FieldSelection(from: &document)
        guard try document.oneOf("search_engine", Engine.self) ?? .v3 == .v3 else {
            throw document.problem("search_engine", "must be v3")
        }
        _ = try document.bool("primary_order")
        var parts: [UserFilter] = []
        if let text = try document.string("q"), !text.allSatisfy(\.isWhitespace) {
            do {
                parts.append(try UserFilter(SearchQuery(text)))
            } catch {
                throw document.problem("q", error.description)
            }
        }
        if let connection = try document.string("connection", most: 128) {
            parts.append(.match(.connection, .equal(connection)))
        }
        filter = .all(parts)
        order = try Self.order(&document)
    }

    /// `sort=email:1`, or `-1` for the other way round.
    private static func order(_ document: inout Document) throws(Document.Problem) -> UserStore.Order {
        guard let text = try document.string("sort") else { return UserStore.Order(.createdAt) }
        let parts = text.split(separator: ":")
        guard parts.count == 2, let key = UserStore.Order.Key(rawValue: String(parts[0])),
            ["1", "-1"].contains(parts[1])
        else {
            let keys = UserStore.Order.Key.allCases.map(\.rawValue).joined(separator: ", ")
            throw document.problem("sort", "must be a field and 1 or -1, such as created_at:-1; fields are \(keys)")
        }
        return UserStore.Order(key, isDescending: parts[1] == "-1")
    }
}

extension UserFilter {
    /// The filter that a query asks for.
    /// - Throws: ``SearchQuery/Problem`` for a field that no user has, or a value that it cannot have.
    init(_ query: SearchQuery) throws(SearchQuery.Problem) {
        switch query {
        case .all(let parts): self = .all(try Self.filters(parts))
        case .any(let parts): self = .any(try Self.filters(parts))
        case .not(let part): self = .not(try UserFilter(part))
        case .term(nil, let value): self = try UserFieldName.anywhere(value)
        case .term(let name?, let value): self = try UserFieldName(name).filter(value)
        }
    }

    private static func filters(_ parts: [SearchQuery]) throws(SearchQuery.Problem) -> [UserFilter] {
        var filters: [UserFilter] = []
        for part in parts { filters.append(try UserFilter(part)) }
        return filters
    }
}
