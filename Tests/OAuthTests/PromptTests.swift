import OAuth
import Testing

@Suite("Prompt")
struct PromptTests {
    @Test(
        "OIDC Core §3.1.2.1: a list of words separated by spaces",
        arguments: [
            (nil, []), ("", []), ("none", [.none]), ("login", [.login]), ("consent login", [.login, .consent]),
            ("login login", [.login]), (" select_account ", [.selectAccount]),
        ] as [(String?, Set<Prompt>)]
    )
    func parsing(text: String?, prompts: Set<Prompt>) throws {
        #expect(try Prompt.parse(text) == prompts)
    }

    @Test(
        "OIDC Core §3.1.2.1: none beside another value, or an unknown value, is an error",
        arguments: [
            "none login", "login none", "none consent select_account", "create", "Login", "login,consent", "lo\u{0}gin",
        ]
    )
    func refused(text: String) {
        #expect(refusal { _ = try Prompt.parse(text) }?.code == .invalidRequest)
    }
}
