import Foundation
import OAuth
import Storage

/// What a rule gets beside the user: Auth0's `context`.
enum RuleContext {
    /// The context of the first rule; each of the others gets what the one before has made of it.
    static func members(_ login: ScriptedLogin, _ facts: ScriptFacts) -> JSONObject {
        let client = login.client
        var members: JSONObject = [
            "tenant": .string(facts.tenant), "clientID": .string(client.clientID),
            "clientName": .string(client.name),
            "clientMetadata": client.other["client_metadata"] ?? [:],
            "connection": .string(login.connectionName),
            "connectionOptions": [:], "connectionMetadata": [:], "samlConfiguration": [:],
            // A rule that has sent the user somewhere else runs again when they come back.
            "protocol": .string(login.returned == nil ? login.flow.rawValue : "redirect-callback"),
            "stats": ["loginsCount": .integer(Int64(login.user.loginsCount))],
            "sso": sso(login, facts), "accessToken": [:], "idToken": [:],
            "authentication": ["methods": methods(login, facts)],
            "authorization": ["roles": JSONValue(facts.roles)], "request": request(login, facts),
        ]
        if let connection = facts.connection {
            members["connectionID"] = .string(connection.id)
            members["connectionStrategy"] = .string(connection.strategy)
            members["connectionMetadata"] = connection.other["metadata"] ?? [:]
            let shown = ["tenant_domain", "domain_aliases", "icon_url"]
            members["connectionOptions"] = .object(connection.options.filter { shown.contains($0.key) })
        }
        members["sessionID"] = (login.session?.sid ?? login.refreshToken?.family.sid).map(JSONValue.string)
        members["riskAssessment"] = facts.risk?.json
        members["organization"] = login.organization.map { .object(organization($0)) }
        return members
    }

    static func organization(_ organization: Organization) -> JSONObject {
        [
            "id": .string(organization.id), "name": .string(organization.name),
            "display_name": .string(organization.shownName),
            "metadata": .object(organization.metadata.mapValues(JSONValue.string)),
        ]
    }

    /// How the user has proved who they are.
    static func methodName(_ facts: ScriptFacts) -> String {
        switch facts.connection?.strategyType {
        case "database", nil: "pwd"
        case "passwordless": facts.connection?.strategy ?? "email"
        default: "federated"
        }
    }

    private static func methods(_ login: ScriptedLogin, _ facts: ScriptFacts) -> JSONValue {
        func method(_ name: String, _ date: Date) -> JSONValue {
            ["name": .string(name), "timestamp": .integer(Int64(date.timeIntervalSince1970 * 1000))]
        }
        return .array(
            [method(methodName(facts), login.authenticatedAt)]
                + [login.multiFactorAt].compactMap(\.self).map { method("mfa", $0) })
    }

    private static func sso(_ login: ScriptedLogin, _ facts: ScriptFacts) -> JSONValue {
        [
            "with_auth0": .bool(login.session != nil), "with_dbconn": .bool(facts.connection?.isDatabase == true),
            "current_clients": JSONValue(facts.sessionClients),
        ]
    }

    private static func request(_ login: ScriptedLogin, _ facts: ScriptFacts) -> JSONValue {
        let origin = RequestOrigin.current
        var members: JSONObject = [
            "query": .object(login.query), "body": .object(ScriptedLogin.shown(login.body)),
            "geoip": .object(facts.place?.ruleMembers ?? [:]), "hostname": .string(facts.hostname),
        ]
        members["userAgent"] = origin?.userAgent.map(JSONValue.string)
        members["ip"] = origin?.ip.map(JSONValue.string)
        return .object(members)
    }
}
