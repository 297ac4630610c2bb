import AsyncHTTPClient
import Foundation
import Hummingbird
import JWTKit
import Logging
import NIOHTTP1

/// The public keys with which the issuer's tokens are verified, from its JWKS
/// ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)).
///
/// They are kept, and fetched again when they are old or when a token names a key that is not among them: so the API
/// follows a rotation at once. Made-up keys in tokens cannot make it ask more often than every ``pause``.
actor IssuerKeys {
    private static let lifetime = Duration.seconds(600)
    private static let pause = Duration.seconds(5)

    private let issuer: String
    private var known = Keys()
    private var fetching: Task<Result<Keys, IssuerUnavailable>, Never>?
    private var asked: ContinuousClock.Instant?
    private var problem: IssuerUnavailable?

    init(issuer: String) {
        self.issuer = issuer
    }

    /// The keys when the one called `kid` is among them.
    /// - Throws: ``IssuerUnavailable`` when there are no keys at all.
    func keys(with kid: String) async throws -> JWTKeyCollection? {
        let age = asked.map { ContinuousClock.now - $0 } ?? Self.lifetime
        if fetching != nil || age >= Self.lifetime || !known.names.contains(kid) && age >= Self.pause {
            await fetch()
        }
        guard !known.names.isEmpty else {
            throw problem ?? IssuerUnavailable(issuer: issuer, cause: "it has no keys for RS256")
        }
        return known.names.contains(kid) ? known.collection : nil
    }

    /// An issuer that is away for a while does not stop the API: the keys that it had stay good.
    private func fetch() async {
        let task = fetching ?? Task { [issuer] in await Keys.fetch(from: issuer) }
        if fetching == nil { asked = .now }
        fetching = task
        switch await task.value {
        case .success(let keys): (known, problem) = (keys, nil)
        case .failure(let failure): problem = failure
        }
        fetching = nil
    }
}

/// A set of keys and their names.
private struct Keys: Sendable {
    var collection = JWTKeyCollection()
    var names: Set<String> = []

    /// Asks the issuer's discovery document ([RFC 8414](https://www.rfc-editor.org/rfc/rfc8414)) where the keys are,
    /// then for the keys.
    static func fetch(from issuer: String) async -> Result<Keys, IssuerUnavailable> {
        do {
            return .success(try await Keys(of: issuer))
        } catch {
            return .failure(error)
        }
    }

    init() {}

    private init(of issuer: String) async throws(IssuerUnavailable) {
        let metadata: Metadata = try await Self.get(issuer + ".well-known/openid-configuration", issuer)
        guard metadata.issuer == issuer else {
            throw IssuerUnavailable(issuer: issuer, cause: "it calls itself \(metadata.issuer)")
        }
        let set: KeySet = try await Self.get(metadata.jwksURI, issuer)
        for var key in set.keys.compactMap(\.key) where key.keyType == .rsa && [nil, .rs256].contains(key.algorithm) {
            key.algorithm = .rs256
            guard let name = key.keyIdentifier?.string, (try? await collection.add(jwk: key)) != nil else { continue }
            names.insert(name)
        }
    }

    private static func get<Value: Decodable>(
        _ url: String, _ issuer: String
    ) async throws(IssuerUnavailable) -> Value {
        do {
            let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .seconds(5))
            guard response.status == .ok else {
                throw IssuerUnavailable(issuer: issuer, cause: "\(url) answers \(response.status.code)")
            }
            let body = try await response.body.collect(upTo: 1024 * 1024)
            return try JSONDecoder().decode(Value.self, from: Data(body.readableBytesView))
        } catch let error as IssuerUnavailable {
            throw error
        } catch {
            throw IssuerUnavailable(issuer: issuer, cause: "\(url): \(error)")
        }
    }

    private struct Metadata: Decodable {
        let issuer: String
        let jwksURI: String

        enum CodingKeys: String, CodingKey {
            case issuer
            case jwksURI = "jwks_uri"
        }
    }

    private struct KeySet: Decodable {
        let keys: [Entry]

        /// A key of a kind that is not understood is passed over (RFC 7517 §5).
        struct Entry: Decodable {
            let key: JWK?

            init(from decoder: any Decoder) throws {
                key = try? JWK(from: decoder)
            }
        }
    }
}

/// The issuer's keys cannot be had, so no token can be judged: the caller may try again.
struct IssuerUnavailable: HTTPResponseError, CustomStringConvertible {
    let issuer: String
    let cause: String

    var status: HTTPResponse.Status { .serviceUnavailable }
    var description: String { "cannot get the keys of \(issuer): \(cause)" }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        context.logger.error("\(description)")
        let body = [
            "error": "temporarily_unavailable",
            "error_description": "The API cannot get the keys of \(issuer) to verify tokens with. Is it running?",
        ]
        var response = try context.responseEncoder.encode(body, from: request, context: context)
        response.status = status
        response.headers[.retryAfter] = "5"
        return response
    }
}
