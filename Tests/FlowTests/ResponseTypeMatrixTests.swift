import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// Every set of response types in every order of its words, in every mode and in none, for every kind of client.
@Suite("Response types, response modes and clients, all with all")
struct ResponseTypeMatrixTests {
    /// Whom the request comes from, and what that client may use.
    enum Kind: String, Sendable, CaseIterable {
        case regularWebApp, thirdPartyApp, singlePageApp
        case codeOnly, implicitOnly, neither
        case registeredCode, registeredHybrid, withoutWebOrigin

        var clientID: String {
            switch self {
            case .thirdPartyApp: "third-party-app"
            case .singlePageApp: "single-page-app"
            default: "regular-web-app"
            }
        }

        /// The grant types that the client has of those which response types need.
        var grants: Set<GrantType> {
            switch self {
            case .codeOnly: [.authorizationCode]
            case .implicitOnly: [.implicit]
            case .neither: []
            default: [.authorizationCode, .implicit]
            }
        }

        /// The response types that the client has registered; nil for each.
        var types: [Set<String>]? {
            switch self {
            case .registeredCode: [["code"]]
            case .registeredHybrid: [["code", "id_token"], ["code", "id_token", "token"]]
            default: nil
            }
        }

        var hasWebOrigin: Bool { self != .withoutWebOrigin }
    }

    private static let sets: [[String]] = [
        ["code"], ["token"], ["id_token"], ["id_token", "token"], ["code", "id_token"], ["code", "token"],
        ["code", "id_token", "token"],
    ]
    static let modes = [nil, "query", "fragment", "form_post", "web_message"] as [String?]

    /// Every order of the words.
    private static func orders(_ words: [String]) -> [[String]] {
        guard words.count > 1 else { return [words] }
        return words.indices.flatMap { index in
            var others = words
            let first = others.remove(at: index)
            return orders(others).map { [first] + $0 }
        }
    }

    static let types = sets.flatMap(orders).map { $0.joined(separator: " ") }

    /// What an answer carries, by the words of its type.
    private static let parameters: [String: Set<String>] = [
        "code": ["code"], "token": ["access_token", "expires_in", "token_type"], "id_token": ["id_token"],
    ]

    /// Where an answer comes: the table of OAuth 2.0 Multiple Response Types §2.1, §3 and §5.
    private enum Place { case query, fragment, form, message, page }

    private static func place(_ words: Set<String>, _ mode: String?, _ kind: Kind) -> Place {
        let own: Place = words == ["code"] ? .query : .fragment
        switch mode {
        case "fragment": return .fragment
        case "form_post": return .form
        // Only a page of a registered origin gets a message, so without one nobody is told.
        case "web_message": return kind.hasWebOrigin ? .message : .page
        default: return own
        }
    }

    /// The error that the table says; nil for an answer.
    private static func error(_ words: Set<String>, _ mode: String?, _ kind: Kind) -> String? {
        if mode == "query", words != ["code"] { return "invalid_request" }
        let needed: Set<GrantType> = words == ["code"] ? [.authorizationCode] : [.implicit]
        let needsBoth = words.contains("code") && words.count > 1
        guard kind.grants.isSuperset(of: needsBoth ? [.authorizationCode, .implicit] : needed) else {
            return "unauthorized_client"
        }
        return kind.types?.contains(words) ?? true ? nil : "unauthorized_client"
    }

    private static func fixtures(_ kind: Kind) -> Fixtures {
        var fixtures = Fixtures()
        fixtures.change(kind.clientID) { client in
            client.grantTypes.subtract([.authorizationCode, .implicit])
            client.grantTypes.formUnion(kind.grants)
            client.webOrigins = kind.hasWebOrigin ? ["https://app.example.com"] : []
            client.openID.responseTypes = kind.types?.compactMap {
                try? ResponseType(parsing: $0.sorted().joined(separator: " "))
            }
        }
        return fixtures
    }

    @Test("Words come in fifteen orders", arguments: [types])
    func complete(_ types: [String]) {
        #expect(types.count == 15 && Set(types).count == 15)
        #expect(Set(types.map { Set($0.split(separator: " ")) }).count == ResponseType.supported.count)
        #expect(Set(Self.modes.compactMap(\.self)) == Set(ResponseMode.allCases.map(\.rawValue)))
    }

    @Test(
        "OIDC Core §3.1.2.5, §3.2.2.5, §3.3.2.5, OAuth 2.0 Multiple Response Types §2.1, §5: each answer has what its type names, where its mode says",
        arguments: Kind.allCases)
    func matrix(_ kind: Kind) async throws {
        try await TestServer.run(Self.fixtures(kind)) { server in
            let party = HybridFlowTests.party(kind.clientID, server)
            let browser = TestBrowser(server)
            // The first request asks for what every client needs of Ada: her login, and a third party's consent.
            _ = try await HybridFlowTests.authorize(party, browser, [:])
            for type in Self.types {
                for mode in Self.modes {
                    let response = try await HybridFlowTests.authorize(
                        party, browser, ["response_type": type, "response_mode": mode, "nonce": "n-0S6_WzA2Mj"])
                    Self.check(response, Set(type.split(separator: " ").map(String.init)), mode, kind)
                }
            }
        }
    }

    private static func check(_ response: TestResponse, _ words: Set<String>, _ mode: String?, _ kind: Kind) {
        let name: Comment = "\(kind) \(words.sorted()) \(mode ?? "")"
        let (location, answer) = (response.location ?? "", AuthorizationAnswer(response))
        switch place(words, mode, kind) {
        case .page:
            #expect(response.location == nil && response.status == .badRequest, name)
            #expect(answer.parameters.isEmpty, name)
            return
        case .query: #expect(location.hasPrefix(Client.callback + "?") && !location.contains("#"), name)
        case .fragment: #expect(location.hasPrefix(Client.callback + "#") && !location.contains("?"), name)
        case .form:
            #expect(
                response.status == .ok && response.text.contains(#"action="https://app.example.com/callback""#), name)
        case .message:
            let marker = #"data-web-message="https://app.example.com""#
            #expect(response.status == .ok && response.text.contains(marker), name)
        }
        #expect(answer["state"] == "xyzABC123" && answer["iss"] == TestServer.issuer, name)
        if let error = error(words, mode, kind) {
            #expect(answer["error"] == error, name)
            #expect(Set(answer.parameters.keys) == ["error", "error_description", "state", "iss"], name)
        } else {
            let named = words.reduce(into: Set(["state", "iss"])) { $0.formUnion(parameters[$1] ?? []) }
            #expect(Set(answer.parameters.keys) == named, name)
        }
    }
}
