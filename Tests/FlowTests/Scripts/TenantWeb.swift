import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import NIOFoundationEssentialsCompat
import OAuth
import Storage
import Synchronization
import TestSupport

/// The way of a script's requests back to the server itself, as to any other.
final class TenantWeb: OutboundHTTP {
    private let server = Mutex<TestServer?>(nil)

    /// The server that answers from now on.
    func reach(_ server: TestServer) { self.server.withLock { $0 = server } }

    func send(_ request: OutboundRequest) async throws(OutboundFailure) -> OutboundResponse {
        let failure = OutboundFailure(.unknownHost, "no such host", mend: "Ask the tenant.")
        guard let server = server.withLock({ $0 }), request.url.hasPrefix(TestServer.issuer),
            case .custom(let name, let body) = request.method, let method = HTTPRequest.Method(name)
        else { throw failure }
        var headers = HTTPFields()
        for (name, value) in request.headers {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        let path = "/" + request.url.dropFirst(TestServer.issuer.count)
        guard
            let response = try? await server.client.execute(
                uri: path, method: method, headers: headers, body: body.map { ByteBuffer(data: $0) })
        else { throw failure }
        return OutboundResponse(
            status: response.status.code, body: Data(buffer: response.body),
            contentType: response.headers[.contentType])
    }
}

/// Accounts that scripts link by the Management API, as tenants' scripts do.
enum LinkingTenant {
    /// An action's statements that make the account whose login it is an identity of Ada's, where it is not hers.
    static let link = """
        if (event.user.user_id !== event.secrets.PRIMARY) {
          const [provider, ...rest] = event.user.user_id.split('|');
          const answer = await fetch(
            'https://login.example.com/api/v2/users/' + encodeURIComponent(event.secrets.PRIMARY) + '/identities',
            {
              method: 'POST',
              headers: { authorization: 'Bearer ' + event.secrets.TOKEN, 'content-type': 'application/json' },
              body: JSON.stringify({ provider, user_id: rest.join('|') }),
            });
          if (answer.status !== 201) throw new Error('not linked: ' + answer.status);
        }
        """

    /// Starts a server whose scripts reach it; their secrets are a token for the Management API and Ada's id.
    static func run(
        _ fixtures: Fixtures = ScriptedTenant.everyGrant,
        _ body: @escaping @Sendable (TestServer, JSONObject) async throws -> Void
    ) async throws {
        let web = TenantWeb()
        try await ScriptedTenant.run(fixtures, outbound: web) { server in
            web.reach(server)
            // Secrets have 4096 bytes at most, which a token of every scope has not.
            let manager = try await ManagementClient(server, scope: ["update:users"])
            try await body(server, ["TOKEN": .string(manager.token), "PRIMARY": .string(User.ada.id)])
        }
    }

    /// Signs Grace in, as far as our own pages lead.
    static func logIn(
        _ server: TestServer, _ browser: TestBrowser, _ changes: [String: String?] = [:]
    ) async throws -> TestResponse {
        let page = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL(changes))
        return try await browser.logIn(page, email: "grace@example.com", password: User.gracePassword)
    }

    static func sessions(of user: User, _ server: TestServer) async throws -> [Session] {
        try await server.services.stores.database.read {
            try SessionStore.list(of: user.id, at: server.clock.now, limit: 10, in: $0)
        }
    }
}
