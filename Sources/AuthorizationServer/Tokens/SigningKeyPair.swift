import COpenSSL
import Foundation
import OAuth
import Storage

/// A key pair in OpenSSL, which signs with RSA more than twice as fast as the alternatives here.
///
/// `@unchecked Sendable`: the `EVP_PKEY` is made in `init`, never changed afterwards and freed in `deinit`. OpenSSL
/// allows any number of threads to sign and verify with one key that nobody changes; each call has a context of its own.
package final class SigningKeyPair: @unchecked Sendable {
    let key: OpaquePointer
    package let kind: SigningKey.Kind

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

        init(_ operation: String, _ reason: String) { (self.operation, self.reason) = (operation, reason) }
    }

    /// Makes a new key; an RSA key takes some tenths of a second.
    package static func generate(_ kind: SigningKey.Kind = .rsa) throws -> SigningKeyPair {
        let name =
            switch kind {
            case .rsa: "RSA"
            case .p256: "EC"
            case .ed25519: "ED25519"
            }
        guard let context = EVP_PKEY_CTX_new_from_name(nil, name, nil) else { throw Failure("EVP_PKEY_CTX_new") }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_keygen_init(context) == 1 else { throw Failure("EVP_PKEY_keygen_init") }
        let isConfigured =
            switch kind {
            case .rsa: EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1
            case .p256: EVP_PKEY_CTX_set_group_name(context, "P-256") == 1
            case .ed25519: true
            }
        var key: OpaquePointer?
        guard isConfigured, EVP_PKEY_generate(context, &key) == 1, let key else { throw Failure("EVP_PKEY_generate") }
        return SigningKeyPair(key, kind)
    }

    private init(_ key: OpaquePointer, _ kind: SigningKey.Kind) { (self.key, self.kind) = (key, kind) }

    /// Reads a private key in PEM.
    /// - Throws: ``Failure`` for what is no key, or one of another kind than the server signs with.
    package init(pem: String) throws {
        // The BIO reads from the text for as long as it lives, so both live within one closure.
        let key = Array(pem.utf8).withUnsafeBytes { text -> OpaquePointer? in
            guard let input = BIO_new_mem_buf(text.baseAddress, Int32(text.count)) else { return nil }
            defer { BIO_free(input) }
            return PEM_read_bio_PrivateKey(input, nil, nil, nil)
        }
        guard let key else { throw Failure("PEM_read_bio_PrivateKey") }
        guard let kind = Self.kind(of: key) else {
            EVP_PKEY_free(key)
            throw Failure("PEM_read_bio_PrivateKey", "the key is none of RSA, P-256 and Ed25519")
        }
        (self.key, self.kind) = (key, kind)
    }

    deinit { EVP_PKEY_free(key) }

    private static func kind(of key: OpaquePointer) -> SigningKey.Kind? {
        if EVP_PKEY_is_a(key, "RSA") == 1 { return .rsa }
        if EVP_PKEY_is_a(key, "ED25519") == 1 { return .ed25519 }
        var group = [CChar](repeating: 0, count: 64)
        guard EVP_PKEY_is_a(key, "EC") == 1, EVP_PKEY_get_group_name(key, &group, group.count, nil) == 1 else {
            return nil
        }
        let name = String(decoding: group.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return name == "prime256v1" || name == "P-256" ? .p256 : nil
    }

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

    /// The members of a JSON Web Key that are the public key: RFC 7518 §6.2.1 and §6.3.1, RFC 8037 §2.
    package func publicMembers() throws -> JSONObject {
        switch kind {
        case .rsa:
            let (modulus, exponent) = try publicNumbers()
            return [
                "kty": "RSA", "n": .string(Base64URL.encode(modulus)), "e": .string(Base64URL.encode(exponent)),
            ]
        case .p256:
            // Coordinates have the length of the field, their leading zeros included.
            let (x, y) = (
                try number(OSSL_PKEY_PARAM_EC_PUB_X, length: 32), try number(OSSL_PKEY_PARAM_EC_PUB_Y, length: 32)
            )
            return [
                "kty": "EC", "crv": "P-256", "x": .string(Base64URL.encode(x)), "y": .string(Base64URL.encode(y)),
            ]
        case .ed25519:
            var bytes = [UInt8](repeating: 0, count: 32)
            var length = bytes.count
            guard EVP_PKEY_get_raw_public_key(key, &bytes, &length) == 1, length == bytes.count else {
                throw Failure("EVP_PKEY_get_raw_public_key")
            }
            return ["kty": "OKP", "crv": "Ed25519", "x": .string(Base64URL.encode(bytes))]
        }
    }

    /// The modulus and the public exponent of an RSA key, big-endian: `n` and `e` of a JSON Web Key (RFC 7518 §6.3.1).
    package func publicNumbers() throws -> (modulus: [UInt8], exponent: [UInt8]) {
        (try number(OSSL_PKEY_PARAM_RSA_N), try number(OSSL_PKEY_PARAM_RSA_E))
    }

    private func number(_ name: String, length: Int? = nil) throws -> [UInt8] {
        var number: OpaquePointer?
        guard EVP_PKEY_get_bn_param(key, name, &number) == 1, let number else { throw Failure("EVP_PKEY_get_bn_param") }
        defer { BN_free(number) }
        var bytes = [UInt8](repeating: 0, count: length ?? Int((BN_num_bits(number) + 7) / 8))
        guard BN_bn2binpad(number, &bytes, Int32(bytes.count)) == Int32(bytes.count) else {
            throw Failure("BN_bn2binpad")
        }
        return bytes
    }

    /// A certificate of an RSA key, signed by itself, valid for ten years: DER. JWKS carry it as `x5c`.
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
