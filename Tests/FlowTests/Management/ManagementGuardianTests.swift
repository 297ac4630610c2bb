import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Management API: second factors")
struct ManagementGuardianTests {
    @Test("Auth0: factors are turned on and off by their names; one that the server does not have stays off")
    func factors() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let factors = try await management.list("guardian/factors")
            #expect(
                factors.filter { $0["enabled"] == true }.compactMap { $0["name"]?.string } == ["otp", "recovery-code"])
            #expect(factors.contains { $0["name"] == "sms" && $0["enabled"] == false })
            let off = try await management.send(.put, "guardian/factors/otp", ["enabled": false])
            #expect(try off.json() == ["enabled": false])
            #expect(
                try await management.list("guardian/factors").contains { $0["name"] == "otp" && $0["enabled"] == false }
            )
            for (name, body) in [("sms", ["enabled": true]), ("otp", [:]), ("nothing", ["enabled": false])]
                as [(String, JSONValue)]
            {
                #expect(try await management.send(.put, "guardian/factors/\(name)", body).status == .badRequest)
            }
            #expect(try await management.send(.put, "guardian/factors/sms", ["enabled": false]).status == .ok)
        }
    }

    @Test("Auth0: the policies are a list; all-applications has every login ask, the empty list none")
    func policies() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            #expect(try await management.send(.get, "guardian/policies").text == "[]")
            let set = try await management.send(.put, "guardian/policies", ["all-applications"])
            #expect(set.text == #"["all-applications"]"#)
            #expect(try await FactorVisitor(server).begin().location?.hasPrefix("/u/mfa-otp-enrollment") == true)
            for wrong: JSONValue in [["confidence-score"], ["all"], [7], ["policies": []]] {
                #expect(try await management.send(.put, "guardian/policies", wrong).status == .badRequest)
            }
            #expect(try await management.send(.put, "guardian/policies", []).text == "[]")
            #expect(try await FactorVisitor(server).begin().query("code") != nil)
        }
    }

    @Test("A user's enrolment is shown, and taken away with the recovery code and the remembered browsers")
    func enrollments() async throws {
        try await TestServer.run { server in
            let (management, id) = (try await ManagementClient(server), User.ada.id.replacing("|", with: "%7C"))
            #expect(try await management.list("users/\(id)/enrollments").isEmpty)
            for path in [
                "users/\(id)/authenticators", "users/\(id)/multifactor/google-authenticator", "guardian/enrollments/",
            ] {
                _ = try await management.send(.put, "guardian/policies", ["all-applications"])
                let visitor = FactorVisitor(server)
                _ = try await visitor.enroll(visitor.begin(), [("rememberBrowser", "true")])
                visitor.browser.setCookie("auth0", nil)
                #expect(try await visitor.begin().query("code") != nil)
                let shown = try #require(try await management.list("users/\(id)/enrollments").first)
                let enrollment = try #require(shown["id"]?.string).replacing("|", with: "%7C")
                #expect(try await management.get("guardian/enrollments/\(enrollment)") == shown)
                let place = path.hasSuffix("/") ? path + enrollment : path
                #expect(try await management.send(.delete, place).status == .noContent)
                #expect(try await management.list("users/\(id)/enrollments").isEmpty)
                visitor.browser.setCookie("auth0", nil)
                #expect(try await visitor.begin().location?.hasPrefix("/u/mfa-otp-enrollment") == true)
                let rows = try await server.services.stores.database.read { transaction in
                    try ["authenticator", "recovery_code", "remembered_browser"].map { name in
                        try Table.all.first { $0.name == name }?.count(in: transaction)
                    }
                }
                #expect(rows == [0, 0, 0])
            }
            #expect(try await management.send(.delete, "guardian/enrollments/none").status == .notFound)
            #expect(try await management.send(.delete, "users/\(id)/multifactor/else").status == .badRequest)
            #expect(try await management.send(.delete, "users/none/authenticators").status == .notFound)
        }
    }

    @Test("sms needs a connection that sends text messages; a phone is shown, and taken away beside the app")
    func phones() async throws {
        try await TestServer.run(MFAClient.fixtures()) { server in
            let (management, id) = (try await ManagementClient(server), User.ada.id.replacing("|", with: "%7C"))
            for name in ["sms", "email"] {
                let on = try await management.send(.put, "guardian/factors/\(name)", ["enabled": true])
                #expect(on.status == .ok, "\(on.text)")
            }
            _ = try await management.send(.put, "guardian/factors/email", ["enabled": false])
            _ = try await management.send(.put, "guardian/policies", ["all-applications"])
            try await server.services.configuration.refresh()
            try await MFAClient(server).enrollPhone()
            let shown = try #require(try await management.list("users/\(id)/enrollments").first)
            #expect(shown["type"] == "sms" && shown["phone_number"] == .string(MFAClient.number))
            let enrollment = try #require(shown["id"]?.string).replacing("|", with: "%7C")
            #expect(try await management.get("guardian/enrollments/\(enrollment)") == shown)
            #expect(try await management.send(.delete, "guardian/enrollments/\(enrollment)").status == .noContent)
            let begun = try await MFAClient(server).begin()
            #expect(begun["mfa_requirements"] == ["enroll": [["type": "otp"], ["type": "phone"]]])
        }
    }

    @Test("A new recovery code takes the old one's place; browsers are forgotten on request")
    func recoveryCode() async throws {
        try await TestServer.run { server in
            let (management, id) = (try await ManagementClient(server), User.ada.id.replacing("|", with: "%7C"))
            let path = "users/\(id)/recovery-code-regeneration"
            #expect(try await management.send(.post, path).status == .notFound)
            let (_, old) = try await FactorVisitor.enrolled(server)
            let answer = try await management.send(.post, path)
            let code = try #require(try answer.json()["recovery_code"]?.string)
            let visitor = FactorVisitor(server)
            let begun = try await visitor.begin(["acr_values": FactorVisitor.context])
            let recovery = "/u/mfa-recovery-code-challenge?state=\(begun.query("state") ?? "")"
            #expect(try await visitor.send(old, begun, to: recovery).status == .badRequest)
            let noted = try await visitor.send(code, begun, to: recovery)
            #expect(try await visitor.note(noted).response.query("code") != nil)
            let forgotten = try await management.send(
                .post, "users/\(id)/multifactor/actions/invalidate-remember-browser")
            #expect(forgotten.status == .noContent)
        }
    }
}
