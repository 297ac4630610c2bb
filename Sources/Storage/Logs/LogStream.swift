import Foundation
import OAuth

/// A place that log events are sent to, Auth0's log stream of the type `http`.
package struct LogStream: Sendable, Hashable {
    /// Whether events are sent.
    package enum Status: String, Sendable, CaseIterable {
        case active, paused
        /// Too many tries in a row have failed; whoever has mended the receiver makes the stream active again.
        case suspended
    }

    /// How events stand in the body of a request.
    package enum ContentFormat: String, Sendable, CaseIterable {
        case array = "JSONARRAY"
        case lines = "JSONLINES"
        /// `{"logs": […]}`.
        case object = "JSONOBJECT"
    }

    /// `lst_` and 16 digits.
    package let id: String
    package var name: String
    package var status = Status.active
    /// Which events are sent; none stands for all.
    package var categories: [LogEventCategory] = []
    /// When the events begin that a new stream sends; nil for those that happen from now on.
    package var startsFrom: Date?
    /// Where events are posted.
    package var endpoint: String
    package var contentType = "application/json"
    package var contentFormat = ContentFormat.lines
    /// What the document of a request brought; empty for a stream that was read from the database, which keeps it sealed.
    package var secrets = Secrets()
    /// Auth0's other fields, kept and given back.
    package var other: JSONObject = [:]

    /// What only this server and the receiver know.
    package struct Secrets: Sendable, Hashable, Codable {
        /// The value of the `Authorization` header.
        package var authorization: String?
        /// What requests are signed with.
        package var signingSecret: String?
        package var headers: [Header] = []

        package init() {}

        /// These, and those of `former` that are not among them.
        package func completed(from former: Secrets) -> Secrets {
            var completed = self
            completed.authorization = authorization ?? former.authorization
            completed.signingSecret = signingSecret ?? former.signingSecret
            if headers.isEmpty { completed.headers = former.headers }
            return completed
        }
    }

    /// A header of the operator's own.
    package struct Header: Sendable, Hashable, Codable {
        package let header: String
        package let value: String
    }

    /// Whether an event is one of those that are sent. A type that this version does not know counts as `other`.
    package func sends(_ event: LogEvent) -> Bool {
        categories.isEmpty || categories.contains(LogEventType(rawValue: event.type)?.category ?? .other)
    }
}

extension LogStream {
    /// - Parameter standardID: the `id` of a document that has none.
    /// - Throws: ``Document/Problem`` for the first member that is unknown or has a wrong value.
    package init(document: Document, standardID: String) throws(Document.Problem) {
        var document = document
        id = try document.string("id", most: 255) ?? standardID
        name = try document.requiredString("name", most: 255)
        let type = try document.requiredString("type")
        guard type == "http" else {
            throw document.problem(
                "type",
                "must be http: this server sends events to a webhook of yours, or as lines of JSON to where "
                    + "PORTICO_LOG_EVENTS says, and not to '\(type.forDisplay)' itself")
        }
        status = try document.oneOf("status", Status.self) ?? .active
        for var filter in try document.documents("filters") ?? [] {
            _ = try filter.string("type")
            if let category = try filter.oneOf("name", LogEventCategory.self) { categories.append(category) }
            _ = try filter.remaining(known: [])
        }
        if let text = try document.string("startFrom") {
            guard let date = LogEvent.date(text) else {
                throw document.problem("startFrom", "must be a time such as 2026-11-21T10:00:00.000Z")
            }
            startsFrom = date
        }
        guard var sink = try document.document("sink") else { throw document.problem("sink", "is required") }
        endpoint = try sink.requiredString("httpEndpoint", most: 2048)
        guard let url = RedirectURI(endpoint), ["https", "http"].contains(url.scheme) else {
            throw sink.problem("httpEndpoint", "must be an https URL")
        }
        contentType = try sink.string("httpContentType", most: 255) ?? "application/json"
        contentFormat = try sink.oneOf("httpContentFormat", ContentFormat.self) ?? .lines
        secrets.authorization = try sink.string("httpAuthorization", most: 2048)
        secrets.signingSecret = try sink.string("httpSigningSecret", most: 255)
        if let secret = secrets.signingSecret, secret.utf8.count < 16 {
            throw sink.problem(
                "httpSigningSecret", "is shorter than 16 characters; make one with: openssl rand -base64 48")
        }
        for var header in try sink.documents("httpCustomHeaders") ?? [] {
            let (name, value) = (try header.requiredString("header", most: 255), try header.string("value", most: 2048))
            guard name.wholeMatch(of: /[A-Za-z0-9-]+/) != nil, !Self.ownHeaders.contains(name.lowercased()) else {
                throw header.problem("header", "must be the name of a header that this server does not set itself")
            }
            secrets.headers.append(Header(header: name, value: value ?? ""))
            _ = try header.remaining(known: [])
        }
        for text in [contentType, secrets.authorization ?? ""] + secrets.headers.map(\.value)
        where !text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) {
            throw sink.problem("httpAuthorization", "and the other headers must be plain ASCII texts")
        }
        _ = try sink.remaining(known: [])
        other = try document.remaining(known: ["isPriority", "pii_config"])
        other["type"] = nil
    }

    private static let ownHeaders: Set<String> = [
        "host", "content-length", "content-type", "connection", "transfer-encoding", "authorization", "accept-encoding",
        "portico-signature",
    ]

    /// The stream as Auth0 writes it, without its secrets.
    package var document: JSONObject {
        var members = other
        (members["id"], members["name"], members["type"]) = (.string(id), .string(name), "http")
        members["status"] = .string(status.rawValue)
        if !categories.isEmpty {
            members["filters"] = .array(categories.map { ["type": "category", "name": .string($0.rawValue)] })
        }
        if let startsFrom { members["startFrom"] = .string(LogEvent.text(of: startsFrom)) }
        members["sink"] = [
            "httpEndpoint": .string(endpoint), "httpContentType": .string(contentType),
            "httpContentFormat": .string(contentFormat.rawValue),
        ]
        return members
    }
}
