import Scripting
import TestSupport

/// Pools with settings of their own.
enum TestPools {
    /// One script at a time: what one leaves behind the next would find.
    static let single = ScriptPool(TestWorkers.settings(size: 1))

    /// More time than the standard: the machine may be busy.
    static let ample = ScriptLimits(cpu: .seconds(20), wall: .seconds(20))
    static let patient = ScriptPool(settings(ample))

    /// Less of it.
    static let brief = ScriptPool(settings(Scripts.brief))

    static func settings(_ limits: ScriptLimits, size: Int = 2) -> ScriptPool.Settings {
        var settings = TestWorkers.settings(size: size)
        settings.limits = limits
        return settings
    }
}
