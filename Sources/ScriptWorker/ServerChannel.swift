import CSandbox
import Foundation
import Scripting

/// The worker's end of the socket. It blocks: there is one script at a time, and nothing else to do.
final class ServerChannel {
    /// Where the server puts it.
    static let descriptor: Int32 = 3

    /// Whether there is a socket at all.
    static var isThere: Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    private let socket: Int32
    private var buffer = FrameBuffer()
    /// What the server has said of modules, by what it was asked: a worker runs the same scripts again and again.
    private(set) var modules: [String: String] = [:]
    private static let mostModules = 2000

    init(socket: Int32 = ServerChannel.descriptor) { self.socket = socket }

    func remember(_ module: String, for arguments: String) {
        if modules.count < Self.mostModules { modules[arguments] = module }
    }

    /// What waits to be sent with the next message: each write wakes the server.
    private var waiting: [UInt8] = []
    private static let mostWaiting = 32 << 10

    func send(_ message: WorkerMessage) {
        let bytes = waiting + message.frame.bytes
        waiting = []
        if sandbox_send(socket, bytes, bytes.count) != 0 { leave() }
    }

    /// Sends something that counts only when the run ends well.
    func sendLater(_ message: WorkerMessage) {
        waiting += message.frame.bytes
        guard waiting.count > Self.mostWaiting else { return }
        let bytes = waiting
        waiting = []
        if sandbox_send(socket, bytes, bytes.count) != 0 { leave() }
    }

    /// The next message; nil when the deadline comes first. Where the server is gone, so is this process.
    func receive(until deadline: ContinuousClock.Instant?) -> ServerMessage? {
        while true {
            do {
                if let frame = try buffer.next() { return try ServerMessage(frame) }
            } catch {
                leave()
            }
            var timeout: Int32 = -1
            if let deadline {
                let left = ContinuousClock.now.duration(to: deadline)
                guard left > .zero else { return nil }
                timeout = Int32(clamping: Int64((left / .milliseconds(1)).rounded(.up)))
            }
            var waiting = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, timeout) > 0 else { continue }
            read()
        }
    }

    private func read() {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        let count = Foundation.read(socket, &chunk, chunk.count)
        if count > 0 {
            buffer.append(chunk[..<count])
        } else if count == 0 || errno != EINTR {
            leave()
        }
    }

    private func leave() -> Never { _exit(0) }
}
