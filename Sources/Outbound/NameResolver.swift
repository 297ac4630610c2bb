import NIOCore
import NIOPosix

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Finds a name's addresses with the system's resolver, on threads of its own: a name whose servers never answer holds
/// one of them for a while, and nothing else.
struct NameResolver: Sendable {
    private let threads: NIOThreadPool

    init() {
        threads = NIOThreadPool(numberOfThreads: 4)
        threads.start()
    }

    /// Every address of `host`, in the order in which the system would try them; empty where there is none.
    func addresses(of host: String, port: Int) async throws -> [SocketAddress] {
        try await threads.runIfActive { Self.resolve(host, port) }
    }

    private static func resolve(_ host: String, _ port: Int) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        #if canImport(Darwin)
            hints.ai_socktype = SOCK_STREAM
        #else
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #endif
        var first: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &first) == 0, let first else { return [] }
        defer { freeaddrinfo(first) }
        return sequence(first: first, next: { $0.pointee.ai_next }).compactMap { entry in
            guard let address = entry.pointee.ai_addr else { return nil }
            return switch entry.pointee.ai_family {
            case AF_INET: address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { SocketAddress($0.pointee) }
            case AF_INET6: address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { SocketAddress($0.pointee) }
            default: nil
            }
        }
    }
}
