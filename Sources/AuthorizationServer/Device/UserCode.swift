import OAuth
import Storage

/// The short code that a user reads from a device and types into a browser,
/// [RFC 8628 §6.1](https://www.rfc-editor.org/rfc/rfc8628#section-6.1).
struct UserCode: Sendable {
    /// The characters without what makes them easier to read.
    let characters: String
    private let mask: String

    /// A new code, each equally likely.
    static func random(_ settings: DeviceFlowSettings) -> UserCode {
        let charset = settings.charset.characters
        let fair = 256 - 256 % charset.count
        var characters = ""
        while characters.count < settings.length {
            for byte in RandomBytes.make(32) where Int(byte) < fair && characters.count < settings.length {
                characters.append(charset[Int(byte) % charset.count])
            }
        }
        return UserCode(characters: characters, mask: settings.mask)
    }

    private init(characters: String, mask: String) { (self.characters, self.mask) = (characters, mask) }

    /// What somebody typed, in whatever case and with whatever between the characters; nil where it cannot be a code.
    init?(typed: String, _ settings: DeviceFlowSettings) {
        guard typed.utf8.count <= 100 else { return nil }
        let kept = typed.uppercased().filter { $0.isLetter || $0.isNumber }
        guard kept.count == settings.length, kept.allSatisfy(settings.charset.characters.contains) else { return nil }
        self.init(characters: kept, mask: settings.mask)
    }

    /// As the tenant's mask shows it, such as `QTZL-MCBW`.
    var text: String {
        var rest = characters[...]
        return String(mask.map { $0 == "*" ? rest.popFirst() ?? "*" : $0 })
    }
}
