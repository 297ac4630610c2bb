import ArgumentParser
import AuthorizationServer
import Foundation
import OAuth
import Storage
import TenantConfiguration

/// `portico migrate`.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Take a tenant over from elsewhere.",
        discussion: "EXAMPLES\n  portico migrate auth0 ./auth0-export/\n  portico migrate status",
        subcommands: [Auth0.self, Status.self])

    /// `portico migrate auth0`.
    struct Auth0: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "auth0",
            abstract: "Take over an Auth0 tenant: its Deploy CLI export, its users, their password hashes.",
            discussion: """
                Shows what would change, and asks. What this version does not take is left out, and the report names it \
                with the reason; nothing is deleted. The command can be interrupted at any time; given again it goes on with \
                what is missing, and counts the users that are there already.

                Users without a password hash sign in with the password that they have when --old-domain names the old \
                tenant: it is asked at their first login, by an application of its own that may use the grant \
                http://auth0.com/oauth/grant-type/password-realm, and never again.

                EXAMPLES
                  a0deploy export --format directory --output_folder auth0-export
                  portico migrate auth0 auth0-export --users users.ndjson.gz --report migration.md
                """)

        @Argument(help: "The folder or the YAML file of the export.")
        var export: String
        @Option(help: "Auth0's bulk user export: JSON lines, packed with gzip or not.")
        var users: String?
        @Option(help: "Auth0's export of password hashes: JSON lines with passwordHash.")
        var passwordHashes: String?
        @Option(help: "The old tenant's domain, to ask for the passwords that come without a hash.")
        var oldDomain: String?
        @Option(name: .customLong("old-client-id"), help: "The old tenant's application that asks for them.")
        var oldClientID: String?
        @Option(help: "A file with that application's secret.")
        var oldClientSecretFile: String?
        @Flag(help: "Let people in who are in the old tenant and not in the import, and make them users.")
        var createUsers = false
        @Option(help: "The database of the users whose rows name none.")
        var connection: String?
        @Option(help: "Write the report to this file as well.")
        var report: String?
        @Flag(help: "Migrate without asking.")
        var yes = false
        @OptionGroup var options: DataOptions

        func run() async throws {
            let workspace = try await options.workspace()
            let migration: Auth0Migration
            do {
                migration = try await Auth0Migration.make(
                    export: URL(filePath: export), environment: ProcessInfo.processInfo.environment,
                    source: source(), stores: workspace.stores, box: workspace.secret.box,
                    strategies: workspace.services.strategies)
            } catch let error as TenantFileError {
                throw CommandFailure("\(error)")
            }
            print(migration.plan.text)
            guard yes || isConfirmed("Migrate?") else {
                try write(
                    Auth0MigrationReport(migration, issuer: workspace.configuration.issuer.text, wasApplied: false))
                print("Nothing was changed.")
                throw ExitCode(1)
            }
            if !migration.plan.isEmpty {
                let outcome = try await migration.plan.apply(
                    to: workspace.stores, at: Date(), by: .here("migrate auth0"))
                print(outcome.text)
            }
            var report = Auth0MigrationReport(migration, issuer: workspace.configuration.issuer.text, wasApplied: true)
            if let users { report.users = try await importUsers(users, workspace) }
            try write(report)
        }

        private func source() throws -> Auth0Migration.Source? {
            guard let oldDomain else {
                guard oldClientID == nil, oldClientSecretFile == nil, !createUsers else {
                    throw CommandFailure("Say whom to ask for passwords: --old-domain YOUR-TENANT.auth0.com")
                }
                return nil
            }
            guard let oldClientID else {
                throw CommandFailure("Say which application asks \(oldDomain) for passwords: --old-client-id ID")
            }
            let secret: String?
            do {
                secret = try oldClientSecretFile.map {
                    try String(contentsOfFile: $0, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
                }
            } catch {
                throw CommandFailure("The file with the secret cannot be read: \(error.localizedDescription)")
            }
            return Auth0Migration.Source(
                domain: oldDomain, clientID: oldClientID, clientSecret: secret, createsUsers: createUsers)
        }

        private func importUsers(_ users: String, _ workspace: Workspace) async throws -> UserImport.Report {
            let present = try await workspace.stores.connections.list().filter(\.isDatabase)
            let databases = present.map(\.name)
            let bar = ProgressBar(label: "users")
            do {
                let hashes = try passwordHashes.map { try Auth0UserExport.passwordHashes(in: URL(filePath: $0)) }
                let standard = try standardDatabase(databases)
                let report = try await ChangeAuthor.here("migrate auth0").importing(
                    into: standard, of: workspace.stores
                ) {
                    try await UserImport(
                        stores: workspace.stores, connection: standard,
                        converting: Auth0UserExport(standard: standard, databases: databases, hashes: hashes ?? [:]),
                        holding: present.map(\.id)
                    ).run(file: URL(filePath: users), upsert: false) { bar.show($0.processed, fraction: $0.fraction) }
                }
                bar.finish()
                return report
            } catch let error as CocoaError {
                throw CommandFailure("The users cannot be read: \(error.localizedDescription)")
            }
        }

        private func standardDatabase(_ databases: [String]) throws -> String {
            if let connection {
                guard databases.contains(connection) else {
                    throw CommandFailure(
                        "No database is called '\(connection)'. There is: \(databases.joined(separator: ", "))")
                }
                return connection
            }
            let usual = "Username-Password-Authentication"
            guard let standard = databases.contains(usual) ? usual : databases.first else {
                throw CommandFailure("The tenant has no database connection for the users; the export has none either.")
            }
            return standard
        }

        private func write(_ report: Auth0MigrationReport) throws {
            print(report.text(isComplete: false))
            if let file = self.report {
                try Data((report.text(isComplete: true) + "\n").utf8).write(to: URL(filePath: file), options: .atomic)
            }
        }
    }

    /// `portico migrate status`.
    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status",
            abstract: "Show how many users have their password here, and how many still in the old tenant.",
            discussion: """
                The old tenant is needed as long as users have no password here who are to sign in with the one that they have.

                EXAMPLE
                  portico migrate status
                """)

        @OptionGroup var options: DataOptions

        func run() async throws {
            let stores = try await options.workspace().stores
            let counts = try await stores.users.passwordCounts(since: Date(timeIntervalSinceNow: -7 * 86_400))
            let databases = try await stores.connections.list().filter(\.isDatabase)
            if databases.isEmpty { print("The tenant has no database connection.") }
            for database in databases {
                let count = counts.first { $0.connection == database.name }
                let (users, hashes) = (count?.users ?? 0, count?.withHash ?? 0)
                print("\(database.name): \(users) users, \(hashes) with a password here, \(users - hashes) without")
                print("    in the last seven days: \(count?.recently ?? 0) passwords came or changed")
                if let source = database.importSource {
                    print("    asks \(source.issuer) for the others at their first login")
                } else if users > hashes {
                    print("    nobody is asked for the others: they reset their passwords")
                }
            }
        }
    }
}
