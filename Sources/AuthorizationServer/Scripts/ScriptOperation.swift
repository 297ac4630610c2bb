import Foundation
import OAuth
import Scripting
import Storage

/// Something that a script asks for, read and checked: the one place where a script's word becomes the server's.
enum ScriptOperation: Sendable, Equatable {
    case accessTokenClaim(String, JSONValue)
    case idTokenClaim(String, JSONValue)
    case addScope(String)
    case removeScope(String)
    /// The rest of the flow's scripts do not run. The code is nil where the trigger has one of its own.
    case deny(code: String?, reason: String, userMessage: String?)
    case redirect(url: String)
    /// The user has proved something by a method of the tenant's own, which an address stands for.
    case method(String)
    /// A second factor before the next action runs.
    case factor(FactorDemand)
    /// A second factor once all scripts have run; nil for none, whatever was wanted before.
    case finalFactor(FactorDemand?)
    case appMetadata(String, JSONValue)
    case userMetadata(String, JSONValue)
    case transactionMetadata(String, String?)
    /// The scope that is asked for, in place of what was; what of it is granted follows the same rules.
    case targetScope([String])
    /// The login becomes that of the user with this id, whose identity the account that signed in has become.
    case primaryUser(String)
    case cache(String, ScriptCache.Entry?)
    case change(SessionNotes.Holder, SessionNotes.Change)
    /// The end of the session or the refresh token, and of the login with it.
    case revoke(SessionNotes.Holder, reason: String, keepsRefreshTokens: Bool)
    /// Something of Auth0's API that the server does not have. It fails the flow, whatever the script does next: what was
    /// asked for may have been what keeps somebody out.
    case unsupported(String)

    /// What is wrong with what a script asked for.
    struct Problem: Error, Sendable, CustomStringConvertible {
        let description: String
    }

    /// Characters of a text that a script gives to be shown at most.
    private static let longestText = 2000

    /// - Throws: ``Problem``.
    init(_ effect: ScriptEffect) throws(Problem) {
        let value: JSONObject
        do throws(JSONReader.Problem) {
            value = try JSONReader.object(effect.value.utf8)
        } catch {
            throw Problem(description: "\(effect.op.forDisplay): \(error.description)")
        }
        let arguments = Arguments(op: effect.op, members: value)
        switch effect.op {
        case "accessToken.setCustomClaim": self = .accessTokenClaim(try arguments.name(), try arguments.value())
        case "idToken.setCustomClaim": self = .idTokenClaim(try arguments.name(), try arguments.value())
        case "accessToken.addScope": self = .addScope(try arguments.scopeValue())
        case "accessToken.removeScope": self = .removeScope(try arguments.scopeValue())
        case "access.deny", "validation.error":
            self = .deny(
                code: try arguments.code(), reason: try arguments.text("reason", most: Self.longestText) ?? "",
                userMessage: try arguments.text("userMessage", most: Self.longestText))
        case "authentication.factor": self = .factor(try arguments.factor())
        case "authentication.recordMethod": self = .method(try arguments.url())
        case "authentication.setPrimaryUser": self = .primaryUser(try arguments.name(most: 255))
        case "multifactor.enable": self = .finalFactor(try arguments.finalFactor())
        case "redirect.sendUserTo": self = .redirect(url: try arguments.url())
        case "user.setAppMetadata": self = .appMetadata(try arguments.metadataName(), try arguments.value())
        case "user.setUserMetadata": self = .userMetadata(try arguments.metadataName(), try arguments.value())
        case "transaction.setMetadata":
            self = .transactionMetadata(
                try arguments.name(most: 255), try arguments.text("value", most: 255))
        case "transaction.setTargetScopes": self = .targetScope(try arguments.scopeValues())
        case "cache.set", "cache.delete": self = .cache(try arguments.name(most: 64), try arguments.cacheEntry())
        case "session.change": self = .change(.session, try arguments.change())
        case "refreshToken.change": self = .change(.refreshToken, try arguments.change())
        case "session.revoke", "refreshToken.revoke":
            self = .revoke(
                effect.op == "session.revoke" ? .session : .refreshToken,
                reason: try arguments.text("reason", most: Self.longestText) ?? "",
                keepsRefreshTokens: value["preserveRefreshTokens"]?.bool == true)
        case "unsupported": self = .unsupported(try arguments.name(most: 100))
        default: throw Problem(description: "There is no operation '\(effect.op.forDisplay)'")
        }
    }

    /// The operations of an action's API at each trigger, beside the cache, which every trigger has. A trigger that is not
    /// here has no other.
    private static let operations: [ActionTrigger: Set<String>] = [
        .postLogin: [
            "access.deny", "validation.error", "accessToken.setCustomClaim", "accessToken.addScope",
            "accessToken.removeScope", "idToken.setCustomClaim", "redirect.sendUserTo", "user.setAppMetadata",
            "user.setUserMetadata", "transaction.setMetadata", "session.change", "session.revoke",
            "refreshToken.change", "refreshToken.revoke", "authentication.factor", "multifactor.enable",
            "authentication.setPrimaryUser", "authentication.recordMethod", "transaction.setTargetScopes",
        ],
        .credentialsExchange: ["access.deny", "accessToken.setCustomClaim", "transaction.setTargetScopes"],
        .preUserRegistration: ["access.deny", "validation.error", "user.setAppMetadata", "user.setUserMetadata"],
    ]

    /// Whether a script may ask for the operation at all.
    /// - Parameter trigger: the action's; nil for a rule, which denies and says the rest in its context.
    static func isAvailable(_ op: String, at trigger: ActionTrigger?) -> Bool {
        guard let trigger else { return op == "access.deny" }
        return ["cache.set", "cache.delete", "unsupported"].contains(op) || operations[trigger]?.contains(op) == true
    }

    /// What the log says of it: what was asked for, and never a value.
    var title: String {
        switch self {
        case .accessTokenClaim(let name, _): "accessToken.setCustomClaim \(name.forDisplay)"
        case .idTokenClaim(let name, _): "idToken.setCustomClaim \(name.forDisplay)"
        case .addScope(let value): "accessToken.addScope \(value)"
        case .removeScope(let value): "accessToken.removeScope \(value)"
        case .deny: "access.deny"
        case .factor(let demand): "authentication.\(demand.kind == .enrollment ? "enrollWith" : "challengeWith")"
        case .targetScope(let values): "transaction.setTargetScopes \(Scope(values).text)"
        case .primaryUser(let id): "authentication.setPrimaryUser \(id.forDisplay)"
        case .finalFactor(let demand): "multifactor.enable\(demand == nil ? " none" : "")"
        case .redirect(let url): "redirect.sendUserTo \(RedirectURI(url)?.origin ?? "")"
        case .method(let url): "authentication.recordMethod \(RedirectURI(url)?.origin ?? "")"
        case .appMetadata(let name, _): "user.setAppMetadata \(name.forDisplay)"
        case .userMetadata(let name, _): "user.setUserMetadata \(name.forDisplay)"
        case .transactionMetadata(let name, _): "transaction.setMetadata \(name.forDisplay)"
        case .cache(let name, let entry): "cache.\(entry == nil ? "delete" : "set") \(name.forDisplay)"
        case .change(let holder, _): "\(holder.rawValue).set…"
        case .revoke(let holder, _, _): "\(holder.rawValue).revoke"
        case .unsupported(let name): "\(name.forDisplay), which this server does not have"
        }
    }
}

extension ScriptChanges {
    /// Takes an operation in, where it is about tokens.
    mutating func apply(_ operation: ScriptOperation) {
        switch operation {
        case .accessTokenClaim(let name, let value): accessTokenClaims[name] = value
        case .idTokenClaim(let name, let value): idTokenClaims[name] = value
        case .addScope(let value): addScope(value)
        case .removeScope(let value): removeScope(value)
        case .targetScope(let values): targetScope = values
        default: break
        }
    }
}

/// The arguments of an operation.
private struct Arguments {
    let op: String
    let members: JSONObject

    func problem(_ text: String) -> ScriptOperation.Problem { ScriptOperation.Problem(description: "\(op): \(text)") }

    func name(most: Int = 1024) throws(ScriptOperation.Problem) -> String {
        guard let name = try text("name", most: most), !name.isEmpty else {
            throw problem("the name must not be empty")
        }
        return name
    }

    /// Names that are no paths, as the Management API has them too.
    func metadataName() throws(ScriptOperation.Problem) -> String {
        let name = try name(most: 255)
        guard name != "__proto__", !name.contains(where: { ".$".contains($0) }) else {
            throw problem("the name '\(name.forDisplay)' must not have a '.' or '$'")
        }
        return name
    }

    func value() throws(ScriptOperation.Problem) -> JSONValue {
        let value = members["value"] ?? .null
        guard !value.holdsPrototype else { throw problem("the value must not have a member '__proto__'") }
        guard !value.holdsNUL else { throw problem("the value must not have the character NUL") }
        return value
    }

    func text(_ name: String, most: Int) throws(ScriptOperation.Problem) -> String? {
        switch members[name] {
        case nil, .null: return nil
        case .string(let text):
            guard text.utf8.count <= most, !text.utf8.contains(0) else {
                throw problem("'\(name)' must have \(most) bytes at most, and no NUL")
            }
            return text
        default: throw problem("'\(name)' must be a text")
        }
    }

    func scopeValue() throws(ScriptOperation.Problem) -> String {
        try scopeValue(text("scope", most: Self.longestScope))
    }

    /// Bytes of a scope's value at most, and how many may be the target.
    private static let (longestScope, mostScopes) = (280, 1000)

    func scopeValues() throws(ScriptOperation.Problem) -> [String] {
        guard let values = members["scopes"]?.array, values.count <= Self.mostScopes else {
            throw problem("there may be \(Self.mostScopes) scopes at most")
        }
        var scopes: [String] = []
        for value in values { scopes.append(try scopeValue(value.string)) }
        return scopes
    }

    private func scopeValue(_ text: String?) throws(ScriptOperation.Problem) -> String {
        guard let text, text.utf8.count <= Self.longestScope, let scope = try? Scope(parsing: text),
            scope.values == [text]
        else { throw problem("a scope must be one value of printable ASCII characters, without spaces") }
        return text
    }

    func code() throws(ScriptOperation.Problem) -> String? {
        guard let code = try text("code", most: 100) else { return nil }
        guard code.wholeMatch(of: /[a-z][a-z_]*/) != nil else { return "access_denied" }
        return code
    }

    func url() throws(ScriptOperation.Problem) -> String {
        guard let text = try text("url", most: 1900), let uri = RedirectURI(text),
            ["http", "https"].contains(uri.scheme)
        else { throw problem("the url must be an absolute http or https URL of 1900 characters at most") }
        return text
    }

    /// Auth0's factors, those that this server does not have among them: one of several may be another one.
    private static let factors: Set<String> = [
        "otp", "recovery-code", "email", "phone", "push-notification", "webauthn-platform", "webauthn-roaming",
    ]

    func factor() throws(ScriptOperation.Problem) -> FactorDemand {
        let names = (members["factors"]?.array ?? []).map { $0.string ?? "" }
        guard !names.isEmpty, names.count <= 20 else { throw problem("there must be a factor with a type") }
        for name in names where !Self.factors.contains(name) {
            throw problem("there is no factor of the type '\(name.forDisplay)'")
        }
        switch members["kind"]?.string {
        case "challenge": return FactorDemand(.challenge, factors: names)
        case "enrollment": return FactorDemand(.enrollment, factors: names)
        default: throw problem("there is no such demand")
        }
    }

    func finalFactor() throws(ScriptOperation.Problem) -> FactorDemand? {
        switch try text("provider", most: 100) {
        case "none": return nil
        case "any", "guardian", "google-authenticator":
            return FactorDemand(.any, allowsRememberedBrowser: members["allowRememberBrowser"] == true)
        default:
            throw problem("the provider must be any, guardian, google-authenticator or none; this server has no other")
        }
    }

    func change() throws(ScriptOperation.Problem) -> SessionNotes.Change {
        switch members["change"]?.string {
        case "metadata": return .metadata(try name(most: 255), try text("value", most: 255))
        case "noMetadata": return .noMetadata
        case "expiresAt": return .expiry(try date())
        case "idleExpiresAt": return .idleExpiry(try date())
        case "cookieMode":
            guard let mode = members["mode"]?.string.flatMap(CookieMode.init) else {
                throw problem("the mode must be persistent or non-persistent")
            }
            return .cookieMode(mode)
        default: throw problem("there is no such change")
        }
    }

    /// The last second of the year 9999.
    private static let latest: TimeInterval = 253_402_300_799

    private func date() throws(ScriptOperation.Problem) -> Date {
        guard let milliseconds = members["at"]?.integer else { throw problem("the time must be milliseconds") }
        // What is further away than any calendar of a database means no more than its end.
        let seconds = min(max(0, Double(milliseconds) / 1000), Self.latest)
        return Date(timeIntervalSince1970: seconds)
    }

    func cacheEntry() throws(ScriptOperation.Problem) -> ScriptCache.Entry? {
        guard let value = try text("value", most: ScriptCache.longestValue) else { return nil }
        guard let milliseconds = members["ttl"]?.integer else { throw problem("'ttl' must be milliseconds") }
        return ScriptCache.Entry(value: value, lifetime: Double(milliseconds) / 1000)
    }
}
