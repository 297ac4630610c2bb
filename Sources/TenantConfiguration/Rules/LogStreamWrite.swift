import AuthorizationServer
import Foundation
import OAuth
import Storage

/// A log stream on its way into the database, whoever writes it: what it keeps of its secrets, and how they are sealed.
package struct LogStreamWrite: Sendable {
    package let stream: LogStream
    /// Whether the stream has secrets that it did not have before.
    package let changesSecrets: Bool
    /// Whether it had any before.
    package let hadSecrets: Bool
    private let sealedSecrets: String?

    /// A secret that is not given stays as it is: what reads a stream never sees it.
    /// - Throws: ``SecretBox/CannotOpen`` where the present secrets were sealed with another key.
    package init(_ stream: LogStream, replacing existing: LogStreamState?, box: SecretBox) throws {
        self.stream = stream
        let known = try existing?.sealedSecrets.map {
            try JSON.decode(LogStream.Secrets.self, from: box.open($0))
        }
        let secrets = stream.secrets.completed(from: known ?? LogStream.Secrets())
        (changesSecrets, hadSecrets) = (secrets != known ?? LogStream.Secrets(), known != nil)
        sealedSecrets = changesSecrets ? try box.seal(JSON.text(secrets)) : nil
    }

    /// `lst_` and 16 digits, as Auth0's streams have.
    package static func newID() -> String { "lst_" + RandomBytes.make(16).map { "\($0 % 10)" }.joined() }

    /// The members of a change on top of those that a stream has; its `sink` is merged too.
    package static func merged(_ change: JSONObject, onto existing: LogStream?) -> JSONObject {
        var members = (existing?.document ?? [:]).merging(change) { $1 }
        if let sink = change["sink"]?.object, let former = existing?.document["sink"]?.object {
            members["sink"] = .object(former.merging(sink) { $1 }.filter { $0.value != .null })
        }
        members["id"] = nil
        return members.filter { $0.value != .null }
    }

    /// Writes the stream.
    package func save(at now: Date, in transaction: any SQLTransaction) throws {
        try LogStreamStore.save(stream, sealedSecrets: sealedSecrets, at: now, in: transaction)
    }
}
