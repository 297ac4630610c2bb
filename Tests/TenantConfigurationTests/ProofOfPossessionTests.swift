import OAuth
import Storage
import TenantConfiguration
import Testing

@Suite("Proof of possession in a tenant file")
struct ProofOfPossessionTests {
    @Test("Auth0's settings of applications and APIs, and the tenant's nonce, are kept and exported")
    func kept() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(
                """
                tenant: {require_dpop_nonce: true, mtls: {enable_endpoint_aliases: false}}
                resourceServers:
                  - {identifier: bound, proof_of_possession: {mechanism: dpop, required: true, required_for: public_clients}}
                  - {identifier: certified, proof_of_possession: {mechanism: mtls, required: false}}
                  - {identifier: plain}
                clients: [{name: Web, require_proof_of_possession: true}]
                """)
            #expect(try await tenant.stores.tenant.settings().requiresDPoPNonce)
            #expect(try await tenant.stores.tenant.settings().mutualTLSAliases == false)
            #expect(try await tenant.client("Web")?.client.requiresProofOfPossession == true)
            let apis = try await tenant.resourceServers().map(\.resourceServer)
            let bound = try #require(apis.first { $0.identifier == "bound" }).proofOfPossession
            #expect(bound.isRequired && bound.requiredFor == .public)
            #expect(apis.first { $0.identifier == "certified" }?.proofOfPossession.mechanism == .mtls)
            #expect(apis.first { $0.identifier == "plain" }?.proofOfPossession.isRequired == false)
            let export = try await tenant.export()
            #expect(try await tenant.plan(export, delete: true).isEmpty)
            #expect(export.contains("required_for: public_clients"))
        }
    }

    @Test(
        "A setting that the server does not have is refused, not forgotten",
        arguments: [
            ("{mechanism: tls, required: true}", "mechanism: 'tls' is none of dpop, mtls"),
            ("{mechanism: dpop, required: 1}", "required: must be true or false"),
            ("{required_for: some}", "required_for: 'some' is none of all_clients, public_clients"),
        ])
    func refused(settings: String, problem: String) async throws {
        try await Tenant.run { tenant in
            let problems = try await tenant.problems(
                "resourceServers: [{identifier: a, proof_of_possession: \(settings)}]")
            #expect(problems == ["tenant.yaml:1: resourceServers[0].proof_of_possession.\(problem)"])
        }
    }
}
