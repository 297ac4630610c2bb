import OAuth
import Storage
import Testing

@testable import TenantConfiguration

@Suite("Attack protection in tenant files")
struct AttackProtectionTests {
    private static let file = """
        attackProtection:
          bruteForceProtection:
            enabled: true
            max_attempts: 5
            portico_same_user: {max_attempts: 7}
            allowlist: [192.0.2.0/24]
          suspiciousIpThrottling:
            stage: {pre-login: {max_attempts: 7, rate: 1000}}
          breachedPasswordDetection: {enabled: true, shields: [block], stage: {pre-user-registration: {shields: [block]}}}
        """

    @Test("It is planned, applied, exported, and the export changes nothing")
    func roundTrip() async throws {
        try await Tenant.run { tenant in
            _ = try await tenant.apply(Self.file)
            let sections = try await tenant.stores.database.read { try TenantSectionStore.all(in: $0) }
            #expect(
                sections.bruteForce.mostAttempts == 5 && sections.bruteForce.allowlist.map(\.text) == ["192.0.2.0/24"])
            #expect(sections.bruteForce.sameUser == .init(most: 7, rate: 6000))
            #expect(sections.suspiciousIP.allowance(.login, nil) == .init(most: 7, rate: 1000))
            #expect(sections.suspiciousIP.allowance(.signup, nil) == .init(most: 50, rate: 1200))
            #expect(sections.breachedPasswords.shields == [.block] && sections.breachedPasswords.isEnabled)
            #expect(sections.breachedPasswords.shields(at: .signup) == [.block])
            #expect(sections.breachedPasswords.shields(at: .passwordChange).isEmpty)
            let export = try await TenantExport.yaml(tenant.stores)
            #expect(export.contains("max_attempts: 5"))
            let plan = try await tenant.plan(export)
            #expect(plan.isEmpty, "\(plan.text)")
        }
    }

    @Test("What the server does not have is named where it is on, and a wrong value has its line")
    func problems() async throws {
        try await Tenant.run { tenant in
            let plan = try await tenant.plan(
                "attackProtection: {captcha: {enabled: true}, botDetection: {enabled: false}}")
            #expect(plan.notApplied.count == 1 && plan.notApplied[0].contains("attackProtection.captcha"))
            let problems = try await tenant.problems("attackProtection: {bruteForceProtection: {max_attempts: many}}")
            #expect(problems.count == 1 && problems[0].contains("attackProtection.bruteForceProtection.max_attempts"))
        }
    }

    @Test("Parts of attack protection that this version does not have are named with the reason, whether on or off")
    func protections() async throws {
        try await Tenant.run { tenant in
            let file = try tenant.write(
                """
                attackProtection:
                  botDetection: {bot_detection_level: medium, challenge_password_policy: never}
                  captcha: {active_provider_id: recaptcha_v2, auth_challenge: {fail_open: false}}
                  suspiciousIpThrottling: {enabled: true}
                """, to: "protections.yaml")
            let leftOut = try await Auth0Migration.make(
                export: file, environment: [:], stores: tenant.stores, box: Tenant.box
            ).leftOut
            #expect(
                leftOut.contains { $0.hasPrefix("attackProtection.botDetection: ") && $0.contains("off in the export") }
            )
            #expect(leftOut.contains { $0.hasPrefix("attackProtection.captcha: not applied") }, "\(leftOut)")
            #expect(!leftOut.contains { $0.contains("suspiciousIp") })
        }
    }
}
