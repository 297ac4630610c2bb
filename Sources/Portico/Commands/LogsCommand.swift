import ArgumentParser
import Foundation
import OAuth
import Storage

/// `portico logs`.
struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Show what has happened: logins, failures, tokens, changes.",
        discussion: """
            A line for each log event, the newest last: when, which type (Auth0's code), who, at which application, from where. \
            docs/log-events.md lists the types. --query takes Auth0's syntax: type:fp AND user_name:"ada@example.com".

            EXAMPLES
              portico logs --limit 20
              portico logs --follow --type fp,fu,limit_wc
              portico logs --user ada@example.com --json
            """)

    @Flag(name: .shortAndLong, help: "Go on with what happens next, until interrupted.")
    var follow = false
    @Option(help: "Only these types, with commas between, such as s,fp,ferrt.")
    var type: String?
    @Option(help: "Only this user: an id, or an e-mail address or user name.")
    var user: String?
    @Option(help: "Only what a search in Auth0's query syntax finds.")
    var query: String?
    @Option(help: "How many events of the past to show at most, up to 1000.")
    var limit = 50
    @Flag(help: "Show each event as a line of JSON, as the Management API does.")
    var json = false
    @OptionGroup var options: DataOptions

    func run() async throws {
        var asked = LogEventQuery()
        asked.limit = min(max(0, limit), LogEventQuery.window)
        asked.search = try search()
        let workspace = try await options.workspace()
        let store = workspace.stores.logEvents
        // Where following goes on from, read before anything is shown: what happens meanwhile must not fall between.
        var last = try await store.newestID()
        for event in try await list(asked, in: store).reversed() where event.id <= last ?? "" { show(event) }
        guard follow else { return }
        asked.isNewestFirst = false
        asked.limit = 100
        let chosen = asked.search
        while true {
            let newest = try await store.newestID()
            if let newest, newest > last ?? "" {
                asked.search = .all(
                    [
                        chosen,
                        .term(
                            field: "log_id",
                            .range(
                                from: last.map { .init(text: $0, isIncluded: false) },
                                to: .init(text: newest, isIncluded: true))),
                    ].compactMap(\.self))
                let events = try await list(asked, in: store)
                events.forEach(show)
                // A full page may not be all that there is.
                last = events.count == asked.limit ? events.last?.id : newest
            } else {
                try await Task.sleep(for: .milliseconds(300))
            }
        }
    }

    private func list(_ query: LogEventQuery, in store: LogEventStore) async throws -> [LogEvent] {
        do {
            return try await store.list(query)
        } catch let problem as SearchQuery.Problem {
            throw CommandFailure("--query \(problem.description)")
        }
    }

    private func search() throws -> SearchQuery? {
        var parts: [SearchQuery] = []
        if let type {
            parts.append(.any(type.split(separator: ",").map { .term(field: "type", .text(String($0).trimmed)) }))
        }
        if let user {
            parts.append(.any(["user_id", "user_name"].map { .term(field: $0, .text(user)) }))
        }
        if let query {
            do {
                parts.append(try SearchQuery(query))
            } catch {
                throw CommandFailure("--query \(error.description)")
            }
        }
        return parts.isEmpty ? nil : .all(parts)
    }

    private func show(_ event: LogEvent) {
        let line: String
        if json {
            line = (try? JSON.text(event.document)) ?? ""
        } else {
            let type = event.type.padding(toLength: max(7, event.type.count), withPad: " ", startingAt: 0)
            line = [
                LogEvent.text(of: event.date), type, event.userName ?? event.userID ?? "-",
                event.clientName ?? event.clientID ?? "-", event.ip ?? "-", event.description ?? "",
            ].joined(separator: "  ")
        }
        // Seen at once also where the output is a pipe.
        try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
    }
}
