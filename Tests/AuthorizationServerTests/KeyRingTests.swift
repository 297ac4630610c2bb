import Foundation
import OAuth
import Storage
import Testing

@testable import AuthorizationServer

@Suite("Keys of several kinds")
struct KeyRingTests {
    private static let now = Date(timeIntervalSince1970: 1_780_000_000)
    private static let all = SigningAlgorithms(SigningAlgorithm.allCases)

    /// The rows of a tenant whose settings have `algorithms`.
    private static func rows(_ algorithms: SigningAlgorithms, rotated: Bool = false) async throws -> (
        [SigningKey], SecretBox
    ) {
        let test = try await TestDatabase()
        var settings = TenantSettings()
        settings.signingAlgorithms = algorithms
        let written = settings
        try await test.database.write { try TenantStore.update(written, in: $0) }
        let keys = try test.signingKeys(on: test.database)
        try await keys.makeFirst(at: Self.now)
        if rotated { _ = try await keys.rotate(at: Self.now + 1) }
        return (try await test.stores.signingKeys.list(), test.box)
    }

    private static func published(_ ring: KeyRing) throws -> [JSONObject] {
        try JSON.decode(JSONObject.self, from: ring.jsonWebKeySetBytes)["keys"]?.array?.compactMap(\.object) ?? []
    }

    @Test("Nothing but RSA keys is made or published unless asked for")
    func standard() async throws {
        let (rows, box) = try await Self.rows(.standard)
        #expect(rows.map(\.kind) == [.rsa, .rsa])
        let ring = try #require(try KeyRing(rows, box: box))
        #expect(try Self.published(ring).allSatisfy { $0["kty"] == "RSA" && $0["alg"] == "RS256" })
        for algorithm in [SigningAlgorithm.ps256, .es256, .edDSA] {
            let error = #expect(throws: KeyRing.NoKey.self) { try ring.current(for: algorithm) }
            #expect(error?.description.contains("signing_algorithms") == true)
        }
    }

    @Test("RFC 7517: RSA first, then EC and OKP, the current key of each before the next and the previous one")
    func order() async throws {
        let (rows, box) = try await Self.rows(SigningAlgorithms([.es256, .edDSA]), rotated: true)
        #expect(Set(rows.map(\.id)).count == 9)
        let ring = try #require(try KeyRing(rows, algorithms: SigningAlgorithms([.es256, .edDSA]), box: box))
        let published = try Self.published(ring)
        #expect(published.map { $0["kty"] } == ["RSA", "RSA", "RSA", "EC", "EC", "EC", "OKP", "OKP", "OKP"])
        #expect(
            published.map { $0["alg"] }
                == Array(repeating: "RS256", count: 3) + Array(repeating: "ES256", count: 3)
                + Array(repeating: "EdDSA", count: 3))
        for (kind, first) in zip(SigningKey.Kind.allCases, [0, 3, 6]) {
            let states: [SigningKey.State] = [.current, .next, .previous]
            #expect(
                published[first..<first + 3].map { $0["kid"]?.string }
                    == states.map { state in rows.first { $0.kind == kind && $0.state == state }?.id })
        }
        #expect(Set(published[3].keys) == ["kty", "crv", "x", "y", "kid", "use", "alg"])
        #expect(Set(published[6].keys) == ["kty", "crv", "x", "kid", "use", "alg"])
    }

    @Test("RFC 7517 §4.4: a key that signs with two algorithms names neither as its only one")
    func twoAlgorithms() async throws {
        let (rows, box) = try await Self.rows(SigningAlgorithms([.ps256]))
        #expect(rows.count == 2)
        let ring = try #require(try KeyRing(rows, algorithms: SigningAlgorithms([.ps256]), box: box))
        #expect(try Self.published(ring).allSatisfy { $0["kty"] == "RSA" && $0["alg"] == nil })
        #expect(try ring.current(for: .ps256).id == ring.current.id)
    }

    @Test("RFC 8725 §3.1: a token is read with an algorithm of the key that its kid names, and with no other")
    func confusion() async throws {
        let (rows, box) = try await Self.rows(Self.all)
        let ring = try #require(try KeyRing(rows, algorithms: Self.all, box: box))
        for algorithm in Self.all.values {
            let key = try ring.current(for: algorithm)
            let token = try JSONWebToken.sign(["sub": "ada"], with: key, header: key.accessTokenHeader)
            #expect(JSONWebToken.verify(token, keys: ring)?["sub"] == "ada")
            for other in SigningAlgorithm.allCases where other != algorithm {
                let header = JSONWebToken.header(algorithm: other, type: "JWT", keyID: key.id)
                let renamed = try JSONWebToken.sign(["sub": "ada"], with: key, header: header)
                #expect(JSONWebToken.verify(renamed, keys: ring) == nil, "\(other) over \(algorithm)")
            }
            for other in ring.keys where other.id != key.id {
                let header = JSONWebToken.header(algorithm: algorithm, type: "JWT", keyID: other.id)
                let renamed = try JSONWebToken.sign(["sub": "ada"], with: key, header: header)
                #expect(JSONWebToken.verify(renamed, keys: ring) == nil)
            }
        }
    }

    @Test("An algorithm that the tenant gave up is no longer accepted, nor its keys published")
    func givenUp() async throws {
        let (rows, box) = try await Self.rows(Self.all)
        let before = try #require(try KeyRing(rows, algorithms: Self.all, box: box))
        let after = try #require(try KeyRing(rows, box: box))
        for algorithm in Self.all.values {
            let key = try before.current(for: algorithm)
            let token = try JSONWebToken.sign(["sub": "ada"], with: key, header: key.accessTokenHeader)
            #expect((JSONWebToken.verify(token, keys: after) != nil) == (algorithm == .rs256))
        }
        #expect(try Self.published(after).allSatisfy { $0["kty"] == "RSA" && $0["alg"] == "RS256" })
    }

    @Test("Rotation changes the keys of each kind that the settings need, and no other")
    func rotation() async throws {
        let test = try await TestDatabase()
        let keys = try test.signingKeys(on: test.database)
        func set(_ algorithms: SigningAlgorithms) async throws {
            var settings = TenantSettings()
            settings.signingAlgorithms = algorithms
            let written = settings
            try await test.database.write { try TenantStore.update(written, in: $0) }
            try await keys.makeFirst(at: Self.now)
        }
        try await set(SigningAlgorithms([.es256, .edDSA]))
        let before = try await test.stores.signingKeys.list()
        try await set(SigningAlgorithms([.es256]))
        let rotated = try await keys.rotate(at: Self.now + 1)
        #expect(rotated.map(\.kind) == [.rsa, .p256])
        let after = try await test.stores.signingKeys.list()
        for rotation in rotated {
            #expect(before.first { $0.id == rotation.current }?.state == .next)
            #expect(before.first { $0.id == rotation.current }?.kind == rotation.kind)
            #expect(after.first { $0.id == rotation.next }?.state == .next)
        }
        #expect(after.filter { $0.kind == .ed25519 } == before.filter { $0.kind == .ed25519 })
    }
}
