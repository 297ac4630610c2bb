import AuthorizationServer
import Foundation
import OAuth
import Storage

/// `/api/v2/custom-domains`: the one that there is, the issuer's own host. Whoever runs the server decides on its names, where
/// they lead and who vouches for them; another one is another server's.
struct CustomDomainsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("custom-domains")
            .get(
                requires: .read("custom_domains"), "Get custom domains configurations",
                answers: .page("custom_domains", Self.members), use: list
            )
            .get(
                "default", requires: .read("custom_domains"), "Get the default domain",
                answers: .object(Self.members), use: standard
            )
            .get(
                ":domain", requires: .read("custom_domains"), "Get a custom domain configuration",
                answers: .object(Self.members), use: get)
    }

    private static let members: Members = [
        "custom_domain_id": .text.always, "domain": .text.always, "primary": .bool.always, "is_default": .bool.always,
        "status": .choice(["ready"]).always, "type": .choice(["self_managed_certs"]).always,
        "origin_domain_name": .text,
    ]

    /// What Auth0's SDKs send; there is nothing to search or sort.
    struct Search: Payload {
        let fields: FieldSelection
        let paging: Paging

        init(from document: inout Document) throws(Document.Problem) {
            fields = try FieldSelection(from: &document)
            paging = try Paging(from: &document, checkpoints: true)
            _ = try document.string("q", most: 1024)
            _ = try document.string("sort", most: 64)
        }
    }

    private var id: String {
        "cd_" + String(Secret(management.services.issuer.domain).digest.filter(\.isLetter).prefix(16))
    }

    private var shown: JSONObject {
        [
            "custom_domain_id": .string(id), "domain": .string(management.services.issuer.domain), "primary": true,
            "is_default": true, "status": "ready", "type": "self_managed_certs",
        ]
    }

    @Sendable private func list(_ call: Query<Search>) async throws -> Answer {
        .list("custom_domains", [shown], by: "custom_domain_id", call.query.paging) { call.query.fields.apply(to: $0) }
    }

    @Sendable private func standard(_ call: Plain) async throws -> Answer { .ok(shown) }

    @Sendable private func get(_ call: Plain) async throws -> Answer {
        guard call["domain"] == id else { throw ManagementError.inexistent("custom_domain", "custom domain") }
        return .ok(shown)
    }
}
