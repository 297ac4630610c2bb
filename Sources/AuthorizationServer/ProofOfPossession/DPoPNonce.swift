import Foundation
import OAuth

extension ServerSecret {
    /// Minutes that a nonce is good for.
    private static let nonceLifetime: Int64 = 5

    /// The `DPoP-Nonce` of this minute, [RFC 9449 §8](https://www.rfc-editor.org/rfc/rfc9449#section-8). It says when it was
    /// made and that the server made it, so that every node knows it without having been told.
    package func dpopNonce(at now: Date) -> String { dpopNonce(minute: Int64(now.timeIntervalSince1970 / 60)) }

    /// Whether the server made the nonce within the last minutes.
    func isFresh(dpopNonce nonce: String, at now: Date) -> Bool {
        let current = Int64(now.timeIntervalSince1970 / 60)
        // Another node's clock may be ahead of ours.
        guard let minute = nonce.split(separator: ".").first.flatMap({ Int64($0) }),
            (current - Self.nonceLifetime...current + 1).contains(minute)
        else { return false }
        return ConstantTime.equal(nonce, dpopNonce(minute: minute))
    }

    private func dpopNonce(minute: Int64) -> String {
        "\(minute).\(authenticate(String(minute), for: .proofNonces))"
    }
}
