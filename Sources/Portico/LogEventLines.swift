import Foundation
import OAuth
import Storage
import Web

/// Log events as lines of JSON, each in the form of Auth0's `/api/v2/logs`, in a file or on the standard output.
struct LogEventLines: LogEventSink {
    private let handle: FileHandle

    /// - Parameter place: `stdout`, or the path of a file, which is appended to.
    /// - Throws: ``CommandFailure`` where the file cannot be opened.
    init(place: String) throws {
        guard place != "stdout" else {
            handle = .standardOutput
            return
        }
        let file = URL(filePath: place)
        // Readable for its owner alone, as the database is.
        let descriptor = open(file.path(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw CommandFailure(
                "\(Setting.logEvents.rawValue): the file \(place) cannot be opened: \(String(cString: strerror(errno))). "
                    + "Give another path, or stdout.")
        }
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    func write(_ events: [LogEvent]) {
        var lines = Data()
        for event in events {
            guard let line = try? JSON.bytes(event.document) else { continue }
            lines += line + Data("\n".utf8)
        }
        // The database has them as well: a full disk or a closed pipe must not end the server.
        try? handle.write(contentsOf: lines)
    }
}
