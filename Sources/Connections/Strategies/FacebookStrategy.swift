import AuthorizationServer
import Crypto
import OAuth
import Storage

/// Facebook Login: OAuth 2.0 and the Graph API.
struct FacebookStrategy: ConnectionStrategy {
    let names: Set<String> = ["facebook"]
    let family = ConnectionFamily.social
    let manner = ConnectionManner.redirect
    let secretOptions: Set<String> = ["client_secret"]
    let secretRecipients: Set<String> = ["client_id"]

    private static let graph = "https://graph.facebook.com/v21.0"
    private static let fields = "id,name,first_name,middle_name,last_name,email,picture.type(large)"
    private static let map = ProfileMap([
        "user_id": "id", "given_name": "first_name", "middle_name": "middle_name", "family_name": "last_name",
        "picture": "picture.data.url",
    ])

    func login(_ connection: Connection, _ options: inout Document) throws(Document.Problem) -> ConnectionLogin {
        let secret = try options.string("client_secret")
        var provider = OAuth2Provider(
            authorizationURL: "https://www.facebook.com/v21.0/dialog/oauth",
            tokenURL: "\(Self.graph)/oauth/access_token",
            clientID: try options.requiredString("client_id", most: 1024), secret: secret.map { .text($0) } ?? .none,
            scope: try options.scope("scope", standard: ["public_profile", "email"]))
        provider.usesPKCE = false
        provider.forwarded = try ForwardedParameter.read(&options)
        return .redirect(
            OAuth2Login(provider: provider) { answer, _, services async throws(UpstreamFailure) in
                let token = answer.accessToken ?? ""
                var query = [(name: "fields", value: Self.fields)]
                // Facebook can demand that whoever asks knows the secret too ("Require App Secret").
                if let secret {
                    let proof = HMAC<SHA256>.authenticationCode(
                        for: Array(token.utf8), using: SymmetricKey(data: Array(secret.utf8)))
                    query.append((name: "appsecret_proof", value: proof.map { Self.hexadecimal($0) }.joined()))
                }
                let value = try await services.askProvider(
                    about: token, "\(Self.graph)/me?\(FormEncoding.text(query))")
                return try Self.map.profile(value.object ?? [:])
            })
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}
