import AuthorizationServer
import Crypto
import CryptoExtras
import Foundation

/// An element of XML, encrypted as providers of SAML do it: with AES-256-GCM, and its key with RSA-OAEP and SHA-256
/// ([XML Encryption](https://www.w3.org/TR/xmlenc-core1/)).
package enum EncryptedElement {
    /// The `EncryptedData` that only `key` opens.
    package static func text(_ element: String, for key: SigningKeyPair) throws -> String {
        let (modulus, exponent) = try key.publicNumbers()
        let recipient = try _RSA.Encryption.PublicKey(n: modulus, e: exponent)
        let secret = SymmetricKey(size: .bits256)
        let wrapped = try recipient.encrypt(secret.withUnsafeBytes { Data($0) }, padding: .PKCS1_OAEP_SHA256)
        let sealed = try AES.GCM.seal(Data(element.utf8), using: secret).combined ?? Data()
        let (old, new) = ("http://www.w3.org/2001/04/xmlenc#", "http://www.w3.org/2009/xmlenc11#")
        return """
            <xenc:EncryptedData xmlns:xenc="\(old)" Type="\(old)Element"><xenc:EncryptionMethod \
            Algorithm="\(new)aes256-gcm"/><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><xenc:EncryptedKey>\
            <xenc:EncryptionMethod Algorithm="\(new)rsa-oaep"><ds:DigestMethod Algorithm="\(old)sha256"/><xenc11:MGF \
            xmlns:xenc11="\(new)" Algorithm="\(new)mgf1sha256"/></xenc:EncryptionMethod><xenc:CipherData>\
            <xenc:CipherValue>\(wrapped.base64EncodedString())</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey>\
            </ds:KeyInfo><xenc:CipherData><xenc:CipherValue>\(sealed.base64EncodedString())</xenc:CipherValue>\
            </xenc:CipherData></xenc:EncryptedData>
            """
    }
}
