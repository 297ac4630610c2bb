import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc

    private let stream = Int32(SOCK_STREAM.rawValue)
    private let quietly = Int32(MSG_NOSIGNAL)
#else
    import Darwin

    private let stream = SOCK_STREAM
    private let quietly: Int32 = 0
#endif

/// Stands between a driver and its server, and cuts the connection when the driver first asks to commit on it.
final class CuttingProxy: Sendable {
    /// What becomes of the `COMMIT`.
    enum Cut: Sendable, CaseIterable {
        /// The server gets it, the driver no answer.
        case afterCommit
        /// The server never gets it.
        case beforeCommit
        /// The server gets it long after the driver has been cut off.
        case lateCommit
    }

    let port: Int
    private let listener: Int32
    private let server: Int
    private let cuts = Mutex<[Cut]>([])
    private let clients = Mutex<[Int32]>([])
    private let isOver = Mutex(false)

    /// - Parameter server: the port of the server on loopback.
    init(server: Int) throws {
        self.server = server
        listener = socket(AF_INET, stream, 0)
        port = try Self.openPort(listener)
        Thread.detachNewThread { self.acceptAll() }
    }

    func stop() {
        isOver.withLock { $0 = true }
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// Ends the connections that there are, and cuts the next ones, one after the other, when they commit.
    func arm(_ cuts: [Cut]) {
        self.cuts.withLock { $0 = cuts }
        clients.withLock { clients in
            for client in clients { shutdown(client, Int32(SHUT_RDWR)) }
        }
    }

    /// Cuts that nobody has met yet.
    var cutsLeft: Int { cuts.withLock(\.count) }

    private func acceptAll() {
        while !isOver.withLock(\.self) {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { return }
            Thread.detachNewThread { self.serve(client) }
        }
    }

    private func serve(_ client: Int32) {
        let upstream = socket(AF_INET, stream, 0)
        guard Self.dial(upstream, server) else { return }
        clients.withLock { $0.append(client) }
        defer {
            clients.withLock { $0.removeAll { $0 == client } }
            close(client)
            close(upstream)
        }
        while true {
            var sockets = [client, upstream].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&sockets, 2, 10_000) > 0 else { return }
            if sockets[0].revents != 0 {
                guard let bytes = Self.receive(client) else { return }
                if bytes.range(of: Data("COMMIT".utf8)) != nil,
                    let cut = cuts.withLock({ $0.isEmpty ? nil : $0.removeFirst() })
                {
                    return perform(cut, bytes, client, upstream)
                }
                Self.forward(bytes, upstream)
            }
            if sockets[1].revents != 0 {
                guard let bytes = Self.receive(upstream) else { return }
                Self.forward(bytes, client)
            }
        }
    }

    private func perform(_ cut: Cut, _ bytes: Data, _ client: Int32, _ upstream: Int32) {
        switch cut {
        case .beforeCommit: break
        case .afterCommit:
            Self.forward(bytes, upstream)
            // Its answer: the server has committed.
            _ = Self.receive(upstream)
        case .lateCommit:
            shutdown(client, Int32(SHUT_RDWR))
            Thread.sleep(forTimeInterval: 1)
            Self.forward(bytes, upstream)
            Thread.sleep(forTimeInterval: 0.3)
        }
    }

    // MARK: Sockets

    private struct Failure: Error {}

    private static func openPort(_ socket: Int32) throws -> Int {
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> Int in
                guard bind(socket, address, length) == 0, listen(socket, 16) == 0,
                    getsockname(socket, address, &length) == 0
                else { return 0 }
                return Int(UInt16(bigEndian: pointer.pointee.sin_port))
            }
        }
        guard port != 0 else { throw Failure() }
        return port
    }

    private static func dial(_ socket: Int32, _ port: Int) -> Bool {
        var address = loopback(port)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = in_port_t(port).bigEndian
        return address
    }

    private static func receive(_ socket: Int32) -> Data? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket, &buffer, buffer.count, 0)
        return count > 0 ? Data(buffer.prefix(count)) : nil
    }

    private static func forward(_ bytes: Data, _ socket: Int32) {
        var left = bytes
        while !left.isEmpty {
            let count = left.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, quietly) }
            guard count > 0 else { return }
            left = Data(left.dropFirst(count))
        }
    }
}
