import AuthorizationServer
import Crypto
import Foundation
import JWTKit
import OAuth
import Testing

@Suite("RSA keys")
struct RSAKeyTests {
    private static let key = Result { try RSAKey.generate() }
    private static let message = Array("message".utf8)

    @Test("A signature verifies with its key and message only")
    func signatures() throws {
        let (key, other) = (try Self.key.get(), try RSAKey.generate())
        let signature = try key.sign(Self.message)
        #expect(signature.count == 256)
        // RSASSA-PKCS1-v1_5 has no randomness.
        #expect(try key.sign(Self.message) == signature)
        #expect(key.verifies(signature, of: Self.message))
        #expect(!other.verifies(signature, of: Self.message))
        #expect(!key.verifies(signature, of: Self.message + [0]))
        #expect(!key.verifies(signature, of: []))
        for index in stride(from: 0, to: 256, by: 17) {
            var changed = signature
            changed[index] ^= 1
            #expect(!key.verifies(changed, of: Self.message))
        }
        for wrong in [
            [], [0], Array(signature.dropLast()), signature + [0], [0] + signature, Array(repeating: 0, count: 256),
        ] {
            #expect(!key.verifies(wrong, of: Self.message))
        }
        #expect(key.verifies(try key.sign([]), of: []))
    }

    @Test("The public numbers are RSA-2048 with exponent 65537, and no leading zero (RFC 7518 §6.3.1.1)")
    func publicNumbers() throws {
        let (modulus, exponent) = try Self.key.get().publicNumbers()
        #expect(modulus.count == 256 && (modulus.first ?? 0) >= 0x80)
        #expect(exponent == [1, 0, 1])
    }

    @Test("A key comes back from its PEM, and what is no key does not")
    func pem() throws {
        let key = try Self.key.get()
        let pem = try key.pem()
        #expect(pem.hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
        let again = try RSAKey(pem: pem)
        #expect(try again.sign(Self.message) == key.sign(Self.message))
        #expect(try again.publicNumbers().modulus == key.publicNumbers().modulus)
        for wrong in ["", "text", pem.replacing("A", with: "!"), String(pem.prefix(pem.count / 2))] {
            #expect(throws: RSAKey.Failure.self) { try RSAKey(pem: wrong) }
        }
        // A failure leaves nothing behind that the next call would stumble over.
        #expect(key.verifies(try key.sign(Self.message), of: Self.message))
    }

    @Test("The certificate is the key's own, in DER")
    func certificate() throws {
        let key = try Self.key.get()
        let der = try key.selfSignedCertificate(commonName: "login.example.com")
        let text = Data(der)
        #expect(text.range(of: Data(try key.publicNumbers().modulus)) != nil)
        #expect(text.range(of: Data("login.example.com".utf8)) != nil)
        #expect(der.first == 0x30 && der[1] == 0x82 && Int(der[2]) << 8 | Int(der[3]) == der.count - 4)
        _ = try key.selfSignedCertificate(commonName: String(repeating: "host.", count: 100))
    }

    private struct Claims: JWTPayload {
        let sub: SubjectClaim
        func verify(using algorithm: some JWTAlgorithm) {}
    }

    @Test("JWTKit verifies what the key signs, and the key what JWTKit signs")
    func jwtKit() async throws {
        let key = try Self.key.get()
        let (modulus, exponent) = try key.publicNumbers()
        let theirs = JWTKeyCollection()
        await theirs.add(
            rsa: try Insecure.RSA.PublicKey(
                modulus: Data(modulus).base64EncodedString(), exponent: Data(exponent).base64EncodedString()),
            digestAlgorithm: .sha256)
        let input =
            Base64URL.encode(Array(#"{"alg":"RS256","typ":"JWT"}"#.utf8)) + "."
            + Base64URL.encode(Array(#"{"sub":"ada"}"#.utf8))
        let token = input + "." + Base64URL.encode(try key.sign(Array(input.utf8)))
        #expect(try await theirs.verify(token, as: Claims.self).sub.value == "ada")

        let signing = JWTKeyCollection()
        await signing.add(rsa: try Insecure.RSA.PrivateKey(pem: key.pem()), digestAlgorithm: .sha256)
        let signed = try await signing.sign(Claims(sub: "grace"))
        let parts = signed.split(separator: ".")
        let signature = try #require(Base64URL.decode(parts[2]))
        #expect(key.verifies(signature, of: Array("\(parts[0]).\(parts[1])".utf8)))
    }

    @Test("Any number of threads sign and verify with one key")
    func threads() async throws {
        let key = try Self.key.get()
        try await withThrowingTaskGroup { group in
            for index in 0..<64 {
                group.addTask {
                    let message = Array("message \(index)".utf8)
                    let signature = try key.sign(message)
                    return key.verifies(signature, of: message) && !key.verifies(signature, of: Self.message)
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }
}
