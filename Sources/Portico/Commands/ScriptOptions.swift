import ArgumentParser

/// The flags of `portico serve` for rules and actions.
struct ScriptOptions: ParsableArguments {
    @Option(help: ArgumentHelp(stringLiteral: Setting.scriptWorkers.help))
    var scriptWorkers: String?

    @Option(name: .customLong("script-cpu"), help: ArgumentHelp(stringLiteral: Setting.scriptCPU.help))
    var scriptCPU: String?

    @Option(help: ArgumentHelp(stringLiteral: Setting.scriptTime.help))
    var scriptTime: String?

    @Option(help: ArgumentHelp(stringLiteral: Setting.scriptMemory.help))
    var scriptMemory: String?

    @Option(help: ArgumentHelp(stringLiteral: Setting.scriptNamespaces.help))
    var scriptNamespaces: String?

    @Option(help: ArgumentHelp(stringLiteral: Setting.scriptLibrary.help))
    var scriptLibrary: String?

    var flags: [Setting: String] {
        var flags: [Setting: String] = [:]
        flags[.scriptWorkers] = scriptWorkers
        flags[.scriptCPU] = scriptCPU
        flags[.scriptTime] = scriptTime
        flags[.scriptMemory] = scriptMemory
        flags[.scriptNamespaces] = scriptNamespaces
        flags[.scriptLibrary] = scriptLibrary
        return flags
    }
}
