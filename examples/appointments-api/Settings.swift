/// What the environment says.
struct Settings: Sendable {
    /// Whose tokens to accept: their `iss` to the letter, such as `http://localhost:8080/`.
    let issuer: String
    /// What this API is called: the `aud` of the tokens for it.
    let audience: String
    let host: String
    let port: Int

    /// Why the API cannot start.
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    /// - Throws: ``Problem`` that names every variable that is missing, or the one that makes no sense.
    init(_ environment: [String: String]) throws(Problem) {
        let missing = ["ISSUER", "AUDIENCE"].filter { environment[$0, default: ""].isEmpty }
        guard missing.isEmpty else {
            throw Problem(
                description: """
                    missing \(missing.joined(separator: " and ")). Set what is missing, for example:
                      ISSUER=http://localhost:8080/ AUDIENCE=appointments:api swift run AppointmentsAPI
                    """)
        }
        issuer = environment["ISSUER", default: ""]
        guard issuer.hasPrefix("http"), issuer.hasSuffix("/") else {
            throw Problem(
                description: "ISSUER is '\(issuer)', but it must be an address with a slash at its end, as in the iss "
                    + "of the tokens: http://localhost:8080/")
        }
        audience = environment["AUDIENCE", default: ""]
        host = environment["HOST"] ?? "127.0.0.1"
        guard let port = Int(environment["PORT"] ?? "3001"), (1...65535).contains(port) else {
            throw Problem(description: "PORT is '\(environment["PORT", default: ""])', but it must be 1 to 65535")
        }
        self.port = port
    }
}
