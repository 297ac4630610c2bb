import OAuth
import Storage

/// What an authorization request has to do with organizations: what it says itself, and what its user has answered since.
struct RequestedOrganization: Sendable {
    /// The organization whose members alone may sign in; nil for a login of their own, or until the user has chosen.
    var organization: LoginOrganization?
    /// When the user is still to be asked for the organization; nil for not at all.
    var question: Question?
    /// What whoever signs in accepts by it; nil for nothing, and once it has been accepted.
    var invitation: OrganizationInvitation?

    /// When the user is asked for the organization.
    enum Question: Sendable { case beforeLogin, afterLogin }

    /// A login of the user's own.
    static let none = RequestedOrganization()

    private init() {}

    /// - Throws: ``OAuthError`` `invalid_request` where the request is not what the application's `organization_usage` says,
    ///   or there is no such organization or invitation; `access_denied` where somebody else has signed in than was invited.
    init(
        _ request: AuthorizationRequest, by client: Client, _ progress: LoginTransaction.Progress, _ services: Services
    ) async throws {
        self.init()
        guard let sent = request.organization else {
            guard request.invitation == nil else { throw Self.invitationAlone }
            self = try await RequestedOrganization(chosenBy: progress, client, services)
            return
        }
        guard client.organizations.usage != .deny else { throw LoginOrganization.notAllowed }
        let found = try await LoginOrganization.find(sent, services)
        if let ticket = request.invitation {
            invitation = try await Self.invitation(ticket, to: found.organization, client, progress, services)
        }
        organization = try await LoginOrganization(found, for: client, sent: sent, invitation: invitation, services)
    }

    /// A request without an organization, whose user may have been asked for it.
    private init(
        chosenBy progress: LoginTransaction.Progress, _ client: Client, _ services: Services
    ) async throws {
        let settings = client.organizations
        guard settings.usage != .deny else { return }
        switch progress.organizationChoice {
        case .organization(let id)?:
            guard let found = try await LoginOrganization.look(for: id, services) else {
                throw LoginOrganization.invalid(id)
            }
            organization = try await LoginOrganization(found, for: client, sent: id, services)
        case .personal? where settings.usage == .allow: break
        case .personal?, nil:
            switch settings.requireBehavior {
            case .noPrompt: try client.requireNoOrganization()
            case .preLoginPrompt: question = .beforeLogin
            case .postLoginPrompt: question = .afterLogin
            }
        }
    }

    private static func invitation(
        _ ticket: String, to organization: Organization, _ client: Client, _ progress: LoginTransaction.Progress,
        _ services: Services
    ) async throws -> OrganizationInvitation? {
        switch progress.invitation {
        case .accepted?: return nil
        case .refused?: throw notInvited
        case .login?, .signup?, nil: break
        }
        let now = services.now()
        let found = try await services.stores.database.read { transaction in
            try OrganizationInvitationStore.find(
                ticketDigest: Secret(ticket).digest, organizationID: organization.id, at: now, in: transaction)
        }
        guard let found, found.clientID == client.clientID else { throw noInvitation }
        return found
    }

    private static let invitationAlone = OAuthError.invalidRequest(
        "parameter organization is required with an invitation",
        hint: "Send both as the invitation's link has them.")

    static let noInvitation = OAuthError.invalidRequest(
        "invitation not found or already used",
        hint: "It was accepted or taken back, its time is over, or it leads to another application or organization.")

    private static let notInvited = OAuthError.accessDenied(
        "the specified account is not allowed to accept the current invitation",
        hint: "Only who has the invited e-mail address, verified, can accept it. Invite the person again.")
}
