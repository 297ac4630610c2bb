import NIOCore

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension SocketAddress {
    /// The IP address in the order of the network: 4 bytes or 16; empty for what is none, or has a scope of this machine.
    var bytes: [UInt8] {
        guard let ipAddress else { return [] }
        let (family, count) =
            switch self {
            case .v4: (AF_INET, 4)
            case .v6, .unixDomainSocket: (AF_INET6, 16)
            }
        var bytes = [UInt8](repeating: 0, count: count)
        return inet_pton(family, ipAddress, &bytes) == 1 ? bytes : []
    }
}
