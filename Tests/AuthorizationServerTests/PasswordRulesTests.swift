import Storage
import Testing

@testable import AuthorizationServer

@Suite("Password rules")
struct PasswordRulesTests {
    private static func keeps(_ password: String, _ level: PasswordPolicy.Level, _ minimum: Int? = nil) -> Bool {
        PasswordRules.check(password, PasswordPolicy(level: level, minimumLength: minimum)).allSatisfy(\.isSatisfied)
    }

    @Test(
        "Auth0's levels",
        arguments: [
            ("", .none, false), ("a", .none, true), (" ", .none, true),
            ("12345", .low, false), ("123456", .low, true), ("😀😀😀😀😀", .low, false),
            ("Abcdef1", .fair, false), ("Abcdefg1", .fair, true), ("abcdefg1", .fair, false),
            ("ABCDEFG1", .fair, false),
            ("Abcdefgh", .fair, false), ("abcdefg!", .fair, false),
            ("Abcdef1", .good, false), ("Abcdefg1", .good, true), ("abcdef1!", .good, true), ("ABCDEF1!", .good, true),
            ("Abcdefg!", .good, true), ("abcdefg1", .good, false), ("Abcdefgh", .good, false),
            ("aaaAAA11", .good, true),
            ("Abcdefgh1", .excellent, false), ("Abcdefghi1", .excellent, true), ("Abcdefgghi", .excellent, false),
            ("Aabbccdd11", .excellent, true), ("Abccc12345", .excellent, false), ("aaaBCDEF12", .excellent, false),
            ("Abcdefg111", .excellent, false), ("Äbcdéfghi١", .excellent, true),
        ] as [(String, PasswordPolicy.Level, Bool)])
    func levels(password: String, level: PasswordPolicy.Level, expected: Bool) {
        #expect(Self.keeps(password, level) == expected)
    }

    @Test("password_complexity_options.min_length replaces the level's own")
    func minimum() {
        #expect(!Self.keeps("Abcdefghijk1", .good, 13))
        #expect(Self.keeps("Abcdefghijkl1", .good, 13))
        #expect(Self.keeps("Ab1", .good, 3))
    }

    @Test("A password that hashing would refuse is refused here, in words", arguments: PasswordPolicy.Level.allCases)
    func longest(level: PasswordPolicy.Level) {
        let password = String(repeating: "Ab1!", count: 256)
        #expect(Self.keeps(password, level))
        #expect(!Self.keeps(password + "x", level))
        #expect(
            PasswordRules.check(password + "x", PasswordPolicy(level: level)).last
                == PasswordRules.Rule(text: "At most 1024 bytes", isSatisfied: false))
    }

    @Test(
        "An empty password keeps no rule, so that a form starts with all of them open",
        arguments: PasswordPolicy.Level.allCases)
    func empty(level: PasswordPolicy.Level) {
        #expect(
            PasswordRules.check("", PasswordPolicy(level: level)).allSatisfy { !$0.isSatisfied && !$0.text.isEmpty })
    }
}
