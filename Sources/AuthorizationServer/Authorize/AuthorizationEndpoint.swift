import Foundation
import Logging
import OAuth
import Storage

/// The authorization endpoint, [RFC 6749 §3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1) and OpenID Connect
/// Core §3.1.2.
package struct AuthorizationEndpoint: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Seconds until a login transaction is forgotten.
    package static let transactionLifetime: TimeInterval = 3600

    /// Answers a new request, or says what the user must be asked first.
    /// - Throws: ``AuthorizationFailure``.
    package func authorize(_ parameters: Parameters, browser: Browser) async throws -> AuthorizationOutcome {
        let request = try await verify(parameters)
        return try await telling(request.target) {
            let sessionFound = try await browser.session(services)
            let progress = LoginTransaction.Progress()
            switch try await LoginSteps.next(for: request, sessionFound, progress, services) {
            case .done(let access, let session):
                return .respond(
                    try await ResponseIssuing(services: services).respond(
                        to: request, access, session, transactionDigest: nil))
            case .ask(let page):
                try request.refuseIfSilent(page)
                return .prompt(page, state: try await begin(parameters, request, browser), request.target)
            }
        }
    }

    /// Goes on with a transaction after the user has answered a page.
    /// - Throws: ``AuthorizationFailure``, or ``TransactionNotFound``.
    package func resume(state: Secret, browser: Browser) async throws -> AuthorizationOutcome {
        guard let login = try await browser.transaction(state, services) else { throw TransactionNotFound() }
        let request = try await verify(Parameters(trusted: login.parameters))
        return try await telling(request.target) {
            if login.progress.isDenied {
                try await services.stores.database.write {
                    _ = try LoginTransactionStore.delete(digest: login.digest, in: $0)
                }
                throw OAuthError.accessDenied("User did not authorize the request")
            }
            let sessionFound = try await browser.session(services)
            switch try await LoginSteps.next(for: request, sessionFound, login.progress, services) {
            case .done(let access, let session):
                return .respond(
                    try await ResponseIssuing(services: services).respond(
                        to: request, access, session, transactionDigest: login.digest))
            case .ask(let page):
                return .prompt(page, state: state, request.target)
            }
        }
    }

    /// The request behind a transaction, for the pages.
    package func request(of login: LoginTransaction) async throws -> VerifiedAuthorizationRequest {
        try await verify(Parameters(trusted: login.parameters))
    }

    // MARK: Steps

    private func verify(_ parameters: Parameters) async throws -> VerifiedAuthorizationRequest {
        let verified = try await ClientVerification(
            configuration: services.configuration, issuer: services.issuer
        ).verify(parameters)
        let redirectsMissingType = try await services.configuration.settings().wireDialect.redirectsMissingResponseType
        guard parameters["response_type"] != nil || redirectsMissingType else {
            throw AuthorizationFailure.display(.missingParameter("response_type"), nil)
        }
        return try await telling(verified.target) {
            let request = try AuthorizationRequest(parameters)
            try Self.checkGrants(request.responseType, of: verified.client)
            return VerifiedAuthorizationRequest(
                verified, request,
                resourceServer: try await RequestedAccess.resourceServer(request.audience, services: services))
        }
    }

    private static func checkGrants(_ type: ResponseType, of client: Client) throws(OAuthError) {
        if let missing = type.grantTypes.subtracting(client.grantTypes).map(\.rawValue).min() {
            throw OAuthError(
                .unauthorizedClient, "Grant type '\(missing)' not allowed for the client.",
                hint: "Add '\(missing)' to the application's grant types (grant_types).")
        }
    }

    /// Runs `body`, whose refusals the client is told.
    private func telling<T>(_ target: ResponseTarget, _ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as OAuthError {
            throw AuthorizationFailure.redirect(error, target)
        } catch let error as AuthorizationFailure {
            throw error
        } catch let error as SQLError {
            throw error
        } catch {
            services.logger.error("authorization request failed", metadata: ["cause": "\(error)"])
            throw AuthorizationFailure.redirect(.serverError, target)
        }
    }

    private func begin(
        _ parameters: Parameters, _ request: VerifiedAuthorizationRequest, _ browser: Browser
    ) async throws -> Secret {
        let state = Secret.random()
        let now = services.now()
        let login = LoginTransaction(
            digest: state.digest, browserDigest: browser.secret.digest, clientID: request.client.clientID,
            parameters: parameters.all, createdAt: now, expiresAt: now.addingTimeInterval(Self.transactionLifetime))
        try await services.stores.database.write { try LoginTransactionStore.insert(login, in: $0) }
        return state
    }
}

/// No such transaction in this browser: it ended, its hour passed, or it belongs to another browser.
package struct TransactionNotFound: Error, Sendable { package init() {} }
