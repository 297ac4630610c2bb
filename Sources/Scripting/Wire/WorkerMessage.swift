/// What a worker says to the server. It may be broken into: whoever reads this believes nothing of it.
package enum WorkerMessage: Sendable, Equatable {
    /// The sandbox is closed, and this is what holds.
    case ready(SandboxReport)
    /// It cannot run scripts here: why, and how to mend it.
    case unavailable(String)
    /// A run's script begins. One that no worker began can be given to another.
    case begun(UInt64)
    case effect(UInt64, ScriptEffect)
    case log(UInt64, ScriptLog)
    case call(UInt64, id: UInt64, ScriptCall)
    case ended(UInt64, ScriptResult.End, ScriptUsage)
    /// The realm for the next run is made: who gives it one now does not wait.
    case rested
    /// The worker ends itself, because the run has passed a limit.
    case exceeded(UInt64, ScriptResult.Limit, ScriptUsage)

    private enum Kind: UInt8 {
        case ready = 0x53
        case unavailable = 0x55
        case begun = 0x42
        case effect = 0x45
        case log = 0x4c
        case call = 0x48
        case ended = 0x52
        case rested = 0x4f
        // The watchdog of CSandbox writes this one.
        case exceeded = 0x4b
    }

    private enum EndKind: UInt8 {
        case returned, threw, exceeded, neverSettled
    }

    package var frame: Frame {
        var frame: Frame
        switch self {
        case .ready(let report):
            frame = Frame(kind: Kind.ready.rawValue)
            frame.put(report.engine)
            frame.put(UInt64(report.memory))
            frame.put(UInt64(report.layers.count))
            for layer in report.layers {
                frame.put(layer.name)
                frame.put(layer.problem)
            }
        case .unavailable(let reason):
            frame = Frame(kind: Kind.unavailable.rawValue)
            frame.put(reason)
        case .begun(let number):
            frame = Frame(kind: Kind.begun.rawValue)
            frame.put(number)
        case .effect(let number, let effect):
            frame = Frame(kind: Kind.effect.rawValue)
            frame.put(number)
            frame.put(effect.op)
            frame.put(effect.value)
        case .log(let number, let log):
            frame = Frame(kind: Kind.log.rawValue)
            frame.put(number)
            frame.put(log.level)
            frame.put(log.text)
        case .call(let number, let id, let call):
            frame = Frame(kind: Kind.call.rawValue)
            frame.put(number)
            frame.put(id)
            frame.put(call.name)
            frame.put(call.arguments)
        case .ended(let number, let end, let usage):
            frame = Frame(kind: Kind.ended.rawValue)
            frame.put(number)
            Self.put(end, in: &frame)
            Self.put(usage, in: &frame)
        case .rested: frame = Frame(kind: Kind.rested.rawValue)
        case .exceeded(let number, let limit, let usage):
            frame = Frame(kind: Kind.exceeded.rawValue)
            frame.put(number)
            frame.put(limit.rawValue)
            Self.put(usage, in: &frame)
        }
        return frame
    }

    private static func put(_ usage: ScriptUsage, in frame: inout Frame) {
        frame.put(usage.cpu)
        frame.put(usage.wall)
        frame.put(UInt64(max(0, usage.peakMemory)))
    }

    private static func put(_ end: ScriptResult.End, in frame: inout Frame) {
        switch end {
        case .returned(let text):
            frame.put(EndKind.returned.rawValue)
            frame.put(text)
        case .threw(let failure):
            frame.put(EndKind.threw.rawValue)
            frame.put(failure.name)
            frame.put(failure.message)
            frame.put(failure.code)
            frame.put(failure.stack)
            frame.put(UInt64(failure.line ?? 0))
        case .exceeded(let limit):
            frame.put(EndKind.exceeded.rawValue)
            frame.put(limit.rawValue)
        // A worker does not tell of its own death, nor of others.
        case .neverSettled, .crashed, .unavailable, .busy: frame.put(EndKind.neverSettled.rawValue)
        }
    }

    package init(_ frame: Frame) throws(MalformedFrame) {
        var fields = FrameFields(frame)
        switch Kind(rawValue: frame.kind) {
        case .ready:
            let (engine, memory) = (try fields.text(), Int(clamping: try fields.number()))
            var layers: [SandboxReport.Layer] = []
            for _ in 0..<(try fields.number()) {
                layers.append(SandboxReport.Layer(name: try fields.text(), problem: try fields.optionalText()))
            }
            self = .ready(SandboxReport(engine: engine, memory: memory, layers: layers))
        case .unavailable: self = .unavailable(try fields.text())
        case .begun: self = .begun(try fields.number())
        case .effect:
            self = .effect(try fields.number(), ScriptEffect(op: try fields.text(), value: try fields.text()))
        case .log: self = .log(try fields.number(), ScriptLog(level: try fields.text(), text: try fields.text()))
        case .call:
            self = .call(
                try fields.number(), id: try fields.number(),
                ScriptCall(name: try fields.text(), arguments: try fields.text()))
        case .ended: self = .ended(try fields.number(), try Self.end(&fields), try Self.usage(&fields))
        case .rested: self = .rested
        case .exceeded: self = .exceeded(try fields.number(), try Self.limit(&fields), try Self.usage(&fields))
        case nil: throw MalformedFrame()
        }
    }

    private static func limit(_ fields: inout FrameFields) throws(MalformedFrame) -> ScriptResult.Limit {
        guard let limit = ScriptResult.Limit(rawValue: try fields.text()) else { throw MalformedFrame() }
        return limit
    }

    private static func usage(_ fields: inout FrameFields) throws(MalformedFrame) -> ScriptUsage {
        ScriptUsage(
            cpu: try fields.duration(), wall: try fields.duration(), peakMemory: Int(clamping: try fields.number()))
    }

    private static func end(_ fields: inout FrameFields) throws(MalformedFrame) -> ScriptResult.End {
        switch EndKind(rawValue: try fields.byte()) {
        case .returned: return .returned(try fields.text())
        case .threw:
            let (name, message, code) = (try fields.text(), try fields.text(), try fields.optionalText())
            let (stack, line) = (try fields.text(), Int(clamping: try fields.number()))
            return .threw(
                ScriptFailure(name: name, message: message, code: code, stack: stack, line: line == 0 ? nil : line))
        case .exceeded: return .exceeded(try limit(&fields))
        case .neverSettled: return .neverSettled
        case nil: throw MalformedFrame()
        }
    }
}
