/// What the environment says.
struct Settings: Sendable {
    /// The identity server: the `iss` of its tokens to the letter, such as `http://localhost:8080/`.
    let issuer: String
    let clientID: String
    let clientSecret: String
    /// The API to call: what it is called at the identity server, and where it is.
    let audience: String
    let apiURL: String
    /// Where browsers find this application, without a slash at the end.
    let baseURL: String
    let host: String
    let port: Int

    /// Where the identity server sends the browser back to; it must be among the application's callback URLs there.
    var redirectURI: String { baseURL + "/callback" }

    /// Why the application cannot start.
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    /// - Throws: ``Problem`` that names every variable that is missing, or the one that makes no sense.
    init(_ environment: [String: String]) throws(Problem) {
        let missing = ["ISSUER", "CLIENT_ID", "CLIENT_SECRET", "AUDIENCE", "API_URL"]
            .filter { environment[$0, default: ""].isEmpty }
        guard missing.isEmpty else {
            throw Problem(
                description: """
                    missing \(missing.joined(separator: ", ")). Set what is missing, for example:
                      ISSUER=http://localhost:8080/ CLIENT_ID=… CLIENT_SECRET=… AUDIENCE=appointments:api \\
                        API_URL=http://localhost:3001 swift run ExampleWebApp
                    """)
        }
        guard let port = Int(environment["PORT"] ?? "3000"), (1...65535).contains(port) else {
            throw Problem(description: "PORT is '\(environment["PORT", default: ""])', but it must be 1 to 65535")
        }
        self.port = port
        host = environment["HOST"] ?? "127.0.0.1"
        issuer = environment["ISSUER", default: ""]
        clientID = environment["CLIENT_ID", default: ""]
        clientSecret = environment["CLIENT_SECRET", default: ""]
        audience = environment["AUDIENCE", default: ""]
        apiURL = Self.withoutSlash(environment["API_URL", default: ""])
        baseURL = Self.withoutSlash(environment["BASE_URL"] ?? "http://localhost:\(port)")
        guard issuer.hasPrefix("http"), issuer.hasSuffix("/") else {
            throw Problem(
                description: "ISSUER is '\(issuer)', but it must be an address with a slash at its end, as in the iss "
                    + "of the tokens: http://localhost:8080/")
        }
    }

    private static func withoutSlash(_ url: String) -> String {
        url.hasSuffix("/") ? String(url.dropLast()) : url
    }
}
