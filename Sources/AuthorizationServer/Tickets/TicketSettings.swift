import OAuth
import Storage

/// What whoever asks for a ticket wants to come of it.
package struct TicketSettings: Sendable, Hashable {
    /// Where the browser goes in the end; nil leaves it on this server's page.
    package var resultURL: String?
    /// Whether ``resultURL`` learns the user's address.
    package var includesEmail = false
    /// The application that it is about.
    package var clientID: String?
    package var organizationID: String?
    /// Whether a new password proves the e-mail address as well: the link was mailed to it, or whoever made it says so.
    package var verifiesEmail = false
    /// Whether anybody may have asked for it, as for the mail behind *Forgot password?*.
    package var isAskedFor = false

    package init() {}

    init(_ members: JSONObject) {
        resultURL = members["result_url"]?.string
        includesEmail = members["include_email"]?.bool == true
        clientID = members["client_id"]?.string
        organizationID = members["organization_id"]?.string
        verifiesEmail = members["verifies_email"]?.bool == true
        isAskedFor = members["asked_by"] != "tenant"
    }

    var document: JSONObject {
        var members: JSONObject = [:]
        members["result_url"] = resultURL.map(JSONValue.string)
        if includesEmail { members["include_email"] = true }
        members["client_id"] = clientID.map(JSONValue.string)
        members["organization_id"] = organizationID.map(JSONValue.string)
        if verifiesEmail { members["verifies_email"] = true }
        members["asked_by"] = isAskedFor ? "anybody" : "tenant"
        return members
    }

    /// The application that it is about; nil for none, and where it has gone.
    func client(_ services: Services) async throws -> Client? {
        guard let clientID else { return nil }
        return try await services.configuration.client(clientID)?.client
    }

    /// Where the browser goes, with what has become of the ticket, as Auth0 tells it; nil where it stays.
    func redirect(email: String?, _ result: TicketResult, message: String? = nil) -> String? {
        guard let uri = resultURL.flatMap({ RedirectURI($0) }) else { return nil }
        var parameters: [(name: String, value: String)] = [
            (name: "supportSignUp", value: "true"), (name: "supportForgotPassword", value: "true"),
        ]
        if includesEmail, let email { parameters.append((name: "email", value: email)) }
        parameters += [
            (name: "success", value: result == .success ? "true" : "false"), (name: "code", value: result.rawValue),
            (name: "message", value: message ?? result.message),
        ]
        return uri.adding(parameters)
    }
}

/// What has become of a ticket, with Auth0's codes.
package enum TicketResult: String, Sendable {
    case success, used, expired, unknown

    /// For people, and for the applications that show it to them.
    package var message: String {
        switch self {
        case .success: "Your email was verified. You can continue using the application."
        case .used: "This URL can be used only once"
        case .expired: "Access expired."
        case .unknown: "This ticket is not known."
        }
    }
}
