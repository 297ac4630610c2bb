import AuthorizationServer
import OAuth
import Storage

/// `/api/v2/prompts`: how the login asks, and in which words.
struct PromptsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("prompts")
            .get(requires: .read("prompts"), "Get prompt settings", answers: .object(Self.members), use: get)
            .patch(
                requires: .update("prompts"), "Update prompt settings", answers: .object(Self.members), use: update
            )
            .get(
                ":prompt/custom-text/:language", requires: .read("prompts"), "Get custom text for a prompt",
                answers: .anyObject, use: texts
            )
            .put(
                ":prompt/custom-text/:language", requires: .update("prompts"), "Set custom text for a prompt",
                answers: .nothing, use: setTexts)
    }

    private static let members: Members = [
        "universal_login_experience": .choice(["new"]).always, "identifier_first": .bool.always,
        "webauthn_platform_first_factor": .bool.always,
    ]

    /// The texts of a prompt, by screen and key.
    struct Texts: Payload {
        let screens: CustomTexts.Screens

        init(from document: inout Document) throws(Document.Problem) {
            screens = try CustomTexts.screens(.object(document.everything()), path: "body")
        }

        static var isOpen: Bool { true }
    }

    @Sendable private func get(_ call: Plain) async throws -> Answer {
        .ok(
            try await management.stores.database.readOnce {
                try TenantSectionStore.find(PromptSettings.self, in: $0)
            }.document)
    }

    @Sendable private func update(_ call: Submission<SectionChange<PromptSettings>>) async throws -> Answer {
        try await call.body.apply(call.caller, management, as: "prompts")
    }

    @Sendable private func texts(_ call: Plain) async throws -> Answer {
        let (prompt, language) = (try Self.name(call["prompt"], "prompt"), try Self.name(call["language"], "language"))
        let all = try await management.stores.database.readOnce {
            try TenantSectionStore.find(CustomTexts.self, in: $0)
        }
        return .ok(all[language, prompt].mapValues { .object($0.mapValues(JSONValue.string)) })
    }

    @Sendable private func setTexts(_ call: Submission<Texts>) async throws -> Answer {
        let (prompt, language) = (try Self.name(call["prompt"], "prompt"), try Self.name(call["language"], "language"))
        let screens = call.body.screens
        return try await management.configure(call.caller) { transaction, _ in
            let before = try TenantSectionStore.find(CustomTexts.self, in: transaction)
            var after = before
            after[language, prompt] = screens
            let answer = Answer(status: 200)
            guard after != before else { return Changed(answer, []) }
            try TenantSectionStore.save(after, in: transaction)
            func shown(_ texts: CustomTexts) -> JSONObject {
                texts[language, prompt].mapValues { .object($0.mapValues(JSONValue.string)) }
            }
            return Changed(
                answer, [.init("prompts", "\(prompt) \(language)", before: shown(before), after: shown(after))])
        }
    }

    /// A part of the path that names a prompt or a language.
    private static func name(_ text: String, _ part: String) throws(ManagementError) -> String {
        guard text.utf8.count <= 64, text.wholeMatch(of: /[A-Za-z0-9]+(-[A-Za-z0-9]+)*/) != nil else {
            throw .invalidPath(Document.Problem(path: part, message: "must be letters, digits and hyphens"))
        }
        return text
    }
}
