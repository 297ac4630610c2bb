import OAuth
import Storage

/// What a client grant may name.
package enum GrantRules {
    /// Why a grant would mean something else here than at Auth0: what an application may do for its users follows from
    /// their own permissions, and as a grant it would give the application itself that power.
    package static func unsupported(_ members: JSONObject) -> String? {
        guard let type = members["subject_type"]?.string, type != "client" else { return nil }
        return "a grant of the subject_type '\(type.forDisplay)' is not applied; this version knows those of clients"
    }

    /// A scope that the API does not have.
    package static func problem(of grant: ClientGrant, for api: ResourceServer) -> Document.Problem? {
        let unknown = grant.scope.subtracting(api.scope)
        guard !unknown.isEmpty else { return nil }
        return Document.Problem(
            path: "scope",
            message: "the API \(api.identifier) has no scope \(unknown.values.joined(separator: ", "))")
    }
}
