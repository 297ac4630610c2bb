import CJavaScriptCore
import Crypto
import CryptoExtras
import Foundation

/// Text as bytes, and what is computed of bytes.
extension Native {
    static let bytes: [(name: String, body: Body)] = [
        ("utf8", { call throws(Refusal) in call.realm.uint8Array([UInt8](call.text(0).utf8)) }),
        (
            "text",
            { call throws(Refusal) in call.realm.string(String(decoding: try call.bytes(0), as: UTF8.self)) }
        ),
        (
            "random",
            { call throws(Refusal) in
                let count = call.number(0)
                guard count >= 0, count <= 65536 else { throw Refusal("At most 65536 random bytes at once") }
                var generator = SystemRandomNumberGenerator()
                return call.realm.uint8Array(
                    (0..<Int(count)).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
            }
        ),
        (
            "hash",
            { call throws(Refusal) in
                call.realm.uint8Array(try Digest(call.text(0)).hash(try call.bytes(1)))
            }
        ),
        (
            "hmac",
            { call throws(Refusal) in
                let digest = try Digest(call.text(0))
                return call.realm.uint8Array(digest.code(for: try call.bytes(2), key: try call.bytes(1)))
            }
        ),
        ("pbkdf2", { call throws(Refusal) in try call.pbkdf2() }),
        ("rsaSign", { call throws(Refusal) in try call.rsaSign() }),
        ("rsaVerify", { call throws(Refusal) in try call.rsaVerify() }),
    ]

    /// The digests, by the names that Node and Web Crypto have for them.
    fileprivate enum Digest: String {
        case md5, sha1, sha256, sha384, sha512

        init(_ name: String) throws(Refusal) {
            let plain = name.lowercased().filter { $0 != "-" }
            guard let digest = Digest(rawValue: plain.hasPrefix("rsa") ? String(plain.dropFirst(3)) : plain) else {
                throw Refusal("Digest method not supported: \(name)")
            }
            self = digest
        }

        func hash(_ data: [UInt8]) -> [UInt8] {
            switch self {
            case .md5: Array(Insecure.MD5.hash(data: data))
            case .sha1: Array(Insecure.SHA1.hash(data: data))
            case .sha256: Array(SHA256.hash(data: data))
            case .sha384: Array(SHA384.hash(data: data))
            case .sha512: Array(SHA512.hash(data: data))
            }
        }

        func code(for data: [UInt8], key: [UInt8]) -> [UInt8] {
            func code<H: HashFunction>(_ hash: H.Type) -> [UInt8] {
                Array(HMAC<H>.authenticationCode(for: data, using: SymmetricKey(data: key)))
            }
            return switch self {
            case .md5: code(Insecure.MD5.self)
            case .sha1: code(Insecure.SHA1.self)
            case .sha256: code(SHA256.self)
            case .sha384: code(SHA384.self)
            case .sha512: code(SHA512.self)
            }
        }
    }
}

extension Native.Call {
    /// pbkdf2(digest, password, salt, rounds, length)
    fileprivate func pbkdf2() throws(Native.Refusal) -> JSValue? {
        let hash: KDF.Insecure.PBKDF2.HashFunction =
            switch try Native.Digest(text(0)) {
            case .md5: .insecureMD5
            case .sha1: .insecureSHA1
            case .sha256: .sha256
            case .sha384: .sha384
            case .sha512: .sha512
            }
        let (password, salt) = (try bytes(1), try bytes(2))
        let (rounds, length) = (number(3), number(4))
        guard rounds >= 1, rounds <= 10_000_000, length >= 1, length <= 1024 else {
            throw Native.Refusal("pbkdf2: the number of rounds or the length is out of range")
        }
        do {
            let key = try KDF.Insecure.PBKDF2.deriveKey(
                from: password, salt: salt, using: hash, outputByteCount: Int(length),
                unsafeUncheckedRounds: Int(rounds))
            return realm.uint8Array(key.withUnsafeBytes { Array($0) })
        } catch {
            throw Native.Refusal("pbkdf2: \(error)")
        }
    }

    /// rsaSign(digest, PEM, data): RSASSA-PKCS1-v1_5.
    fileprivate func rsaSign() throws(Native.Refusal) -> JSValue? {
        let data = try bytes(2)
        let digest = try Native.Digest(text(0))
        do {
            let key = try _RSA.Signing.PrivateKey(pemRepresentation: text(1))
            let signature =
                switch digest {
                case .sha384: try key.signature(for: SHA384.hash(data: data), padding: .insecurePKCS1v1_5)
                case .sha512: try key.signature(for: SHA512.hash(data: data), padding: .insecurePKCS1v1_5)
                default: try key.signature(for: SHA256.hash(data: data), padding: .insecurePKCS1v1_5)
                }
            return realm.uint8Array(Array(signature.rawRepresentation))
        } catch {
            throw Native.Refusal("The private key cannot be used; an RSA key in PEM is needed")
        }
    }

    /// rsaVerify(digest, PEM of a public key or a certificate, data, signature): RSASSA-PKCS1-v1_5.
    fileprivate func rsaVerify() throws(Native.Refusal) -> JSValue? {
        let (data, signature) = (try bytes(2), _RSA.Signing.RSASignature(rawRepresentation: try bytes(3)))
        let digest = try Native.Digest(text(0))
        let key: _RSA.Signing.PublicKey
        do {
            key = try _RSA.Signing.PublicKey(pemRepresentation: text(1))
        } catch {
            throw Native.Refusal("The public key cannot be used; an RSA key in PEM is needed")
        }
        let isValid =
            switch digest {
            case .sha384: key.isValidSignature(signature, for: SHA384.hash(data: data), padding: .insecurePKCS1v1_5)
            case .sha512: key.isValidSignature(signature, for: SHA512.hash(data: data), padding: .insecurePKCS1v1_5)
            default: key.isValidSignature(signature, for: SHA256.hash(data: data), padding: .insecurePKCS1v1_5)
            }
        return realm.boolean(isValid)
    }
}
