import AuthorizationServer
import Foundation
import OAuth
import Storage
import TenantConfiguration

/// `/api/v2/log-streams`: where log events are sent. What a receiver alone should know is written and never read.
struct LogStreamsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("log-streams")
            .get(requires: .read("log_streams"), "Get log streams", answers: .list(Self.shownMembers), use: list)
            .post(
                requires: .create("log_streams"), "Create a log stream", status: 200,
                answers: .object(Self.shownMembers), use: create
            )
            .get(
                ":id", requires: .read("log_streams"), "Get a log stream by id", answers: .object(Self.shownMembers),
                use: get
            )
            .patch(
                ":id", requires: .update("log_streams"), "Update a log stream", answers: .object(Self.shownMembers),
                use: update
            )
            .delete(":id", requires: .delete("log_streams"), "Delete a log stream", use: delete)
    }

    /// What only the receiver and the server know is not among them.
    static let shownMembers: Members = [
        "id": .text.always, "name": .text.always, "type": .text.always, "status": .text.always,
        "filters": .list(["type": .text, "name": .text]), "isPriority": .bool, "startFrom": .text,
        "pii_config": .anyObject,
        "sink": .object(["httpEndpoint": .text.always, "httpContentType": .text, "httpContentFormat": .text]).always,
    ]

    /// The members that a request has. What they may be, ``LogStream`` says.
    private static let members: [String: DocumentSchema.Member] = [
        "name": .init(.text(most: 255), isRequired: true), "type": .init(.choice(["http"]), isRequired: true),
        "status": .init(.choice(LogStream.Status.allCases.map(\.rawValue))),
        "filters": .init(
            .list([
                "type": .init(.choice(["category"])),
                "name": .init(.choice(LogEventCategory.allCases.map(\.rawValue))),
            ])),
        "isPriority": .init(.bool), "startFrom": .init(.text(most: nil)), "pii_config": .init(.anyObject),
        "sink": .init(
            .object([
                "httpEndpoint": .init(.text(most: 2048), isRequired: true),
                "httpContentType": .init(.text(most: 255)),
                "httpContentFormat": .init(.choice(LogStream.ContentFormat.allCases.map(\.rawValue))),
                "httpAuthorization": .init(.text(most: 2048)), "httpSigningSecret": .init(.text(most: 255)),
                "httpCustomHeaders": .init(
                    .list([
                        "header": .init(.text(most: 255), isRequired: true), "value": .init(.text(most: 2048)),
                    ])),
            ]), isRequired: true),
    ]

    struct NewStream: Payload {
        let members: JSONObject

        init(from document: inout Document) throws(Document.Problem) {
            members = document.everything()
            try Self.requireKnown(members)
        }

        static var schema: [String: DocumentSchema.Member] { LogStreamsResource.members }
    }

    struct StreamChange: Payload {
        let members: JSONObject

        init(from document: inout Document) throws(Document.Problem) {
            members = document.everything()
            try Self.requireKnown(members)
        }

        static var schema: [String: DocumentSchema.Member] {
            LogStreamsResource.members.filter { $0.key != "type" && $0.key != "startFrom" }
                .mapValues { DocumentSchema.Member($0.schema) }
        }
    }

    private static let inexistent = ManagementError(404, "The log stream does not exist", "inexistent_log_stream")

    private static func find(_ id: String, _ transaction: any SQLTransaction) throws -> LogStreamState {
        guard let found = try LogStreamStore.find(id, in: transaction) else { throw inexistent }
        return found
    }

    @Sendable private func list(_ call: Plain) async throws -> Answer {
        .ok(try await management.stores.database.readOnce { try LogStreamStore.list(in: $0) }.map(\.stream.document))
    }

    @Sendable private func get(_ call: Plain) async throws -> Answer {
        let id = call["id"]
        return .ok(try await management.stores.database.readOnce { try Self.find(id, $0) }.stream.document)
    }

    @Sendable private func create(_ call: Submission<NewStream>) async throws -> Answer {
        let stream = try LogStream(
            document: Document(LogStreamWrite.merged(call.body.members, onto: nil), path: ""),
            standardID: LogStreamWrite.newID())
        let write = try LogStreamWrite(stream, replacing: nil, box: management.services.secret.box)
        return try await management.configure(call.caller) { transaction, now in
            try write.save(at: now, in: transaction)
            return Changed(
                .ok(stream.document), [.init("log-streams", stream.id, before: nil, after: stream.document)])
        }
    }

    @Sendable private func update(_ call: Submission<StreamChange>) async throws -> Answer {
        let (id, changes, box) = (call["id"], call.body.members, management.services.secret.box)
        return try await management.configure(call.caller) { transaction, now in
            let existing = try Self.find(id, transaction)
            let stream = try LogStream(
                document: Document(LogStreamWrite.merged(changes, onto: existing.stream), path: ""), standardID: id)
            try LogStreamWrite(stream, replacing: existing, box: box).save(at: now, in: transaction)
            return Changed(
                .ok(stream.document),
                [.init("log-streams", id, before: existing.stream.document, after: stream.document)])
        }
    }

    @Sendable private func delete(_ call: Plain) async throws -> Answer {
        let id = call["id"]
        return try await management.configure(call.caller) { transaction, _ in
            guard let existing = try LogStreamStore.find(id, in: transaction) else { return Changed(.noContent, []) }
            try LogStreamStore.delete(id, in: transaction)
            return Changed(
                .noContent, [.init("log-streams", id, before: existing.stream.document, after: nil)])
        }
    }
}
