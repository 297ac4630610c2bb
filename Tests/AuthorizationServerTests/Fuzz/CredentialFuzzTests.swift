import Foundation
import Fuzzing
import OAuth
import Storage
import Testing

@testable import AuthorizationServer

@Suite("Fuzz: tokens and client credentials")
struct CredentialFuzzTests {
    private static let box = SecretBox(key: Array(repeating: 7, count: 32))

    private static let ring = Result {
        let key = try SigningKeyPair.generate()
        let row = SigningKey(
            id: "current", kind: .rsa, state: .current, sealedPrivateKey: try box.seal(key.pem()),
            certificate: Data(try key.selfSignedCertificate(commonName: "test")).base64EncodedString(),
            createdAt: Date(timeIntervalSince1970: 0))
        return try KeyRing([row], box: box)
    }

    private static func base64(_ text: String) -> String { Base64URL.encode(Array(text.utf8)) }

    @Test("RFC 7515 §5.2, RFC 8725 §3: of all texts near a token, only the token itself is verified")
    func tokens() throws {
        let ring = try #require(try Self.ring.get())
        let claims: JSONObject = ["sub": "ada", "exp": 4_000_000_000]
        let token = try JSONWebToken.sign(claims, with: ring.current, header: ring.current.accessTokenHeader)
        let parts = token.split(separator: ".").map(String.init)
        let headers = [
            #"{"alg":"none"}"#, #"{"alg":"HS256","kid":"current"}"#, #"{"alg":"RS256","kid":"current","crit":["b64"]}"#,
            #"{"alg":"RS256","kid":"../current"}"#, #"{"alg":"RS256","kid":"current","jwk":{"kty":"RSA"}}"#,
        ].map(Self.base64)
        let mutator = Mutator(
            [token, token, token, "\(parts[0]).\(parts[1]).", "\(parts[0])..\(parts[2])", "a.b.c", "..", ""]
                + headers.map { "\($0).\(parts[1]).\(parts[2])" },
            words: [".", "=", "_", "-"] + headers + [Self.base64(#"{"sub":"grace","exp":4000000000}"#)])
        let outcome = Fuzz.run(60_000, { mutator.text(&$0) }) { text in
            guard let verified = JSONWebToken.verify(text, keys: ring) else {
                return text == token ? .wrong("the token itself is refused") : .refused
            }
            return text.utf8.elementsEqual(token.utf8) && verified == claims
                ? .accepted : .wrong("verified: \(verified)")
        }
        #expect(outcome.complaint == nil)
        #expect(outcome.isTelling, "\(outcome)")
    }

    private static func basic(_ header: String) throws -> ClientCredentials {
        try ClientCredentials(authorizationHeader: header, parameters: Parameters(trusted: [:]))
    }

    @Test("RFC 6749 §2.3.1: any id and secret in a Basic header read back as themselves")
    func basicRoundTrip() {
        let allowed = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._*")
        func encoded(_ text: String) -> String { text.addingPercentEncoding(withAllowedCharacters: allowed) ?? "" }
        let outcome = Fuzz.run(40_000, { ("a" + $0.text(most: 8), $0.text(most: 8)) }) { id, secret in
            let pair = Data("\(encoded(id)):\(encoded(secret))".utf8).base64EncodedString()
            let read = try Self.basic("Basic \(pair)")
            guard Array(read.clientID.utf8) == Array(id.utf8),
                Array((read.secret?.text ?? "").utf8) == Array(secret.utf8)
            else { return .wrong("reads back as \(read.clientID.debugDescription)") }
            return .accepted
        }
        #expect(outcome.complaint == nil)
        #expect(outcome.accepted == Fuzz.cases(40_000))
    }

    @Test("RFC 7617 §2: any other Authorization header is refused, or is base64 of an id, a colon and a secret")
    func basicHeaders() {
        let pairs = ["regular-web-app:secret", "a:b:c", "a%3Ab:c%25d+e", ":", "a:", ":b", "ä:ö"]
        let mutator = Mutator(
            pairs.map { "Basic " + Data($0.utf8).base64EncodedString() } + ["basic YTpi", "BASIC  YTpi ", "Bearer x"],
            words: ["Basic", "=", " ", "YTpi"])
        let plain = Mutator(pairs, words: [":", "%3A", "+", "%"])
        let outcome = Fuzz.run(
            60_000,
            { (generator: inout SeededGenerator) -> String in
                guard generator.oneIn(2) else { return mutator.text(&generator) }
                return "Basic " + Data(plain.bytes(&generator)).base64EncodedString()
            }
        ) { header in
            do {
                let read = try Self.basic(header)
                let bytes = Data(base64Encoded: header.dropFirst(6).trimmed)
                let isPair = bytes?.firstIndex(of: 0x3A).map { $0 > 0 } ?? false
                return isPair && !read.clientID.isEmpty ? .accepted : .wrong("accepted: \(read.clientID)")
            } catch let error as OAuthError {
                return [.invalidClient, .invalidRequest].contains(error.code) ? .refused : .wrong("\(error)")
            }
        }
        #expect(outcome.complaint == nil)
        #expect(outcome.isTelling, "\(outcome)")
    }
}
