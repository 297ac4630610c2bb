import Foundation
import OAuth
import Storage

/// The `event` of an action at `post-login`, in its third version. What there is no source for (where an address is, what
/// devices a user has) is left out or empty, as Auth0 leaves it where it knows nothing.
enum PostLoginEvent {
    /// - Parameters:
    ///   - user: the user, with what the actions before have noted.
    ///   - progress: what the actions before have noted of the transaction.
    static func members(
        _ login: ScriptedLogin, _ facts: ScriptFacts, user: User, progress: ScriptProgress
    ) -> JSONObject {
        var members: JSONObject = [
            "user": .object(ScriptUser.action(user, identities: facts.identities, factors: facts.factors)),
            "client": client(login.client), "connection": connection(login, facts),
            "tenant": ["id": .string(facts.tenant)],
            "stats": ["logins_count": .integer(Int64(login.user.loginsCount))],
            "authorization": ["roles": JSONValue(facts.roles)],
            "authentication": authentication(login, facts),
            "request": request(login, facts), "transaction": transaction(login, progress), "configuration": [:],
        ]
        members["resource_server"] = login.resourceServer.map { ["identifier": .string($0.identifier)] }
        members["organization"] = login.organization.map { .object(RuleContext.organization($0)) }
        members["session"] = login.session.map { session($0, facts) }
        members["refresh_token"] = login.refreshToken.map { refreshToken($0, login, facts.refreshTokenMetadata) }
        return members
    }

    private static func refreshToken(
        _ token: RefreshToken, _ login: ScriptedLogin, _ metadata: JSONObject
    ) -> JSONValue {
        let family = token.family
        var members: JSONObject = [
            "id": .string(family.id), "client_id": .string(family.clientID), "user_id": .string(family.userID),
            "created_at": time(token.issuedAt), "last_exchanged_at": time(token.lastUsedAt),
            "rotating": .bool(family.isRotating),
            "device": .object(DeviceMembers.members(family.firstDevice, token.device)),
            "metadata": .object(metadata),
        ]
        members["session_id"] = family.sid.isEmpty ? nil : .string(family.sid)
        members["expires_at"] = family.expiresAt.map(time)
        members["idle_expires_at"] = token.idleExpiry(for: login.client).map(time)
        members["resource_servers"] = family.audience.map {
            [["audience": .string($0), "scopes": .string(family.scope.text)]]
        }
        return .object(members)
    }

    static func client(_ client: Client) -> JSONValue {
        [
            "client_id": .string(client.clientID), "name": .string(client.name),
            "metadata": client.other["client_metadata"] ?? [:],
        ]
    }

    static func connection(_ connection: Connection?, name: String) -> JSONValue {
        var members: JSONObject = [
            "name": .string(name), "strategy": .string(connection?.strategy ?? Connection.databaseStrategy),
            "metadata": connection?.other["metadata"] ?? [:],
        ]
        members["id"] = connection.map { .string($0.id) }
        return .object(members)
    }

    private static func connection(_ login: ScriptedLogin, _ facts: ScriptFacts) -> JSONValue {
        connection(facts.connection, name: login.connectionName)
    }

    private static func authentication(_ login: ScriptedLogin, _ facts: ScriptFacts) -> JSONValue {
        var members: JSONObject = ["methods": methods(login, facts)]
        members["riskAssessment"] = facts.risk?.json
        return .object(members)
    }

    private static func methods(_ login: ScriptedLogin, _ facts: ScriptFacts) -> JSONValue {
        let first: JSONValue = [
            "name": .string(RuleContext.methodName(facts)), "timestamp": time(login.authenticatedAt),
        ]
        return .array(
            [first] + [login.multiFactorAt].compactMap(\.self).map { ["name": "mfa", "timestamp": time($0)] }
                + (login.session?.recordedMethods ?? []).map {
                    ["name": .string($0.name), "timestamp": time($0.timestamp)]
                })
    }

    static func time(_ date: Date) -> JSONValue { .string(date.formatted(.iso8601WithMilliseconds)) }

    private static func session(_ session: Session, _ facts: ScriptFacts) -> JSONValue {
        var members: JSONObject = [
            "id": .string(session.sid), "user_id": .string(session.userID),
            "authenticated_at": time(session.authenticatedAt), "created_at": time(session.authenticatedAt),
            "updated_at": time(session.lastUsedAt), "last_interacted_at": time(session.lastUsedAt),
            "expires_at": time(session.expiresAt), "idle_expires_at": time(session.idleExpiresAt),
            "device": .object(DeviceMembers.members(session.firstDevice, session.lastDevice)),
            "cookie": ["mode": .string((session.cookieMode ?? facts.cookieMode).rawValue)],
            "metadata": .object(session.metadata),
        ]
        members["clients"] = .array(facts.sessionClients.map { ["client_id": .string($0)] })
        return .object(members)
    }

    private static func transaction(_ login: ScriptedLogin, _ progress: ScriptProgress) -> JSONValue {
        let metadata = progress.transactionMetadata
        var members: JSONObject = [
            "protocol": .string(login.flow.rawValue), "requested_scopes": JSONValue(login.requestedScope.values),
            "target_scopes": JSONValue(progress.changes.target(of: login.requestedScope).values),
            "acr_values": [], "prompt": [], "ui_locales": [], "response_type": [], "locale": "en",
            "requested_authorization_details": [], "metadata": .object(metadata.mapValues(JSONValue.string)),
        ]
        guard let request = login.request else { return .object(members) }
        let types = request.responseType.text.split(separator: " ").map(String.init)
        members["response_type"] = JSONValue(types)
        members["response_mode"] = .string(request.responseMode.rawValue)
        members["prompt"] = JSONValue(request.prompt.map(\.rawValue).sorted())
        members["ui_locales"] = JSONValue(request.uiLocales)
        if let locale = request.uiLocales.first { members["locale"] = .string(locale) }
        members["login_hint"] = request.loginHint.map(JSONValue.string)
        members["redirect_uri"] = login.target.map { .string($0.redirectURI.text) }
        members["state"] = login.target?.state.map(JSONValue.string)
        let contexts = (request.parameters["acr_values"] ?? "").split(separator: " ").map(String.init)
        members["acr_values"] = JSONValue(contexts)
        return .object(members)
    }

    private static func request(_ login: ScriptedLogin, _ facts: ScriptFacts) -> JSONValue {
        request(
            method: login.body == nil ? "GET" : "POST", query: login.query, body: ScriptedLogin.shown(login.body),
            hostname: facts.hostname, place: facts.place)
    }

    /// The `event.request` of every trigger.
    /// - Parameter place: where it comes from; nil where that is unknown.
    static func request(
        method: String, query: JSONObject, body: JSONObject, hostname: String, place: AddressPlace?
    ) -> JSONValue {
        let origin = RequestOrigin.current
        var members: JSONObject = [
            "method": .string(method), "query": .object(query), "body": .object(body),
            "geoip": .object(place?.members ?? [:]), "hostname": .string(hostname),
        ]
        members["asn"] = place?.asn.map(JSONValue.string)
        members["language"] = origin?.language.map(JSONValue.string)
        members["ip"] = origin?.ip.map(JSONValue.string)
        members["user_agent"] = origin?.userAgent.map(JSONValue.string)
        return .object(members)
    }
}
