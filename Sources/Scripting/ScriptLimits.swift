/// What one run may use. A script that passes a limit is ended, with its process where nothing less helps.
package struct ScriptLimits: Sendable, Equatable {
    /// Processor time.
    package var cpu: Duration
    /// Time on the clock, with the answers that it waits for.
    package var wall: Duration
    /// Bytes by which the worker may grow.
    package var memory: Int
    /// Bytes of its effects, and of what it returns, together.
    package var output: Int
    /// Bytes of its log; what exceeds them is left out.
    package var log: Int

    package init(
        cpu: Duration = .seconds(1), wall: Duration = .seconds(10), memory: Int = 128 << 20, output: Int = 1 << 20,
        log: Int = 64 << 10
    ) {
        (self.cpu, self.wall, self.memory, self.output, self.log) = (cpu, wall, memory, output, log)
    }

    /// What a script gets unless settings say otherwise.
    package static let standard = ScriptLimits()
    /// Time on the clock at most, whatever settings say: Auth0 gives a trigger's scripts 20 seconds.
    package static let longest = Duration.seconds(20)
}
