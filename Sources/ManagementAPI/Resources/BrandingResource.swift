import AuthorizationServer
import OAuth
import Storage

/// `/api/v2/branding`: how the pages look.
struct BrandingResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("branding")
            .get(
                requires: .read("branding"), "Get branding settings", answers: .object(Self.members), use: get
            )
            .patch(
                requires: .update("branding"), "Update branding settings", answers: .object(Self.members), use: update)
    }

    private static let members: Members = [
        "colors": .object(["primary": .text, "page_background": .anything]), "favicon_url": .text, "logo_url": .text,
        "font": .object(["url": .text]),
    ]

    @Sendable private func get(_ call: Plain) async throws -> Answer {
        .ok(
            try await management.stores.database.readOnce {
                try TenantSectionStore.find(Branding.self, in: $0)
            }.document)
    }

    @Sendable private func update(_ call: Submission<SectionChange<Branding>>) async throws -> Answer {
        try await call.body.apply(call.caller, management, as: "branding")
    }
}
