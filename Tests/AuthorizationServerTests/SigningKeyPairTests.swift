import AuthorizationServer
import Crypto
import Foundation
import JWTKit
import OAuth
import Storage
import Testing

@Suite("Signing key pairs")
struct SigningKeyPairTests {
    private static let key = Result { try SigningKeyPair.generate() }
    private static let message = Array("message".utf8)

    @Test("A signature verifies with its key and message only")
    func signatures() throws {
        let (key, other) = (try Self.key.get(), try SigningKeyPair.generate())
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
        let again = try SigningKeyPair(pem: pem)
        #expect(try again.sign(Self.message) == key.sign(Self.message))
        #expect(try again.publicNumbers().modulus == key.publicNumbers().modulus)
        for wrong in ["", "text", pem.replacing("A", with: "!"), String(pem.prefix(pem.count / 2))] {
            #expect(throws: SigningKeyPair.Failure.self) { try SigningKeyPair(pem: wrong) }
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

    @Test("A key signs and verifies with the algorithms of its kind and with no other")
    func algorithms() throws {
        for kind in SigningKey.Kind.allCases {
            let key = try SigningKeyPair.generate(kind)
            #expect(key.kind == kind)
            #expect(try SigningKeyPair(pem: key.pem()).kind == kind)
            for algorithm in SigningAlgorithm.allCases {
                guard algorithm.keyKind == kind else {
                    #expect(throws: SigningKeyPair.Failure.self) { try key.sign(Self.message, algorithm) }
                    #expect(!key.verifies(Array(repeating: 1, count: 64), of: Self.message, algorithm))
                    continue
                }
                let signature = try key.sign(Self.message, algorithm)
                #expect(key.verifies(signature, of: Self.message, algorithm))
                #expect(try !SigningKeyPair.generate(kind).verifies(signature, of: Self.message, algorithm))
                for other in kind.algorithms where other != algorithm {
                    #expect(!key.verifies(signature, of: Self.message, other))
                }
                for index in stride(from: 0, to: signature.count, by: 7) {
                    var changed = signature
                    changed[index] ^= 1
                    #expect(!key.verifies(changed, of: Self.message, algorithm))
                }
                for wrong in [[], signature + [0], Array(signature.dropLast()), signature.map { _ in 0 }] {
                    #expect(!key.verifies(wrong, of: Self.message, algorithm))
                }
            }
        }
    }

    @Test("RFC 7518 §3.4: an ES256 signature is R and S, 32 bytes each, and no ASN.1 is accepted for it")
    func ecdsaForm() throws {
        let key = try SigningKeyPair.generate(.p256)
        // One of 256 numbers begins with a zero, which must not be lost.
        for index in 0..<600 {
            let message = Array("message \(index)".utf8)
            let signature = try key.sign(message, .es256)
            #expect(signature.count == 64)
            #expect(key.verifies(signature, of: message, .es256))
            let theirs = try P256.Signing.ECDSASignature(rawRepresentation: signature)
            #expect(!key.verifies(Array(theirs.derRepresentation), of: message, .es256))
        }
    }

    @Test("RFC 8037 appendix A: the Ed25519 key and signature of the example")
    func ed25519Vector() throws {
        // The seed that is `d` of appendix A.1, in PKCS #8.
        let seed = try #require(Base64URL.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"))
        let der = Data(
            [0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20] + seed)
        let key = try SigningKeyPair(
            pem: "-----BEGIN PRIVATE KEY-----\n\(der.base64EncodedString())\n-----END PRIVATE KEY-----\n")
        #expect(
            try key.publicMembers() == [
                "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            ])
        let input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
        #expect(
            Base64URL.encode(try key.sign(Array(input.utf8), .edDSA))
                == "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")
    }

    @Test("RFC 7515 appendix A.3: the P-256 key of the example, whose signature verifies")
    func p256Vector() throws {
        let scalar = try #require(Base64URL.decode("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"))
        let key = try SigningKeyPair(pem: P256.Signing.PrivateKey(rawRepresentation: scalar).pemRepresentation)
        #expect(
            try key.publicMembers() == [
                "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            ])
        let input =
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        let signature =
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
        #expect(key.verifies(try #require(Base64URL.decode(signature)), of: Array(input.utf8), .es256))
    }

    @Test("RFC 7518 §3.5: the salt of PS256 is as long as its hash")
    func pssSalt() async throws {
        let key = try Self.key.get()
        let (modulus, exponent) = try key.publicNumbers()
        let theirs = JWTKeyCollection()
        await theirs.add(
            pss: try Insecure.RSA.PublicKey(
                modulus: Data(modulus).base64EncodedString(), exponent: Data(exponent).base64EncodedString()),
            digestAlgorithm: .sha256)
        let input =
            Base64URL.encode(Array(#"{"alg":"PS256","typ":"JWT"}"#.utf8)) + "."
            + Base64URL.encode(Array(#"{"sub":"ada"}"#.utf8))
        let token = input + "." + Base64URL.encode(try key.sign(Array(input.utf8), .ps256))
        #expect(try await theirs.verify(token, as: Claims.self).sub.value == "ada")
    }

    @Test("A key of another kind is refused by name")
    func foreignKinds() throws {
        let p384 = P384.Signing.PrivateKey().pemRepresentation
        let error = #expect(throws: SigningKeyPair.Failure.self) { try SigningKeyPair(pem: p384) }
        #expect(error?.reason.contains("P-256") == true)
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
