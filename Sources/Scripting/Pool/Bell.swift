import Foundation

/// Wakes a thread that waits in `poll`.
final class Bell: Sendable {
    let descriptor: Int32
    private let other: Int32

    /// Nil where the process has no descriptor left.
    init?() {
        var pair: [Int32] = [-1, -1]
        guard pipe(&pair) == 0 else { return nil }
        for end in pair {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (descriptor, other) = (pair[0], pair[1])
    }

    deinit {
        close(descriptor)
        close(other)
    }

    /// Where it has been rung already, once is enough.
    func ring() {
        var byte: UInt8 = 1
        _ = write(other, &byte, 1)
    }

    func silence() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(descriptor, &bytes, bytes.count) == bytes.count {}
    }
}
