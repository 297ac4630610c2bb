import Foundation
import Logging
import OAuth
import Storage

/// The public keys of a client, wherever they are, to verify what it has signed.
struct ClientKeyring: Sendable {
    let services: Services
    let keys: ClientKeys
    /// Keys in PEM: those for authentication, or those for request objects.
    let credentials: [ClientKeys.Credential]

    /// Why a token is not the client's.
    struct Problem: Error {
        /// For the developer of the client.
        let description: String
    }

    /// The claims of `token`, where the client has signed it.
    /// - Throws: ``Problem``.
    func verify(_ token: SignedToken, algorithms: Set<JWSAlgorithm>) async throws -> JSONObject {
        let now = services.now()
        let local = local(at: now)
        guard let uri = keys.setURI else { return try Self.verify(token, local, algorithms) }
        let remote = try await remote(uri, newest: false, now)
        do {
            return try Self.verify(token, JSONWebKeySet(local.keys + remote.keys), algorithms)
        } catch {
            // The client may have changed its keys since they were fetched.
            let newest = try await self.remote(uri, newest: true, now)
            return try Self.verify(token, JSONWebKeySet(local.keys + newest.keys), algorithms)
        }
    }

    private func local(at now: Date) -> JSONWebKeySet {
        let inPEM = credentials.filter { $0.expiresAt.map { $0 > now } ?? true }.compactMap { credential in
            try? JSONWebKey(pem: credential.pem, keyID: credential.keyID, algorithm: credential.algorithm)
        }
        let set = keys.set.flatMap { try? JSONWebKeySet($0) }
        return JSONWebKeySet(inPEM + (set?.keys ?? []))
    }

    /// The set at the client's `jwks_uri`.
    /// - Throws: ``Problem``.
    func remote(_ uri: String, newest: Bool, _ now: Date) async throws -> JSONWebKeySet {
        do {
            return try await services.remoteKeySets.keys(at: uri, newest: newest, now: now)
        } catch let error as RemoteKeySets.Problem {
            // Whoever registered the address must not learn from the answer what is reachable from here.
            services.logger.notice(
                "no keys from a jwks_uri", metadata: ["uri": "\(uri)", "why": "\(error.description)"])
            throw Problem(description: "the application's jwks_uri gives no keys; the server's log says why")
        }
    }

    private static func verify(
        _ token: SignedToken, _ keys: JSONWebKeySet, _ algorithms: Set<JWSAlgorithm>
    ) throws -> JSONObject {
        do throws(SignedToken.Problem) {
            return try token.verified(by: keys, algorithms: algorithms)
        } catch {
            throw Problem(description: error.description)
        }
    }
}

extension Client {
    /// The members of the client's document whose keys cannot be used, each with what is wrong.
    package var keyProblems: [(member: String, problem: String)] {
        var problems: [(String, String)] = []
        let places = [
            ("client_authentication_methods.private_key_jwt", keys.credentials),
            ("signed_request_object", requestObject.credentials), ("credentials", keys.unused),
        ]
        for (member, credentials) in places {
            for (index, credential) in credentials.enumerated() {
                do throws(JSONWebKey.Problem) {
                    _ = try JSONWebKey(pem: credential.pem, keyID: nil, algorithm: credential.algorithm)
                } catch {
                    let list = member == "credentials" ? member : "\(member).credentials"
                    problems.append(("\(list)[\(index)].pem", "cannot be used: \(error.description)"))
                }
            }
        }
        if let set = keys.set {
            do throws(JSONWebKey.Problem) {
                if try JSONWebKeySet(set).keys.isEmpty { problems.append(("jwks", "has no key that can be used")) }
                for (index, key) in (set["keys"]?.array ?? []).enumerated() where key.object?["d"] != nil {
                    problems.append(("jwks.keys[\(index)]", "is a private key; give its public half alone"))
                }
            } catch {
                problems.append(("jwks", error.description))
            }
        }
        let hasKeys = !requestObject.credentials.isEmpty || keys.set != nil || keys.setURI != nil
        if requestObject.isRequired, !hasKeys, !requestObject.isSignedWithSecret {
            problems.append(("signed_request_object", "needs keys: give credentials, jwks_uri or jwks"))
        }
        return problems + certificateProblems
    }
}
