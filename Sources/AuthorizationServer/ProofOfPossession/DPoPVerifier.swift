import Foundation
import OAuth
import Storage

/// Decides whether a request proves that its client holds a key,
/// [RFC 9449 §4.3](https://www.rfc-editor.org/rfc/rfc9449#section-4.3).
package struct DPoPVerifier: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// The proof of a request; nil where it has none.
    /// - Parameter headers: the values of the request's `DPoP` headers.
    /// - Throws: ``OAuthError`` `invalid_dpop_proof`, or `use_dpop_nonce` where the tenant requires a nonce and the proof
    ///   has none that is good.
    package func verify(_ headers: [String], for target: DPoPProof.Target) async throws -> DPoPProof? {
        guard let header = headers.first else { return nil }
        guard headers.count == 1 else {
            throw OAuthError(.invalidDPoPProof, "The request has more than one DPoP proof")
        }
        let now = services.now()
        let proof = try DPoPProof(header, for: target, at: now)
        if try await services.configuration.settings().requiresDPoPNonce {
            guard let nonce = proof.nonce, services.secret.isFresh(dpopNonce: nonce, at: now) else {
                throw OAuthError(
                    .useDPoPNonce, "The DPoP proof must have the server's nonce",
                    hint:
                        "Put the value of this response's DPoP-Nonce header into the proof's 'nonce', and send it again."
                )
            }
        }
        try await spend(proof, at: now)
        return proof
    }

    /// A proof is used once (RFC 9449 §11.1), whichever node it comes to. Later than its time it is refused anyway.
    private func spend(_ proof: DPoPProof, at now: Date) async throws {
        let expiry = now.addingTimeInterval(2 * DPoPProof.tolerance + 1)
        let isFirst = try await services.stores.database.write { transaction in
            try UsedAssertionStore.use(
                .possession, issuer: proof.keyThumbprint, id: proof.id, expiresAt: expiry, in: transaction)
        }
        guard isFirst else {
            throw OAuthError(
                .invalidDPoPProof, "The DPoP proof has been used before",
                hint: "Make a new proof, with a new 'jti', for each request.")
        }
    }
}
