import AuthorizationServer
import OAuth
import Storage

/// What a token must have for a route: one of some scopes.
package struct RequiredScope: Sendable, Hashable {
    /// In the order in which a refusal names them.
    package let values: [String]
    /// Those of ``values`` that hold for the user's own account alone, whose id the path names.
    package let own: Set<String>

    private init(_ values: [String], own: Set<String> = []) { (self.values, self.own) = (values, own) }

    /// `read:` of one of the resources.
    package static func read(_ resources: String...) -> RequiredScope { RequiredScope(resources.map { "read:\($0)" }) }
    /// `create:` of one of the resources.
    package static func create(_ resources: String...) -> RequiredScope {
        RequiredScope(resources.map { "create:\($0)" })
    }
    /// `update:` of one of the resources.
    package static func update(_ resources: String...) -> RequiredScope {
        RequiredScope(resources.map { "update:\($0)" })
    }
    /// `delete:` of one of the resources.
    package static func delete(_ resources: String...) -> RequiredScope {
        RequiredScope(resources.map { "delete:\($0)" })
    }

    /// As well one of these.
    package func or(_ other: RequiredScope) -> RequiredScope {
        RequiredScope(values + other.values, own: own.union(other.own))
    }

    /// As well this scope, for users on themselves.
    package func orOwn(_ scope: String) -> RequiredScope { RequiredScope(values + [scope], own: own.union([scope])) }

    /// - Parameter userID: the user whom the path names; nil where it names none.
    /// - Throws: ``ManagementError`` 403 for a token that has none of the scopes.
    func require(of principal: ManagementPrincipal, userID: String?) throws(ManagementError) {
        let held = values.filter(principal.scope.contains)
        let isOwn = userID != nil && principal.user?.id == userID
        guard held.contains(where: { isOwn || !own.contains($0) }) else {
            throw .insufficientScope(values)
        }
    }
}
