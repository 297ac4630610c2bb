import OAuth
import Storage

/// Which algorithms an application or API may have tokens signed with: those that the tenant publishes keys for.
package enum SigningRules {
    /// What is wrong with the algorithms of an application.
    package static func problems(of client: Client, _ settings: TenantSettings) -> [Document.Problem] {
        [
            problem(client.idTokenAlgorithm, "jwt_configuration.alg", settings),
            client.openID.userInfoAlgorithm.flatMap { problem($0, "userinfo_signed_response_alg", settings) },
        ].compactMap(\.self)
    }

    /// What is wrong with the algorithm of an API.
    package static func problems(of api: ResourceServer, _ settings: TenantSettings) -> [Document.Problem] {
        [problem(api.signingAlgorithm, "signing_alg", settings)].compactMap(\.self)
    }

    private static func problem(
        _ algorithm: SigningAlgorithm, _ path: String, _ settings: TenantSettings
    ) -> Document.Problem? {
        guard !settings.signingAlgorithms.allow(algorithm) else { return nil }
        let list = SigningAlgorithms(settings.signingAlgorithms.values + [algorithm]).values.map(\.rawValue)
        return Document.Problem(
            path: path,
            message: "the tenant publishes no keys for \(algorithm.rawValue); set "
                + "tenant.signing_algorithms: [\(list.joined(separator: ", "))], or use RS256")
    }
}
