import Crypto
import Foundation
import Fuzzing
import OAuth
import Testing

/// Each grammar beside one that is written here again, as the RFC words it.
@Suite("Fuzz: the grammars of RFC 6749, RFC 7636 and OpenID Connect")
struct GrammarFuzzTests {
    private static func expect(_ outcome: Fuzz.Outcome) {
        #expect(outcome.complaint == nil)
        #expect(outcome.isTelling, "\(outcome)")
    }

    @Test("RFC 6749 §3.3: a scope is accepted exactly where its characters are, and its text reads back as itself")
    func scopes() {
        let mutator = Mutator(
            ["openid profile email", "read:notes https://api.example.com/x", "", "a", "offline_access openid"],
            words: [" ", "openid", "!", "~", "\u{7F}", "\u{A0}"])
        Self.expect(
            Fuzz.run(80_000, { mutator.text(&$0) }) { text in
                let isAllowed = text.utf8.allSatisfy {
                    $0 == 0x20 || $0 == 0x21 || $0 >= 0x23 && $0 <= 0x5B || $0 >= 0x5D && $0 <= 0x7E
                }
                do {
                    let scope = try Scope(parsing: text)
                    guard isAllowed else { return .wrong("accepted") }
                    let again = try Scope(parsing: scope.text)
                    guard again.values == scope.values else { return .wrong("reads back as \(again.values)") }
                    guard Set(scope.values).count == scope.values.count, !scope.values.contains("") else {
                        return .wrong("repeated or empty values: \(scope.values)")
                    }
                    return .accepted
                } catch let error as OAuthError {
                    return !isAllowed && error.code == .invalidScope ? .refused : .wrong("refused: \(error)")
                }
            })
    }

    @Test("OIDC Core §3.1.2.1: prompt is a list of four words, none alone")
    func prompts() {
        let words = ["none", "login", "consent", "select_account"]
        let mutator = Mutator(
            ["login consent", "none", "select_account login", "none login", ""], words: words + [" "])
        Self.expect(
            Fuzz.run(80_000, { mutator.text(&$0) }) { text in
                let parts = text.utf8.split(separator: 0x20).map { Array($0) }
                let isKnown = parts.allSatisfy { part in words.contains { Array($0.utf8) == part } }
                let isAlone = Set(parts).count < 2 || !parts.contains(Array("none".utf8))
                do {
                    let prompts = try Prompt.parse(text)
                    guard isKnown, isAlone else { return .wrong("accepted") }
                    let printed = prompts.map(\.rawValue).joined(separator: " ")
                    return try Prompt.parse(printed) == prompts
                        ? .accepted : .wrong("\(printed) reads back differently")
                } catch let error as OAuthError {
                    return error.code == .invalidRequest && !(isKnown && isAlone) ? .refused : .wrong("\(error)")
                }
            })
    }

    @Test("OAuth 2.0 Multiple Response Types §2: a response type is a set of its words, each once")
    func responseTypes() {
        let words = ["code", "token", "id_token"]
        let mutator = Mutator(
            ["code", "code id_token", "id_token token", "code id_token token", "token"], words: words + [" ", "none"])
        Self.expect(
            Fuzz.run(80_000, { mutator.text(&$0) }) { text in
                let parts = text.utf8.split(separator: 0x20).map { Array($0) }
                let isSet = Set(parts).count == parts.count && !parts.isEmpty
                let isKnown = parts.allSatisfy { part in words.contains { Array($0.utf8) == part } }
                do {
                    let type = try ResponseType(parsing: text)
                    guard isSet, isKnown else { return .wrong("accepted") }
                    guard try ResponseType(parsing: type.text) == type else { return .wrong("reads back differently") }
                    let hasToken = parts.contains { $0 != Array("code".utf8) }
                    return (type.defaultMode == .fragment) == hasToken ? .accepted : .wrong("a token in a query")
                } catch let error as OAuthError {
                    let isSupported = isSet && isKnown && ResponseType.supported.count == 7
                    return error.code == .unsupportedResponseType && !isSupported ? .refused : .wrong("\(error)")
                }
            })
    }

    @Test(
        "RFC 7636 §4.1, §4.2: challenges and verifiers are 43 to 128 unreserved characters, and only the right one fits"
    )
    func proofKeys() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        let values = Mutator([verifier, challenge, String(repeating: "~", count: 128)], words: ["=", "-", "."])
        let methods = Mutator(["S256", "plain", "", "s256", "S512"])
        Self.expect(
            Fuzz.run(60_000, { (values.text(&$0), $0.oneIn(4) ? methods.text(&$0) : "S256", values.text(&$0)) }) {
                text, method, sent in
                func isWellFormed(_ text: String) -> Bool {
                    (43...128).contains(text.utf8.count)
                        && text.unicodeScalars.allSatisfy {
                            $0.isASCII && ($0.properties.isAlphabetic || "0123456789-._~".unicodeScalars.contains($0))
                        }
                }
                let isSHA = method == "S256"
                let isAllowed =
                    text.isEmpty
                    ? method.isEmpty
                    : isWellFormed(text) && (isSHA ? text.utf8.count == 43 : method.isEmpty || method == "plain")
                do {
                    let key = try ProofKey(
                        Parameters(trusted: ["code_challenge": text, "code_challenge_method": method]))
                    guard isAllowed, (key == nil) == text.isEmpty else { return .wrong("accepted") }
                    let made = isSHA ? Base64URL.encode(SHA256.hash(data: Data(sent.utf8))) : sent
                    let fits = isWellFormed(sent) && made.utf8.elementsEqual(text.utf8)
                    return key == nil || key?.verifies(sent) == fits ? .accepted : .wrong("a verifier fits wrongly")
                } catch let error as OAuthError {
                    return error.code == .invalidRequest && !isAllowed ? .refused : .wrong("\(error)")
                }
            })
        #expect(
            (try? ProofKey(Parameters(trusted: ["code_challenge": challenge, "code_challenge_method": "S256"])))??
                .verifies(verifier) == true)
    }

    @Test("RFC 6749 §3.1: a name twice is refused, an empty value is absent, everything else is kept byte for byte")
    func parameters() {
        let names = ["client_id", "scope", "state", "", "é", "x"]
        Self.expect(
            Fuzz.run(
                60_000,
                { generator in
                    (0..<generator.below(5)).map { _ in
                        (generator.oneIn(3) ? generator.text(most: 3) : generator.pick(names), generator.text(most: 6))
                    }
                }
            ) { pairs in
                let isSet = Set(pairs.map(\.0)).count == pairs.count
                do {
                    let parameters = try Parameters(pairs)
                    guard isSet else { return .wrong("accepted") }
                    for (name, value) in pairs {
                        let kept = parameters[name].map { Array($0.utf8) }
                        guard kept == (value.isEmpty ? nil : Array(value.utf8)) else { return .wrong("\(name)") }
                    }
                    return .accepted
                } catch let error as OAuthError {
                    return error.code == .invalidRequest && !isSet ? .refused : .wrong("\(error)")
                }
            })
    }

    private static let request: [(String, Mutator)] = [
        ("response_type", Mutator(["code", "code id_token", "id_token token", "token"])),
        ("response_mode", Mutator(["query", "fragment", "form_post", "web_message", ""])),
        ("scope", Mutator(["openid profile", "openid", "read:notes"])),
        ("nonce", Mutator(["n-0S6_WzA2Mj"])), ("prompt", Mutator(["login", "none", ""])),
        ("max_age", Mutator(["0", "3600", "1", ""], words: ["1", "-", "+", "١", "0x"])),
        ("ui_locales", Mutator(["de-CH fr en", "de"])), ("audience", Mutator(["appointments:api"])),
        ("code_challenge", Mutator(["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", ""])),
        ("code_challenge_method", Mutator(["S256", "", "plain"])),
        ("claims", Mutator([#"{"id_token":{"auth_time":{"essential":true}}}"#, "{}", ""])),
        ("acr_values", Mutator(["urn:x y", ""])), ("display", Mutator(["page", "popup", ""])),
        ("login_hint", Mutator(["ada@example.com"])), ("request", Mutator([""])), ("unknown", Mutator(["x"])),
    ]

    @Test("OIDC Core §3.1.2.1: what is made of an authorization request keeps what the specification promises")
    func authorizationRequests() {
        Self.expect(
            Fuzz.run(
                60_000,
                { (generator: inout SeededGenerator) -> [String: String] in
                    var sent = ["response_type": "code", "nonce": "n", "scope": "openid"]
                    for _ in 0..<(1 + generator.below(3)) {
                        let (name, mutator) = generator.pick(Self.request)
                        sent[name] = mutator.text(&generator)
                    }
                    return sent
                }
            ) { sent in
                do {
                    let request = try AuthorizationRequest(Parameters(trusted: sent))
                    let type = request.responseType
                    guard !type.hasTokens || request.responseMode != .query else { return .wrong("tokens in a query") }
                    guard !type.contains(.idToken) || request.nonce != nil else {
                        return .wrong("an ID token without nonce")
                    }
                    guard !request.prompt.contains(.none) || request.prompt.count == 1 else { return .wrong("prompt") }
                    let age = sent["max_age"] ?? ""
                    guard age.utf8.allSatisfy({ (0x30...0x39).contains($0) }), (request.maxAge == nil) == age.isEmpty
                    else { return .wrong("max_age is \(request.maxAge.map(String.init) ?? "absent")") }
                    return request.uiLocales.count <= 10 ? .accepted : .wrong("\(request.uiLocales.count) locales")
                } catch let error as OAuthError {
                    return error.description.utf8.count < 2_000 ? .refused : .wrong("an error of unbounded length")
                }
            })
    }
}
