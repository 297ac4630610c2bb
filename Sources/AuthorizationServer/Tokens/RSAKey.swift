import COpenSSL
import Foundation
import OAuth

/// An RSA-2048 key pair in OpenSSL, which signs more than twice as fast as the alternatives here.
///
/// `@unchecked Sendable`: the `EVP_PKEY` is made in `init`, never changed afterwards and freed in `deinit`. OpenSSL
/// allows any number of threads to sign and verify with one key that nobody changes; each call has a context of its own.
package final class RSAKey: @unchecked Sendable {
    private let key: OpaquePointer

    /// What OpenSSL said when a key could not be made, read or used.
    package struct Failure: Error, CustomStringConvertible {
        package let operation: String
        package let reason: String
        package var description: String { "\(operation): \(reason)" }

        init(_ operation: String) {
            self.operation = operation
            var buffer = [CChar](repeating: 0, count: 256)
            ERR_error_string_n(ERR_get_error(), &buffer, buffer.count)
            reason = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            ERR_clear_error()
        }
    }

    /// Makes a new key; takes some tenths of a second.
    package static func generate() throws -> RSAKey {
        guard let context = EVP_PKEY_CTX_new_from_name(nil, "RSA", nil) else { throw Failure("EVP_PKEY_CTX_new") }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1,
            EVP_PKEY_generate(context, &key) == 1, let key
        else { throw Failure("EVP_PKEY_generate") }
        return RSAKey(key)
    }

    private init(_ key: OpaquePointer) { self.key = key }

    /// Reads a private key in PEM.
    package init(pem: String) throws {
        // The BIO reads from the text for as long as it lives, so both live within one closure.
        let key = Array(pem.utf8).withUnsafeBytes { text -> OpaquePointer? in
            guard let input = BIO_new_mem_buf(text.baseAddress, Int32(text.count)) else { return nil }
            defer { BIO_free(input) }
            return PEM_read_bio_PrivateKey(input, nil, nil, nil)
        }
        guard let key else { throw Failure("PEM_read_bio_PrivateKey") }
        self.key = key
    }

    deinit { EVP_PKEY_free(key) }

    /// The private key in PEM (PKCS #8), not encrypted.
    package func pem() throws -> String {
        guard let output = BIO_new(BIO_s_mem()) else { throw Failure("BIO_new") }
        defer { BIO_free(output) }
        guard PEM_write_bio_PKCS8PrivateKey(output, key, nil, nil, 0, nil, nil) == 1 else {
            throw Failure("PEM_write_bio_PKCS8PrivateKey")
        }
        var text = [UInt8](repeating: 0, count: Int(BIO_ctrl_pending(output)))
        guard BIO_read(output, &text, Int32(text.count)) == Int32(text.count) else { throw Failure("BIO_read") }
        return String(decoding: text, as: UTF8.self)
    }

    /// The modulus and the public exponent, big-endian: `n` and `e` of a JSON Web Key (RFC 7518 §6.3.1).
    package func publicNumbers() throws -> (modulus: [UInt8], exponent: [UInt8]) {
        (try number(OSSL_PKEY_PARAM_RSA_N), try number(OSSL_PKEY_PARAM_RSA_E))
    }

    private func number(_ name: String) throws -> [UInt8] {
        var number: OpaquePointer?
        guard EVP_PKEY_get_bn_param(key, name, &number) == 1, let number else { throw Failure("EVP_PKEY_get_bn_param") }
        defer { BN_free(number) }
        var bytes = [UInt8](repeating: 0, count: Int((BN_num_bits(number) + 7) / 8))
        BN_bn2bin(number, &bytes)
        return bytes
    }

    /// The RSASSA-PKCS1-v1_5 SHA-256 signature of `message`: RS256 (RFC 7518 §3.3).
    package func sign(_ message: [UInt8]) throws -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { throw Failure("EVP_MD_CTX_new") }
        defer { EVP_MD_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: 256)
        var length = signature.count
        guard EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1,
            EVP_DigestSign(context, &signature, &length, message, message.count) == 1
        else { throw Failure("EVP_DigestSign") }
        return Array(signature.prefix(length))
    }

    /// Whether `signature` is this key's RS256 signature of `message`.
    package func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        guard let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        let isValid =
            EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key) == 1
            && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
        if !isValid { ERR_clear_error() }
        return isValid
    }

    /// A certificate of the public key, signed by itself, valid for ten years: DER. JWKS carry it as `x5c`.
    package func selfSignedCertificate(commonName: String) throws -> [UInt8] {
        guard let certificate = X509_new() else { throw Failure("X509_new") }
        defer { X509_free(certificate) }
        guard let name = X509_get_subject_name(certificate),
            X509_set_version(certificate, 2) == 1,
            ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), UInt64.random(in: 1...UInt64(Int64.max))) == 1,
            X509_gmtime_adj(X509_getm_notBefore(certificate), 0) != nil,
            X509_gmtime_adj(X509_getm_notAfter(certificate), 10 * 365 * 86_400) != nil,
            X509_set_pubkey(certificate, key) == 1,
            X509_NAME_add_entry_by_txt(name, "CN", utf8StringType, String(commonName.prefix(64)), -1, -1, 0) == 1,
            X509_set_issuer_name(certificate, name) == 1,
            X509_sign(certificate, key, EVP_sha256()) > 0
        else { throw Failure("X509_sign") }
        var bytes = [UInt8](repeating: 0, count: Int(i2d_X509(certificate, nil)))
        bytes.withUnsafeMutableBufferPointer { buffer in
            var position = buffer.baseAddress
            i2d_X509(certificate, &position)
        }
        return bytes
    }
}

/// `MBSTRING_UTF8`, a macro that Swift does not import: `MBSTRING_FLAG`.
private let utf8StringType: Int32 = 0x1000
