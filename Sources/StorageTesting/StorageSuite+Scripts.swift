import Foundation
import OAuth
import Storage
import Testing

extension StorageSuite {
    static let scripts: [Behaviour] = [
        Behaviour("rules: insert, replace, list in their order, delete", rulesAreKept),
        Behaviour("no two rules have the same name or order, and one makes way for another", rulesMakeWay),
        Behaviour("values that rules read: set, replace, list, delete", ruleConfigurationsAreKept),
        Behaviour("an action comes back as it was written, and each deployment is a version", actionsAreKept),
        Behaviour("an action keeps its newest versions", oldVersionsGo),
        Behaviour("bindings are replaced as a whole, and end with their action", bindingsAreReplaced),
        Behaviour("what scripts change of tokens comes back with the code", changesAreKept),
        Behaviour("claims for userinfo: the newest tokens' count, and end with them", userInfoClaimsAreKept),
    ]

    static func rule(_ id: String, _ name: String, order: Int, isEnabled: Bool = true) throws -> Rule {
        try Rule(
            document: Document(
                [
                    "name": .string(name), "script": "function (user, context, callback) { callback(null); }",
                    "order": .integer(Int64(order)), "enabled": .bool(isEnabled),
                ], path: ""), standardID: id)
    }

    static func action(_ id: String, _ name: String, code: String = "exports.x = 1;") throws -> Action {
        var document = Document(
            [
                "code": .string(code), "runtime": "node18",
                "dependencies": [
                    ["name": "lodash", "version": "4.17.21"], ["name": "a", "registry_url": "https://r/"],
                ],
                "supported_triggers": [["id": "post-login", "version": "v2"]],
            ], path: "")
        var content = try ActionContent(from: &document)
        content.secrets = [
            .init(name: "KEY", updatedAt: Sample.now), .init(name: "ANOTHER", updatedAt: Sample.now + 1),
        ]
        content.sealedSecrets = "sealed"
        return Action(id: id, name: name, content: content, createdAt: Sample.now)
    }

    private static func rulesAreKept(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let (first, second) = (
            try rule("rul_1", "Second", order: 7, isEnabled: false), try rule("rul_2", "First", order: 1)
        )
        try await database.write { for rule in [first, second] { try RuleStore.save(rule, in: $0) } }
        #expect(try await database.read { try RuleStore.list(in: $0) } == [second, first])
        var changed = second
        (changed.name, changed.script, changed.order, changed.isEnabled) = ("Last", "x", 9, false)
        let last = changed
        try await database.write { try RuleStore.save(last, in: $0) }
        #expect(try await database.read { try RuleStore.list(in: $0) } == [first, last])
        #expect(try await database.read { try RuleStore.find("rul_2", in: $0) } == last)
        try await database.write { try RuleStore.delete("rul_2", in: $0) }
        #expect(try await database.read { try RuleStore.find("rul_2", in: $0) } == nil)
        #expect(try await database.read { try RuleStore.list(in: $0) } == [first])
    }

    private static func rulesMakeWay(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        var (a, b) = (try rule("rul_a", "A", order: 1), try rule("rul_b", "B", order: 2))
        let both = [a, b]
        try await database.write { for rule in both { try RuleStore.save(rule, in: $0) } }
        for double in [try rule("rul_c", "C", order: 2), try rule("rul_c", "B", order: 3)] {
            let error = await failure { try await database.write { try RuleStore.save(double, in: $0) } }
            #expect(isUniqueViolation(error))
        }
        (a.order, b.order, a.name, b.name) = (2, 1, "B", "A")
        let swapped = [a, b]
        try await database.write { transaction in
            for rule in swapped {
                try RuleStore.makeWay(for: rule.id, name: rule.name, order: rule.order, in: transaction)
                try RuleStore.save(rule, in: transaction)
            }
        }
        #expect(try await database.read { try RuleStore.list(in: $0) } == [b, a])
    }

    private static func ruleConfigurationsAreKept(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let values = [("B", "1"), ("A", "2"), ("B", "3")].map { RuleConfiguration(key: $0.0, sealedValue: $0.1) }
        try await database.write { for value in values { try RuleConfigurationStore.save(value, in: $0) } }
        #expect(try await database.read { try RuleConfigurationStore.list(in: $0) } == [values[1], values[2]])
        #expect(try await database.write { try RuleConfigurationStore.delete("B", in: $0) })
        #expect(try await database.write { try RuleConfigurationStore.delete("B", in: $0) } == false)
        #expect(try await database.read { try RuleConfigurationStore.list(in: $0) } == [values[1]])
    }

    private static func actionsAreKept(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let (draft, other) = (try action("1", "Roles"), try action("2", "Claims"))
        try await database.write { for action in [draft, other] { try ActionStore.save(action, in: $0) } }
        #expect(try await database.read { try ActionStore.list(in: $0) } == [other, draft])
        #expect(try await database.read { try ActionVersionStore.deployed(in: $0) }.isEmpty)
        let double = try action("3", "Roles")
        let error = await failure { try await database.write { try ActionStore.save(double, in: $0) } }
        #expect(isUniqueViolation(error))

        let first = try await database.write {
            try ActionStore.deploy(draft, draft.content, versionID: "v1", at: Sample.now + 5, in: $0)
        }
        #expect(first.number == 1 && first.content == draft.content && first.createdAt == (Sample.now + 5).storable)
        var changed = try #require(try await database.read { try ActionStore.find("1", in: $0) })
        #expect(changed.deployedVersionID == "v1" && changed.content == draft.content)
        (changed.content.code, changed.content.sealedSecrets, changed.content.secrets) = ("exports.y = 2;", nil, [])
        let second = changed
        let newest = try await database.write { transaction in
            try ActionStore.save(second, in: transaction)
            return try ActionStore.deploy(second, second.content, versionID: "v2", at: Sample.now, in: transaction)
        }
        #expect(newest.number == 2)
        #expect(try await database.read { try ActionVersionStore.deployed(in: $0) } == ["1": newest])
        #expect(try await database.read { try ActionVersionStore.list(of: "1", in: $0) } == [newest, first])
        #expect(try await database.read { try ActionVersionStore.find("v1", in: $0) } == first)
        try await database.write { try ActionStore.delete("1", in: $0) }
        #expect(try await database.read { try ActionStore.find("1", in: $0) } == nil)
        #expect(try await database.read { try ActionVersionStore.find("v1", in: $0) } == nil)
    }

    private static func oldVersionsGo(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let draft = try action("1", "Roles")
        try await database.write { transaction in
            try ActionStore.save(draft, in: transaction)
            for number in 1...(ActionVersion.most + 2) {
                _ = try ActionStore.deploy(
                    draft, draft.content, versionID: "v\(number)", at: Sample.now, in: transaction)
            }
        }
        let numbers = try await database.read { try ActionVersionStore.list(of: "1", in: $0) }.map(\.number)
        #expect(numbers == (3...(ActionVersion.most + 2)).reversed())
    }

    private static func changesAreKept(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        var changes = ScriptChanges()
        changes.idTokenClaims = ["https://x/é": ["a": [1, 2.5, nil, true, "\u{0}"]]]
        changes.replaceScope(by: ["a", "b"])
        changes.removeScope("b")
        var token = NewRefreshToken()
        (token.expiresAt, token.metadata) = (Sample.now + 0.5, ["device": "phone"])
        token.idleExpiresAt = Sample.now + 1
        changes.targetScope = ["c", "a"]
        changes.accessTokenClaims = ["n": .null]
        changes.refreshToken = token
        let (sample, kept) = (try Sample.code("changed"), changes)
        let code = AuthorizationCode(
            digest: sample.digest, authorizationID: sample.authorizationID, clientID: sample.clientID,
            userID: sample.userID, redirectURI: nil, scope: sample.scope, audience: nil, nonce: nil, proofKey: nil,
            sid: "sid", authenticatedAt: Sample.now, showsAuthenticationTime: false, expiresAt: sample.expiresAt,
            changes: kept)
        let redemption = try await database.write { transaction in
            try AuthorizationCodeStore.insert(code, in: transaction)
            return try AuthorizationCodeStore.redeem(
                digest: code.digest, clientID: code.clientID, at: Sample.now, in: transaction)
        }
        guard case .redeemed(let found) = redemption else {
            Issue.record("the code was refused")
            return
        }
        #expect(found.changes == changes)
    }

    private static func userInfoClaimsAreKept(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        func claims(at now: Date = Sample.now) async throws -> JSONObject {
            try await database.read { try UserInfoClaimsStore.find("authorization", at: now, in: $0) }
        }
        for next in [["a": 1], ["b": [2]], [:]] as [JSONObject] {
            try await database.write { transaction in
                try UserInfoClaimsStore.save(
                    next, of: "authorization", expiresAt: Sample.now + 60, in: transaction)
            }
            #expect(try await claims() == next)
            #expect(try await claims(at: Sample.now + 60).isEmpty)
        }
    }

    private static func bindingsAreReplaced(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let actions = [try action("1", "Roles"), try action("2", "Claims")]
        try await database.write { for action in actions { try ActionStore.save(action, in: $0) } }
        func binding(_ id: String, _ action: String, _ trigger: ActionTrigger = .postLogin) -> ActionBinding {
            ActionBinding(id: id, trigger: trigger, actionID: action, displayName: "Name \(id)", at: Sample.now)
        }
        let (login, machine) = ([binding("b", "1"), binding("a", "2")], [binding("c", "1", .credentialsExchange)])
        try await database.write { transaction in
            try ActionBindingStore.replace(.postLogin, by: login.reversed(), in: transaction)
            try ActionBindingStore.replace(.postLogin, by: login, in: transaction)
            try ActionBindingStore.replace(.credentialsExchange, by: machine, in: transaction)
        }
        #expect(try await database.read { try ActionBindingStore.list(of: .postLogin, in: $0) } == login)
        #expect(try await database.read { try ActionBindingStore.list(in: $0) } == machine + login)
        let twice = [binding("d", "1"), binding("e", "1")]
        let double = await failure {
            try await database.write { try ActionBindingStore.replace(.postLogin, by: twice, in: $0) }
        }
        #expect(isUniqueViolation(double))
        let lost = [binding("d", "none")]
        let dangling = await failure {
            try await database.write { try ActionBindingStore.replace(.postLogin, by: lost, in: $0) }
        }
        #expect(dangling as? SQLError == .foreignKeyViolation)
        try await database.write { try ActionStore.delete("1", in: $0) }
        #expect(try await database.read { try ActionBindingStore.list(in: $0) } == [login[1]])
    }
}
