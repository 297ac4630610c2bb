import AuthorizationServer
import Foundation
import OAuth
import Storage
import TenantConfiguration

/// `/api/v2/clients/{id}/credentials`: public keys that are registered for a client. One counts once the client's
/// `client_authentication_methods` names it.
struct ClientCredentialsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("clients/:id/credentials")
            .get(
                requires: .read("client_credentials"), "Get client credentials", answers: .list(Self.members), use: list
            )
            .post(
                requires: .create("client_credentials"), "Create a client credential", answers: .object(Self.members),
                use: create
            )
            .get(
                ":credential", requires: .read("client_credentials"), "Get a client credential",
                answers: .object(Self.members), use: get
            )
            .patch(
                ":credential", requires: .update("client_credentials"), "Update a client credential",
                answers: .object(Self.members), use: update
            )
            .delete(":credential", requires: .delete("client_credentials"), "Delete a client credential", use: delete)
    }

    static let members: Members = [
        "id": .text.always, "credential_type": .text.always, "alg": .text, "name": .text, "kid": .text,
        "expires_at": .text,
    ]

    struct NewCredential: Payload {
        let credential: ClientKeys.Credential

        init(from document: inout Document) throws(Document.Problem) {
            credential = try ClientKeys.credential(&document)
        }
    }

    struct Expiry: Payload {
        let expiresAt: Date?

        init(from document: inout Document) throws(Document.Problem) {
            expiresAt = try ClientKeys.date(&document, "expires_at")
        }
    }

    @Sendable private func list(_ call: Plain) async throws -> Answer {
        .ok(try await credentials(call).map(Self.shown))
    }

    @Sendable private func get(_ call: Plain) async throws -> Answer {
        guard let found = try await credentials(call).first(where: { $0.id == call["credential"] }) else {
            throw Self.inexistent
        }
        return .ok(Self.shown(found))
    }

    @Sendable private func create(_ call: Submission<NewCredential>) async throws -> Answer {
        var credential = call.body.credential
        do throws(JSONWebKey.Problem) {
            _ = try JSONWebKey(pem: credential.pem, keyID: nil, algorithm: credential.algorithm)
        } catch {
            throw Document.Problem(path: "pem", message: "cannot be used: \(error.description)")
        }
        credential.id = ClientMembers.newID()
        let new = credential
        let answer = Answer.created(Self.shown(new))
        return try await change(call.caller, of: call["id"]) { client in
            guard client.keys.all.count < 2 else {
                throw ManagementError(400, "A client has two credentials at most; delete one first", "invalid_body")
            }
            client.keys.unused.append(new)
            return answer
        }
    }

    @Sendable private func update(_ call: Submission<Expiry>) async throws -> Answer {
        let (id, expiry) = (call["credential"], call.body.expiresAt)
        return try await change(call.caller, of: call["id"]) { client in
            for list in [\ClientKeys.credentials, \ClientKeys.unused] {
                guard let index = client.keys[keyPath: list].firstIndex(where: { $0.id == id }) else { continue }
                client.keys[keyPath: list][index].expiresAt = expiry
                return .ok(Self.shown(client.keys[keyPath: list][index]))
            }
            throw Self.inexistent
        }
    }

    @Sendable private func delete(_ call: Plain) async throws -> Answer {
        let id = call["credential"]
        return try await change(call.caller, of: call["id"]) { client in
            guard !client.keys.credentials.contains(where: { $0.id == id }) else {
                throw ManagementError(
                    400, "The client authenticates with the credential; change client_authentication_methods first",
                    "invalid_uri")
            }
            client.keys.unused.removeAll { $0.id == id }
            return .noContent
        }
    }

    // MARK: Steps

    private static let inexistent = ManagementError.inexistent("credential", "credential")

    private func credentials(_ call: Plain) async throws -> [ClientKeys.Credential] {
        guard let client = try await management.stores.clients.find(call["id"])?.client else {
            throw ClientsResource.inexistent
        }
        return client.keys.all
    }

    private func change(
        _ caller: Caller, of id: String, _ body: @escaping @Sendable (inout Client) throws -> Answer
    ) async throws -> Answer {
        let box = management.services.secret.box
        return try await management.configure(caller) { transaction, now in
            let existing = try ClientsResource.find(id, transaction)
            var client = existing.client
            let answer = try body(&client)
            guard client != existing.client else { return Changed(answer, []) }
            let write = try ClientsResource.write(
                client.document, id, replacing: existing, secret: nil, box, transaction)
            try write.save(at: now, in: transaction)
            return Changed(
                answer, [.init("clients", id, before: existing.client.document, after: write.client.document)])
        }
    }

    private static func shown(_ credential: ClientKeys.Credential) -> JSONObject {
        var members = ClientKeys.document([credential]).array?.first?.object ?? [:]
        members["pem"] = nil
        return members
    }
}
