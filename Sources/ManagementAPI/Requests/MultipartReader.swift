import Foundation
import OAuth

/// Reads `multipart/form-data` ([RFC 7578](https://www.rfc-editor.org/rfc/rfc7578)) as it arrives, without holding more of a
/// file than the last piece.
struct MultipartReader {
    /// What has arrived.
    enum Event: Equatable {
        /// A part begins.
        case part(name: String)
        /// More of the present part.
        case bytes(Data)
    }

    /// Why the body is no such form.
    struct Problem: Error, Equatable {
        let message: String
    }

    private enum State { case between, headers, content, end }

    /// The boundary, with the line break and the hyphens before it.
    private let delimiter: [UInt8]
    /// What has arrived and is not done with. The first boundary needs no line break, so one is put before it.
    private var buffer: [UInt8] = [0x0D, 0x0A]
    private var state = State.between

    /// Bytes of a part's headers at most.
    private static let mostHeaders = 8192

    /// - Parameter contentType: the request's, which names the boundary.
    /// - Throws: ``Problem`` where it names none.
    init(contentType: String) throws(Problem) {
        guard let boundary = Self.parameter("boundary", of: contentType[...]), (1...70).contains(boundary.utf8.count)
        else {
            throw Problem(message: "The Content-Type names no boundary of 1 to 70 characters")
        }
        delimiter = Array("\r\n--\(boundary)".utf8)
    }

    /// Takes more of the body.
    /// - Throws: ``Problem``.
    mutating func feed(_ data: Data) throws(Problem) -> [Event] {
        buffer += data
        var events: [Event] = []
        while try step(&events) {}
        return events
    }

    /// - Throws: ``Problem`` where the body has ended before the form did.
    func finish() throws(Problem) {
        guard state == .end else { throw Problem(message: "The form has no end: its last boundary is missing") }
    }

    /// - Returns: whether there may be more in what has arrived.
    private mutating func step(_ events: inout [Event]) throws(Problem) -> Bool {
        switch state {
        case .end:
            buffer = []
            return false
        case .headers: return try readHeaders(&events)
        case .between, .content: return try readContent(&events)
        }
    }

    private mutating func readContent(_ events: inout [Event]) throws(Problem) -> Bool {
        guard let start = Self.find(delimiter, in: buffer) else {
            // The last bytes may be the beginning of a boundary.
            emit(max(0, buffer.count - delimiter.count + 1), &events)
            return false
        }
        emit(start, &events)
        guard let end = Self.find([0x0A], in: buffer, from: delimiter.count) else {
            if buffer.dropFirst(delimiter.count).starts(with: [0x2D, 0x2D]) {
                state = .end
                return true
            }
            guard buffer.count < delimiter.count + 256 else { throw Self.malformed }
            return false
        }
        let rest = buffer[delimiter.count..<end]
        if rest.starts(with: [0x2D, 0x2D]) {
            state = .end
            return true
        }
        // Blanks may follow a boundary, and nothing else.
        guard rest.last == 0x0D, rest.dropLast().allSatisfy({ $0 == 0x20 || $0 == 0x09 }) else { throw Self.malformed }
        buffer.removeFirst(end + 1)
        state = .headers
        return true
    }

    private mutating func emit(_ count: Int, _ events: inout [Event]) {
        guard count > 0 else { return }
        if state == .content { events.append(.bytes(Data(buffer[..<count]))) }
        buffer.removeFirst(count)
    }

    private mutating func readHeaders(_ events: inout [Event]) throws(Problem) -> Bool {
        guard let end = Self.find(Array("\r\n\r\n".utf8), in: buffer) else {
            guard buffer.count <= Self.mostHeaders else { throw Self.malformed }
            return false
        }
        guard let headers = String(validating: buffer[..<end], as: UTF8.self) else { throw Self.malformed }
        let disposition = headers.split(separator: "\r\n").first {
            $0.prefix { $0 != ":" }.lowercased() == "content-disposition"
        }
        guard let disposition, let name = Self.parameter("name", of: disposition.drop { $0 != ":" }) else {
            throw Problem(message: "A part of the form has no name in its Content-Disposition")
        }
        buffer.removeFirst(end + 4)
        state = .content
        events.append(.part(name: name))
        return true
    }

    private static let malformed = Problem(message: "The body is not multipart/form-data")

    private static func find(_ wanted: [UInt8], in bytes: [UInt8], from start: Int = 0) -> Int? {
        guard bytes.count >= wanted.count + start, let first = wanted.first else { return nil }
        var index = start
        while let found = bytes[index...].firstIndex(of: first), found + wanted.count <= bytes.count {
            if bytes[found..<found + wanted.count].elementsEqual(wanted) { return found }
            index = found + 1
        }
        return nil
    }

    /// A parameter of a header's value, with or without quotes.
    static func parameter(_ name: String, of header: Substring) -> String? {
        var rest = header.drop { $0 != ";" }
        while rest.first == ";" {
            rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
            let key = rest.prefix { $0 != "=" && $0 != ";" }
            rest = rest.dropFirst(key.count)
            guard rest.first == "=" else { continue }
            rest = rest.dropFirst()
            let value: String
            if rest.first == "\"" {
                (value, rest) = quoted(rest.dropFirst())
            } else {
                let text = rest.prefix { $0 != ";" }
                (value, rest) = (String(text).trimmed, rest.dropFirst(text.count))
            }
            if key.lowercased().trimmed == name { return value }
            rest = rest.drop { $0 != ";" }
        }
        return nil
    }

    private static func quoted(_ text: Substring) -> (String, Substring) {
        var (value, index) = ("", text.startIndex)
        while index < text.endIndex, text[index] != "\"" {
            if text[index] == "\\", text.index(after: index) < text.endIndex { index = text.index(after: index) }
            value.append(text[index])
            index = text.index(after: index)
        }
        return (value, text[index...].dropFirst())
    }
}
