import Crypto
import Foundation
import Hummingbird

/// What the application remembers of a browser whose user is signed in.
struct Session: Sendable {
    var user: User
    /// What to tell the user on the next page.
    var notice: String?
    var answer: APIAnswer?
}

/// The sign-ins that a browser began and has not come back from.
struct SignIns: Sendable {
    private var begun: [String: SignIn] = [:]

    init(_ first: SignIn) { begin(first) }

    /// Remembers a sign-in; of those that never came back, only a few are kept.
    mutating func begin(_ signIn: SignIn) {
        if begun.count >= 10 { begun = [:] }
        begun[signIn.state] = signIn
    }

    /// The sign-in that `state` comes back from; nobody comes back from it again.
    mutating func end(_ state: String) -> SignIn? {
        begun.removeValue(forKey: state)
    }
}

/// How the identity server answers.
enum Flow: Sendable {
    /// The Authorization Code Flow: the browser brings a code, in the URL.
    case code
    /// The Hybrid Flow: the browser brings a code, an ID token and an access token, in a form that it posts.
    case hybrid

    /// What asks for it (OpenID Connect Core §3.1.2.1, §3.3.2.1; OAuth 2.0 Form Post Response Mode §2).
    var parameters: [(String, String)] {
        switch self {
        case .code: [("response_type", "code")]
        case .hybrid: [("response_type", "code id_token token"), ("response_mode", "form_post")]
        }
    }
}

/// One trip to the identity server and back.
struct SignIn: Sendable {
    let flow: Flow
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
    /// What the browser brought beside the code; nil unless that was the Hybrid Flow.
    let frontChannel: FrontChannel?
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
