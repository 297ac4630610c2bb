import AuthorizationServer
import OAuth
import Storage
import TenantConfiguration

/// A client's members between a request and its document: what Auth0 writes in a request and keeps otherwise.
enum ClientMembers {
    /// The document of a new client.
    static func new(_ members: JSONObject) throws(Document.Problem) -> JSONObject {
        prepared(try resolved(members, among: []))
    }

    /// The document of a client after a change: members replace those that there are and null removes them; of
    /// `client_metadata` the same holds for each key.
    static func merged(_ client: Client, _ changes: JSONObject) throws(Document.Problem) -> JSONObject {
        let known = client.keys.credentials + client.keys.unused
        var changes = try resolved(changes, among: known)
        if let metadata = changes["client_metadata"]?.object {
            let present = client.other["client_metadata"]?.object ?? [:]
            changes["client_metadata"] = .object(
                present.merging(metadata) { $1 }.filter { $0.value != .null && $0.value != "" })
        }
        if changes.keys.contains("client_authentication_methods") {
            // What authenticates no longer stays registered, until it is deleted.
            let used = Set(usedIDs(changes))
            changes["credentials"] = ClientKeys.document(known.filter { !used.contains($0.id ?? "") })
            // Auth0's way from a secret to a key and back.
            if changes["client_authentication_methods"] == .null, changes["token_endpoint_auth_method"] == nil,
                client.keys.declaredMethod == client.tokenEndpointAuthMethod
            {
                changes["token_endpoint_auth_method"] = .null
            }
        }
        return prepared(client.document.merging(changes) { $1 }.filter { $0.value != .null })
    }

    /// The client as the API shows it.
    static func shown(_ client: Client) -> JSONObject {
        var members = client.document
        members["credentials"] = nil
        if !client.keys.credentials.isEmpty {
            members["client_authentication_methods"] = [
                "private_key_jwt": ["credentials": .array(client.keys.credentials.map { ["id": .string($0.id ?? "")] })]
            ]
        }
        return members
    }

    private static func prepared(_ members: JSONObject) -> JSONObject {
        var members = members.filter { !ClientWrite.notInDocument.contains($0.key) }
        if let addons = members["addons"]?.object {
            members["addons"] = .object(ForeignSecrets.removed(from: addons, path: "addons").members)
        }
        return members
    }

    private static func usedIDs(_ members: JSONObject) -> [String] { entries(members).compactMap { $0["id"]?.string } }

    private static func entries(_ members: JSONObject) -> [JSONObject] {
        let method = members["client_authentication_methods"]?.object?["private_key_jwt"]?.object
        return (method?["credentials"]?.array ?? []).compactMap(\.object)
    }

    /// Puts a registered credential where a request has only its id, and gives a new one an id.
    private static func resolved(
        _ members: JSONObject, among known: [ClientKeys.Credential]
    ) throws(Document.Problem) -> JSONObject {
        guard var methods = members["client_authentication_methods"]?.object,
            var method = methods["private_key_jwt"]?.object, let list = method["credentials"]?.array
        else { return members }
        var resolved: [JSONValue] = []
        for (index, element) in list.enumerated() {
            guard var entry = element.object else {
                resolved.append(element)
                continue
            }
            if entry["pem"] == nil, let id = entry["id"]?.string {
                guard let credential = known.first(where: { $0.id == id }) else {
                    throw Document.Problem(
                        path: "client_authentication_methods.private_key_jwt.credentials[\(index)].id",
                        message: "is no credential of this client")
                }
                resolved += ClientKeys.document([credential]).array ?? []
            } else {
                entry["id"] = .string(newID())
                resolved.append(.object(entry))
            }
        }
        method["credentials"] = .array(resolved)
        methods["private_key_jwt"] = .object(method)
        return members.merging(["client_authentication_methods": .object(methods)]) { $1 }
    }

    /// `cred_` and 22 letters and digits.
    static func newID() -> String { RandomBytes.alphanumeric(22, prefix: "cred_") }
}
