import ArgumentParser
import AuthorizationServer
import Foundation
import OAuth
import Storage
import TenantConfiguration

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
                    "\(key.id)  \(padded(key.state.rawValue, 8))  \(padded(key.kind.rawValue, 7))  "
                        + key.createdAt.formatted(.iso8601))
            }
        }
    }

    /// `portico keys rotate`.
    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate", abstract: "Sign with the next keys from now on, and make new next ones.",
            discussion: """
                Does so for each kind of key that the tenant's signing_algorithms need. Nothing that was signed before \
                becomes invalid: the old keys stay published. A running server follows within a second.

                EXAMPLE
                  portico keys rotate
                """)

        @OptionGroup var options: DataOptions

        func run() async throws {
            let workspace = try await options.workspace()
            try await workspace.services.signingKeys.makeFirst(at: Date())
            for rotation in try await workspace.services.signingKeys.rotate(at: Date()) {
                let kind = padded(rotation.kind.rawValue, 7)
                try await ChangeAuthor.here("keys rotate").log(
                    "Rotate the signing keys",
                    ["resource": "keys", "id": .string(rotation.current), "kind": .string(rotation.kind.rawValue)],
                    to: workspace.stores, at: Date())
                print("\(kind)  current  \(rotation.current)\n\(kind)  next     \(rotation.next)")
            }
        }
    }
}

private func padded(_ text: String, _ length: Int) -> String {
    text.padding(toLength: length, withPad: " ", startingAt: 0)
}
