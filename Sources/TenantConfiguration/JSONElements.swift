import Foundation

/// Reads the objects of a JSON array, or of one object a line, one after the other without holding the file in memory.
struct JSONElements {
    /// No user takes more than this.
    static let largestElement = 1 << 20

    /// One object's bytes, or why they cannot be had.
    enum Element {
        case object(Data)
        /// The object is longer than ``largestElement``; it was skipped.
        case tooLarge
        /// Something that is no object stands between the objects.
        case unexpected(String)
        /// The object has no end: the file is cut off, or a text lacks its closing quote.
        case cutOff
    }

    private let handle: FileHandle
    private var buffer: [UInt8] = []
    private var position = 0
    /// The offset in the file of the byte after the buffer.
    private var end: Int

    /// Bytes of the file that are done with; between two elements reading may begin again there.
    var offset: Int { end - buffer.count + position }

    /// - Parameters:
    ///   - handle: stands at `offset`, which is the file's start or lies between two elements.
    ///   - name: what the file is called where it is no users file.
    init(_ handle: FileHandle, name: String, at offset: Int) throws {
        (self.handle, end) = (handle, offset)
        guard try offset > 0 || startsLikeUsers() else { throw UserImport.NotUsers(file: name) }
    }

    /// Whether an object or an array is first, after white space or a byte order mark; nothing else is a users file.
    private mutating func startsLikeUsers() throws -> Bool {
        while let byte = try peek() {
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["): return true
            case 0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF: position += 1
            default: return false
            }
        }
        return true
    }

    /// The next object, or nil at the end of the file.
    mutating func next() throws -> Element? {
        while let byte = try peek() {
            switch byte {
            case UInt8(ascii: "{"): return try object()
            case UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ","), 0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF:
                position += 1
            default: return .unexpected(try skipToSeparator())
            }
        }
        return nil
    }

    /// Collects an object up to its closing brace; braces inside texts do not count.
    private mutating func object() throws -> Element? {
        var bytes: [UInt8] = []
        var (depth, isText, isEscaped, isTooLarge) = (0, false, false, false)
        while let byte = try peek() {
            position += 1
            if bytes.count < Self.largestElement { bytes.append(byte) } else { isTooLarge = true }
            if isEscaped {
                isEscaped = false
            } else if isText {
                if byte == UInt8(ascii: "\\") { isEscaped = true }
                if byte == UInt8(ascii: "\"") { isText = false }
                // No text has a line break (RFC 8259 §7); reading on would swallow the users that follow.
                if byte == UInt8(ascii: "\n") { return .cutOff }
            } else if byte == UInt8(ascii: "\"") {
                isText = true
            } else if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                depth += 1
            } else if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") {
                depth -= 1
                if depth == 0 { return isTooLarge ? .tooLarge : .object(Data(bytes)) }
            }
        }
        return .cutOff
    }

    private mutating func skipToSeparator() throws -> String {
        var text: [UInt8] = []
        while let byte = try peek(), byte != UInt8(ascii: ","), byte != UInt8(ascii: "{"), byte != UInt8(ascii: "]"),
            byte != 0x0A
        {
            if text.count < 40 { text.append(byte) }
            position += 1
        }
        return "'\(String(decoding: text, as: UTF8.self))' is no object"
    }

    private mutating func peek() throws -> UInt8? {
        if position == buffer.count {
            guard let chunk = try handle.read(upToCount: 1 << 16), !chunk.isEmpty else { return nil }
            buffer = Array(chunk)
            position = 0
            end += chunk.count
        }
        return buffer[position]
    }
}
