import Crypto
import Foundation
import OAuth

/// A client's proof that it holds a key, made for one request: [RFC 9449 §4](https://www.rfc-editor.org/rfc/rfc9449#section-4).
/// Whether it was used before, and whether its nonce is good, ``DPoPVerifier`` decides.
package struct DPoPProof: Sendable {
    /// The `jkt` of what is bound to the key: its thumbprint (RFC 7638, SHA-256).
    package let keyThumbprint: String
    /// The `jti`, unlike that of any other proof by the key.
    let id: String
    let nonce: String?

    /// The request that a proof must have been made for.
    package struct Target: Sendable {
        let method: String
        /// The addresses by which clients know it, without query and fragment.
        let urls: [String]
        /// The access token that the request presents; nil at the token endpoint.
        let accessToken: String?

        package init(method: String, url: String, accessToken: String? = nil) {
            (self.method, urls, self.accessToken) = (method, [url], accessToken)
        }

        /// - Parameter path: below the issuer, and below the host for clients with certificates, where there is one.
        init(method: String, path: String, accessToken: String? = nil, services: Services) {
            let hosts = [services.issuer] + [services.mutualTLS?.host].compactMap(\.self)
            (self.method, urls, self.accessToken) = (method, hosts.map { $0.url(path) }, accessToken)
        }
    }

    /// Seconds that a proof may be old, or ahead of our clock.
    package static let tolerance: TimeInterval = 60

    /// Reads a proof, RFC 9449 §4.3: every check but those that need the server's memory.
    /// - Throws: ``OAuthError`` `invalid_dpop_proof` with the first check that fails.
    package init(_ text: String, for target: Target, at now: Date) throws(OAuthError) {
        let (claims, thumbprint) = try Self.verified(text)
        guard claims["htm"]?.string == target.method else {
            throw Self.invalid("its 'htm' is not \(target.method)")
        }
        guard let url = claims["htu"]?.string.flatMap(Self.normalized),
            target.urls.map(Self.normalized).contains(url)
        else { throw Self.invalid("its 'htu' is not \(target.urls.joined(separator: " or "))") }
        guard let issuedAt = claims.date("iat"), abs(now.timeIntervalSince(issuedAt)) <= Self.tolerance else {
            throw Self.invalid(
                "its 'iat' is not within \(Int(Self.tolerance)) seconds of the server's time", hint: "Set the clock.")
        }
        guard let id = claims["jti"]?.string, (1...255).contains(id.utf8.count) else {
            throw Self.invalid("its 'jti' is no text of 1 to 255 bytes")
        }
        if let accessToken = target.accessToken {
            let hash = Base64URL.encode(SHA256.hash(data: Array(accessToken.utf8)))
            guard claims["ath"]?.string == hash else {
                throw Self.invalid("its 'ath' is not the hash of the access token")
            }
        }
        (keyThumbprint, self.id, nonce) = (thumbprint, id, claims["nonce"]?.string)
    }

    /// The members of a JSON Web Key that nobody but its owner may know (RFC 7518 §6).
    private static let privateMembers: Set<String> = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]

    /// The claims, and the thumbprint of the key of the header, which has signed them.
    private static func verified(_ text: String) throws(OAuthError) -> (JSONObject, thumbprint: String) {
        do {
            let token = try SignedToken(parsing: text, most: 8192)
            guard token.type == "dpop+jwt" else { throw invalid("its 'typ' is not dpop+jwt") }
            guard let members = token.header["jwk"]?.object else { throw invalid("its header has no 'jwk'") }
            guard privateMembers.isDisjoint(with: members.keys) else {
                throw invalid("its 'jwk' has a private part, which belongs to its owner alone")
            }
            let key = try JSONWebKey(members)
            let claims = try token.verified(by: key, algorithms: JWSAlgorithm.asymmetric)
            return (claims, try key.thumbprint())
        } catch let error as OAuthError {
            throw error
        } catch let problem as SignedToken.Problem {
            throw invalid(problem.description)
        } catch let problem as JSONWebKey.Problem {
            throw invalid("the key of its 'jwk' is of no use: \(problem)")
        } catch {
            throw invalid("its 'jwk' has no thumbprint")
        }
    }

    /// The text of an address without query and fragment, in the one form that RFC 3986 §6.2.2 and §6.2.3 give it; nil for
    /// what is no http address.
    static func normalized(_ text: String) -> String? {
        guard text.utf8.count <= 2048, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            let parts = text.prefix(while: { $0 != "?" && $0 != "#" })
                .wholeMatch(of: /([A-Za-z]+):\/\/([^\/@]+?)(?::([0-9]*))?(\/.*)?/)
        else { return nil }
        let (scheme, host) = (parts.1.lowercased(), parts.2.lowercased())
        guard scheme == "https" || scheme == "http" else { return nil }
        let standardPort = scheme == "https" ? "443" : "80"
        let port = parts.3.map(String.init).flatMap { $0.isEmpty || $0 == standardPort ? nil : $0 }
        let path = parts.4.map { unescapingUnreserved(String($0)) } ?? "/"
        return "\(scheme)://\(host)\(port.map { ":\($0)" } ?? "")\(path)"
    }

    private static func unescapingUnreserved(_ path: String) -> String {
        path.replacing(/%([0-9A-Fa-f]{2})/) { match in
            let byte = UInt8(match.1, radix: 16) ?? 0
            let character = Character(UnicodeScalar(byte))
            return character.isASCII && (character.isLetter || character.isNumber || "-._~".contains(character))
                ? String(character) : match.0.uppercased()
        }
    }

    private static func invalid(_ reason: String, hint: String? = nil) -> OAuthError {
        OAuthError(.invalidDPoPProof, "The DPoP proof is refused: \(reason)", hint: hint)
    }
}
