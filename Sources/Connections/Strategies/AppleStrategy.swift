import AuthorizationServer
import Crypto
import Foundation
import OAuth
import Storage

/// Sign in with Apple: OpenID Connect whose client secret is a token signed with the team's key, and whose answers are
/// posted. Apple tells a user's name once, at the first login, beside the token.
struct AppleStrategy: ConnectionStrategy {
    let discovery: DiscoveryCache

    let names: Set<String> = ["apple"]
    let family = ConnectionFamily.social
    let manner = ConnectionManner.redirect
    let secretOptions: Set<String> = ["app_secret", "client_secret"]
    let secretRecipients: Set<String> = ["client_id", "team_id"]

    private static let issuer = "https://appleid.apple.com"

    func login(_ connection: Connection, _ options: inout Document) throws(Document.Problem) -> ConnectionLogin {
        let clientID = try options.requiredString("client_id", most: 1024)
        let (teamID, keyID) = (
            try options.requiredString("team_id", most: 64), try options.requiredString("kid", most: 64)
        )
        var provider = OIDCProvider(clientID: clientID, secret: .none)
        if let pem = try options.string("app_secret"), !pem.isEmpty {
            guard let key = try? P256.Signing.PrivateKey(pemRepresentation: pem) else {
                throw options.problem("app_secret", "must be the key that Apple gave, in PEM (a .p8 file)")
            }
            provider.secret = .made { services throws(UpstreamFailure) in
                try Self.secret(key, clientID: clientID, teamID: teamID, keyID: keyID, at: services.now())
            }
        }
        var metadata = OIDCMetadata(
            issuer: Self.issuer, authorizationEndpoint: "https://appleid.apple.com/auth/authorize")
        metadata.tokenEndpoint = "https://appleid.apple.com/auth/token"
        metadata.keysURL = "https://appleid.apple.com/auth/keys"
        provider.metadata = metadata
        provider.scope = try options.scope("scope", standard: ["name", "email"])
        provider.responseMode = "form_post"
        provider.proofKeys = .disabled
        provider.forwarded = try ForwardedParameter.read(&options)
        provider.complete = { profile, arrival in Self.addName(to: &profile, arrival.parameters["user"]) }
        return .redirect(OIDCLogin(provider: provider, discovery: discovery))
    }

    /// The client's secret: a token that ends in five minutes.
    private static func secret(
        _ key: P256.Signing.PrivateKey, clientID: String, teamID: String, keyID: String, at now: Date
    ) throws(UpstreamFailure) -> String {
        let seconds = Int64(now.timeIntervalSince1970)
        let header: JSONObject = ["alg": "ES256", "kid": .string(keyID)]
        let claims: JSONObject = [
            "iss": .string(teamID), "sub": .string(clientID), "aud": .string(issuer), "iat": .integer(seconds),
            "exp": .integer(seconds + 300),
        ]
        do {
            let text = try [header, claims].map { Base64URL.encode(try JSON.bytes($0)) }.joined(separator: ".")
            let signature = try key.signature(for: Data(text.utf8)).rawRepresentation
            return "\(text).\(Base64URL.encode(signature))"
        } catch {
            throw .misconfigured(cause: "Nothing can be signed with app_secret: \(error)", mend: "Set it anew")
        }
    }

    /// The name comes with the browser, so the user could have written it: it is good for a name and nothing else.
    private static func addName(to profile: inout UpstreamProfile, _ text: String?) {
        guard let text, text.utf8.count <= 2048,
            let name = (try? JSON.decode(JSONObject.self, from: text))?["name"]?.object
        else { return }
        let (given, family) = (name["firstName"]?.string ?? "", name["lastName"]?.string ?? "")
        if !given.isEmpty { profile.attributes["given_name"] = .string(given) }
        if !family.isEmpty { profile.attributes["family_name"] = .string(family) }
        let whole = [given, family].filter { !$0.isEmpty }.joined(separator: " ")
        if !whole.isEmpty { profile.attributes["name"] = .string(whole) }
    }
}
