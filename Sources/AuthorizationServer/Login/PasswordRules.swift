import OAuth
import Storage

/// The rules that a connection's policy has for a password, each with whether a password keeps it.
package enum PasswordRules {
    /// One rule, worded for the person who chooses the password.
    package struct Rule: Sendable, Equatable {
        package let text: String
        package let isSatisfied: Bool
    }

    /// Every rule of `policy`; an empty password keeps none.
    package static func check(_ password: String, _ policy: PasswordPolicy) -> [Rule] {
        var rules = [
            Rule(
                text: policy.minimumLength == 1
                    ? "A password" : "At least \(policy.minimumLength) characters",
                isSatisfied: password.count >= policy.minimumLength)
        ]
        let classes = characterClasses(password)
        if policy.level == .fair {
            rules.append(
                Rule(
                    text: "A lower-case letter, an upper-case letter and a digit",
                    isSatisfied: classes.isSuperset(of: [.lower, .upper, .digit])))
        }
        if policy.level >= .good {
            rules.append(
                Rule(
                    text: "Three of: lower-case letters, upper-case letters, digits, special characters",
                    isSatisfied: classes.count >= 3))
        }
        if policy.level == .excellent {
            rules.append(
                Rule(
                    text: "Not more than two identical characters in a row",
                    isSatisfied: !password.isEmpty && !hasThreeInARow(password)))
        }
        if password.utf8.count > PasswordHash.longestPassword {
            rules.append(Rule(text: "At most \(PasswordHash.longestPassword) bytes", isSatisfied: false))
        }
        return rules
    }

    private enum CharacterClass { case lower, upper, digit, special }

    private static func characterClasses(_ password: String) -> Set<CharacterClass> {
        Set(
            password.map { character in
                if character.isLowercase {
                    .lower
                } else if character.isUppercase {
                    .upper
                } else if character.isNumber {
                    .digit
                } else {
                    .special
                }
            })
    }

    private static func hasThreeInARow(_ password: String) -> Bool {
        zip(zip(password, password.dropFirst()), password.dropFirst(2)).contains { $0.0 == $0.1 && $0.1 == $1 }
    }
}
