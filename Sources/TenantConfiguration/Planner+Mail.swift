import AuthorizationServer
import OAuth
import Storage

extension Planner {
    mutating func planEmailProvider() {
        guard let entry = file.entries[.emailProvider]?.first, !entry.members.isEmpty else { return }
        let name = entry.members["name"]?.string ?? ""
        if EmailProvider.foreign.contains(name) {
            notApplied.append(
                "\(entry.path): '\(name)' is not applied; this server sends by SMTP, which that provider has too: name "
                    + "smtp, with its host, user and password")
            return
        }
        let existing = current.emailProvider
        let write: EmailProviderWrite
        do {
            write = try EmailProviderWrite(
                EmailProviderWrite.merged(entry.members, onto: existing?.provider), replacing: existing, box: box,
                path: entry.path)
        } catch let problem as Document.Problem {
            problems.append(file.problem(problem.path, problem.message))
            return
        } catch {
            problems.append(file.problem(entry.path, "\(error)"))
            return
        }
        if write.provider.user != nil, !write.hasPassword {
            notApplied.append(
                "\(entry.path).credentials.smtp_pass: there is none, and the server keeps none for this host and user: set "
                    + "it, for instance as ##SMTP_PASSWORD##")
        }
        plan(
            .emailProvider, write.provider.host, before: existing?.provider.document, after: write.provider.document,
            alsoChanged: write.changesPassword
                ? [
                    FieldDifference(
                        field: "credentials.smtp_pass", before: nil, after: write.hasPassword ? "(set)" : "(removed)")
                ] : []
        ) { transaction, _ in try write.save(in: transaction) }
    }

    mutating func planEmailTemplates() {
        guard let entries = file.entries[.emailTemplates] else { return }
        var seen: Set<String> = []
        for entry in entries {
            let name = entry.members["template"]?.string ?? ""
            guard isFirst(name, &seen, entry) else { continue }
            let existing = current.emailTemplates.first { $0.kind.rawValue == name }
            let parsed = parse(EmailTemplateRules.merged(entry.members, onto: existing), path: entry.path) {
                document throws(Document.Problem) in
                var document = document
                return try EmailTemplateRules.template(document.everything(), path: document.path)
            }
            guard let template = parsed else { continue }
            if !template.kind.isSent {
                notApplied.append("\(entry.path): '\(name)' is kept, and this version sends no such mails")
            }
            plan(.emailTemplates, name, before: existing?.document, after: template.document) { transaction, _ in
                try EmailTemplateStore.save(template, in: transaction)
            }
        }
        guard allowDelete else { return }
        for template in current.emailTemplates
        where !seen.contains(template.kind.rawValue) && !file.excluded.covers(.emailTemplates, template.kind.rawValue) {
            planDelete(.emailTemplates, template.kind.rawValue) { transaction, _ in
                try EmailTemplateStore.delete(template.kind, in: transaction)
            }
        }
    }
}
