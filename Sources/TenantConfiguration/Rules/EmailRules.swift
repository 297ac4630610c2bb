import AuthorizationServer
import OAuth
import Storage

/// What an e-mail template has to keep, whoever writes it.
package enum EmailTemplateRules {
    /// A template whose Liquid can be read: no mail fails for it later.
    /// - Throws: ``Document/Problem``.
    package static func template(_ members: JSONObject, path: String = "") throws(Document.Problem) -> EmailTemplate {
        let template = try EmailTemplate(document: Document(members, path: path))
        let texts = [
            ("body", template.body), ("subject", template.subject), ("from", template.from ?? ""),
            ("resultUrl", template.resultURL ?? ""),
        ]
        for (name, text) in texts {
            do {
                _ = try LiquidTemplate(text)
            } catch {
                throw Document.Problem(
                    path: path.isEmpty ? name : "\(path).\(name)", message: "is no Liquid that mails can use: \(error)")
            }
        }
        if let from = template.from, !from.contains("{{"), !from.contains("{%"), MailAddress(from) == nil {
            throw Document.Problem(
                path: path.isEmpty ? "from" : "\(path).from",
                message: "must be an address such as Example <mail@example.com>")
        }
        return template
    }

    /// The members of a change on top of those that a template has.
    package static func merged(_ change: JSONObject, onto existing: EmailTemplate?) -> JSONObject {
        (existing?.document ?? [:]).merging(change) { $1 }.filter { $0.value != .null }
    }
}

/// An e-mail provider on its way into the database, whoever writes it: its password, and how that is sealed.
package struct EmailProviderWrite: Sendable {
    package let provider: EmailProvider
    /// Whether the password becomes another one, or none.
    package let changesPassword: Bool
    private let sealedPassword: String?
    /// Whether there is a password then.
    package var hasPassword: Bool { sealedPassword != nil }

    /// A password that is not given stays as it is, as long as the mail goes to the same server and user: what reads a
    /// provider never sees it, and nobody else may be sent it.
    /// - Throws: ``Document/Problem``, or ``SecretBox/CannotOpen``.
    package init(
        _ members: JSONObject, replacing existing: EmailProviderStore.Stored?, box: SecretBox, path: String = ""
    ) throws {
        let (provider, password) = try EmailProvider.read(Document(members, path: path))
        self.provider = provider
        guard MailAddress(provider.defaultFromAddress) != nil else {
            throw Document.Problem(
                path: path.isEmpty ? "default_from_address" : "\(path).default_from_address",
                message: "must be an address such as Example <mail@example.com>")
        }
        let kept = existing.flatMap { provider.keepsPassword(of: $0.provider) ? $0.sealedPassword : nil }
        if let password {
            let isSame = try kept.map(box.open) == password
            (changesPassword, sealedPassword) = (!isSame, isSame ? kept : try box.seal(password))
        } else {
            (changesPassword, sealedPassword) = (kept != existing?.sealedPassword, kept)
        }
    }

    /// The members of a change on top of those that a provider has; `credentials` and `settings` are merged too.
    package static func merged(_ change: JSONObject, onto existing: EmailProvider?) -> JSONObject {
        var members = (existing?.document ?? [:]).merging(change) { $1 }
        for name in ["credentials", "settings"] {
            guard let part = change[name]?.object, let former = existing?.document[name]?.object else { continue }
            members[name] = .object(former.merging(part) { $1 }.filter { $0.value != .null })
        }
        return members.filter { $0.value != .null }
    }

    /// Writes the provider.
    package func save(in transaction: any SQLTransaction) throws {
        try EmailProviderStore.save(provider, sealedPassword: sealedPassword, in: transaction)
    }
}
