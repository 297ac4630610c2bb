import Crypto
import Foundation
import Storage

extension SigningKey {
    /// The certificate in PEM; nil where the key has none.
    package var certificatePEM: String? {
        certificate.map { base64 in
            var lines = ["-----BEGIN CERTIFICATE-----"]
            var rest = base64[...]
            while !rest.isEmpty {
                lines.append(String(rest.prefix(64)))
                rest = rest.dropFirst(64)
            }
            return (lines + ["-----END CERTIFICATE-----", ""]).joined(separator: "\r\n")
        }
    }

    /// The SHA-1 of the certificate in hexadecimal, by which Auth0 calls it; empty where the key has none.
    package func certificateFingerprint(separator: String) -> String {
        guard let der = certificate.flatMap({ Data(base64Encoded: $0) }) else { return "" }
        return Insecure.SHA1.hash(data: der).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined(separator: separator)
    }
}
