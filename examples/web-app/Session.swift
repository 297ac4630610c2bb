import Crypto
import Foundation
import Hummingbird

/// What the application remembers of one browser.
struct Session: Sendable {
    /// Sign-ins that this browser began and has not come back from, by their `state`.
    var signIns: [String: SignIn] = [:]
    var user: User?
    /// What to tell the user on the next page.
    var notice: String?
    var answer: APIAnswer?

    /// Remembers a sign-in; of those that never came back, only a few are kept.
    mutating func begin(_ signIn: SignIn) {
        if signIns.count >= 10 { signIns = [:] }
        signIns[signIn.state] = signIn
    }
}

/// One trip to the identity server and back.
struct SignIn: Sendable {
    /// Comes back with the code, and proves that this browser began the sign-in
    /// ([RFC 6749 §10.12](https://www.rfc-editor.org/rfc/rfc6749#section-10.12)).
    let state = Random.text()
    /// Comes back in the ID token, and proves that it was made for this sign-in (OpenID Connect Core §3.1.2.1).
    let nonce = Random.text()
    /// Proves to the token endpoint that the code is redeemed by who asked for it
    /// ([RFC 7636](https://www.rfc-editor.org/rfc/rfc7636)).
    let codeVerifier = Random.text()

    /// The S256 challenge of the verifier.
    var codeChallenge: String {
        Data(SHA256.hash(data: Data(codeVerifier.utf8))).base64URL
    }
}

/// Who is signed in, and with which tokens.
struct User: Sendable {
    let id: String
    let name: String
    let email: String?
    var idToken: String
    var accessToken: String
    /// nil without the scope `offline_access`, and while the token is on its way to the server.
    var refreshToken: String?
    var accessTokenExpires: Date?
}

/// What the API said to the last call.
struct APIAnswer: Sendable {
    let request: String
    let status: String
    let challenge: String?
    let body: String
}

/// Texts that nobody can guess.
enum Random {
    /// 256 bits in base64url: 43 characters.
    static func text() -> String {
        var generator = SystemRandomNumberGenerator()
        return Data((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }).base64URL
    }
}

extension Data {
    /// Base64 for URLs, without padding ([RFC 4648 §5](https://www.rfc-editor.org/rfc/rfc4648#section-5)).
    var base64URL: String {
        base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    init?(base64URL text: some StringProtocol) {
        let base64 = String(text).replacing("-", with: "+").replacing("_", with: "/")
        self.init(base64Encoded: base64 + String(repeating: "=", count: (4 - base64.count % 4) % 4))
    }
}
