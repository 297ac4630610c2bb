/// What the server says to a worker. Each names its run, so that an answer that comes too late belongs to none.
package enum ServerMessage: Sendable {
    case run(UInt64, ScriptRun)
    case answer(UInt64, call: UInt64, ScriptAnswer)

    private enum Kind: UInt8 {
        case run = 0x58
        case answer = 0x41
    }

    package var frame: Frame {
        switch self {
        case .run(let number, let run):
            var frame = Frame(kind: Kind.run.rawValue)
            frame.put(number)
            for text in [run.kind.rawValue, run.name, run.source, run.entry, run.input] { frame.put(text) }
            frame.put(UInt8(run.modules == nil ? 0 : 1))
            if let modules = run.modules {
                frame.put(UInt64(modules.count))
                for (name, version) in modules {
                    frame.put(name)
                    frame.put(version)
                }
            }
            frame.put(run.limits.cpu)
            frame.put(run.limits.wall)
            for bytes in [run.limits.memory, run.limits.output, run.limits.log] { frame.put(UInt64(max(0, bytes))) }
            return frame
        case .answer(let number, let call, let answer):
            var frame = Frame(kind: Kind.answer.rawValue)
            frame.put(number)
            frame.put(call)
            switch answer {
            case .value(let text):
                frame.put(UInt8(1))
                frame.put(text)
            case .failure(let message):
                frame.put(UInt8(0))
                frame.put(message)
            }
            return frame
        }
    }

    package init(_ frame: Frame) throws(MalformedFrame) {
        var fields = FrameFields(frame)
        switch Kind(rawValue: frame.kind) {
        case .run: self = .run(try fields.number(), try Self.run(&fields))
        case .answer:
            let (number, call) = (try fields.number(), try fields.number())
            let isValue = try fields.byte() == 1
            let text = try fields.text()
            self = .answer(number, call: call, isValue ? .value(text) : .failure(text))
        case nil: throw MalformedFrame()
        }
    }

    private static func run(_ fields: inout FrameFields) throws(MalformedFrame) -> ScriptRun {
        guard let kind = ScriptRun.Kind(rawValue: try fields.text()) else { throw MalformedFrame() }
        let (name, source) = (try fields.text(), try fields.text())
        let (entry, input) = (try fields.text(), try fields.text())
        var modules: [String: String]?
        if try fields.byte() == 1 {
            var listed: [String: String] = [:]
            for _ in 0..<(try fields.number()) { listed[try fields.text()] = try fields.text() }
            modules = listed
        }
        let (cpu, wall) = (try fields.duration(), try fields.duration())
        let limits = ScriptLimits(
            cpu: cpu, wall: wall, memory: Int(clamping: try fields.number()),
            output: Int(clamping: try fields.number()),
            log: Int(clamping: try fields.number()))
        return ScriptRun(
            kind: kind, name: name, source: source, entry: entry, input: input, modules: modules, limits: limits)
    }
}
