import CZlib
import Foundation

/// Unpacks a gzip file piece by piece (RFC 1952), so that a large one is never in memory as a whole, however well it is
/// packed.
final class Gunzip {
    /// The file is damaged or cut off.
    struct Damaged: Error, CustomStringConvertible {
        let description = "The file is no complete gzip file: it is damaged or cut off. Get it again."
    }

    /// Bytes of the packed file that have been read.
    private(set) var bytesRead = 0

    private let handle: FileHandle
    /// zlib remembers where its stream is, so it stays there.
    private let stream: UnsafeMutablePointer<z_stream>
    private var input: [UInt8] = []
    /// Bytes of the input that are unpacked already.
    private var used = 0
    /// Whether a member has begun and not ended; a file may have several, one after the other (RFC 1952 §2.2).
    private var isInside = true
    /// Bytes of the packed file, and of what it holds, that are handled at once.
    private static let piece = 1 << 16
    /// zlib's largest window, and nothing but gzip.
    private static let windowBits: Int32 = 15 + 16

    init(handle: FileHandle) {
        self.handle = handle
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let outcome = inflateInit2_(stream, Self.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(outcome == Z_OK, "zlib cannot begin: \(outcome)")
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// The next piece; empty at the end.
    /// - Throws: ``Damaged``, or an error of the file system.
    func next() throws -> [UInt8] {
        while true {
            if used == input.count {
                (input, used) = (Array(try handle.read(upToCount: Self.piece) ?? Data()), 0)
                bytesRead += input.count
                if input.isEmpty {
                    guard !isInside else { throw Damaged() }
                    return []
                }
            }
            let output = try unpack()
            if !output.isEmpty { return output }
        }
    }

    /// Unpacks some of the input, a piece at most.
    private func unpack() throws -> [UInt8] {
        if !isInside {
            guard inflateReset(stream) == Z_OK else { throw Damaged() }
            isInside = true
        }
        var outcome = Z_OK
        let output = try [UInt8](unsafeUninitializedCapacity: Self.piece) { buffer, count in
            try input.withUnsafeMutableBufferPointer { bytes in
                stream.pointee.next_in = bytes.baseAddress.map { $0 + used }
                stream.pointee.avail_in = UInt32(bytes.count - used)
                stream.pointee.next_out = buffer.baseAddress
                stream.pointee.avail_out = UInt32(buffer.count)
                outcome = inflate(stream, Z_NO_FLUSH)
                // Without room or input it does nothing, which is no fault: it gets more.
                guard [Z_OK, Z_STREAM_END, Z_BUF_ERROR].contains(outcome) else { throw Damaged() }
                used = bytes.count - Int(stream.pointee.avail_in)
            }
            count = buffer.count - Int(stream.pointee.avail_out)
        }
        if outcome == Z_STREAM_END { isInside = false }
        return output
    }
}
