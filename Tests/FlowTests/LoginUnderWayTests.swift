import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import Synchronization
import TestSupport
import Testing

/// A login takes its time: between the look at the password and the session others may have changed it.
@Suite("A login that is under way while its user changes")
struct LoginUnderWayTests {
    /// The server of lost passwords, asked once the password has been found right: the moment for a change.
    private final class Meanwhile: OutboundHTTP {
        private let work = Mutex<(@Sendable () async throws -> Void)?>(nil)

        func next(_ work: @escaping @Sendable () async throws -> Void) { self.work.withLock { $0 = work } }

        func send(_ request: OutboundRequest) async throws(OutboundFailure) -> OutboundResponse {
            let work = self.work.withLock { work in
                defer { work = nil }
                return work
            }
            do {
                try await work?()
            } catch {
                Issue.record(error)
            }
            return OutboundResponse(status: 200, body: Data(), contentType: "text/plain")
        }
    }

    enum Change: CaseIterable {
        case password, block, nothing

        func make(_ server: TestServer) async throws {
            try await server.services.stores.database.write { transaction in
                switch self {
                case .nothing: break
                case .password:
                    try UserStore.setPasswordHash(
                        "$argon2id$another", of: User.ada.id, at: Date(timeIntervalSince1970: 2_000_000_000),
                        in: transaction)
                case .block:
                    var user = try #require(try UserStore.find(User.ada.id, in: transaction))
                    user.isBlocked = true
                    try UserStore.replace(user, in: transaction)
                }
            }
        }
    }

    private static func run(_ body: @escaping @Sendable (TestServer, Meanwhile) async throws -> Void) async throws {
        let meanwhile = Meanwhile()
        try await TestServer.run(PasswordGrantTests.fixtures(), outbound: meanwhile) { server in
            _ = try await ManagementClient(server).patch(
                "attack-protection/breached-password-detection", ["enabled": true, "shields": ["block"]])
            try await body(server, meanwhile)
        }
    }

    @Test(
        "A password that is no longer the user's, or a user who was blocked, gets no token", arguments: Change.allCases)
    func grant(_ change: Change) async throws {
        try await Self.run { server, meanwhile in
            meanwhile.next { try await change.make(server) }
            let answer = try await PasswordGrantTests.logIn(
                RelyingParty.regularWebApp(server), ["username": "ada@example.com", "password": User.adaPassword])
            #expect((answer.status == .ok) == (change == .nothing))
            if change != .nothing {
                let code = try answer.json()["error"]?.string ?? ""
                #expect(["invalid_grant", "unauthorized"].contains(code), "\(answer.status) \(answer.text)")
            }
        }
    }

    @Test("… and no session", arguments: Change.allCases)
    func session(_ change: Change) async throws {
        try await Self.run { server, meanwhile in
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            let started = try await browser.get(party.authorizationURL())
            meanwhile.next { try await change.make(server) }
            _ = try await browser.submit(
                started, [("username", "ada@example.com"), ("password", User.adaPassword)])
            let silent = try await browser.get(party.authorizationURL(["prompt": "none"]))
            #expect((silent.query("error") == "login_required") == (change != .nothing))
        }
    }
}
