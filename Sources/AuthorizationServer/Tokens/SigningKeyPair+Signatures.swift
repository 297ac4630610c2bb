import COpenSSL
import OAuth
import Storage

/// Signatures as [RFC 7518 §3](https://www.rfc-editor.org/rfc/rfc7518#section-3) and
/// [RFC 8037 §3.1](https://www.rfc-editor.org/rfc/rfc8037#section-3.1) define them.
extension SigningKeyPair {
    /// The signature of `message`.
    /// - Throws: ``Failure``, also for an algorithm of another kind of key.
    package func sign(_ message: [UInt8], _ algorithm: SigningAlgorithm = .rs256) throws -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { throw Failure("EVP_MD_CTX_new") }
        defer { EVP_MD_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: 256)
        var length = signature.count
        guard algorithm.keyKind == kind, start(EVP_DigestSignInit, context, algorithm),
            EVP_DigestSign(context, &signature, &length, message, message.count) == 1
        else { throw Failure("EVP_DigestSign") }
        signature.removeLast(signature.count - length)
        return algorithm == .es256 ? try Self.concatenated(signature) : signature
    }

    /// Whether `signature` is this key's signature of `message` by `algorithm`.
    package func verifies(
        _ signature: [UInt8], of message: [UInt8], _ algorithm: SigningAlgorithm = .rs256
    ) -> Bool {
        guard algorithm.keyKind == kind, let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        guard let encoded = algorithm == .es256 ? Self.sequence(signature) : signature else { return false }
        let isValid =
            start(EVP_DigestVerifyInit, context, algorithm)
            && EVP_DigestVerify(context, encoded, encoded.count, message, message.count) == 1
        if !isValid { ERR_clear_error() }
        return isValid
    }

    private typealias Start = (
        OpaquePointer?, UnsafeMutablePointer<OpaquePointer?>?, OpaquePointer?, OpaquePointer?, OpaquePointer?
    ) -> Int32

    private func start(_ start: Start, _ context: OpaquePointer, _ algorithm: SigningAlgorithm) -> Bool {
        // The parameters belong to the context, which frees them.
        var parameters: OpaquePointer?
        // Ed25519 hashes by itself.
        let digest = algorithm == .edDSA ? nil : EVP_sha256()
        guard start(context, &parameters, digest, nil, key) == 1 else { return false }
        guard algorithm == .ps256 else { return true }
        // RFC 7518 §3.5: the salt is as long as the hash.
        return EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1
            && EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1
    }

    /// R and S of 32 bytes each, which RFC 7518 §3.4 wants in place of OpenSSL's ASN.1.
    private static func concatenated(_ sequence: [UInt8]) throws -> [UInt8] {
        let signature = sequence.withUnsafeBufferPointer { bytes in
            var position = bytes.baseAddress
            return d2i_ECDSA_SIG(nil, &position, bytes.count)
        }
        guard let signature else { throw Failure("d2i_ECDSA_SIG") }
        defer { ECDSA_SIG_free(signature) }
        var (r, s) = ([UInt8](repeating: 0, count: 32), [UInt8](repeating: 0, count: 32))
        guard BN_bn2binpad(ECDSA_SIG_get0_r(signature), &r, 32) == 32,
            BN_bn2binpad(ECDSA_SIG_get0_s(signature), &s, 32) == 32
        else { throw Failure("BN_bn2binpad") }
        return r + s
    }

    /// The opposite of ``concatenated(_:)``; nil for another length than 64 bytes.
    private static func sequence(_ concatenated: [UInt8]) -> [UInt8]? {
        guard concatenated.count == 64, let signature = ECDSA_SIG_new() else { return nil }
        defer { ECDSA_SIG_free(signature) }
        let (r, s) = (Array(concatenated.prefix(32)), Array(concatenated.suffix(32)))
        // The signature takes the numbers, and frees them.
        guard ECDSA_SIG_set0(signature, BN_bin2bn(r, 32, nil), BN_bin2bn(s, 32, nil)) == 1 else { return nil }
        let length = i2d_ECDSA_SIG(signature, nil)
        guard length > 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(length))
        bytes.withUnsafeMutableBufferPointer { buffer in
            var position = buffer.baseAddress
            i2d_ECDSA_SIG(signature, &position)
        }
        return bytes
    }
}
