import OAuth

/// The code with which a user gets in once who has lost the app.
package enum RecoveryCode {
    /// A new one: 24 letters and digits, of which none look alike.
    package static func make() -> String { Base32.encode(RandomBytes.make(15)) }

    /// What is kept of one. Spaces, dashes and the letters' case do not count.
    package static func digest(_ code: String) -> String {
        Secret(code.uppercased().filter { $0.isLetter || $0.isNumber }).digest
    }
}
