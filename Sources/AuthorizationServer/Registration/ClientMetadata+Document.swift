import OAuth
import Storage

extension ClientMetadata {
    /// Everything that is registered about the client, RFC 7591 §3.2.1, without what proves it.
    static func document(of client: Client) -> JSONObject {
        var members = client.openID.members.merging(client.logout.metadata) { $1 }
            .merging(information(client)) { $1 }
        members.merge(client.keys.members) { $1 }
        members.merge(client.requestObject.members) { $1 }
        members["client_id"] = .string(client.clientID)
        members["redirect_uris"] = JSONValue(client.callbacks)
        members["grant_types"] = JSONValue(client.grantTypes.map(\.rawValue).sorted())
        members["response_types"] = JSONValue((client.openID.responseTypes ?? []).map(\.text))
        members["application_type"] = .string(
            (client.appType == .native ? ApplicationType.native : .web).rawValue)
        members["token_endpoint_auth_method"] = .string(client.tokenEndpointAuthMethod.rawValue)
        members["id_token_signed_response_alg"] = .string(client.idTokenAlgorithm.rawValue)
        members["subject_type"] = .string(client.openID.subjectType.rawValue)
        members["initiate_login_uri"] = client.initiateLoginURI.map(JSONValue.string)
        if !client.allowedLogoutURLs.isEmpty {
            members["post_logout_redirect_uris"] = JSONValue(client.allowedLogoutURLs)
        }
        return members
    }

    private static func information(_ client: Client) -> JSONObject {
        var members = client.information.members
        members["localized_metadata"] = nil
        for (name, text) in client.information.localized { members[name] = .string(text) }
        members["client_name"] = .string(client.name)
        members["logo_uri"] = client.logoURI.map(JSONValue.string)
        return members
    }
}
