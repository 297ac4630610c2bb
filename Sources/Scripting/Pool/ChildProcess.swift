import Foundation

/// A process with a socket to it, its descriptor 3. It has an environment of its own and no other file.
struct ChildProcess {
    let id: pid_t
    /// The server's end; it does not block.
    let socket: Int32

    /// The process cannot be started.
    struct Failure: Error, CustomStringConvertible {
        let description: String

        init(_ what: String, _ code: Int32) { description = "\(what): \(String(cString: strerror(code)))" }
    }

    /// - Parameter command: the path of the program and its arguments.
    init(_ command: [String], environment: [String: String]) throws(Failure) {
        let (ours, theirs) = try Self.sockets()
        defer { close(theirs) }
        do {
            id = try Self.spawn(command, environment, theirs)
        } catch {
            close(ours)
            throw error
        }
        socket = ours
        _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK)
    }

    private static func sockets() throws(Failure) -> (ours: Int32, theirs: Int32) {
        var pair: [Int32] = [-1, -1]
        #if os(Linux)
            let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        #else
            let type = SOCK_STREAM
        #endif
        guard socketpair(AF_UNIX, type, 0, &pair) == 0 else { throw Failure("socketpair", errno) }
        #if !os(Linux)
            var yes: Int32 = 1
            for socket in pair {
                _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
                setsockopt(socket, SOL_SOCKET, SO_NOSIGPIPE, &yes, socklen_t(MemoryLayout<Int32>.size))
            }
        #endif
        return (pair[0], pair[1])
    }

    private static func spawn(
        _ command: [String], _ environment: [String: String], _ socket: Int32
    ) throws(Failure) -> pid_t {
        #if os(Linux)
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #else
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        for descriptor: Int32 in 0...2 {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, socket, 3)
        // A group of its own: Control-C in a terminal is for the server, which ends its workers when it is done with them.
        posix_spawnattr_setpgroup(&attributes, 0)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))

        var arguments = command.map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { (arguments + variables).forEach { free($0) } }
        var id: pid_t = 0
        let code = posix_spawn(&id, command.first ?? "", &actions, &attributes, &arguments, &variables)
        guard code == 0 else { throw Failure("The worker \(command.first ?? "") cannot be started", code) }
        return id
    }

    /// Sends what the other end takes in now, without a signal where nobody is there.
    /// - Returns: how many bytes; less than 0, with `errno`, where none.
    static func send(_ bytes: ArraySlice<UInt8>, to socket: Int32) -> Int {
        #if os(Linux)
            let flags = Int32(MSG_NOSIGNAL)
        #else
            let flags: Int32 = 0
        #endif
        return bytes.withUnsafeBytes { Foundation.send(socket, $0.baseAddress, $0.count, flags) }
    }

    /// Ends it, whatever it does, and waits for that.
    /// - Returns: how it ended, in words.
    func end() -> String {
        kill(id, SIGKILL)
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
        close(socket)
        let signal = status & 0x7f
        guard signal == 0 else {
            return signal == SIGSYS
                ? "it made a system call that its sandbox forbids"
                : "signal \(signal) (\(String(cString: strsignal(signal))))"
        }
        return "it ended with \((status >> 8) & 0xff)"
    }
}
