import Foundation
import Testing

@testable import ManagementAPI

@Suite("RFC 7578: multipart/form-data")
struct MultipartReaderTests {
    private static let body = """
        preamble\r
        --b \r
        Content-Disposition: form-data; name="users"; filename="a;\\"b\\".json"\r
        Content-Type: application/json\r
        \r
        [1]\r
        --c\r
        \r
        --b\r
        content-disposition: form-data; name=empty\r
        \r
        \r
        --b\r
        Content-Disposition: form-data; filename="x"; name="last"\r
        \r
        --b--\r
        --b--\r
        epilogue
        """

    /// The parts, each with its content, of a body that comes in pieces of `size` bytes.
    private static func parts(
        _ body: [UInt8], size: Int, contentType: String = "multipart/form-data; charset=utf-8; boundary=b"
    ) throws -> [[String]] {
        var reader = try MultipartReader(contentType: contentType)
        var parts: [[String]] = []
        for start in stride(from: 0, to: body.count, by: size) {
            for event in try reader.feed(Data(body[start..<min(body.count, start + size)])) {
                switch event {
                case .part(let name): parts.append([name, ""])
                case .bytes(let bytes): parts[parts.count - 1][1] += String(decoding: bytes, as: UTF8.self)
                }
            }
        }
        try reader.finish()
        return parts
    }

    @Test("The parts come out alike, however the body is cut", arguments: [1, 2, 3, 7, 64, 10_000])
    func anyPieces(size: Int) throws {
        let parts = try Self.parts(Array(Self.body.utf8), size: size)
        #expect(parts == [["users", "[1]\r\n--c\r\n"], ["empty", ""], ["last", "--b--"]])
    }

    @Test(
        "What is no form, or has no end, is refused",
        arguments: [
            "", "--b", "--b\r\n", "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1",
            "--b\r\nContent-Type: text/plain\r\n\r\n1\r\n--b--", "--bx\r\n\r\n\r\n--b--", "no boundary",
        ])
    func refused(body: String) {
        #expect(throws: MultipartReader.Problem.self) { try Self.parts(Array(body.utf8), size: 5) }
    }

    @Test("A type without a boundary is refused", arguments: ["multipart/form-data", "multipart/form-data; boundary="])
    func noBoundary(type: String) {
        #expect(throws: MultipartReader.Problem.self) { try Self.parts([], size: 1, contentType: type) }
    }

    @Test("Headers that do not end are refused before they fill the memory")
    func longHeaders() {
        let body = "--b\r\nX: " + String(repeating: "x", count: 20_000)
        #expect(throws: MultipartReader.Problem.self) { try Self.parts(Array(body.utf8), size: 1000) }
    }
}
