import AuthorizationServer
import Foundation
import OAuth
import Storage

/// `/api/v2/logs`: what has happened.
struct LogsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("logs")
            .get(
                requires: .read("logs").or(.read("logs_users")), "Search log events",
                answers: .page("logs", Self.members), use: list
            )
            .get(
                ":id", requires: .read("logs").or(.read("logs_users")), "Get a log event by id",
                answers: .object(Self.members), use: get)
    }

    static let members: Members = [
        "_id": .text, "log_id": .text.always, "date": .text.always, "type": .text.always, "isMobile": .bool,
        "description": .text, "client_id": .text, "client_name": .text, "connection": .text, "connection_id": .text,
        "ip": .text, "user_agent": .text, "user_id": .text, "user_name": .text, "hostname": .text, "audience": .text,
        "scope": .text, "strategy": .text, "strategy_type": .text, "details": .anyObject,
    ]

    /// What a list of log events may be asked for, here and for one user.
    struct Search: Payload {
        private let paging: Paging
        private let fields: FieldSelection
        private let checkpoint: Paging.Checkpoint?
        private var query = LogEventQuery()

        init(from document: inout Document) throws(Document.Problem) {
            try self.init(from: &document, checkpoints: true)
        }

        init(from document: inout Document, checkpoints: Bool) throws(Document.Problem) {
            paging = try Paging(from: &document)
            fields = try FieldSelection(from: &document)
            let from = checkpoints ? try document.string("from", most: 255) : nil
            let take = checkpoints ? try document.integer("take", in: 1...100) : nil
            checkpoint = from == nil && take == nil ? nil : Paging.Checkpoint(from: from, take: take ?? 50)
            let (text, words) = (try document.string("q"), try document.string("search"))
            let sort = try document.string("sort")
            // Auth0 ignores all else beside a checkpoint.
            guard checkpoint == nil else { return }
            var parts: [SearchQuery] = []
            if let text, !text.isEmpty { parts.append(try Self.search(text, "q", document) { $0 }) }
            if let words, !words.isEmpty { parts.append(try Self.search(words, "search", document, Self.beginnings)) }
            if !parts.isEmpty { query.search = .all(parts) }
            switch sort {
            case nil, "", "date:-1": query.isNewestFirst = true
            case "date:1": query.isNewestFirst = false
            default: throw document.problem("sort", "must be date:-1 or date:1")
            }
            (query.offset, query.limit) = (paging.start, paging.perPage)
            guard paging.start + paging.perPage <= LogEventQuery.window else {
                throw document.problem(
                    "page",
                    "leads beyond the first \(LogEventQuery.window) events; narrow the search, or use from and take")
            }
        }

        private static func search(
            _ text: String, _ name: String, _ document: Document, _ meaning: (SearchQuery) -> SearchQuery
        ) throws(Document.Problem) -> SearchQuery {
            do {
                var query = LogEventQuery()
                let search = meaning(try SearchQuery(text))
                query.search = search
                _ = try query.condition()
                return search
            } catch {
                throw document.problem(name, error.description)
            }
        }

        /// What Auth0's older `search` means: words are beginnings, those in quotation marks the whole, and all must fit.
        private static func beginnings(_ query: SearchQuery) -> SearchQuery {
            switch query {
            case .all(let parts), .any(let parts): .all(parts.map(beginnings))
            case .not(let part): .not(beginnings(part))
            case .term(nil, let value):
                .any(["client_name", "connection", "user_name"].map { beginnings(.term(field: $0, value)) })
            case .term("application", let value): beginnings(.term(field: "client_name", value))
            case .term("user", let value): beginnings(.term(field: "user_name", value))
            case .term(let field, .text(let text)): .term(field: field, .pattern("\(text)*"))
            case .term: query
            }
        }

        /// - Parameter userID: the user whose events are wanted; nil for everybody's.
        func answer(_ management: Management, path: String, userID: String?) async throws -> Answer {
            let store = management.stores.logEvents
            if let checkpoint {
                let events = try await store.list(after: checkpoint.from, limit: checkpoint.take)
                var answer = Answer.ok(events.map { fields.apply(to: $0.document, keeping: ["log_id"]) })
                let last = events.last?.id ?? checkpoint.from
                let from = last.map { "&from=\($0)" } ?? ""
                let url = management.services.issuer.url("api/v2/\(path)")
                answer.headers.append((name: "Link", value: "<\(url)?take=\(checkpoint.take)\(from)>; rel=\"next\""))
                return answer
            }
            var query = query
            query.userID = userID
            let events = try await store.list(query).map { fields.apply(to: $0.document, keeping: ["log_id"]) }
            guard paging.includesTotals else { return .ok(events) }
            return .ok([
                "start": .integer(Int64(query.offset)), "limit": .integer(Int64(query.limit)),
                "length": .integer(Int64(events.count)), "total": .integer(Int64(try await store.count(query))),
                "logs": .array(events.map(JSONValue.object)),
            ])
        }
    }

    @Sendable private func list(_ call: Query<Search>) async throws -> Answer {
        try await call.query.answer(management, path: "logs", userID: nil)
    }

    @Sendable private func get(_ call: Plain) async throws -> Answer {
        guard let event = try await management.stores.logEvents.find(call["id"]) else {
            throw ManagementError(404, "The log event does not exist", "log_not_found")
        }
        return .ok(event.document)
    }
}
