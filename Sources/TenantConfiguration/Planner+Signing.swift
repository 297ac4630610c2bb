import AuthorizationServer
import Foundation
import OAuth
import Storage

extension Planner {
    /// Notes an algorithm that the tenant, as it will be, has no keys for.
    mutating func checkSigning(of name: String, _ problems: [Document.Problem], at path: String) {
        if !problems.isEmpty { unsignable.insert(name) }
        note(problems, at: path)
    }

    /// Notes problems of a resource at their places in the file.
    mutating func note(_ found: [Document.Problem], at path: String) {
        problems += found.map { file.problem("\(path).\($0.path)", $0.message) }
    }

    /// Notes what signs already with an algorithm that the file takes from the tenant.
    mutating func checkRemovedAlgorithms() {
        let users =
            clients.values.flatMap { client in
                Set([client.idTokenAlgorithm, client.openID.userInfoAlgorithm].compactMap(\.self)).map {
                    ("the application \(client.name)", client.clientID, $0)
                }
            }
            + resourceServers.values.map { ("the API \($0.identifier)", $0.identifier, $0.signingAlgorithm) }
        for (user, name, algorithm) in users.sorted(by: { $0.0 < $1.0 })
        where !settings.signingAlgorithms.allow(algorithm) && !unsignable.contains(name) {
            problems.append(
                file.problem(
                    "tenant.signing_algorithms",
                    "must have \(algorithm.rawValue) for as long as \(user) signs with it"))
        }
    }

    /// The first keys of the kinds that `settings` need and the tenant has none of. RSA keys, which every tenant has, are
    /// made when a server starts.
    mutating func firstKeys(for settings: TenantSettings) -> [@Sendable (Date) -> SigningKey] {
        let missing = settings.signingAlgorithms.keyKinds.filter { $0 != .rsa && !current.keyKinds.contains($0) }
        do {
            return try missing.flatMap { try SigningKeys.makePair($0, box: box, certificateName: "") }
        } catch {
            problems.append(file.problem("tenant.signing_algorithms", "keys cannot be made: \(error)"))
            return []
        }
    }
}
