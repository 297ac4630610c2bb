import COpenSSL
import Storage

extension SigningKeyPair {
    /// Decrypts with RSA-OAEP ([RFC 8017 §7.1](https://www.rfc-editor.org/rfc/rfc8017#section-7.1)) what was encrypted for this key.
    /// - Parameters:
    ///   - digest: OpenSSL's name of the digest, such as `SHA256`.
    ///   - maskDigest: the same of its mask (MGF1).
    /// - Returns: nil where it was not, or the key is no RSA key.
    package func decrypted(_ bytes: [UInt8], digest: String, maskDigest: String) -> [UInt8]? {
        guard kind == .rsa, let context = EVP_PKEY_CTX_new_from_pkey(nil, key, nil) else { return nil }
        defer { EVP_PKEY_CTX_free(context) }
        var length = Int(EVP_PKEY_get_size(key))
        var plain = [UInt8](repeating: 0, count: length)
        let isDecrypted =
            EVP_PKEY_decrypt_init(context) == 1
            && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1
            && EVP_PKEY_CTX_set_rsa_oaep_md_name(context, digest, nil) == 1
            && EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, maskDigest, nil) == 1
            && EVP_PKEY_decrypt(context, &plain, &length, bytes, bytes.count) == 1
        guard isDecrypted else {
            ERR_clear_error()
            return nil
        }
        return Array(plain.prefix(length))
    }
}
