import OAuth

/// The tenant's settings of RP-initiated logout: Auth0's `oidc_logout` and `sessions`.
package struct TenantLogoutSettings: Sendable, Hashable {
    /// Whether discovery names the `end_session_endpoint`, which makes SDKs use it.
    package var isEndSessionEndpointPublished = true
    /// Whether the user is asked before a request that nothing proves ends their session. Without that, any page on the
    /// Internet can log the tenant's users out.
    package var asksBeforeLogout = true

    package init() {}

    /// Takes its members out of the tenant's document.
    init(tenant document: inout Document) throws(Document.Problem) {
        if var settings = try document.document("oidc_logout") {
            isEndSessionEndpointPublished = try settings.bool(
                "rp_logout_end_session_endpoint_discovery", default: true)
            _ = try settings.remaining(known: [])
        }
        if var sessions = try document.document("sessions") {
            asksBeforeLogout = try sessions.bool("oidc_logout_prompt_enabled", default: true)
            _ = try sessions.remaining(known: [])
        }
    }

    /// Writes the members that are not as every tenant's.
    func write(to members: inout JSONObject) {
        if !isEndSessionEndpointPublished {
            members["oidc_logout"] = ["rp_logout_end_session_endpoint_discovery": false]
        }
        if !asksBeforeLogout { members["sessions"] = ["oidc_logout_prompt_enabled": false] }
    }
}
