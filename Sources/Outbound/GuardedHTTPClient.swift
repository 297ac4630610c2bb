import AuthorizationServer
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import OAuth

/// Asks servers whose addresses come from applications and their developers, and so from anybody.
///
/// It asks https only; resolves names itself, refuses them where one of their addresses is not the public internet's,
/// and connects to the very addresses that it has checked, so that a name that changes in between changes nothing; follows
/// no redirect; and waits and reads only so much.
package struct GuardedHTTPClient: OutboundHTTP {
    /// Finds the addresses of a name; the port is for the ``SocketAddress``.
    package typealias Resolver = @Sendable (_ host: String, _ port: Int) async throws -> [SocketAddress]

    /// Whether this machine may be asked, and by http: for development.
    private let allowsLoopback: Bool
    /// Networks that may be asked although they are not public: 4 or 16 bytes of an address.
    private let isAllowed: @Sendable ([UInt8]) -> Bool
    private let resolve: Resolver
    /// What secures connections; nil for ``publicAuthorities``.
    private let tls: Result<NIOSSLContext, any Error>?
    private let group: any EventLoopGroup
    private let connectTimeout: TimeAmount
    private let timeout: TimeAmount

    /// - Parameters:
    ///   - allowsLoopback: whether this machine may be asked, and by http; for development.
    ///   - isAllowed: which addresses may be asked although they are not public: 4 bytes or 16.
    ///   - trustRoots: the authorities whose certificates count; nil for those of the system.
    ///   - connectTimeout: how long an attempt to connect takes at most.
    ///   - timeout: how long everything together takes at most.
    /// - Throws: `NIOSSLError` where the trust roots cannot be read.
    package init(
        allowsLoopback: Bool, isAllowed: @escaping @Sendable ([UInt8]) -> Bool = { _ in false },
        trustRoots: NIOSSLTrustRoots? = nil, resolver: Resolver? = nil,
        connectTimeout: TimeAmount = .seconds(2), timeout: TimeAmount = .seconds(5)
    ) throws {
        (self.allowsLoopback, self.isAllowed) = (allowsLoopback, isAllowed)
        (self.connectTimeout, self.timeout) = (connectTimeout, timeout)
        tls = try trustRoots.map { roots in .success(try Self.context(roots)) }
        group = MultiThreadedEventLoopGroup.singleton
        if let resolver {
            resolve = resolver
        } else {
            let names = NameResolver()
            resolve = { host, port in try await names.addresses(of: host, port: port) }
        }
    }

    /// The authorities of the system, read at the first request: there are many.
    private static let publicAuthorities = Result { try context(.default) }

    private static func context(_ trustRoots: NIOSSLTrustRoots) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.trustRoots = trustRoots
        configuration.applicationProtocols = ["http/1.1"]
        return try NIOSSLContext(configuration: configuration)
    }

    package func send(_ request: OutboundRequest) async throws(OutboundFailure) -> OutboundResponse {
        let url = try OutboundURL(request.url)
        try checkPort(url)
        let deadline = NIODeadline.now() + timeout
        let addresses = try await addresses(of: url, deadline: deadline)
        for address in addresses { try check(address, url) }
        var last = Self.noConnection(url, "no address answers")
        for address in addresses.prefix(4) where NIODeadline.now() < deadline {
            switch await exchange(request, url, address, deadline: deadline) {
            case .answered(let response): return response
            case .failed(let failure): throw failure
            case .notConnected(let failure): last = failure
            }
        }
        throw last
    }

    // MARK: Rules

    /// Ports below 1024 belong to other protocols than https, whose servers some requests would mean something to.
    private func checkPort(_ url: OutboundURL) throws(OutboundFailure) {
        guard url.port == 443 || url.port >= 1024 || (allowsLoopback && url.port == 80) else {
            throw OutboundFailure(
                .invalidURL, "Port \(url.port) of \(url.host) is not asked", mend: "Use port 443 or one above 1023.")
        }
        guard url.isSecure || allowsLoopback else {
            throw OutboundFailure(.invalidURL, "\(url.hostHeader) is to be asked by http", mend: "Use https.")
        }
    }

    private func check(_ address: SocketAddress, _ url: OutboundURL) throws(OutboundFailure) {
        let bytes = PublicAddress.unmapped(address.bytes)
        if allowsLoopback, PublicAddress.isLoopback(bytes) { return }
        guard url.isSecure else {
            throw OutboundFailure(
                .invalidURL, "\(url.hostHeader) is to be asked by http",
                mend: "Use https; only this machine needs none.")
        }
        guard PublicAddress.contains(bytes) || isAllowed(bytes) else {
            throw OutboundFailure(
                .forbiddenAddress, "\(url.host) has an address that is not on the public internet",
                mend: "Use a public address, or let the operator list its network in PORTICO_OUTBOUND_NETWORKS.")
        }
    }

    // MARK: Steps

    private func addresses(
        of url: OutboundURL, deadline: NIODeadline
    ) async throws(OutboundFailure) -> [SocketAddress] {
        if url.isAddress, let address = try? SocketAddress(ipAddress: url.host, port: url.port) { return [address] }
        // The system's resolver cannot be interrupted, so its answer races the deadline.
        let answer = group.next().makePromise(of: [SocketAddress].self)
        let alarm = answer.futureResult.eventLoop.scheduleTask(deadline: deadline) {
            answer.fail(Self.late(url))
        }
        answer.completeWithTask { [resolve] in try await resolve(url.host, url.port) }
        defer { alarm.cancel() }
        do {
            let found = try await answer.futureResult.get()
            guard !found.isEmpty else { throw Self.unknown(url) }
            return found
        } catch {
            throw error as? OutboundFailure ?? Self.unknown(url)
        }
    }

    private enum Outcome: Sendable {
        case answered(OutboundResponse)
        case failed(OutboundFailure)
        /// Nothing was sent: another address may do.
        case notConnected(OutboundFailure)
    }

    private func exchange(
        _ request: OutboundRequest, _ url: OutboundURL, _ address: SocketAddress, deadline: NIODeadline
    ) async -> Outcome {
        let tls = tls ?? Self.publicAuthorities
        let answer: EventLoopFuture<OutboundResponse>
        do {
            answer = try await ClientBootstrap(group: group)
                .connectTimeout(min(connectTimeout, deadline - .now()))
                .connect(to: address) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        if url.isSecure {
                            try pipeline.addHandler(
                                NIOSSLClientHandler(
                                    context: tls.get(),
                                    serverHostname: url.isAddress ? nil : url.host))
                        }
                        try pipeline.addHTTPClientHandlers()
                        let answer = channel.eventLoop.makePromise(of: OutboundResponse.self)
                        try pipeline.addHandler(ResponseCollector(request, to: url, answer: answer))
                        let alarm = channel.eventLoop.scheduleTask(deadline: deadline) {
                            answer.fail(Self.late(url))
                            channel.close(promise: nil)
                        }
                        answer.futureResult.whenComplete { _ in alarm.cancel() }
                        return answer.futureResult
                    }
                }
        } catch {
            return .notConnected(Self.noConnection(url, "\(error)"))
        }
        do {
            return .answered(try await answer.get())
        } catch {
            return .failed(error as? OutboundFailure ?? Self.noConnection(url, "\(error)"))
        }
    }

    // MARK: Failures

    private static func unknown(_ url: OutboundURL) -> OutboundFailure {
        OutboundFailure(.unknownHost, "\(url.host) has no address", mend: "Check the host's spelling and its DNS.")
    }

    private static func late(_ url: OutboundURL) -> OutboundFailure {
        OutboundFailure(
            .timeout, "\(url.hostHeader) took too long to answer", mend: "Check that it answers within seconds.")
    }

    private static func noConnection(_ url: OutboundURL, _ reason: String) -> OutboundFailure {
        OutboundFailure(
            .unreachable, "No connection to \(url.hostHeader): \(reason)",
            mend: "Check that it listens there and lets this server in.")
    }
}
