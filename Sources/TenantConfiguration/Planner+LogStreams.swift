import AuthorizationServer
import Foundation
import OAuth
import Storage

extension Planner {
    mutating func planLogStreams() {
        guard let entries = file.entries[.logStreams] else { return }
        var seen: Set<String> = []
        for entry in entries {
            let name = entry.members["name"]?.string ?? ""
            if let type = entry.members["type"]?.string, type != "http" {
                notApplied.append(
                    "\(entry.path): '\(name.forDisplay)' is not applied; this server has no streams of the type "
                        + "'\(type.forDisplay)': send events to a webhook (type http), or as lines of JSON to where "
                        + "PORTICO_LOG_EVENTS says")
                continue
            }
            guard isFirst(name, &seen, entry) else { continue }
            planLogStream(entry, current.logStreams.first { $0.stream.name == name })
        }
        guard allowDelete else { return }
        for state in current.logStreams
        where !seen.contains(state.stream.name) && !file.excluded.covers(.logStreams, state.stream.name) {
            let id = state.stream.id
            planDelete(.logStreams, state.stream.name) { transaction, _ in
                try LogStreamStore.delete(id, in: transaction)
            }
        }
    }

    private mutating func planLogStream(_ entry: TenantFile.Entry, _ existing: LogStreamState?) {
        let id = existing?.stream.id ?? LogStreamWrite.newID()
        let parsed = parse(LogStreamWrite.merged(entry.members, onto: existing?.stream), path: entry.path) {
            document throws(Document.Problem) in try LogStream(document: document, standardID: id)
        }
        guard let stream = parsed else { return }
        let write: LogStreamWrite
        do {
            write = try LogStreamWrite(stream, replacing: existing, box: box)
        } catch {
            problems.append(file.problem(entry.path, "\(error)"))
            return
        }
        plan(
            .logStreams, stream.name, before: existing?.stream.document, after: stream.document,
            alsoChanged: write.changesSecrets
                ? [
                    FieldDifference(
                        field: "sink (secrets)", before: nil, after: write.hadSecrets ? "(changed)" : "(set)")
                ] : []
        ) { transaction, now in
            try write.save(at: now, in: transaction)
        }
    }
}
