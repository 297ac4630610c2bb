import COpenSSL
import Foundation

/// A provider's certificate, which stands for its key: SAML asks neither who has signed it nor how long it lasts.
///
/// `@unchecked Sendable`: the `EVP_PKEY` is made in `init`, never changed afterwards and freed in `deinit`. OpenSSL allows any
/// number of threads to verify with one key that nobody changes; each call has a context of its own.
package final class Certificate: @unchecked Sendable {
    private let key: OpaquePointer
    private let kind: Int32

    /// Why a text is no certificate to verify with.
    package struct Problem: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// - Parameter text: PEM, PEM in base64 as Auth0 exports it, or what stands between its lines.
    /// - Throws: ``Problem``.
    package init(_ text: String) throws(Problem) {
        var body = text
        if let data = Data(base64Encoded: text, options: .ignoreUnknownCharacters),
            let inner = String(data: data, encoding: .utf8), inner.contains("BEGIN CERTIFICATE")
        {
            body = inner
        }
        body = body.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("-----") }.joined()
        guard let der = Data(base64Encoded: body, options: .ignoreUnknownCharacters), !der.isEmpty else {
            throw Problem(description: "is no certificate: PEM is expected")
        }
        let key = Array(der).withUnsafeBufferPointer { bytes -> OpaquePointer? in
            var position = bytes.baseAddress
            guard let certificate = d2i_X509(nil, &position, bytes.count) else { return nil }
            defer { X509_free(certificate) }
            return X509_get_pubkey(certificate)
        }
        guard let key else {
            ERR_clear_error()
            throw Problem(description: "is no certificate that can be read")
        }
        self.key = key
        kind = EVP_PKEY_get_base_id(key)
        let bits = EVP_PKEY_get_bits(key)
        guard kind == EVP_PKEY_RSA && bits >= 2048 || kind == EVP_PKEY_EC && bits >= 256 else {
            throw Problem(
                description: "has a key that is too weak: RSA of 2048 bits or an elliptic curve of 256 is expected")
        }
    }

    deinit { EVP_PKEY_free(key) }

    /// Whether `signature` is this key's signature of `message`.
    func verifies(_ signature: [UInt8], of message: [UInt8], _ method: SignatureMethod) -> Bool {
        guard kind == (method.isElliptic ? EVP_PKEY_EC : EVP_PKEY_RSA), let context = EVP_MD_CTX_new() else {
            return false
        }
        defer { EVP_MD_CTX_free(context) }
        guard let encoded = method.isElliptic ? Self.sequence(signature) : signature else { return false }
        let isValid =
            EVP_DigestVerifyInit(context, nil, method.digest.function, nil, key) == 1
            && EVP_DigestVerify(context, encoded, encoded.count, message, message.count) == 1
        if !isValid { ERR_clear_error() }
        return isValid
    }

    /// XML has R and S one behind the other (RFC 4050 §3.3), OpenSSL wants ASN.1.
    private static func sequence(_ concatenated: [UInt8]) -> [UInt8]? {
        let half = concatenated.count / 2
        guard half > 0, half <= 66, concatenated.count == 2 * half, let signature = ECDSA_SIG_new() else { return nil }
        defer { ECDSA_SIG_free(signature) }
        let (r, s) = (Array(concatenated.prefix(half)), Array(concatenated.suffix(half)))
        // The signature takes the numbers, and frees them.
        guard ECDSA_SIG_set0(signature, BN_bin2bn(r, Int32(half), nil), BN_bin2bn(s, Int32(half), nil)) == 1 else {
            return nil
        }
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
