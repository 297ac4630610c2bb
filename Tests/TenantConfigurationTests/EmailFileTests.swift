import AuthorizationServer
import Foundation
import OAuth
import Storage
import Testing

@testable import TenantConfiguration

@Suite("E-mail settings in a tenant file")
struct EmailFileTests {
    private static let file = """
        emailProvider:
          name: smtp
          enabled: true
          default_from_address: Shop <shop@example.com>
          credentials: {smtp_host: mail.example.com, smtp_port: 465, smtp_user: u, smtp_pass: my-secret}
          settings: {headers: {X-Tag: one}}
        emailTemplates:
          - template: reset_email
            subject: "Reset for {{ application.name }}"
            from: "{{ application.name }} <shop@example.com>"
            body: "<p>{{ url }}</p>"
            resultUrl: https://app.example.com/
            urlLifetimeInSeconds: 3600
            syntax: liquid
            enabled: true
        """

    private static func password(_ tenant: Tenant) async throws -> String? {
        let stored = try await tenant.stores.database.read { try EmailProviderStore.find(in: $0) }
        return try stored?.sealedPassword.map(Tenant.box.open)
    }

    @Test("Provider and templates are applied, come back in an export without the password, and are the same again")
    func roundTrip() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(Self.file)
            #expect(try await Self.password(tenant) == "my-secret")
            let export = try await tenant.export()
            #expect(export.contains("smtp_host: mail.example.com") && !export.contains("my-secret"))
            #expect(export.contains("Reset for {{ application.name }}"))
            #expect(try await tenant.plan(export).changes.isEmpty)
            #expect(try await tenant.plan(Self.file).changes.isEmpty)
            try await tenant.apply(export)
            #expect(try await Self.password(tenant) == "my-secret")
            // Another server is not sent the password of the one before.
            try await tenant.apply(export.replacing("mail.example.com", with: "other.example.com"))
            #expect(try await Self.password(tenant) == nil)
        }
    }

    @Test("A folder has a file for the provider and two for each template, and is the same tenant again")
    func folder() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(Self.file)
            let files = try await TenantExport.files(tenant.stores)
            let paths = Set(files.map(\.path))
            #expect(
                paths.isSuperset(of: [
                    "emails/provider.json", "emails/reset_email.json", "emails/reset_email.html",
                ]))
            #expect(files.allSatisfy { !$0.text.contains("my-secret") })
            let folder = tenant.folder.appending(path: "export")
            try await TenantExport.write(tenant.stores, to: folder)
            let again = try TenantFile(contentsOf: folder, environment: [:])
            let plan = try await Plan.make(again, stores: tenant.stores, box: Tenant.box, allowDelete: true)
            #expect(plan.changes.isEmpty)
        }
    }

    @Test("What cannot be is refused at its line, and what is not here is named")
    func problems() async throws {
        try await Tenant.run { tenant in
            for (yaml, part) in [
                ("emailTemplates: [{template: reset_email, subject: S, body: '{% include x %}'}]", "no tag 'include'"),
                ("emailTemplates: [{template: other, subject: S, body: B}]", "is none of"),
                ("emailTemplates: [{template: reset_email, subject: S, body: B, from: nobody}]", "must be an address"),
                ("emailProvider: {name: smtp, default_from_address: a@example.com}", "credentials"),
                ("emailProvider: {name: pigeon, default_from_address: a@example.com}", "pigeon"),
            ] {
                let problems = try await tenant.problems(yaml)
                #expect(problems.contains { $0.contains(part) }, "\(yaml): \(problems)")
            }
            let plan = try await tenant.plan("emailProvider: {name: sendgrid, default_from_address: a@example.com}")
            #expect(plan.changes.isEmpty && plan.notApplied.contains { $0.contains("by SMTP") })
        }
    }

    @Test("Templates that a complete file leaves out go back to the standard")
    func deletion() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(Self.file)
            try await tenant.apply("emailTemplates: []", delete: true)
            let left = try await tenant.stores.database.read { try EmailTemplateStore.list(in: $0) }
            #expect(left.isEmpty)
        }
    }
}
