import OAuth
import Scripting
import Storage

/// Auth0's `fetchUserProfile`: a script of a connection's, `function (accessToken, ctx, cb)`, that finds out whose access token it is.
package struct ProfileScript: Sendable {
    /// Bytes that such a script may have, Auth0's limit.
    package static let mostBytes = 51_200

    private let source: String

    package init(source: String) { self.source = source }

    /// What the log calls the script of a connection.
    package static func title(_ connection: Connection) -> String {
        "fetchUserProfile of the connection \(connection.name.forDisplay)"
    }

    /// Runs the script.
    /// - Parameter answer: the token endpoint's whole answer, the script's `ctx`.
    /// - Returns: the profile, as the script gave it.
    /// - Throws: ``UpstreamFailure``, where the script fails too: it has let nobody in.
    package func members(
        _ accessToken: String, _ answer: JSONObject, of connection: Connection, _ services: Services
    ) async throws(UpstreamFailure) -> JSONObject {
        let (title, trail) = (Self.title(connection), LogTrail())
        trail.note { $0.connection = connection.name }
        var runs = ScriptRuns(services: services, share: .network)
        do {
            let ending = try await runs.run(
                .profile, title: title, source: source,
                input: ["accessToken": .string(accessToken), "context": .object(answer)])
            for case .deny(_, let reason, _) in ending.operations {
                runs.log(trail)
                throw UpstreamFailure.denied(description: reason.isEmpty ? nil : reason)
            }
            let members = try Self.members(ending.value, title)
            runs.log(trail)
            return members
        } catch let failure as UpstreamFailure {
            throw failure
        } catch let failed as FailedScript {
            runs.log(trail, failure: failed)
            let cause = "\(failed.title): \(failed.cause)"
            switch failed.told {
            case .busy: throw .unavailable(cause: cause, mend: "Try again later")
            case .server:
                throw .misconfigured(cause: cause, mend: "portico doctor says what keeps scripts from running")
            case .script: throw .misconfigured(cause: cause, mend: "Correct options.scripts.fetchUserProfile")
            }
        } catch {
            throw .misconfigured(cause: "\(title): \(error)", mend: "Look at the server's log")
        }
    }

    private static func members(_ text: String, _ title: String) throws(FailedScript) -> JSONObject {
        do throws(JSONReader.Problem) {
            return try JSONReader.object(text.utf8)
        } catch {
            throw FailedScript(title, cause: "what it gave back cannot be read: \(error.description)")
        }
    }
}

extension Connection {
    /// The member of `options` behind ``profileScript``, and the script in it.
    private static let scriptsOption = "scripts"
    private static let profileScriptOption = "fetchUserProfile"

    /// The text of its `scripts.fetchUserProfile`; nil where it has none.
    package var profileScript: String? {
        guard strategy == "oauth2" else { return nil }
        let text = options[Self.scriptsOption]?.object?[Self.profileScriptOption]?.string
        return text?.isEmpty == false ? text : nil
    }
}
