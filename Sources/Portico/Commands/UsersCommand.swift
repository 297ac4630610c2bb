import ArgumentParser
import AuthorizationServer
import Foundation
import OAuth
import Storage
import TenantConfiguration

/// `portico users`.
struct UsersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users", abstract: "Create, import and list users.",
        discussion: "EXAMPLES\n  portico users list\n  portico users import users.json",
        subcommands: [Create.self, Import.self, List.self])

    /// Finds a database connection by its name.
    static func connection(_ name: String, _ workspace: Workspace) async throws -> Connection {
        let connections = try await workspace.stores.connections.list().filter(\.isDatabase)
        if let found = connections.first(where: { $0.name == name }) { return found }
        let known = connections.map(\.name).joined(separator: ", ")
        throw CommandFailure(
            known.isEmpty
                ? "The tenant has no database connection. Apply a tenant file with 'databases' first: portico apply FILE"
                : "No database connection is called '\(name)'. There is: \(known)")
    }

    struct ConnectionOption: ParsableArguments {
        @Option(help: "The name of the database connection.")
        var connection = "Username-Password-Authentication"
    }

    /// `portico users create`.
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Create a user of a database connection.",
            discussion: """
                EXAMPLE
                  portico users create --email ada@example.com \\
                    --password 'correct Horse 7' --name 'Ada Lovelace'
                """)

        @Option(help: "The e-mail address; it is stored in lower case.")
        var email: String
        @Option(help: "The password; it must keep the connection's policy.")
        var password: String
        @Option(help: "The full name.")
        var name: String?
        @Flag(help: "Mark the address as verified.")
        var emailVerified = false
        @OptionGroup var connection: ConnectionOption
        @OptionGroup var options: DataOptions

        func run() async throws {
            let workspace = try await options.workspace()
            do {
                let connection = try await UsersCommand.connection(connection.connection, workspace)
                if connection.externalDatabase != nil {
                    throw CommandFailure(
                        "The users of \(connection.name) are in another database, which its scripts ask. Create them "
                            + "there, or with POST /api/v2/users, which runs the scripts.")
                }
                let user = try await Signup(services: workspace.services).create(
                    email: email, password: password, name: name, isEmailVerified: emailVerified,
                    connection: connection)
                try await ChangeAuthor.here("users create").log(
                    "Create user \(user.id)",
                    ["resource": "users", "id": .string(user.id), "connection": .string(user.connection)],
                    to: workspace.stores, at: Date())
                print("\(user.id)  \(user.email ?? "")")
            } catch let refusal as Signup.Refusal {
                throw CommandFailure(Self.explain(refusal, email: email))
            }
        }

        private static func explain(_ refusal: Signup.Refusal, email: String) -> String {
            switch refusal {
            case .invalidEmail: "'\(email)' is no e-mail address."
            case .weakPassword(let rules):
                "The password is too weak for the connection's policy:\n"
                    + rules.map { "  \($0.isSatisfied ? "ok  " : "not ") \($0.text)" }.joined(separator: "\n")
            case .userExists: "A user with the address \(email) is there already."
            case .disabled, .takesUsersOver, .noConnection, .suspiciousAddress, .breachedPassword, .notInvited,
                .denied, .databaseFails:
                "The connection takes no new users."
            }
        }
    }

    /// `portico users import`.
    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import", abstract: "Import users from a file in Auth0's users-import JSON format.",
            discussion: """
                Password hashes of bcrypt and Argon2 are taken over; users keep their passwords. Rejected rows are listed, \
                the others are imported.

                EXAMPLE
                  portico users import users.json --upsert
                """)

        @Argument(help: "The file: a JSON array of users, or one user a line.")
        var file: String
        @Flag(help: "Update users that are there already.")
        var upsert = false
        @OptionGroup var connection: ConnectionOption
        @OptionGroup var options: DataOptions

        func run() async throws {
            let workspace = try await options.workspace()
            let connection = try await UsersCommand.connection(connection.connection, workspace)
            if connection.externalDatabase != nil {
                throw CommandFailure(
                    "The users of \(connection.name) are in another database, which its scripts ask. Import them there."
                )
            }
            let bar = ProgressBar(label: "users")
            let report = try await ChangeAuthor.here("users import").importing(
                into: connection.name, of: workspace.stores
            ) {
                try await UserImport(
                    stores: workspace.stores, connection: connection.name, holding: [connection.id]
                ).run(file: URL(filePath: file), upsert: upsert) { progress in
                    bar.show(progress.processed, fraction: progress.fraction)
                }
            }
            bar.finish()
            print(report.text)
            if !report.rejected.isEmpty { throw ExitCode(1) }
        }
    }

    /// `portico users list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the users.", discussion: "EXAMPLE\n  portico users list --limit 20")

        @Option(help: "How many users to list at most.")
        var limit = 100
        @OptionGroup var options: DataOptions

        func run() async throws {
            let workspace = try await options.workspace()
            for user in try await workspace.stores.users.list(limit: max(0, limit)) {
                let marks = [user.isEmailVerified ? "verified" : nil, user.isBlocked ? "blocked" : nil]
                print(
                    [user.id, user.email ?? user.username ?? "", marks.compactMap(\.self).joined(separator: ", ")]
                        .joined(separator: "  "))
            }
        }
    }
}
