import Foundation
import Scripting
import TestSupport
import Testing

@Suite("The sandbox")
struct SandboxTests {
    /// How an attempt inside the closed sandbox goes.
    private static func attempt(_ probe: String) async -> String {
        switch await ScriptPool(TestWorkers.settings(size: 1, "--probe", probe)).check() {
        case .success: "ready"
        case .failure(let failure): failure.reason
        }
    }

    @Test(
        "What a script has no business with is denied",
        arguments: [
            "read-file", "write-file", "list-folder", "look-at-file", "other-process", "own-process", "signal-parent",
            "executable-memory", "raise-limit", "change-root", "environment",
        ])
    func denied(_ probe: String) async {
        let outcome = await Self.attempt(probe)
        #expect(outcome.hasPrefix("denied: "), "\(outcome)")
    }

    #if os(Linux)
        @Test(
            "Who makes a socket or a process has broken out, and ends",
            arguments: ["socket", "local-socket", "fork", "exec"])
        func deadly(_ probe: String) async {
            #expect(
                await Self.attempt(probe)
                    == "The worker has not started: it made a system call that its sandbox forbids")
        }

        @Test(
            "A worker has no more than a few threads; root's are not limited",
            .enabled(if: TestWorkers.hasNamespaces && getuid() != 0))
        func threads() async {
            #expect(await Self.attempt("threads") == "denied: Resource temporarily unavailable")
        }

        @Test("All layers hold here", .enabled(if: TestWorkers.hasNamespaces))
        func layers() async throws {
            let report = try await TestWorkers.pool.check().get()
            #expect(
                report.layers.map(\.name) == [
                    "no new privileges", "namespaces", "empty root", "no capabilities", "limits", "system call filter",
                ])
            #expect(report.layers.allSatisfy { $0.problem == nil })
        }
    #endif

    @Test("An attempt that nobody knows is not taken for a denied one")
    func unknown() async { #expect(await Self.attempt("juggling") == "unknown") }

    @Test("Without the engine scripts fail closed, and the reason names the mend")
    func withoutEngine() async {
        let pool = ScriptPool(TestWorkers.settings(size: 1, "--library", "libnothing.so.0"))
        guard case .unavailable(let reason) = await Scripts.body("return;", pool: pool).end else {
            return #expect(Bool(false))
        }
        #expect(reason.contains("libnothing.so.0") && reason.contains("JavaScriptCore"))
        #if os(Linux)
            #expect(reason.contains("apt-get install libjavascriptcoregtk-4.1-0"))
        #endif
    }

    @Test("A library that is another one is refused")
    func otherLibrary() async {
        let pool = ScriptPool(TestWorkers.settings(size: 1, "--library", "libz.so.1"))
        guard case .unavailable(let reason) = await Scripts.body("return;", pool: pool).end else {
            return #expect(Bool(false))
        }
        #expect(reason.contains("JSContextGroupCreate"))
    }
}
