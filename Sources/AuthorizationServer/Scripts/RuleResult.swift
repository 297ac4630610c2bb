import OAuth
import Storage

/// What a rule's context asks for, read and checked.
struct RuleResult: Sendable {
    private(set) var changes = ScriptChanges()
    /// Where the user is to be sent; nil for nowhere.
    private(set) var redirect: String?
    /// The second factor that is wanted; nil for none.
    private(set) var factor: FactorDemand?
    /// The user whose login it is to become; nil where it stays the one that it is.
    private(set) var primaryUser: String?

    /// - Throws: ``FailedScript`` for what cannot be done.
    init(context: JSONValue, title: String) throws(FailedScript) {
        let context = context.object ?? [:]
        func problem(_ cause: String) -> FailedScript { FailedScript(title, cause: cause) }
        factor = try Self.factor(context["multifactor"], problem)
        primaryUser = try Self.primaryUser(context["primaryUser"], problem)
        var accessToken = context["accessToken"]?.object ?? [:]
        if let scope = accessToken.removeValue(forKey: "scope"), scope != .null {
            guard let values = Self.scope(scope) else {
                throw problem("context.accessToken.scope must be a list of scope values, as texts")
            }
            changes.replaceScope(by: values)
        }
        let idToken = context["idToken"]?.object ?? [:]
        for (name, value) in [("accessToken", accessToken), ("idToken", idToken)] {
            guard !JSONValue.object(value).holdsNUL, !value.values.contains(where: \.holdsPrototype) else {
                throw problem("context.\(name) must have no character NUL and no member '__proto__' in its values")
            }
        }
        (changes.accessTokenClaims, changes.idTokenClaims) = (accessToken, idToken)
        redirect = try Self.redirect(context["redirect"], problem)
    }

    /// A list of values, or a text with spaces between them.
    private static func scope(_ value: JSONValue) -> [String]? {
        let values = value.array?.map(\.string) ?? value.string?.split(separator: " ").map { String($0) }
        var scope: [String] = []
        for value in values ?? [nil] {
            guard let value, let parsed = try? Scope(parsing: value), parsed.values == [value] else { return nil }
            scope.append(value)
        }
        return scope
    }

    /// Whoever wants a second factor must not get in without it, so that what cannot be read fails the login.
    private static func factor(
        _ value: JSONValue?, _ problem: (String) -> FailedScript
    ) throws(FailedScript) -> FactorDemand? {
        guard let value, value != .null, value != false else { return nil }
        switch value.object?["provider"]?.string {
        case "none": return nil
        case "any", "guardian", "google-authenticator":
            var flags = ["allowRememberBrowser": true, "ignoreCookie": false]
            for name in flags.keys {
                guard let flag = value.object?[name] else { continue }
                guard let flag = flag.bool else { throw problem("context.multifactor.\(name) must be true or false") }
                flags[name] = flag
            }
            return FactorDemand(
                .any, allowsRememberedBrowser: flags["allowRememberBrowser"] == true,
                ignoresRememberedBrowser: flags["ignoreCookie"] == true)
        default:
            throw problem(
                "context.multifactor.provider must be any, guardian, google-authenticator or none; this server has no other"
            )
        }
    }

    /// Whoever names somebody does not want the login to stay that of the account, so that what cannot be read fails it.
    private static func primaryUser(
        _ value: JSONValue?, _ problem: (String) -> FailedScript
    ) throws(FailedScript) -> String? {
        guard let value, value != .null, value != false, value != "" else { return nil }
        guard let id = value.string, id.utf8.count <= 255, !id.utf8.contains(0) else {
            throw problem("context.primaryUser must be the id of a user, of 255 bytes at most")
        }
        return id
    }

    private static func redirect(
        _ value: JSONValue?, _ problem: (String) -> FailedScript
    ) throws(FailedScript) -> String? {
        guard let redirect = value?.object else { return nil }
        guard let url = redirect["url"]?.string, url.utf8.count <= 1900, let uri = RedirectURI(url),
            ["http", "https"].contains(uri.scheme)
        else { throw problem("context.redirect.url must be an absolute http or https URL of 1900 characters at most") }
        return url
    }
}
