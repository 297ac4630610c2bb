import AuthorizationServer
import Foundation
import OAuth
import Storage
import TenantConfiguration

extension Connection: ConfigurationModel {
    package static var readOnly: Set<String> { ["id"] }
    package static var immutable: Set<String> { ["name", "strategy"] }
}

/// `/api/v2/connections`: where users come from, and which applications they may come to.
struct ConnectionsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("connections")
            .get(
                requires: .read("connections"), "Get all connections", answers: .page("connections", Self.members),
                use: list
            )
            .post(requires: .create("connections"), "Create a connection", answers: .object(Self.members), use: create)
            .get(":id", requires: .read("connections"), "Get a connection", answers: .object(Self.members), use: get)
            .patch(
                ":id", requires: .update("connections"), "Update a connection", answers: .object(Self.members),
                use: update
            )
            .delete(
                ":id", requires: .delete("connections"), "Delete a connection", status: 202,
                answers: .object(["deleted_at": .text.always]), use: delete
            )
            .get(
                ":id/clients", requires: .read("connections"), "Get enabled clients of a connection",
                answers: .window("clients", ["client_id": .text.always]), use: clients
            )
            .patch(
                ":id/clients", requires: .update("connections"), "Update enabled clients of a connection", status: 204,
                answers: .nothing, use: updateClients
            )
            .delete(":id/users", requires: .delete("users"), "Delete a connection user", use: deleteUser)
    }

    static let members = Members.of(Connection.self, always: ["id", "name", "strategy"])

    struct Filter: Payload {
        let paging: Paging
        let fields: FieldSelection
        let strategies: Set<String>
        let name: String?
        let domainAlias: String?

        init(from document: inout Document) throws(Document.Problem) {
            paging = try Paging(from: &document, checkpoints: true)
            fields = try FieldSelection(from: &document)
            strategies = Set(try document.strings("strategy") ?? [])
            name = try document.string("name")
            domainAlias = try document.string("domain_alias")
        }

        func includes(_ connection: Connection) -> Bool {
            (strategies.isEmpty || strategies.contains(connection.strategy))
                && name ?? connection.name == connection.name
                && (domainAlias.map { alias in
                    connection.options["domain_aliases"]?.array?.contains(.string(alias)) == true
                } ?? true)
        }
    }

    struct Fields: Payload {
        let fields: FieldSelection

        init(from document: inout Document) throws(Document.Problem) { fields = try FieldSelection(from: &document) }
    }

    struct Checkpoints: Payload {
        let paging: Paging

        init(from document: inout Document) throws(Document.Problem) {
            paging = try Paging(from: &document, checkpoints: true)
        }
    }

    struct Enablement: Payload {
        let clientID: String
        let isEnabled: Bool

        init(from document: inout Document) throws(Document.Problem) {
            clientID = try document.requiredString("client_id", most: 255)
            guard let status = try document.bool("status") else { throw document.problem("status", "is required") }
            isEnabled = status
        }
    }

    struct Address: Payload {
        let email: String

        init(from document: inout Document) throws(Document.Problem) {
            email = try document.requiredString("email", most: 320)
        }
    }

    @Sendable private func list(_ call: Query<Filter>) async throws -> Answer {
        let all = try await management.stores.connections.list().filter(call.query.includes).map(Self.shown)
        return .list("connections", all, by: "id", call.query.paging) {
            call.query.fields.apply(to: $0, keeping: ["id", "is_domain_connection"])
        }
    }

    @Sendable private func get(_ call: Query<Fields>) async throws -> Answer {
        let id = call["id"]
        let connection = try await management.stores.database.readOnce { try Self.find(id, $0) }
        return .ok(
            call.query.fields.apply(to: Self.shown(connection), keeping: ["id", "is_domain_connection"]))
    }

    @Sendable private func create(_ call: Submission<New<Connection>>) async throws -> Answer {
        let id = RandomBytes.alphanumeric(16, prefix: "con_")
        try await checkScripts(call.body.members, replacing: nil)
        let (sent, secret, secrets) = try secrets(of: call.body.members)
        let (strategies, box) = (management.services.strategies, management.services.secret.box)
        return try await management.configure(call.caller) { transaction, _ in
            let connection = try Self.connection(ConnectionRules.completed(sent), id, transaction)
            try Self.check(connection.strategy, strategies)
            let write = try ConnectionWrite(
                connection, secrets: secrets, replacing: nil, sealed: nil, strategies, box: box, path: "")
            guard try ConnectionStore.find(name: connection.name, in: transaction) == nil else {
                throw ManagementError.conflict("A connection with the same name already exists")
            }
            try write.saving(box)(transaction)
            if let secret { try ConnectionStore.saveImportSecret(secret, of: connection.name, in: transaction) }
            return Changed(
                .created(Self.shown(connection)),
                [.init("connections", id, before: nil, after: connection.document)])
        }
    }

    @Sendable private func update(_ call: Submission<Change<Connection>>) async throws -> Answer {
        let id = call["id"]
        let known = try await management.stores.database.readOnce { try Self.find(id, $0) }
        try await checkScripts(call.body.members, replacing: known)
        let (sent, box, strategies) = (
            call.body.members, management.services.secret.box, management.services.strategies
        )
        return try await management.configure(call.caller) { transaction, _ in
            let existing = try Self.find(id, transaction)
            let (changes, secret, secrets) = try secrets(
                of: sent.merging(["strategy": .string(existing.strategy)]) { $1 })
            let members = existing.document.merging(changes) { $1 }.filter { $0.value != .null }
            let connection = try Self.connection(members, existing.id, transaction)
            if secret == nil { try ConnectionRules.checkImportSecret(of: connection, before: existing, transaction) }
            let sealed = try ConnectionStore.sealedSecrets(in: transaction)[connection.name]
            try ConnectionWrite(
                connection, secrets: secrets, replacing: existing, sealed: sealed, strategies, box: box, path: ""
            ).saving(box)(transaction)
            if let secret { try ConnectionStore.saveImportSecret(secret, of: connection.name, in: transaction) }
            return Changed(
                .ok(Self.shown(connection)),
                [.init("connections", existing.id, before: existing.document, after: connection.document)])
        }
    }

    /// The connection goes with its users: one of the same name would inherit them.
    @Sendable private func delete(_ call: Plain) async throws -> Answer {
        let id = call["id"]
        return try await management.configure(call.caller) { transaction, now in
            let answer = Answer(
                status: 202,
                body: ["deleted_at": .string(now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))])
            guard let connection = try ConnectionStore.find(id: id, in: transaction) else { return Changed(answer, []) }
            try transaction.takeTime()
            // Whoever is just signing up there comes before, and goes too, or finds no connection.
            _ = try ConnectionStore.hold(id: connection.id, in: transaction)
            try UserStore.deleteAll(connection: connection.name, in: transaction)
            try ConnectionStore.delete(name: connection.name, in: transaction)
            return Changed(
                answer, [.init("connections", connection.id, before: connection.document, after: nil)])
        }
    }

    @Sendable private func clients(_ call: Query<Checkpoints>) async throws -> Answer {
        let id = call["id"]
        let connection = try await management.stores.database.readOnce { try Self.find(id, $0) }
        let all = connection.enabledClients.sorted().map { ["client_id": JSONValue.string($0)] }
        return .checkpoint("clients", all, by: "client_id", call.query.paging) { $0 }
    }

    @Sendable private func updateClients(_ call: Submission<ListOf<Enablement>>) async throws -> Answer {
        let (id, changes) = (call["id"], call.body.elements)
        guard (1...50).contains(changes.count) else {
            throw ManagementError(400, "Payload validation error: 'must have 1 to 50 elements'.", "invalid_body")
        }
        return try await management.configure(call.caller) { transaction, _ in
            let existing = try Self.find(id, transaction)
            var connection = existing
            for change in changes {
                guard change.isEnabled else {
                    connection.enabledClients.remove(change.clientID)
                    continue
                }
                guard try ClientStore.find(change.clientID, in: transaction) != nil else {
                    throw ClientsResource.inexistent
                }
                connection.enabledClients.insert(change.clientID)
            }
            try ConnectionStore.save(connection, in: transaction)
            return Changed(
                .noContent,
                [.init("connections", existing.id, before: existing.document, after: connection.document)])
        }
    }

    @Sendable private func deleteUser(_ call: Query<Address>) async throws -> Answer {
        let (id, email) = (call["id"], call.query.email.lowercased())
        try await ExternalUsers(management).delete(email: email, connectionID: id)
        return try await management.write(call.caller) { transaction, _ in
            let connection = try Self.find(id, transaction)
            // At providers several users may have one address, and nothing says which of them is meant.
            let isOne =
                try connection.isDatabase
                || UserStore.count(connection: connection.name, email: email, in: transaction) < 2
            guard isOne else {
                throw ManagementError.conflict(
                    "Several users of the connection have this email; delete it by its user_id")
            }
            let found = try UserStore.find(connection: connection.name, identifier: email, in: transaction)?.user
            guard let found, found.email == email else { return Changed(.noContent, []) }
            try UserStore.delete(found.id, in: transaction)
            return Changed(.noContent, [.init("users", found.id, before: ["email": .string(email)], after: nil)])
        }
    }

    // MARK: Steps

    /// Reads the scripts of a custom database, before a login does.
    private func checkScripts(_ members: JSONObject, replacing known: Connection?) async throws {
        guard let options = members["options"]?.object else { return }
        try ConnectionRules.checkScripts(of: members)
        try await ScriptService(services: management.services).check(options, replacing: known)
    }

    static func find(_ id: String, _ transaction: any SQLTransaction) throws -> Connection {
        guard let connection = try ConnectionStore.find(id: id, in: transaction) else {
            throw ManagementError.inexistent("connection", "connection")
        }
        return connection
    }

    /// The members without their secrets, the one for the old tenant sealed, and those of the strategy.
    private func secrets(
        of members: JSONObject
    ) throws -> (members: JSONObject, importSecret: String?, secrets: JSONObject) {
        var members = members
        let secret = try ConnectionRules.takeImportSecret(from: &members)
        let secrets = ConnectionWrite.takeSecrets(from: &members, management.services.strategies)
        return (members, try secret.map(management.services.secret.box.seal), secrets)
    }

    /// Checks that the server can sign users in with a strategy.
    private static func check(_ strategy: String, _ strategies: ConnectionStrategies) throws {
        guard strategy != Connection.databaseStrategy, strategies[strategy] == nil else { return }
        guard ConnectionRules.auth0Strategies.contains(strategy) else {
            throw Document.Problem(path: "strategy", message: "'\(strategy.forDisplay)' is no strategy of Auth0's")
        }
        throw ManagementError(
            501, "This version cannot sign users in with the strategy \(strategy.forDisplay) yet", "not_implemented")
    }

    /// The connection that the members make, once every rule is kept.
    private static func connection(
        _ members: JSONObject, _ id: String, _ transaction: any SQLTransaction
    ) throws -> Connection {
        try ConnectionRules.checkScripts(of: members)
        let connection = try Connection(document: Document(ConnectionRules.kept(members), path: ""), standardID: id)
        for (index, client) in (members["enabled_clients"]?.array ?? []).enumerated() {
            guard let id = client.string, try ClientStore.find(id, in: transaction) != nil else {
                throw Document.Problem(path: "enabled_clients[\(index)]", message: "is the client_id of no application")
            }
        }
        return connection
    }

    private static func shown(_ connection: Connection) -> JSONObject {
        let standard: JSONObject = ["is_domain_connection": false, "realms": [.string(connection.name)]]
        return connection.document.merging(standard) { first, _ in first }
    }
}
