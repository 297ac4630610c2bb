/// What keeps a worker's scripts inside.
package struct SandboxReport: Sendable, Equatable {
    /// One thing that keeps a script inside, whatever becomes of the others.
    package struct Layer: Sendable, Equatable {
        /// Such as `system call filter`.
        package let name: String
        /// Why it does not hold here; nil where it does.
        package let problem: String?

        package init(name: String, problem: String?) { (self.name, self.problem) = (name, problem) }
    }

    /// The library that runs the scripts.
    package let engine: String
    /// Bytes that the worker has resident before its first run.
    package let memory: Int
    package let layers: [Layer]

    package init(engine: String, memory: Int, layers: [Layer]) {
        (self.engine, self.memory, self.layers) = (engine, memory, layers)
    }
}
