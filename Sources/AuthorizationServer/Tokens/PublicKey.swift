import COpenSSL
import OAuth

/// Somebody else's public key in OpenSSL, which only ever verifies.
///
/// `@unchecked Sendable`: the `EVP_PKEY` is made in `init`, never changed afterwards and freed in `deinit`. OpenSSL
/// allows any number of threads to verify with one key that nobody changes; each call has a context of its own.
final class PublicKey: @unchecked Sendable {
    private let key: OpaquePointer
    /// The algorithms that this key may be used with are those of its family.
    let family: JWSAlgorithm.Family

    typealias Problem = JSONWebKey.Problem

    /// - Parameters:
    ///   - modulus: big-endian, 2048 to 8192 bits.
    ///   - exponent: big-endian, odd, at least 3 and at most 32 bits: nobody's is longer, and each bit makes whoever verifies
    ///     work more.
    convenience init(modulus: [UInt8], exponent: [UInt8]) throws(Problem) {
        let (n, e) = (modulus.drop { $0 == 0 }, exponent.drop { $0 == 0 })
        guard n.count <= 1024, (1...4).contains(e.count), let last = e.last, last & 1 == 1, e.count > 1 || last > 1
        else { throw Problem(description: "the RSA key has more than 8192 bits, or no valid exponent") }
        try self.init(
            der: DER.publicKey(
                algorithm: DER.rsaEncryption + DER.null,
                key: DER.sequence(DER.integer(Array(n)) + DER.integer(Array(e)))))
    }

    /// - Parameters:
    ///   - family: ``OAuth/JWSAlgorithm/Family/p256`` or ``OAuth/JWSAlgorithm/Family/p384``.
    ///   - x: the coordinate, as many bytes as the curve has.
    ///   - y: as `x`.
    /// - Throws: ``Problem`` also for a point that is not on the curve.
    convenience init(curve family: JWSAlgorithm.Family, x: [UInt8], y: [UInt8]) throws(Problem) {
        let size = Self.coordinateSize(family)
        guard size > 0, x.count == size, y.count == size else {
            throw Problem(description: "the coordinates are not as long as the curve's")
        }
        let curve = family == .p256 ? DER.p256 : DER.p384
        try self.init(der: DER.publicKey(algorithm: DER.ecPublicKey + curve, key: [0x04] + x + y))
    }

    /// - Parameter ed25519: the 32 bytes of an Ed25519 key.
    convenience init(ed25519: [UInt8]) throws(Problem) {
        try self.init(EVP_PKEY_new_raw_public_key(NID_ED25519, nil, ed25519, ed25519.count))
    }

    /// - Parameter der: a `SubjectPublicKeyInfo`.
    private convenience init(der: [UInt8]) throws(Problem) {
        let key = der.withUnsafeBufferPointer { bytes in
            var position = bytes.baseAddress
            return d2i_PUBKEY(nil, &position, bytes.count)
        }
        try self.init(key)
    }

    /// Reads a public key or a certificate in PEM.
    convenience init(pem: String) throws(Problem) {
        // The BIO reads from the text for as long as it lives, so both live within one closure.
        let key = Array(pem.utf8).withUnsafeBytes { text -> OpaquePointer? in
            guard let input = BIO_new_mem_buf(text.baseAddress, Int32(text.count)) else { return nil }
            defer { BIO_free(input) }
            guard pem.contains("BEGIN CERTIFICATE") else { return PEM_read_bio_PUBKEY(input, nil, nil, nil) }
            guard let certificate = PEM_read_bio_X509(input, nil, nil, nil) else { return nil }
            defer { X509_free(certificate) }
            return X509_get_pubkey(certificate)
        }
        try self.init(key)
    }

    /// Takes over `key`.
    private init(_ key: OpaquePointer?) throws(Problem) {
        ERR_clear_error()
        guard let key else { throw Problem(description: "the key cannot be read") }
        guard let family = Self.family(of: key) else {
            EVP_PKEY_free(key)
            throw Problem(
                description: "the key is no RSA key of 2048 bits or more, and none of P-256, P-384 or Ed25519")
        }
        (self.key, self.family) = (key, family)
    }

    deinit { EVP_PKEY_free(key) }

    private static func family(of key: OpaquePointer) -> JWSAlgorithm.Family? {
        let bits = EVP_PKEY_get_bits(key)
        if EVP_PKEY_is_a(key, "RSA") == 1 { return (2048...8192).contains(bits) ? .rsa : nil }
        if EVP_PKEY_is_a(key, "ED25519") == 1 { return .ed25519 }
        guard EVP_PKEY_is_a(key, "EC") == 1 else { return nil }
        var name = [CChar](repeating: 0, count: 64)
        guard EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, &name, name.count, nil) == 1 else {
            return nil
        }
        switch String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) {
        case "prime256v1": return .p256
        case "secp384r1": return .p384
        default: return nil
        }
    }

    /// Whether `signature` is this key's signature of `message` by `algorithm`; never for an algorithm of another family.
    func verifies(_ signature: [UInt8], of message: [UInt8], by algorithm: JWSAlgorithm) -> Bool {
        guard algorithm.family == family, let context = EVP_MD_CTX_new() else { return false }
        defer {
            EVP_MD_CTX_free(context)
            ERR_clear_error()
        }
        var signature = signature
        if family == .p256 || family == .p384 {
            guard let encoded = Self.encoded(signature, coordinateSize: Self.coordinateSize(family)) else {
                return false
            }
            signature = encoded
        }
        var keyContext: OpaquePointer?
        guard EVP_DigestVerifyInit(context, &keyContext, Self.digest(algorithm), nil, key) == 1 else { return false }
        if [.ps256, .ps384, .ps512].contains(algorithm) {
            guard EVP_PKEY_CTX_set_rsa_padding(keyContext, pssPadding) == 1,
                EVP_PKEY_CTX_set_rsa_pss_saltlen(keyContext, saltAsLongAsDigest) == 1
            else { return false }
        }
        return EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    private static func digest(_ algorithm: JWSAlgorithm) -> OpaquePointer? {
        switch algorithm {
        case .rs256, .ps256, .es256, .hs256: EVP_sha256()
        case .rs384, .ps384, .es384, .hs384: EVP_sha384()
        case .rs512, .ps512, .hs512: EVP_sha512()
        case .edDSA: nil
        }
    }

    private static func coordinateSize(_ family: JWSAlgorithm.Family) -> Int {
        switch family {
        case .p256: 32
        case .p384: 48
        case .rsa, .ed25519, .secret: 0
        }
    }

    /// The DER that OpenSSL reads for the two numbers side by side of RFC 7518 §3.4.
    private static func encoded(_ signature: [UInt8], coordinateSize size: Int) -> [UInt8]? {
        guard signature.count == 2 * size, let both = ECDSA_SIG_new() else { return nil }
        defer { ECDSA_SIG_free(both) }
        let (r, s) = (Array(signature.prefix(size)), Array(signature.suffix(size)))
        // The signature owns its numbers once they are set.
        guard ECDSA_SIG_set0(both, BN_bin2bn(r, Int32(size), nil), BN_bin2bn(s, Int32(size), nil)) == 1 else {
            return nil
        }
        let length = i2d_ECDSA_SIG(both, nil)
        guard length > 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(length))
        bytes.withUnsafeMutableBufferPointer { buffer in
            var position = buffer.baseAddress
            i2d_ECDSA_SIG(both, &position)
        }
        return bytes
    }
}

/// The few parts of a `SubjectPublicKeyInfo` in DER.
private enum DER {
    static let rsaEncryption: [UInt8] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01]
    static let ecPublicKey: [UInt8] = [0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]
    static let p256: [UInt8] = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]
    static let p384: [UInt8] = [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22]
    static let null: [UInt8] = [0x05, 0x00]

    static func publicKey(algorithm: [UInt8], key: [UInt8]) -> [UInt8] {
        sequence(sequence(algorithm) + element(0x03, [0x00] + key))
    }

    static func sequence(_ content: [UInt8]) -> [UInt8] { element(0x30, content) }

    /// A positive number without zeros at its start.
    static func integer(_ bytes: [UInt8]) -> [UInt8] {
        element(0x02, bytes.first.map { $0 & 0x80 != 0 } ?? true ? [0x00] + bytes : bytes)
    }

    private static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let length = content.count
        if length < 0x80 { return [tag, UInt8(length)] + content }
        if length < 0x100 { return [tag, 0x81, UInt8(length)] + content }
        return [tag, 0x82, UInt8(length >> 8), UInt8(length & 0xFF)] + content
    }
}

// Macros that Swift does not import.
/// `RSA_PKCS1_PSS_PADDING`.
private let pssPadding: Int32 = 6
/// `RSA_PSS_SALTLEN_DIGEST`, RFC 7518 §3.5.
private let saltAsLongAsDigest: Int32 = -1
