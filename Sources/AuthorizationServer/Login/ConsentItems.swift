import OAuth
import Storage

/// The consent page's lines for a scope.
enum ConsentItems {
    static func make(_ scope: Scope, _ api: ResourceServer?) -> [Consent.Item] {
        profileItems(scope) + apiItems(scope, api) + offlineItems(scope)
    }

    private static func profileItems(_ scope: Scope) -> [Consent.Item] {
        var details: [String] = []
        if !scope.values.filter({
            Scope.isReserved($0) && !["email", "email_verified", "phone", "address"].contains($0)
        })
        .filter({ $0 != Scope.offlineAccess && $0 != Scope.openID }).isEmpty {
            details.append("your profile")
        }
        if scope.contains("email") || scope.contains("email_verified") { details.append("your email address") }
        if scope.contains("phone") { details.append("your phone number") }
        if scope.contains("address") { details.append("your postal address") }
        guard !details.isEmpty else { return [] }
        return [Consent.Item(title: "Profile", detail: "See \(list(details))")]
    }

    private static func offlineItems(_ scope: Scope) -> [Consent.Item] {
        guard scope.contains(Scope.offlineAccess) else { return [] }
        return [Consent.Item(title: "Offline access", detail: "Keep this access while you are not there")]
    }

    /// A scope's own description where the API has one; otherwise `read:posts` and `write:posts` become one line,
    /// "Posts: read and write your posts".
    private static func apiItems(_ scope: Scope, _ api: ResourceServer?) -> [Consent.Item] {
        var items: [Consent.Item] = []
        var actions: [(resource: String, verbs: [String])] = []
        for value in scope.values where !Scope.isReserved(value) {
            if let description = api?.scopes.first(where: { $0.value == value })?.description, !description.isEmpty {
                items.append(Consent.Item(title: value, detail: description, api: api?.name))
            } else if let colon = value.dropFirst().firstIndex(of: ":"),
                value.index(after: colon) < value.endIndex
            {
                let (verb, resource) = (String(value[..<colon]), String(value[value.index(after: colon)...]))
                if let index = actions.firstIndex(where: { $0.resource == resource }) {
                    actions[index].verbs.append(verb)
                } else {
                    actions.append((resource, [verb]))
                }
            } else {
                items.append(Consent.Item(title: value, detail: "Use \(value)", api: api?.name))
            }
        }
        return items
            + actions.map { action in
                let resource = action.resource.replacing("_", with: " ")
                return Consent.Item(
                    title: resource.prefix(1).uppercased() + resource.dropFirst(),
                    detail: "\(list(action.verbs)) your \(resource)", api: api?.name)
            }
    }

    private static func list(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " and " + last
    }
}
