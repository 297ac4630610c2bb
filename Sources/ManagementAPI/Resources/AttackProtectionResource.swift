import AuthorizationServer
import OAuth
import Storage

/// `/api/v2/attack-protection`: what the login does about those who guess.
struct AttackProtectionResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("attack-protection")
            .get(
                "brute-force-protection", requires: .read("attack_protection"),
                "Get the brute-force protection configuration",
                answers: .object(SectionChange<BruteForceProtection>.schema), use: bruteForce
            )
            .patch(
                "brute-force-protection", requires: .update("attack_protection"),
                "Update the brute-force protection configuration",
                answers: .object(SectionChange<BruteForceProtection>.schema), use: updateBruteForce
            )
            .get(
                "suspicious-ip-throttling", requires: .read("attack_protection"),
                "Get the suspicious IP throttling configuration",
                answers: .object(SectionChange<SuspiciousIPThrottling>.schema),
                use: section(SuspiciousIPThrottling.self)
            )
            .patch(
                "suspicious-ip-throttling", requires: .update("attack_protection"),
                "Update the suspicious IP throttling configuration",
                answers: .object(SectionChange<SuspiciousIPThrottling>.schema), use: change(SuspiciousIPThrottling.self)
            )
            .get(
                "breached-password-detection", requires: .read("attack_protection"),
                "Get the breached password detection configuration",
                answers: .object(SectionChange<BreachedPasswordDetection>.schema),
                use: section(BreachedPasswordDetection.self)
            )
            .patch(
                "breached-password-detection", requires: .update("attack_protection"),
                "Update the breached password detection configuration",
                answers: .object(SectionChange<BreachedPasswordDetection>.schema),
                use: change(BreachedPasswordDetection.self))
    }

    @Sendable private func bruteForce(_ call: Plain) async throws -> Answer {
        let shown = try await management.stores.database.read { transaction in
            try Self.shown(TenantSectionStore.find(BruteForceProtection.self, in: transaction), transaction)
        }
        return .ok(shown)
    }

    @Sendable private func updateBruteForce(_ call: Submission<SectionChange<BruteForceProtection>>) async throws
        -> Answer
    {
        try await call.body.apply(call.caller, management, as: "attack-protection", show: Self.shown)
    }

    private func section<Section: TenantSection>(_: Section.Type) -> @Sendable (Plain) async throws -> Answer {
        { [management] _ in
            .ok(
                try await management.stores.database.readOnce { try TenantSectionStore.find(Section.self, in: $0) }
                    .document)
        }
    }

    private func change<Section: TenantSection>(
        _: Section.Type
    ) -> @Sendable (Submission<SectionChange<Section>>) async throws -> Answer {
        { [management] in try await $0.body.apply($0.caller, management, as: "attack-protection") }
    }

    /// With the number of attempts that counts.
    @Sendable private static func shown(
        _ section: BruteForceProtection, _ transaction: any SQLTransaction
    ) throws -> JSONObject {
        var members = section.document
        if section.mostAttempts == nil {
            let standard = try TenantStore.settings(in: transaction).bruteForceMaximumAttempts
            members["max_attempts"] = .integer(Int64(standard))
        }
        return members
    }
}

/// What is to change of a section of the tenant's settings: members that are null become what they are at first.
struct SectionChange<Section: TenantSection>: Payload {
    private let members: JSONObject

    init(from document: inout Document) throws(Document.Problem) {
        members = document.everything()
        try Self.requireKnown(members)
    }

    static var schema: [String: DocumentSchema.Member] {
        let schema = try? DocumentSchema.members { document throws(Document.Problem) in
            _ = try Section(document: document)
        }
        guard let schema else { preconditionFailure("\(Section.self) refuses what it asks for") }
        return schema
    }

    /// Changes the section.
    /// - Parameter resource: what the log calls it, together with the section's name.
    func apply(
        _ caller: Caller, _ management: Management, as resource: String,
        show: @escaping @Sendable (Section, any SQLTransaction) throws -> JSONObject = { section, _ in section.document
        }
    ) async throws -> Answer {
        let members = members
        return try await management.configure(caller) { transaction, _ in
            let before = try TenantSectionStore.find(Section.self, in: transaction)
            let after = try before.changed(by: members)
            let answer = Answer.ok(try show(after, transaction))
            guard after != before else { return Changed(answer, []) }
            try TenantSectionStore.save(after, in: transaction)
            return Changed(
                answer, [.init(resource, Section.name, before: before.document, after: after.document)])
        }
    }
}
