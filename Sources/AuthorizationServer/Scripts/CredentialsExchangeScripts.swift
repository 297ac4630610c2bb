import Foundation
import OAuth
import Scripting
import Storage

/// Runs the actions at `credentials-exchange`, which have a say where an application acts for itself.
struct CredentialsExchangeScripts: Sendable {
    let services: Services

    /// - Parameters:
    ///   - authorization: what the application is about to get.
    ///   - request: how it asks for that.
    ///   - allowed: what the client grant gives of the API's scope; nothing beyond that is granted, whatever actions aim at.
    /// - Returns: the authorization with what the actions have changed.
    /// - Throws: ``OAuthError`` where one denies, fails or cannot run.
    func run(
        _ authorization: Authorization, _ request: TokenRequest, allowed: Scope
    ) async throws -> Authorization {
        let due = try await services.configuration.dueScripts().at([.credentialsExchange])
        guard !due.isEmpty else { return authorization }
        var (runs, changes) = (
            ScriptRuns(services: services, share: .client(authorization.client.clientID)), ScriptChanges()
        )
        do {
            for case .action(let action) in due {
                let ending = try await runs.run(action, event: event(authorization, request, changes))
                for operation in ending.operations { changes.apply(operation) }
                for case .deny(let code, let reason, _) in ending.operations {
                    runs.log(request.trail)
                    throw OAuthError(code.map(OAuthError.Code.init) ?? .accessDenied, reason)
                }
            }
            guard try JSON.bytes(changes.accessTokenClaims).count <= ClaimNames.mostBytes else {
                throw FailedScript(
                    "The tenant's actions", cause: "the claims have more than \(ClaimNames.mostBytes / 1024) KB")
            }
        } catch let failed as FailedScript {
            runs.log(request.trail, failure: failed)
            throw failed.error
        }
        runs.log(request.trail)
        var changed = authorization
        if changes.targetScope != nil {
            changed.scope = changes.target(of: authorization.scope).intersection(allowed)
            changed.permissions = changed.scope.values
        }
        changed.changes = changes
        return changed
    }

    private func event(
        _ authorization: Authorization, _ request: TokenRequest, _ changes: ScriptChanges
    ) async throws -> JSONObject {
        var event: JSONObject = [
            "client": PostLoginEvent.client(authorization.client),
            "tenant": ["id": .string(services.issuer.scriptTenant)],
            "accessToken": [
                "customClaims": .object(changes.accessTokenClaims), "scope": JSONValue(authorization.scope.values),
            ],
            "transaction": [
                "requested_scopes": JSONValue(authorization.scope.values),
                "target_scopes": JSONValue(changes.target(of: authorization.scope).values),
            ],
            "request": PostLoginEvent.request(
                method: "POST", query: [:], body: ScriptedLogin.shown(request.parameters),
                hostname: services.issuer.domain, place: services.place),
        ]
        event["resource_server"] = authorization.resourceServer.map {
            ["identifier": .string($0.resourceServer.identifier)]
        }
        if let organization = try await services.organization(authorization.organization?.id) {
            event["organization"] = .object(RuleContext.organization(organization))
        }
        return event
    }
}

extension ScriptRuns {
    /// Runs an action of a trigger at which nobody can be sent anywhere, and keeps what it puts aside.
    /// - Throws: ``FailedScript``.
    mutating func run(_ action: DueScripts.BoundAction, event: JSONObject) async throws -> Ending {
        let ending = try await run(
            action, entry: action.trigger.handler, event: event,
            situation: [
                "canRedirect": false, "domain": .string(services.issuer.domain), "rules": [], "returned": .null,
            ]
        )
        return ending
    }

    /// Runs an action, and keeps what it puts aside.
    /// - Parameter situation: what its `api` has to know beside the event.
    /// - Throws: ``FailedScript``.
    mutating func run(
        _ action: DueScripts.BoundAction, entry: String, event: JSONObject, situation: JSONObject
    ) async throws -> Ending {
        let (now, content) = (services.now(), action.content)
        let ending = try await run(
            .action, title: DueScripts.Script.action(action).title, source: content.code, entry: entry,
            input: [
                "event": .object(event), "trigger": .string(action.trigger.rawValue),
                "secrets": .object(try content.openSecrets(services.secret.box)),
                "cache": .object(services.scriptCache.members(of: action.trigger, at: now)),
                "situation": .object(situation),
            ], modules: content.modules, trigger: action.trigger)
        for case .cache(let key, let entry) in ending.operations {
            services.scriptCache.set(key, entry, of: action.trigger, at: now)
        }
        return ending
    }
}

extension ActionTrigger {
    /// The name under which an action exports its handler.
    var handler: String {
        let words = rawValue.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }
        return "onExecute" + words.joined()
    }
}

extension ActionContent {
    /// The values of the secrets.
    func openSecrets(_ box: SecretBox) throws -> JSONObject {
        try sealedSecrets.map { try JSON.decode(JSONObject.self, from: box.open($0)) } ?? [:]
    }

    /// The modules that were asked for.
    var modules: [String: String] {
        Dictionary(dependencies.map { ($0.name, $0.version) }) { first, _ in first }
    }
}
