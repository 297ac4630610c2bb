import AuthorizationServer
import Foundation
import NIOCore
import NIOSSL
import Synchronization
import Testing

@testable import Outbound

@Suite("Outgoing requests")
struct GuardedHTTPClientTests {
    private static func failure(
        _ client: GuardedHTTPClient, _ url: String, mostBytes: Int = 1000
    ) async -> OutboundFailure.Kind? {
        do {
            _ = try await client.send(OutboundRequest(.get, url, mostBytes: mostBytes))
            return nil
        } catch {
            return error.kind
        }
    }

    /// Long enough for a machine on which every other test runs at the same time.
    private static let patience = TimeAmount.seconds(60)

    @Test("A document is read, with its status and type")
    func reads() async throws {
        let client = try GuardedHTTPClient(allowsLoopback: true, timeout: Self.patience)
        let answer = "HTTP/1.1 404 No\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nnone"
        let asked = Mutex("")
        try await LoopbackServer.run({ request in
            asked.withLock { $0 = request }
            return answer
        }) { server in
            let response = try await client.send(
                OutboundRequest(.get, "http://127.0.0.1:\(server.port)/a?b=c", accept: "application/json"))
            #expect(response.status == 404)
            #expect(String(decoding: response.body, as: UTF8.self) == "none")
            #expect(response.contentType == "text/plain")
            let request = asked.withLock { $0 }
            #expect(request.hasPrefix("GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\n"))
            #expect(request.contains("Accept: application/json\r\n"))
            #expect(request.contains("Accept-Encoding: identity\r\n"))
        }
    }

    @Test("A form is posted, its values encoded")
    func posts() async throws {
        let client = try GuardedHTTPClient(allowsLoopback: true, timeout: Self.patience)
        try await LoopbackServer.run({ request in
            let isRight = request.hasPrefix("POST / HTTP/1.1") && request.hasSuffix("\r\n\r\na=b%26c%3D%C3%A4%20")
            return "HTTP/1.1 \(isRight ? 200 : 400) A\r\nContent-Length: 0\r\n\r\n"
        }) { server in
            let request = OutboundRequest(.post(form: [("a", "b&c=ä ")]), "http://localhost:\(server.port)")
            let response = try await client.send(request)
            #expect(response.status == 200)
        }
    }

    @Test(
        "What hostile servers answer is cut short",
        arguments: [
            (nil, .timeout), ("HTTP/1.1 200 A\r\nContent-Length: 1001\r\n\r\n", .tooLarge),
            ("HTTP/1.1 200 A\r\n\r\n" + String(repeating: "a", count: 200_000), .tooLarge),
            (
                "HTTP/1.1 200 A\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + String(repeating: "a", count: 1001),
                .tooLarge
            ),
            ("HTTP/1.1 302 A\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", .redirected),
            ("HTTP/1.1 200 A\r\nContent-Length: 10\r\n\r\nabc", .brokenAnswer), ("SSH-2.0\r\n\r\n", .unreachable),
            ("", .brokenAnswer), ("HTTP/1.1 200 A\r\n" + String(repeating: "A: b\r\n", count: 50_000), .brokenAnswer),
        ] as [(String?, OutboundFailure.Kind)])
    func hostile(answer: String?, kind: OutboundFailure.Kind) async throws {
        let timeout = kind == .timeout ? TimeAmount.milliseconds(400) : Self.patience
        let client = try GuardedHTTPClient(allowsLoopback: true, timeout: timeout)
        try await LoopbackServer.run({ _ in answer }) { server in
            let start = ContinuousClock.now
            let found = await Self.failure(client, "http://127.0.0.1:\(server.port)/")
            // NIO calls a broken head an error of the connection as long as no head is there.
            #expect(found == kind || (kind == .brokenAnswer && found == .unreachable))
            #expect(start.duration(to: .now) < .seconds(60))
        }
    }

    @Test("Slow is measured over everything: a byte now and then does not extend the time")
    func drips() async throws {
        let client = try GuardedHTTPClient(
            allowsLoopback: true,
            resolver: { _, port in
                try await Task.sleep(for: .seconds(300))
                return [try SocketAddress(ipAddress: "127.0.0.1", port: port)]
            }, timeout: .milliseconds(300))
        let start = ContinuousClock.now
        #expect(await Self.failure(client, "https://slow.example.com/") == .timeout)
        #expect(start.duration(to: .now) < .seconds(60))
    }

    @Test("Nobody there, and a name that does not exist")
    func nobody() async throws {
        let port = try await LoopbackServer.run({ _ in nil }) { $0.port }
        let client = try GuardedHTTPClient(allowsLoopback: true, timeout: Self.patience)
        #expect(await Self.failure(client, "http://127.0.0.1:\(port)/") == .unreachable)
        let names = try GuardedHTTPClient(allowsLoopback: true, resolver: { _, _ in [] }, timeout: Self.patience)
        #expect(await Self.failure(names, "https://nobody.example.com/") == .unknownHost)
    }

    @Test(
        "In production neither this machine nor http is asked",
        arguments: [
            ("https://127.0.0.1/", .forbiddenAddress), ("https://[::1]/", .forbiddenAddress),
            ("https://[::ffff:127.0.0.1]/", .forbiddenAddress), ("https://localhost/", .forbiddenAddress),
            ("https://169.254.169.254/latest/meta-data", .forbiddenAddress), ("http://example.com/", .invalidURL),
            ("https://10.0.0.1:8443/", .forbiddenAddress), ("https://example.com:22/", .invalidURL),
            ("https://example.com:25/", .invalidURL), ("https://0.0.0.0/", .forbiddenAddress),
        ] as [(String, OutboundFailure.Kind)])
    func production(url: String, kind: OutboundFailure.Kind) async throws {
        let client = try GuardedHTTPClient(allowsLoopback: false, timeout: Self.patience)
        #expect(await Self.failure(client, url) == kind)
    }

    @Test("A name with one private address among its public ones is not asked")
    func mixed() async throws {
        let client = try GuardedHTTPClient(
            allowsLoopback: false,
            resolver: { _, port in
                try ["93.184.215.14", "10.0.0.1"].map { try SocketAddress(ipAddress: $0, port: port) }
            }, timeout: Self.patience)
        #expect(await Self.failure(client, "https://mixed.example.com/") == .forbiddenAddress)
    }

    @Test("A name that changes its address between check and connection (DNS rebinding) is resolved once")
    func rebinding() async throws {
        let resolved = Mutex(0)
        let asked = Mutex(0)
        try await LoopbackServer.run({ _ in
            asked.withLock { $0 += 1 }
            return "HTTP/1.1 200 A\r\nContent-Length: 0\r\n\r\n"
        }) { server in
            // The first answer is a public address where nobody listens, every later one this machine.
            let client = try GuardedHTTPClient(
                allowsLoopback: false,
                resolver: { _, port in
                    let count = resolved.withLock { count in
                        count += 1
                        return count
                    }
                    return [try SocketAddress(ipAddress: count == 1 ? "192.31.7.0" : "127.0.0.1", port: port)]
                }, connectTimeout: .milliseconds(200), timeout: Self.patience)
            #expect(await Self.failure(client, "https://rebinding.example.com:\(server.port)/") != nil)
            #expect(resolved.withLock { $0 } == 1)
            #expect(asked.withLock { $0 } == 0)
        }
    }

    @Test("A network that the operator lists is asked although it is private")
    func allowedNetwork() async throws {
        let client = try GuardedHTTPClient(
            allowsLoopback: false, isAllowed: { $0 == [127, 0, 0, 1] }, timeout: Self.patience)
        let port = try await LoopbackServer.run({ _ in nil }) { $0.port }
        // Whoever has the port by now, the address was asked.
        let kind = await Self.failure(client, "https://127.0.0.1:\(port)/")
        #expect(kind != nil && kind != .forbiddenAddress)
        #expect(await Self.failure(client, "https://127.0.0.2:\(port)/") == .forbiddenAddress)
    }

    @Test("A certificate that no authority signed, or for another name, is refused; the right one is taken")
    func certificates() async throws {
        let key = try SigningKeyPair.generate()
        let certificate = try NIOSSLCertificate(
            bytes: key.selfSignedCertificate(commonName: "rp.example.com"), format: .der)
        let server = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: [.certificate(certificate)],
                privateKey: .privateKey(NIOSSLPrivateKey(bytes: Array(key.pem().utf8), format: .pem))))
        let answer = "HTTP/1.1 200 A\r\nContent-Length: 2\r\n\r\nok"
        try await LoopbackServer.run(tls: server, { _ in answer }) { server in
            let resolver: GuardedHTTPClient.Resolver = { _, port in
                [try SocketAddress(ipAddress: "127.0.0.1", port: port)]
            }
            let stranger = try GuardedHTTPClient(allowsLoopback: true, resolver: resolver, timeout: Self.patience)
            #expect(await Self.failure(stranger, "https://rp.example.com:\(server.port)/") == .unreachable)
            let client = try GuardedHTTPClient(
                allowsLoopback: true, trustRoots: .certificates([certificate]), resolver: resolver,
                timeout: Self.patience)
            let response = try await client.send(OutboundRequest(.get, "https://rp.example.com:\(server.port)/"))
            #expect(String(decoding: response.body, as: UTF8.self) == "ok")
            #expect(await Self.failure(client, "https://other.example.com:\(server.port)/") == .unreachable)
        }
    }
}
