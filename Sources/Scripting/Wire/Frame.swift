/// A message between the server and a worker: its length in four bytes (little endian), a byte for its kind, and its fields.
package struct Frame: Sendable, Equatable {
    /// Bytes that a frame may have; who announces more is not understood.
    package static let most = 16 << 20

    package var kind: UInt8
    package var body: [UInt8]

    package init(kind: UInt8, body: [UInt8] = []) { (self.kind, self.body) = (kind, body) }

    /// As it travels.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(body.count + 5)
        let count = UInt32(body.count + 1)
        for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: count >> shift)) }
        bytes.append(kind)
        bytes += body
        return bytes
    }

    mutating func put(_ value: UInt8) { body.append(value) }

    mutating func put(_ value: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { body.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    mutating func put(_ text: String) {
        put(UInt64(text.utf8.count))
        body.append(contentsOf: text.utf8)
    }

    mutating func put(_ text: String?) {
        put(UInt8(text == nil ? 0 : 1))
        if let text { put(text) }
    }

    /// Microseconds.
    mutating func put(_ duration: Duration) {
        put(UInt64(max(0, duration / .microseconds(1))))
    }
}

/// A frame that is not what it says.
package struct MalformedFrame: Error {
    package init() {}
}

/// Takes a frame's fields out again, in their order.
struct FrameFields {
    private let body: [UInt8]
    private var position = 0

    init(_ frame: Frame) { body = frame.body }

    mutating func byte() throws(MalformedFrame) -> UInt8 {
        guard position < body.count else { throw MalformedFrame() }
        defer { position += 1 }
        return body[position]
    }

    mutating func number() throws(MalformedFrame) -> UInt64 {
        guard body.count - position >= 8 else { throw MalformedFrame() }
        defer { position += 8 }
        return (0..<8).reduce(0) { $0 | UInt64(body[position + $1]) << (8 * UInt64($1)) }
    }

    mutating func text() throws(MalformedFrame) -> String {
        let count = try number()
        guard count <= UInt64(body.count - position) else { throw MalformedFrame() }
        defer { position += Int(count) }
        return String(decoding: body[position..<position + Int(count)], as: UTF8.self)
    }

    mutating func optionalText() throws(MalformedFrame) -> String? {
        try byte() == 0 ? nil : try text()
    }

    mutating func duration() throws(MalformedFrame) -> Duration {
        .microseconds(Int64(clamping: try number()))
    }
}

/// Frames out of bytes as they come in.
package struct FrameBuffer {
    private var bytes: [UInt8] = []
    private var start = 0

    package init() {}

    /// Takes in what has come.
    package mutating func append(_ more: some Collection<UInt8>) {
        if start > 0, start == bytes.count || start > 1 << 16 {
            bytes.removeFirst(start)
            start = 0
        }
        bytes.append(contentsOf: more)
    }

    /// The next frame, or nil where it has not come in whole.
    /// - Parameter most: bytes that it may have; one that announces more is refused before it has come in.
    package mutating func next(most: Int = Frame.most) throws(MalformedFrame) -> Frame? {
        guard bytes.count - start >= 5 else { return nil }
        let count = (0..<4).reduce(0) { $0 | Int(bytes[start + $1]) << (8 * $1) }
        guard count >= 1, count <= min(most, Frame.most) else { throw MalformedFrame() }
        guard bytes.count - start >= 4 + count else { return nil }
        let frame = Frame(kind: bytes[start + 4], body: Array(bytes[start + 5..<start + 4 + count]))
        start += 4 + count
        return frame
    }
}
