import AuthorizationServer
import Foundation
import OAuth
import Storage

/// `/api/v2/guardian` and what users have enrolled: the second factors.
struct GuardianResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("")
            .get(
                "guardian/factors", requires: .read("guardian_factors"), "Get Factors and multi-factor details",
                answers: .list(["name": .text.always, "enabled": .bool.always, "trial_expired": .bool.always]),
                use: factors
            )
            .put(
                "guardian/factors/:name", requires: .update("guardian_factors"),
                "Update multi-factor authentication type",
                answers: .object(["enabled": .bool.always]), use: setFactor
            )
            .get(
                "guardian/policies", requires: .read("mfa_policies"), "Get multi-factor authentication policies",
                answers: .texts, use: policies
            )
            .put(
                "guardian/policies", requires: .update("mfa_policies"), "Update multi-factor authentication policies",
                answers: .texts, use: setPolicies
            )
            .get(
                "guardian/enrollments/:id", requires: .read("guardian_enrollments"),
                "Get a multi-factor authentication enrollment",
                answers: .object(Self.enrollment), use: enrollment
            )
            .delete(
                "guardian/enrollments/:id", requires: .delete("guardian_enrollments"),
                "Delete a multi-factor authentication enrollment", use: removeEnrollment
            )
            .get(
                "users/:id/enrollments", requires: .read("users"),
                "Get the first confirmed multi-factor authentication enrollment",
                answers: .list(Self.enrollment), use: enrollments
            )
            .delete(
                "users/:id/authenticators", requires: .delete("guardian_enrollments"), "Delete All Authenticators",
                use: removeAll
            )
            .delete(
                "users/:id/multifactor/:provider", requires: .update("users"), "Delete a User's Multi-factor Provider",
                use: removeProvider
            )
            .post(
                "users/:id/multifactor/actions/invalidate-remember-browser", requires: .update("users"),
                "Invalidate All Remembered Browsers for Multi-factor Authentication", status: 204, answers: .nothing,
                use: forgetBrowsers
            )
            .post(
                "users/:id/recovery-code-regeneration", requires: .update("users"),
                "Generate New Multi-factor Authentication Recovery Code", status: 200,
                answers: .object(["recovery_code": .text.always]), use: newRecoveryCode)
    }

    private static let enrollment: Members = [
        "id": .text.always, "status": .choice(["confirmed"]).always, "type": .choice(["authenticator", "sms"]),
        "auth_method": .choice(["authenticator", "sms"]), "name": .text, "phone_number": .text,
        "enrolled_at": .text.always, "last_auth": .text,
    ]

    // MARK: The tenant's settings

    /// Whether a factor is on.
    struct Switch: Payload {
        let isEnabled: Bool

        init(from document: inout Document) throws(Document.Problem) {
            guard let enabled = try document.bool("enabled") else { throw document.problem("enabled", "is required") }
            isEnabled = enabled
        }

        static var schema: [String: DocumentSchema.Member] { ["enabled": .bool.always] }
    }

    @Sendable private func factors(_ call: Plain) async throws -> Answer {
        let settings = try await settings()
        let own = MultiFactorSettings.Factor.allCases.map { ($0.rawValue, settings.isEnabled($0)) }
        let all = own + MultiFactorSettings.foreignFactors.map { ($0, false) }
        return .ok(
            all.sorted { $0.0 < $1.0 }.map { name, isEnabled in
                ["name": .string(name), "enabled": .bool(isEnabled), "trial_expired": false]
            })
    }

    @Sendable private func setFactor(_ call: Submission<Switch>) async throws -> Answer {
        let (name, isEnabled) = (call["name"], call.body.isEnabled)
        if isEnabled, name == MultiFactorSettings.Factor.sms.rawValue,
            try await !management.services.canSendTextMessages()
        {
            throw ManagementError.invalidBody(
                Document.Problem(path: "enabled", message: MultiFactorSettings.needsTextMessages))
        }
        return try await change(call.caller, answer: .ok(["enabled": .bool(isEnabled)])) { settings in
            do throws(Document.Problem) {
                try settings.set(name, isEnabled, path: "name")
            } catch {
                throw ManagementError.invalidPath(error)
            }
        }
    }

    @Sendable private func policies(_ call: Plain) async throws -> Answer {
        Answer(status: 200, body: JSONValue(try await settings().policies))
    }

    @Sendable private func setPolicies(_ call: Submission<TextList>) async throws -> Answer {
        let policies = call.body.values
        return try await change(call.caller, answer: Answer(status: 200, body: JSONValue(policies))) { settings in
            do throws(Document.Problem) {
                settings = try settings.changed(by: ["policies": JSONValue(policies)], path: "policies")
            } catch {
                throw ManagementError.invalidBody(error)
            }
        }
    }

    private func settings() async throws -> MultiFactorSettings {
        try await management.stores.database.readOnce { try TenantSectionStore.find(MultiFactorSettings.self, in: $0) }
    }

    private func change(
        _ caller: Caller, answer: Answer, _ body: @escaping @Sendable (inout MultiFactorSettings) throws -> Void
    ) async throws -> Answer {
        try await management.configure(caller) { transaction, _ in
            let before = try TenantSectionStore.find(MultiFactorSettings.self, in: transaction)
            var after = before
            try body(&after)
            guard after != before else { return Changed(answer, []) }
            try TenantSectionStore.save(after, in: transaction)
            return Changed(
                answer,
                [.init("guardian", MultiFactorSettings.name, before: before.document, after: after.document)])
        }
    }

    // MARK: What users have

    @Sendable private func enrollments(_ call: Plain) async throws -> Answer {
        let id = call["id"]
        let found = try await management.stores.database.read { transaction in
            guard try UserStore.find(id, in: transaction) != nil else { throw UsersResource.inexistent }
            return [
                try AuthenticatorStore.find(of: id, in: transaction).map(Self.shown),
                try PhoneAuthenticatorStore.find(of: id, in: transaction).map(Self.shown),
            ]
        }
        return .ok(found.compactMap(\.self))
    }

    @Sendable private func enrollment(_ call: Plain) async throws -> Answer {
        let id = call["id"]
        let found = try await management.stores.database.read { transaction in
            try AuthenticatorStore.find(id: id, in: transaction).map(Self.shown)
                ?? PhoneAuthenticatorStore.find(id: id, in: transaction).map(Self.shown)
        }
        guard let found else { throw Self.inexistent }
        return .ok(found)
    }

    private static func shown(_ authenticator: Authenticator) -> JSONObject {
        [
            "id": .string(authenticator.id), "status": "confirmed", "type": "authenticator",
            "auth_method": "authenticator", "name": "otp", "enrolled_at": UserMembers.time(authenticator.enrolledAt),
            "last_auth": UserMembers.time(authenticator.lastUsedAt),
        ]
    }

    private static func shown(_ phone: PhoneAuthenticator) -> JSONObject {
        [
            "id": .string(phone.id), "status": "confirmed", "type": "sms", "auth_method": "sms",
            "name": .string(phone.maskedNumber), "phone_number": .string(phone.number),
            "enrolled_at": UserMembers.time(phone.enrolledAt), "last_auth": UserMembers.time(phone.lastUsedAt),
        ]
    }

    @Sendable private func removeEnrollment(_ call: Plain) async throws -> Answer {
        let id = call["id"]
        return try await management.write(call.caller) { transaction, _ in
            let owner =
                try AuthenticatorStore.find(id: id, in: transaction)?.userID
                ?? PhoneAuthenticatorStore.find(id: id, in: transaction)?.userID
            guard let owner, try AuthenticatorStore.remove(id: id, of: owner, in: transaction) else {
                throw Self.inexistent
            }
            return Changed(
                .noContent, [.init("users", owner, before: ["authenticators": true], after: ["authenticators": false])])
        }
    }

    @Sendable private func removeAll(_ call: Plain) async throws -> Answer { try await remove(call) }

    @Sendable private func removeProvider(_ call: Plain) async throws -> Answer {
        switch call["provider"] {
        case "google-authenticator", "guardian": return try await remove(call)
        case "duo":
            // Nobody has that, so nothing is left of it.
            guard try await management.stores.users.find(call["id"]) != nil else { throw UsersResource.inexistent }
            return .noContent
        default:
            throw ManagementError.invalidPath(
                Document.Problem(path: "provider", message: "must be google-authenticator, guardian or duo"))
        }
    }

    private func remove(_ call: Plain) async throws -> Answer {
        let id = call["id"]
        return try await management.write(call.caller) { transaction, _ in
            guard try UserStore.find(id, in: transaction) != nil else { throw UsersResource.inexistent }
            return try Self.remove(of: id, in: transaction)
        }
    }

    private static func remove(of userID: String, in transaction: any SQLTransaction) throws -> Changed<Answer> {
        let had = try AuthenticatorStore.remove(of: userID, in: transaction)
        return Changed(
            .noContent,
            had ? [.init("users", userID, before: ["authenticators": true], after: ["authenticators": false])] : [])
    }

    @Sendable private func forgetBrowsers(_ call: Plain) async throws -> Answer {
        let id = call["id"]
        return try await management.write(call.caller) { transaction, _ in
            guard try UserStore.find(id, in: transaction) != nil else { throw UsersResource.inexistent }
            try RememberedBrowserStore.forget(of: id, in: transaction)
            return Changed(
                .noContent,
                [.init("users", id, before: ["remembered_browsers": true], after: ["remembered_browsers": false])])
        }
    }

    @Sendable private func newRecoveryCode(_ call: Plain) async throws -> Answer {
        let (id, code) = (call["id"], RecoveryCode.make())
        return try await management.write(call.caller) { transaction, now in
            guard try UserStore.find(id, in: transaction) != nil else { throw UsersResource.inexistent }
            guard try RecoveryCodeStore.createdAt(of: id, in: transaction) != nil else {
                throw ManagementError(404, "There is no recovery code to replace.", "inexistent_recovery_code")
            }
            try RecoveryCodeStore.save(digest: RecoveryCode.digest(code), of: id, at: now, in: transaction)
            return Changed(
                .ok(["recovery_code": .string(code)]),
                [.init("users", id, before: ["recovery_code": "old"], after: ["recovery_code": "new"])])
        }
    }

    private static let inexistent = ManagementError.inexistent("enrollment", "enrollment")
}
