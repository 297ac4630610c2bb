import OAuth
import Storage
import Testing

@Suite("What scripts change of a scope")
struct ScriptChangesTests {
    private static let asked = Scope(["openid", "profile", "offline_access", "read", "write"])

    private static func changes(_ change: (inout ScriptChanges) -> Void) -> ScriptChanges {
        var changes = ScriptChanges()
        change(&changes)
        return changes
    }

    @Test("Nothing changed is nothing")
    func none() {
        let changes = ScriptChanges()
        #expect(changes.isEmpty && changes.scope(of: Self.asked) == Self.asked)
        #expect(changes.granted(of: Self.asked) == Self.asked)
    }

    @Test("What is replaced is the access token's scope; the rest of OpenID Connect's stays granted, an API's does not")
    func replaced() {
        let changes = Self.changes { $0.replaceScope(by: ["read", "array", "offline_access"]) }
        #expect(changes.scope(of: Self.asked).values == ["read", "array", "offline_access"])
        #expect(changes.scope(of: Scope(["openid"])).values == ["read", "array"])
        #expect(changes.granted(of: Self.asked).values == ["openid", "profile", "offline_access", "read"])
    }

    @Test("The last word counts of what is added and removed, and nobody gets a refresh token that was not asked for")
    func addedAndRemoved() {
        let changes = Self.changes { changes in
            changes.addScope("write")
            changes.addScope("offline_access")
            changes.removeScope("read")
            changes.addScope("more")
            changes.removeScope("more")
            changes.removeScope("openid")
            changes.addScope("read")
        }
        #expect(changes.scope(of: Scope(["openid", "read"])).values == ["read", "write"])
        #expect(changes.granted(of: Scope(["openid", "read"])).values == ["openid", "read"])
        let without = Self.changes { $0.removeScope("offline_access") }
        #expect(!without.granted(of: Self.asked).contains("offline_access"))
    }
}
