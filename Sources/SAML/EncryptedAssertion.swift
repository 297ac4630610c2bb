import COpenSSL
import Foundation

/// How the key of an encrypted assertion is encrypted: RSA-OAEP, and nothing else
/// ([XML Encryption §5.5.2](https://www.w3.org/TR/xmlenc-core1/#sec-RSA-OAEP)).
package struct KeyTransport: Sendable, Hashable {
    /// OpenSSL's name of the digest, such as `SHA256`.
    package let digest: String
    /// OpenSSL's name of the digest of the mask (MGF1).
    package let maskDigest: String

    /// Decrypts a key with the private key that it was made for; nil where none does.
    package typealias Unwrapper = @Sendable (_ wrapped: [UInt8], _ transport: KeyTransport) -> [UInt8]?
}

/// An assertion that only this server can read (Core §2.3.4), in the one form that providers write: one `EncryptedData` with AES, and
/// one `EncryptedKey` for it.
struct EncryptedAssertion {
    /// Why an assertion cannot be read.
    struct Problem: Error, Sendable, CustomStringConvertible {
        let description: String

        /// The same whatever has failed, so that nobody learns by trying what the key or the text is.
        static let undecipherable = Problem(description: "an assertion that this server's key does not decrypt")
    }

    private enum Cipher: String {
        case aes128CBC = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
        case aes256CBC = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
        case aes128GCM = "http://www.w3.org/2009/xmlenc11#aes128-gcm"
        case aes256GCM = "http://www.w3.org/2009/xmlenc11#aes256-gcm"

        /// Whether a text that was changed does not decrypt at all.
        var isAuthenticated: Bool { [.aes128GCM, .aes256GCM].contains(self) }
        var keyLength: Int { [.aes128CBC, .aes128GCM].contains(self) ? 16 : 32 }

        var function: OpaquePointer? {
            switch self {
            case .aes128CBC: EVP_aes_128_cbc()
            case .aes256CBC: EVP_aes_256_cbc()
            case .aes128GCM: EVP_aes_128_gcm()
            case .aes256GCM: EVP_aes_256_gcm()
            }
        }
    }

    private let cipher: Cipher
    private let transport: KeyTransport
    private let wrappedKey, text: [UInt8]

    /// - Throws: ``Problem`` for another form, or other algorithms.
    init(_ element: Element) throws(Problem) {
        guard let data = element.only("EncryptedData", .encryption),
            data["Type"].map({ $0 == Element.Namespace.encryption.rawValue + "Element" }) ?? true,
            let method = data.only("EncryptionMethod", .encryption), let text = Self.value(of: data)
        else { throw Problem(description: "an encrypted assertion of an unknown form") }
        guard let cipher = method["Algorithm"].flatMap(Cipher.init(rawValue:)) else {
            throw Problem(description: "an assertion that is not encrypted with AES of 128 or 256 bits, GCM or CBC")
        }
        let info = data.children("KeyInfo", .signature).flatMap { $0.children("EncryptedKey", .encryption) }
        let keys = info + element.children("EncryptedKey", .encryption)
        guard keys.count == 1, let wrappedKey = Self.value(of: keys[0]) else {
            throw Problem(description: "an encrypted assertion without its one EncryptedKey")
        }
        transport = try Self.transport(of: keys[0])
        (self.cipher, self.text, self.wrappedKey) = (cipher, text, wrappedKey)
    }

    /// What was encrypted.
    /// - Parameter isSigned: whether the provider has signed the encrypted text. Without that CBC is not decrypted: whoever may send
    ///   changed texts, and sees what becomes of them, reads the original byte by byte.
    /// - Throws: ``Problem``.
    func decrypted(by unwrap: KeyTransport.Unwrapper, isSigned: Bool) throws(Problem) -> [UInt8] {
        guard isSigned || cipher.isAuthenticated else {
            throw Problem(
                description: "an assertion encrypted with CBC in a response that is not signed; let the provider sign "
                    + "the response, or encrypt with GCM")
        }
        guard let key = unwrap(wrappedKey, transport), key.count == cipher.keyLength,
            let plain = cipher.isAuthenticated ? openGCM(key) : openCBC(key)
        else { throw .undecipherable }
        return plain
    }

    // MARK: The parts

    private static func value(of element: Element) -> [UInt8]? {
        element.only("CipherData", .encryption)?.only("CipherValue", .encryption)?.text
            .flatMap { Data(base64Encoded: $0, options: .ignoreUnknownCharacters) }.map { Array($0) }
    }

    private static func transport(of key: Element) throws(Problem) -> KeyTransport {
        let refusal = Problem(description: "a key that is not encrypted with RSA-OAEP")
        guard let method = key.only("EncryptionMethod", .encryption),
            method.children("OAEPparams", .encryption).isEmpty
        else { throw refusal }
        let digests = method.children("DigestMethod", .signature)
        let masks = method.children("MGF", .encryption11)
        guard digests.count <= 1, masks.count <= 1 else { throw refusal }
        let digest = digests.first.map { $0["Algorithm"].flatMap(DigestMethod.init(rawValue:)) } ?? .sha1
        let mask: DigestMethod?
        switch method["Algorithm"] {
        case Element.Namespace.encryption.rawValue + "rsa-oaep-mgf1p": mask = masks.isEmpty ? .sha1 : nil
        case Element.Namespace.encryption11.rawValue + "rsa-oaep":
            mask =
                masks.first.map { element in
                    DigestMethod.allCases.first {
                        element["Algorithm"] == Element.Namespace.encryption11.rawValue + "mgf1" + $0.name.lowercased()
                    }
                } ?? .sha1
        default: mask = nil
        }
        guard let digest, let mask else { throw refusal }
        return KeyTransport(digest: digest.name, maskDigest: mask.name)
    }

    // MARK: AES

    /// Twelve bytes of nonce, the text, and sixteen of tag (XML Encryption §5.2.4).
    private func openGCM(_ key: [UInt8]) -> [UInt8]? {
        guard text.count >= 28 else { return nil }
        var tag = Array(text.suffix(16))
        return opened(text.dropFirst(12).dropLast(16), key, vector: Array(text.prefix(12))) { context in
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, &tag) == 1
        }
    }

    /// Sixteen bytes of vector and the text, whose last byte says how many were added (XML Encryption §5.2.2).
    private func openCBC(_ key: [UInt8]) -> [UInt8]? {
        guard text.count >= 32, text.count % 16 == 0 else { return nil }
        let padded = opened(text.dropFirst(16), key, vector: Array(text.prefix(16))) { context in
            EVP_CIPHER_CTX_set_padding(context, 0) == 1
        }
        guard let padded, let count = padded.last, (1...16).contains(count) else { return nil }
        return Array(padded.dropLast(Int(count)))
    }

    private func opened(
        _ text: ArraySlice<UInt8>, _ key: [UInt8], vector: [UInt8], _ prepare: (OpaquePointer) -> Bool
    ) -> [UInt8]? {
        guard let context = EVP_CIPHER_CTX_new() else { return nil }
        defer { EVP_CIPHER_CTX_free(context) }
        var plain = [UInt8](repeating: 0, count: text.count + 16)
        var (length, rest): (Int32, Int32) = (0, 0)
        let isOpen =
            EVP_DecryptInit_ex(context, cipher.function, nil, key, vector) == 1 && prepare(context)
            && EVP_DecryptUpdate(context, &plain, &length, Array(text), Int32(text.count)) == 1
            && plain.withUnsafeMutableBufferPointer { buffer in
                EVP_DecryptFinal_ex(context, buffer.baseAddress?.advanced(by: Int(length)), &rest) == 1
            }
        guard isOpen else {
            ERR_clear_error()
            return nil
        }
        return Array(plain.prefix(Int(length + rest)))
    }
}
