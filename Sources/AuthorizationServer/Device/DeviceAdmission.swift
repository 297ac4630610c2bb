import Foundation
import OAuth
import Storage

/// The end of a device's login transaction: the user lets the device in, as the authorization endpoint would answer a
/// client ([RFC 8628 §3.3](https://www.rfc-editor.org/rfc/rfc8628#section-3.3)).
struct DeviceAdmission: LoginEnding {
    let services: Services
    let login: LoginTransaction
    let codeDigest: String

    func request() async throws -> VerifiedAuthorizationRequest {
        let target = try ResponseTarget.activation(services.issuer)
        guard let device = try await services.stores.deviceCodes.find(digest: codeDigest, at: services.now()),
            let registered = try await services.configuration.client(device.clientID),
            registered.client.grantTypes.contains(.deviceCode)
        else { throw AuthorizationFailure.redirect(Self.ended, target) }
        do throws(OAuthError) {
            try registered.client.requireNoOrganization()
        } catch {
            throw AuthorizationFailure.redirect(error, target)
        }
        do {
            try await LoginConnections.checkAny(for: registered.client, organization: nil, services)
        } catch let error as OAuthError {
            throw AuthorizationFailure.redirect(error, target)
        }
        let request = try AuthorizationRequest(
            Parameters(trusted: [
                "client_id": device.clientID, "response_type": ResponseType.code.text, "scope": device.scope.text,
                "audience": device.audience ?? services.issuer.userInfoAudience,
            ]))
        var verified = VerifiedAuthorizationRequest(
            VerifiedClient(registered: registered, target: target, sentRedirectURI: nil), request,
            resourceServer: try await RequestedAccess.resourceServer(
                request.audience, resource: nil, services: services),
            expectedSubjects: nil)
        verified.isForDevice = true
        return verified
    }

    func deny() async throws {
        _ = try await end { try DeviceCodeStore.deny(digest: codeDigest, at: $0, in: $1) }
    }

    func respond(
        to request: VerifiedAuthorizationRequest, _ access: RequestedAccess, _ session: Session
    ) async throws -> AuthorizationResponse {
        let approval = DeviceCode.Approval(
            userID: session.userID, scope: access.scope, sid: session.sid, authenticatedAt: session.authenticatedAt,
            multiFactorAt: session.multiFactorAt, changes: access.changes)
        let participant =
            request.client.logout.isTold ? SessionClient(session, clientID: request.client.clientID) : nil
        let isLetIn = try await end { now, transaction in
            guard try DeviceCodeStore.approve(digest: codeDigest, approval, at: now, in: transaction) else {
                return false
            }
            guard try SessionStore.hold(session, in: transaction) else {
                throw OAuthError(.loginRequired, "Login required")
            }
            if let participant { try SessionClientStore.insert(participant, in: transaction) }
            return true
        }
        guard isLetIn else { throw Self.ended }
        return AuthorizationResponse([], to: request.target)
    }

    /// Ends the login transaction with a decision about its device, both or neither.
    private func end(
        _ decide: @escaping @Sendable (Date, any SQLTransaction) throws -> Bool
    ) async throws -> Bool {
        let now = services.now()
        return try await services.stores.database.write { transaction in
            guard try LoginTransactionStore.delete(digest: login.digest, in: transaction) else {
                throw TransactionNotFound()
            }
            return try decide(now, transaction)
        }
    }

    private static let ended = OAuthError(
        .expiredToken, "Invalid or expired device code.",
        hint: "The device's code has expired or was answered already. Start again on the device.")
}
