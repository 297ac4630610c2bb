import AuthorizationServer

/// Every strategy that the server has beside its own databases, one line each.
package enum Strategies {
    /// - Parameter others: strategies that are no part of the server, for tests.
    package static func all(and others: [any ConnectionStrategy] = []) -> ConnectionStrategies {
        let discovery = DiscoveryCache()
        return ConnectionStrategies(
            [
                AppleStrategy(discovery: discovery),
                EmailStrategy(),
                FacebookStrategy(),
                GitHubStrategy(),
                GoogleStrategy(accounts: .all, discovery: discovery),
                GoogleStrategy(accounts: .company, discovery: discovery),
                LDAPStrategy(),
                LinkedInStrategy(),
                OAuth2Strategy(),
                OIDCStrategy(discovery: discovery),
                OktaStrategy(discovery: discovery),
                SAMLStrategy(),
                SMSStrategy(),
                WAADStrategy(discovery: discovery),
                WindowsLiveStrategy(),
            ] + others)
    }
}
