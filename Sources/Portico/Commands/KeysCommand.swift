import ArgumentParser
import AuthorizationServer
import Foundation
import Storage

/// `portico keys`.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "List and rotate the keys that sign tokens.",
        discussion: "EXAMPLES\n  portico keys list\n  portico keys rotate", subcommands: [List.self, Rotate.self])

    /// `portico keys list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the signing keys.", discussion: "EXAMPLE\n  portico keys list")

        @OptionGroup var options: DataOptions

        func run() async throws {
            let keys = try await options.workspace().stores.signingKeys.list()
            if keys.isEmpty { print("There is no key yet; 'portico serve' makes the first two.") }
            for key in keys {
                print(
                    "\(key.id)  \(key.state.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0))  \(key.createdAt.formatted(.iso8601))"
                )
            }
        }
    }

    /// `portico keys rotate`.
    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate", abstract: "Sign with the next key from now on, and make a new next one.",
            discussion: """
                Nothing that was signed before becomes invalid: the old key stays published. A running server follows \
                within a second.

                EXAMPLE
                  portico keys rotate
                """)

        @OptionGroup var options: DataOptions

        func run() async throws {
            let workspace = try await options.workspace()
            try await workspace.services.signingKeys.makeFirst(at: Date())
            let (current, next) = try await workspace.services.signingKeys.rotate(at: Date())
            print("current  \(current)\nnext     \(next)")
        }
    }
}
