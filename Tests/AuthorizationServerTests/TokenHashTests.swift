import AuthorizationServer
import Storage
import Testing

@Suite("at_hash, c_hash and s_hash")
struct TokenHashTests {
    @Test(
        "OIDC Core §3.3.2.11 and appendices A.3, A.4: the left half of SHA-256, base64url",
        arguments: [SigningAlgorithm.rs256, .ps256, .es256, .hs256])
    func sha256(_ algorithm: SigningAlgorithm) {
        #expect(algorithm.hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y") == "77QmUPtjPfzWtF2AnpK9RQ")
        #expect(
            algorithm.hash("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk") == "LDktKdoQak3Pk0cnXxCltA")
    }

    @Test("EdDSA with Ed25519 hashes with SHA-512")
    func sha512() {
        #expect(
            SigningAlgorithm.edDSA.hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y")
                == "q7nS86GgvvFaZkzALLWqJYaJIKw2wCDAVfCAsm5CrBM")
    }
}
