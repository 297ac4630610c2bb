import Foundation
import Scripting
import Testing

@Suite("Frames between server and worker")
struct WireTests {
    private static let usage = ScriptUsage(cpu: .microseconds(1), wall: .microseconds(2), peakMemory: 3)

    private static let messages: [WorkerMessage] = [
        .ready(
            SandboxReport(
                engine: "lib", memory: 7, layers: [.init(name: "a", problem: nil), .init(name: "b", problem: "c")])),
        .unavailable("why"), .begun(1), .rested, .effect(2, ScriptEffect(op: "op", value: "ä\0")),
        .log(3, ScriptLog(level: "log", text: "")), .call(4, id: 5, ScriptCall(name: "fetch", arguments: "{}")),
        .ended(6, .returned("null"), usage), .ended(6, .neverSettled, usage), .ended(6, .exceeded(.output), usage),
        .ended(
            6, .threw(ScriptFailure(name: "E", message: "m", code: "c", stack: "s", line: 4)), usage),
        .exceeded(8, .memory, usage),
    ]

    @Test("What goes in comes out, however it is cut on its way", arguments: [1, 2, 3, 7, 1000])
    func roundTrip(piece: Int) throws {
        let bytes = Self.messages.flatMap(\.frame.bytes)
        var buffer = FrameBuffer()
        var read: [WorkerMessage] = []
        for start in stride(from: 0, to: bytes.count, by: piece) {
            buffer.append(bytes[start..<min(start + piece, bytes.count)])
            while let frame = try buffer.next() { read.append(try WorkerMessage(frame)) }
        }
        #expect(read == Self.messages)
    }

    @Test("A frame that is cut short, or announces too much, is malformed and nothing worse")
    func malformed() throws {
        for frame in Self.messages.map(\.frame) {
            for count in 0..<frame.body.count {
                let short = Frame(kind: frame.kind, body: Array(frame.body.prefix(count)))
                #expect(throws: MalformedFrame.self) { try WorkerMessage(short) }
            }
            for index in frame.body.indices {
                var other = frame
                other.body[index] = 0xff
                _ = try? WorkerMessage(other)
                _ = try? ServerMessage(other)
            }
        }
        var buffer = FrameBuffer()
        buffer.append([0xff, 0xff, 0xff, 0xff, 0x53])
        #expect(throws: MalformedFrame.self) { try buffer.next() }
        var empty = FrameBuffer()
        empty.append([0, 0, 0, 0, 0x53])
        #expect(throws: MalformedFrame.self) { try empty.next() }
    }
}
