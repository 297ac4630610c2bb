import Foundation

#if canImport(Glibc)
    import Glibc
    private let stream = Int32(SOCK_STREAM.rawValue)
#else
    private let stream = SOCK_STREAM
#endif

extension TestDirectory {
    /// A socket on a port of this machine that nobody else has; it listens where `backlog` is not zero.
    static func socket(backlog: Int32 = 0) throws -> (file: Int32, port: Int) {
        let file = Self.open()
        var address = local(0)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                var length = socklen_t(MemoryLayout<sockaddr_in>.size)
                return bind(file, address, length) == 0 && getsockname(file, address, &length) == 0
            }
        }
        guard isBound, backlog == 0 || listen(file, backlog) == 0 else { throw NotStarted(log: "no port is free") }
        return (file, Int(UInt16(bigEndian: address.sin_port)))
    }

    static func freePort() throws -> Int {
        let (file, port) = try socket()
        close(file)
        return port
    }

    static func accepts(_ port: Int) -> Bool {
        let file = Self.open()
        defer { close(file) }
        return withUnsafePointer(to: local(port)) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func open() -> Int32 {
        #if canImport(Glibc)
            Glibc.socket(AF_INET, stream, 0)
        #else
            Darwin.socket(AF_INET, stream, 0)
        #endif
    }

    private static func local(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
