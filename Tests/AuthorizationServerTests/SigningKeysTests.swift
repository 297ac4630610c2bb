import Foundation
import OAuth
import Storage
import Testing

@testable import AuthorizationServer

@Suite("Signing keys")
struct SigningKeysTests {
    private static let now = Date(timeIntervalSince1970: 1_780_000_000)

    @Test("Ten that start at once, in two processes, make one pair of keys")
    func race() async throws {
        let test = try await TestDatabase()
        let connections = [test.database, try await test.anotherConnection()]
        try await withThrowingTaskGroup { group in
            for index in 0..<10 {
                let keys = try test.signingKeys(on: connections[index % 2])
                group.addTask { try await keys.makeFirst(at: Self.now) }
            }
            try await group.waitForAll()
        }
        let rows = try await test.stores.signingKeys.list()
        #expect(Set(rows.map(\.state)) == [.current, .next] && rows.count == 2)
        #expect(Set(rows.map(\.id)).count == 2)
        let ring = try #require(try KeyRing(rows, box: test.box))
        #expect(ring.current.id == rows.first { $0.state == .current }?.id)
        for row in rows {
            #expect(!row.sealedPrivateKey.contains("PRIVATE KEY"))
            #expect(row.certificate.flatMap { Data(base64Encoded: $0) } != nil)
        }
    }

    @Test("Rotation: the next key signs, the old one stays published, and a new next one is announced")
    func rotation() async throws {
        let test = try await TestDatabase()
        let keys = try test.signingKeys(on: test.database)
        let cache = ConfigurationCache(stores: test.stores, box: test.box)
        try await keys.makeFirst(at: Self.now)
        try await cache.refresh()
        let before = try await cache.keyRing()
        let oldNext = try #require(before.keys.first { $0.state == .next })
        let token = try JSONWebToken.sign(
            ["sub": "ada"], with: before.current, header: before.current.accessTokenHeader)

        let rotated = try #require(try await keys.rotate(at: Self.now + 1).first)
        try await cache.refresh()
        let after = try await cache.keyRing()
        #expect(rotated.current == oldNext.id && after.current.id == oldNext.id)
        #expect(after[id: rotated.next]?.state == .next)
        #expect(after[id: before.current.id]?.state == .previous)
        #expect(JSONWebToken.verify(token, keys: after)?["sub"] == "ada")

        // What was announced before the rotation signs after it: no copy of the JWKS lacks the key.
        let jwks = try JSON.decode(JSONObject.self, from: before.jsonWebKeySetBytes)["keys"]?.array ?? []
        #expect(jwks.contains { $0.object?["kid"]?.string == after.current.id })
        let again = try await keys.rotate(at: Self.now + 2)
        #expect(again.map(\.current) == [rotated.next])
        #expect(try await test.stores.signingKeys.list().count == 4)
    }

    @Test("A pair that is there is left alone")
    func second() async throws {
        let test = try await TestDatabase()
        let keys = try test.signingKeys(on: test.database)
        try await keys.makeFirst(at: Self.now)
        let rows = try await test.stores.signingKeys.list()
        try await keys.makeFirst(at: Self.now + 1)
        #expect(try await test.stores.signingKeys.list() == rows)
    }

    @Test("RFC 7517: the current key comes first, each with kty, use, alg, kid, n, e, x5c and x5t, and nothing private")
    func published() async throws {
        let test = try await TestDatabase()
        let keys = try test.signingKeys(on: test.database)
        try await keys.makeFirst(at: Self.now)
        _ = try await keys.rotate(at: Self.now + 1)
        let ring = try #require(try KeyRing(try await test.stores.signingKeys.list(), box: test.box))
        let set = try JSON.decode(JSONObject.self, from: ring.jsonWebKeySetBytes)
        #expect(Set(set.keys) == ["keys"])
        let published = set["keys"]?.array?.compactMap(\.object) ?? []
        #expect(
            published.map { $0["kid"]?.string }
                == [.current, .next, .previous].map { state in
                    ring.keys.first { $0.state == state }?.id
                })
        for key in published {
            #expect(Set(key.keys) == ["kty", "use", "alg", "kid", "n", "e", "x5c", "x5t"])
            #expect(key["kty"] == "RSA" && key["use"] == "sig" && key["alg"] == "RS256" && key["e"] == "AQAB")
            #expect(Base64URL.decode(key["n"]?.string ?? "")?.count == 256)
        }
    }
}
