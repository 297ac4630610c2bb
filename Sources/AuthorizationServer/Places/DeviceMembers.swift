import OAuth
import Storage

/// From where a session or a refresh token was used, in Auth0's words.
package enum DeviceMembers {
    /// - Parameters:
    ///   - first: from where it began; nil where that is unknown.
    ///   - last: from where it was used last; nil where that is unknown.
    package static func members(_ first: SeenDevice?, _ last: SeenDevice?) -> JSONObject {
        var members: JSONObject = [:]
        for (name, device) in [("initial", first), ("last", last)] {
            members["\(name)_ip"] = device?.ip.map(JSONValue.string)
            members["\(name)_user_agent"] = device?.userAgent.map(JSONValue.string)
            members["\(name)_asn"] = device?.asn.map(JSONValue.string)
        }
        return members
    }
}
