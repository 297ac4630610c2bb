import AuthorizationServer
import OAuth
import Storage

/// Codes by mail in place of passwords.
struct EmailStrategy: ConnectionStrategy {
    let names: Set<String> = ["email"]
    let family = ConnectionFamily.passwordless
    let manner = ConnectionManner.code
    let secretOptions: Set<String> = []
    let secretRecipients: Set<String> = []

    func login(_ connection: Connection, _ options: inout Document) throws(Document.Problem) -> ConnectionLogin {
        .code(try PasswordlessSettings(.email(template: Self.template(&options)), &options))
    }

    /// The connection's own mail (`email`); nil for the standard one.
    private static func template(_ options: inout Document) throws(Document.Problem) -> EmailTemplate? {
        guard var mail = try options.document("email"), let body = try mail.string("body", most: 256 * 1024),
            !body.isEmpty
        else { return nil }
        var template = EmailTemplate(
            kind: .passwordless, subject: try mail.requiredString("subject", most: 1024), body: body)
        template.from = try mail.string("from", most: 1024).flatMap { $0.isEmpty ? nil : $0 }
        if let syntax = try mail.string("syntax"), syntax != "liquid" {
            throw mail.problem("syntax", "must be liquid")
        }
        return template
    }
}
