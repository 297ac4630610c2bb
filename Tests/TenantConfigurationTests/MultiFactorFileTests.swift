import OAuth
import Storage
import TenantConfiguration
import Testing

@Suite("Second factors in a tenant file")
struct MultiFactorFileTests {
    private static let file = """
        guardianFactors:
          - name: recovery-code
            enabled: false
          - name: sms
            enabled: false
          - name: push-notification
            enabled: true
        guardianPolicies:
          policies: [all-applications]
        """

    @Test("guardianFactors and guardianPolicies are applied, exported and planned without a difference")
    func roundTrip() async throws {
        try await Tenant.run { tenant in
            let plan = try await tenant.plan(Self.file)
            #expect(plan.notApplied.contains { $0.contains("push-notification") && $0.contains("not applied") })
            _ = try await plan.apply(to: tenant.stores, at: Tenant.now)
            let settings = try await tenant.stores.database.read {
                try TenantSectionStore.find(MultiFactorSettings.self, in: $0)
            }
            #expect(settings.isAlwaysRequired && settings.isEnabled(.otp) && !settings.isEnabled(.recoveryCode))
            #expect(try await tenant.plan(Self.file).isEmpty)
            let exported = try await tenant.export()
            #expect(exported.contains("guardianFactors") && exported.contains("all-applications"))
            #expect(try await tenant.plan(exported).isEmpty)
        }
    }

    @Test("sms is turned on beside a connection that sends text messages, in one file or before, and exported")
    func textMessages() async throws {
        try await Tenant.run { tenant in
            let connection = "connections: [{name: sms, strategy: sms, options: {from: '+15005550006'}}]\n"
            let factors = "guardianFactors: [{name: sms, enabled: true}, {name: email, enabled: true}]\n"
            _ = try await tenant.apply(connection + factors)
            #expect(try await tenant.plan(factors).isEmpty)
            let settings = try await tenant.stores.database.read {
                try TenantSectionStore.find(MultiFactorSettings.self, in: $0)
            }
            #expect(settings.isEnabled(.sms) && settings.isEnabled(.email) && settings.isEnabled(.otp))
            #expect(try await tenant.plan(try await tenant.export()).isEmpty)
        }
    }

    @Test("A factor without a name, one that nobody knows, and a policy that is not there are refused at their lines")
    func problems() async throws {
        try await Tenant.run { tenant in
            for (text, problem) in [
                ("guardianFactors: [{enabled: true}]", "is required"),
                ("guardianFactors: [{name: otp}]", "must be true or false"),
                ("guardianFactors: [{name: palm, enabled: true}]", "there is no factor palm"),
                ("guardianFactors: [{name: sms, enabled: true}]", "needs a connection of the strategy sms"),
                ("guardianPolicies: {policies: [confidence-score]}", "does not have confidence-score"),
            ] {
                let problems = try await tenant.problems(text)
                #expect(problems.count == 1 && problems[0].contains(problem), "\(text): \(problems)")
            }
        }
    }
}
