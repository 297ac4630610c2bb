import Foundation
import Logging
import OAuth
import Storage

/// Why nobody can say now whether a password is right: the old tenant, which alone could, does not.
package enum ImportDoubt: String, Sendable, Equatable {
    /// The password is right, and the old tenant wants another factor, which it cannot have here.
    case secondFactor = "mfa_required"
    case tooManyRequests = "too_many_requests"
    case timeout
    case unreachable
    /// The old tenant does not let the application ask.
    case refused
    /// The answer is none that is known.
    case unexpected

    /// For the log.
    var explanation: String {
        switch self {
        case .secondFactor: "The old tenant asks for a second factor, which cannot be given here."
        case .tooManyRequests: "The old tenant takes no more logins for now."
        case .timeout: "The old tenant did not answer in time."
        case .unreachable: "The old tenant cannot be reached."
        case .refused: "The old tenant does not let the application of the import verify passwords."
        case .unexpected: "The old tenant gave an answer that is not understood."
        }
    }
}

/// Asks the tenant that users come from whether a password is theirs, by Auth0's grant password-realm.
struct OldTenant: Sendable {
    let services: Services
    let source: ImportSource
    /// The sealed secret of the application that asks; nil for one without.
    let sealedSecret: String?

    /// Who has shown the right password there.
    struct Person: Sendable {
        let subject: String?
        let email: String?
        let claims: JSONObject
    }

    /// - Parameters:
    ///   - username: the e-mail address or user name as it was typed.
    ///   - address: where the attempt comes from, which the old tenant counts failures by.
    /// - Returns: nil for a wrong password or nobody.
    /// - Throws: ``PasswordLogin/Refusal``.
    func person(_ username: String, password: String, address: String) async throws -> Person? {
        var form: JSONObject = [
            "grant_type": .string(GrantType.passwordRealm.rawValue), "client_id": .string(source.clientID),
            "username": .string(username), "password": .string(password), "realm": .string(source.realm),
            "scope": "openid profile email",
        ]
        if let sealedSecret { form["client_secret"] = .string(try services.secret.box.open(sealedSecret)) }
        let answer = try await send(
            source.issuer + "oauth/token", Data(JSON.text(form).utf8), "application/json",
            [("Accept", "application/json"), ("auth0-forwarded-for", address)])
        let members = (try? JSON.decode(JSONObject.self, from: answer.body)) ?? [:]
        if answer.status == 200, let token = members["access_token"]?.string {
            return try await person(members, accessToken: token)
        }
        switch Self.verdict(answer.status, members) {
        case .wrong: return nil
        case .blocked: throw PasswordLogin.Refusal.userIsBlocked
        case .doubt(let doubt): throw self.doubt(doubt, "\(answer.status) \(members["error"]?.string ?? "")")
        }
    }

    private enum Verdict {
        case wrong, blocked
        case doubt(ImportDoubt)
    }

    /// What a refusal says of the password, in the words of Auth0 and of RFC 6749 §5.2.
    private static func verdict(_ status: Int, _ members: JSONObject) -> Verdict {
        let description = members["error_description"]?.string ?? ""
        switch members["error"]?.string {
        case "mfa_required": return .doubt(.secondFactor)
        case "too_many_attempts", "too_many_requests", "slow_down": return .doubt(.tooManyRequests)
        case "unauthorized" where description.contains("blocked"): return .blocked
        case "invalid_grant" where description.contains("blocked"): return .blocked
        case "invalid_grant", "invalid_user_password": return .wrong
        case "invalid_client", "unauthorized_client", "access_denied", "invalid_request", "unsupported_grant_type":
            return .doubt(.refused)
        default: return .doubt(status == 429 ? .tooManyRequests : status >= 500 ? .unreachable : .unexpected)
        }
    }

    /// The answer came from the token endpoint itself, over TLS, which stands for the ID token's signature
    /// (OpenID Connect Core §3.1.3.7, number 6).
    private func person(_ members: JSONObject, accessToken: String) async throws -> Person {
        var claims: JSONObject = [:]
        if let token = members["id_token"]?.string {
            let parts = token.split(separator: ".")
            let payload = parts.count == 3 ? Base64URL.decode(String(parts[1])) : nil
            claims = payload.flatMap { try? JSON.decode(JSONObject.self, from: Data($0)) } ?? [:]
        }
        if claims["email"]?.string == nil {
            // The id tells who it is; without it an answer is needed.
            do {
                claims.merge(try await profile(accessToken, of: claims["sub"])) { first, _ in first }
            } catch  where claims["sub"]?.string != nil {}
        }
        return Person(
            subject: claims["sub"]?.string, email: claims["email"]?.string.flatMap { EmailAddress($0)?.text },
            claims: claims)
    }

    /// What the userinfo endpoint says; nothing where it says it of somebody else.
    private func profile(_ accessToken: String, of subject: JSONValue?) async throws -> JSONObject {
        let answer = try await send(
            source.issuer + "userinfo", Data(), "application/x-www-form-urlencoded",
            [("Accept", "application/json"), ("Authorization", "Bearer \(accessToken)")])
        let told = answer.status == 200 ? try? JSON.decode(JSONObject.self, from: answer.body) : nil
        return told.flatMap { subject == nil || subject == $0["sub"] ? $0 : nil } ?? [:]
    }

    private func send(
        _ url: String, _ body: Data, _ type: String, _ headers: [(name: String, value: String)]
    ) async throws -> OutboundResponse {
        do throws(OutboundFailure) {
            return try await services.outbound.send(
                OutboundRequest(.send(body, contentType: type, headers: headers), url))
        } catch {
            throw doubt(error.kind == .timeout ? .timeout : .unreachable, error.description)
        }
    }

    /// Tells the operator what the page does not.
    private func doubt(_ doubt: ImportDoubt, _ why: String) -> PasswordLogin.Refusal {
        services.logger.warning(
            "the old tenant did not verify a password",
            metadata: ["tenant": "\(source.issuer)", "reason": "\(doubt.rawValue)", "why": "\(why.forDisplay)"])
        return .cannotVerify(doubt)
    }
}
