import OAuth
import Storage

/// The query of `GET /clients`, of which Auth0 allows these two: `client_grant.organization_id:…`, and
/// `client_grant.allow_any_organization:true`.
enum ClientQuery: Sendable, Hashable {
    /// Applications with a grant that the organization has.
    case organization(String)
    /// Applications with a grant for whatever organization a request names, or with none such.
    case anyOrganization(Bool)

    /// - Returns: nil where no query is sent.
    /// - Throws: ``Document/Problem`` for any other.
    init?(from document: inout Document) throws(Document.Problem) {
        guard let text = try document.string("q"), !text.allSatisfy(\.isWhitespace) else { return nil }
        let query: SearchQuery
        do {
            query = try SearchQuery(text)
        } catch {
            throw document.problem("q", error.description)
        }
        switch query {
        case .term("client_grant.organization_id", .text(let id)),
            .term("client_grant.organization_id", .phrase(let id)):
            self = .organization(id)
        case .term("client_grant.allow_any_organization", .text("true")): self = .anyOrganization(true)
        case .term("client_grant.allow_any_organization", .text("false")): self = .anyOrganization(false)
        default:
            throw document.problem(
                "q", "must be client_grant.organization_id:ID or client_grant.allow_any_organization:true")
        }
    }

    /// The applications that the query finds.
    func clientIDs(in transaction: any SQLTransaction) throws -> Set<String> {
        switch self {
        case .organization(let id):
            Set(try OrganizationStore.clientGrants(of: id, in: transaction).map(\.clientID))
        case .anyOrganization(let allowed):
            Set(
                try ClientGrantStore.list(in: transaction)
                    .filter { ($0.allowsAnyOrganization ?? false) == allowed }.map(\.clientID))
        }
    }
}
