import ArgumentParser

/// What every command that works on the data folder takes.
struct DataOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp(stringLiteral: Setting.data.help))
    var data: String?

    @Option(name: .long, help: "A configuration file in YAML with the settings of 'portico serve --help'.")
    var config: String?

    /// The settings that the flags give.
    var flags: [Setting: String] { data.map { [.data: $0] } ?? [:] }

    /// Opens the data folder.
    func workspace() async throws -> Workspace {
        try await Workspace(configuration: ServerConfiguration.read(flags: flags, file: config))
    }
}
