import CJavaScriptCore
import CSandbox
import Foundation
import Scripting

/// The process that runs scripts: one thread of JavaScript, one script at a time, nothing of the server's within reach.
package struct ScriptWorker {
    /// What a worker is told on its command line.
    package struct Options: Sendable {
        /// The library that runs scripts; nil for the system's.
        package var library: String?
        /// Bytes that a script may take at most.
        package var memory: Int
        /// Whether it may run where there are no namespaces.
        package var needsNamespaces: Bool
        /// What to try, inside the closed sandbox, in place of scripts.
        package var probe: String?

        package init(library: String? = nil, memory: Int, needsNamespaces: Bool = true, probe: String? = nil) {
            (self.library, self.memory) = (library, memory)
            (self.needsNamespaces, self.probe) = (needsNamespaces, probe)
        }
    }

    /// Runs after which the garbage is collected while nobody waits, and those after which a heap that has grown all the
    /// same is replaced.
    private static let (runsOfGarbage, runsOfGrownHeap) = (12, 24)
    /// Bytes by which a heap may have grown, and a whole worker.
    private static let (growth, mostGrowth): (UInt64, UInt64) = (32 << 20, 48 << 20)
    /// Address space beside what a script may fill: the collector's, and the stacks of its threads.
    private static let slack = 64 << 20

    private let options: Options
    private let channel = ServerChannel()

    package init(_ options: Options) { self.options = options }

    /// Whether a server has started this process.
    package static var hasServer: Bool { ServerChannel.isThere }

    /// Closes the sandbox and runs what comes in, until the server is gone. The process may have no second thread yet.
    package func serve() -> Never {
        do {
            var engineRoom = try close()
            if let probe = options.probe { tell(probe) }
            while true {
                guard case .run(let number, let run) = channel.receive(until: nil) else { continue }
                perform(number, run, &engineRoom)
            }
        } catch {
            channel.send(.unavailable("\(error)"))
            _exit(1)
        }
    }

    /// What is kept from run to run.
    private struct EngineRoom {
        let engine: Engine
        let sources = TenantSource()
        var machine: VirtualMachine
        var realm: Realm
        /// Bytes resident before the first run.
        let memory: UInt64
        var kind: ScriptRun.Kind?
        /// Of this heap.
        var runs = 0

        /// Whether a new heap is due.
        var isDue: Bool { runs >= runsOfGrownHeap && sandbox_resident() > memory + growth }

        /// Collects what earlier runs have left. The engine would do it amid a run, which somebody waits for.
        func collect() {
            if runs % runsOfGarbage == 0 { engine.js.SynchronousGarbageCollectForDebugging?(realm.context) }
        }
    }

    private func perform(_ number: UInt64, _ run: ScriptRun, _ room: inout EngineRoom) {
        channel.send(.begun(number))
        let limits = run.limits
        sandbox_watchdog_arm(
            number, limits.cpu.wholeMicroseconds, limits.wall.wholeMicroseconds,
            UInt64(max(0, min(limits.memory, options.memory))))
        let end = perform(number, run, in: room.realm, room.sources)
        // What the engine still calls of this realm, such as a finalizer, belongs to no run any more.
        room.realm.execution = nil
        channel.send(.ended(number, end, ScriptUsage(sandbox_watchdog_disarm())))
        // The server has its answer. What the next run finds is made now, so that nobody waits for it.
        room.kind = run.kind
        room.runs += 1
        do {
            if room.isDue {
                room.runs = 0
                room.machine = try Self.warmMachine(room.engine)
            }
            // What a script has blown up and does not shrink again would be missing for those that follow.
            if sandbox_resident() > room.memory + Self.mostGrowth { _exit(0) }
            room.realm = try Realm(in: room.machine, for: room.kind)
            room.collect()
        } catch {
            // A new process has more luck.
            _exit(1)
        }
        channel.send(.rested)
    }

    private func perform(
        _ number: UInt64, _ run: ScriptRun, in realm: Realm, _ sources: TenantSource
    ) -> ScriptResult.End {
        do {
            try realm.use(run.kind)
        } catch {
            return .threw(ScriptFailure(name: "Error", message: "\(error)"))
        }
        return Execution(number: number, run: run, channel: channel).perform(in: realm, sources)
    }

    /// Tries one thing and says how it went, as the text of an ``WorkerMessage/unavailable(_:)``.
    private func tell(_ probe: String) -> Never {
        let outcome = sandbox_probe(probe)
        let text =
            switch outcome {
            case -1: "unknown"
            case 0: "allowed"
            default: "denied: " + String(cString: strerror(outcome))
            }
        channel.send(.unavailable(text))
        _exit(0)
    }
}

// MARK: The sandbox

extension ScriptWorker {
    /// A layer that a script must not run without does not hold here.
    private struct Open: Error, CustomStringConvertible {
        let description: String
    }

    /// Puts on the sandbox, layer by layer, with what the engine has to do before each.
    private func close() throws -> EngineRoom {
        var layers: [SandboxReport.Layer] = []
        func note(_ name: String, _ problem: Int32) -> String? {
            let text = problem == 0 ? nil : String(cString: strerror(problem))
            layers.append(SandboxReport.Layer(name: name, problem: text))
            return text
        }
        if let problem = note("no new privileges", sandbox_basics(ServerChannel.descriptor)) {
            throw Open(description: "The kernel does not let a worker give up its privileges (\(problem))")
        }
        let namespaces = note("namespaces", sandbox_namespaces())
        #if os(Linux)
            if let namespaces, options.needsNamespaces { throw Open(description: Self.mend(namespaces)) }
        #endif
        // A second thread, and files that the engine opens, come after this and before what follows.
        let engine = try Engine(library: options.library, memory: options.memory)
        try Self.rehearse(engine)
        let machine = try Self.warmMachine(engine)
        let realm = try Realm(in: machine, for: nil)
        let memory = sandbox_resident()
        if namespaces == nil, let problem = note("empty root", sandbox_empty_root()), options.needsNamespaces {
            throw Open(description: "The worker's files cannot be taken away (\(problem)). " + Self.mendRoot)
        }
        #if os(Linux)
            if let problem = note("no capabilities", sandbox_no_capabilities()) {
                throw Open(description: "The kernel does not let a worker give up its capabilities (\(problem))")
            }
        #endif
        if sandbox_watchdog_start(ServerChannel.descriptor) != 0 {
            throw Open(description: "The watchdog's thread cannot be started")
        }
        if let problem = note("limits", sandbox_limits(UInt64(options.memory + Self.slack))) {
            throw Open(description: "The kernel does not take limits for a worker (\(problem))")
        }
        if let problem = note("system call filter", sandbox_filter()) {
            throw Open(description: "The kernel does not take the filter of system calls (\(problem))")
        }
        if options.probe == nil {
            channel.send(.ready(SandboxReport(engine: engine.name, memory: Int(clamping: memory), layers: layers)))
        }
        return EngineRoom(engine: engine, machine: machine, realm: realm, memory: memory)
    }

    private static let mendRoot =
        "Allow a mount of tmpfs in a user namespace (look at AppArmor's and SELinux's log), or set "
        + "PORTICO_SCRIPT_NAMESPACES=false to run scripts behind the other layers alone"

    private static func mend(_ problem: String) -> String {
        "Namespaces for the worker's sandbox cannot be made (\(problem)). Allow them (sysctl "
            + "kernel.unprivileged_userns_clone=1 or user.max_user_namespaces=1000; for a container, a seccomp profile "
            + "that has unshare), or set PORTICO_SCRIPT_NAMESPACES=false to run scripts behind the other layers alone"
    }

    /// Has the engine do once what it does lazily, while files can still be opened.
    private static func rehearse(_ engine: Engine) throws {
        let machine = VirtualMachine(engine)
        let realm = try Realm(in: machine, for: .action)
        let modules = PreludeScripts.modules.map { "'\($0)'" }.joined(separator: ",")
        let source = """
            exports.rehearse = async (event, api) => {
                new Date(0).toLocaleString('en-US', { timeZone: 'Europe/Paris' });
                new Intl.NumberFormat('de').format(1);
                new Intl.Collator('sv').compare('a', 'b');
                new Date().toString();
                /\\p{L}/u.test('x');
                for (const module of [\(modules)]) try { require(module); } catch { }
                crypto.randomUUID();
                require('crypto').createHmac('sha256', 'k').update('x').digest('hex');
                console.log(structuredClone({ a: [1] }), new URL('https://a.example/').href);
                const list = [];
                for (let index = 0; index < 20000; index++) list.push({ index });
                await new Promise(accept => setTimeout(accept, 1));
            };
            """
        let run = ScriptRun(
            kind: .action, name: "rehearsal", source: source, entry: "rehearse", input: #"{"event":{}}"#)
        let end = Execution(number: 0, run: run, channel: nil).perform(in: realm, TenantSource())
        guard case .returned = end else { throw Realm.Defect(description: "The rehearsal ended so: \(end)") }
        engine.js.GarbageCollect(realm.context)
        engine.js.SynchronousGarbageCollectForDebugging?(realm.context)
    }

    /// A heap in which one realm has been made: those that follow find their code compiled.
    private static func warmMachine(_ engine: Engine) throws -> VirtualMachine {
        let machine = VirtualMachine(engine)
        for kind in ScriptRun.Kind.allCases { _ = try Realm(in: machine, for: kind) }
        return machine
    }
}

extension ScriptUsage {
    init(_ usage: sandbox_usage) {
        self.init(
            cpu: .microseconds(usage.cpu), wall: .microseconds(usage.wall), peakMemory: Int(clamping: usage.peak))
    }
}

extension Duration {
    fileprivate var wholeMicroseconds: UInt64 { UInt64(max(0, self / .microseconds(1))) }
}
