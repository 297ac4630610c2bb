extension ScriptPool {
    /// How workers are started, and what they get.
    package struct Settings: Sendable {
        /// The program and its arguments.
        package var command: [String]
        /// The workers' environment, which has nothing of the server's.
        package var environment: [String: String]
        /// Scripts that run at once. One worker more stands by for one that is ended.
        package var size: Int
        /// What a script may use at most.
        package var limits: ScriptLimits
        /// Where `require` finds packages beside Portico's own modules.
        package var modules = ModuleFolder([])
        /// Runs after which a process is replaced.
        package var runsOfWorker = 100
        /// How long a start may take.
        package var startTime = Duration.seconds(20)
        /// How long workers are kept that nobody needs.
        package var idleTime = Duration.seconds(300)
        /// Runs that wait for their turn at most. One more is refused at once, or the last of the share that has most of them.
        package var mostWaiting = 256
        /// How long a run waits for its turn.
        package var patience: Duration
        /// How long nobody tries to start one after that has failed; twice as long after each time in turn.
        package var pause = Duration.seconds(2)

        package init(command: [String], size: Int = 2, limits: ScriptLimits = .standard) {
            (self.command, self.size, self.limits, patience) = (command, size, limits, limits.wall)
            environment = [
                "TZ": "UTC", "LC_ALL": "C.UTF-8",
                // The engine would reserve some 70 GB of addresses, of which a worker has few.
                "GIGACAGE_ENABLED": "0",
                // The sandbox has no place for a debugger.
                "SWIFT_BACKTRACE": "enable=no",
                // Where the library takes no options, it takes these.
                "JSC_useJIT": "0", "JSC_useWasm": "0",
            ]
        }

        /// Scripts of one share that run at once: somebody else always finds a place, where there are two.
        var placesOfShare: Int { (size + 1) / 2 }
        /// Runs of one share that wait at most.
        var mostWaitingOfShare: Int { (mostWaiting + 3) / 4 }
    }
}
