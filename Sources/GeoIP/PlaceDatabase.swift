import CMaxMindDB
import Foundation

/// A database of addresses in MaxMind's format, as it was when it was opened.
///
/// `@unchecked Sendable`: the library's handle is made in `init`, only read afterwards, which any number of threads may do at once,
/// and closed in `deinit`.
final class PlaceDatabase: @unchecked Sendable {
    private let handle: UnsafeMutablePointer<MMDB_s>

    /// Why a file is no database that can be read.
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    /// Opens a copy of the file: one that is written over in its place, and becomes shorter, would end the process that has it
    /// mapped.
    /// - Throws: ``Problem``.
    init(_ file: String) throws(Problem) {
        let copy = FileManager.default.temporaryDirectory.appending(path: "portico-places-\(UUID().uuidString)")
        do {
            try FileManager.default.copyItem(at: URL(filePath: file).resolvingSymlinksInPath(), to: copy)
        } catch {
            throw Problem(description: "\(file) cannot be read: \(error.localizedDescription)")
        }
        // What is open stays there without a name.
        defer { try? FileManager.default.removeItem(at: copy) }
        let handle = UnsafeMutablePointer<MMDB_s>.allocate(capacity: 1)
        let status = MMDB_open(copy.path(percentEncoded: false), UInt32(MMDB_MODE_MMAP), handle)
        guard status == MMDB_SUCCESS else {
            handle.deallocate()
            let reason = MMDB_strerror(status).map { String(cString: $0) } ?? "\(status)"
            throw Problem(description: "\(file) is no database in MaxMind's format: \(reason)")
        }
        self.handle = handle
    }

    deinit {
        MMDB_close(handle)
        handle.deallocate()
    }

    /// What the database says of an address.
    struct Entry {
        fileprivate var entry: MMDB_entry_s

        /// The text at a path; nil where there is none.
        mutating func text(_ path: String...) -> String? {
            Self.withPath(path) { path in
                var (bytes, size): (UnsafePointer<CChar>?, UInt32) = (nil, 0)
                guard maxmind_text(&entry, path, &bytes, &size), let bytes, size > 0 else { return nil }
                return String(
                    decoding: UnsafeRawBufferPointer(start: bytes, count: Int(size)), as: UTF8.self)
            }
        }

        /// The number at a path; nil where there is none, or one that JSON has no text for.
        mutating func number(_ path: String...) -> Double? {
            Self.withPath(path) { path in
                var number = 0.0
                return maxmind_number(&entry, path, &number) && number.isFinite ? number : nil
            }
        }

        /// Names as C has them, and nothing behind the last.
        private static func withPath<T>(_ path: [String], _ body: ([UnsafePointer<CChar>?]) -> T) -> T {
            let names = path.map { strdup($0) }
            defer { for name in names { free(name) } }
            return body(names.map { UnsafePointer($0) } + [nil])
        }
    }

    /// Reads what the database says of an address, if it says anything.
    func read(_ address: String, _ body: (inout Entry) -> Void) {
        // What is read lies in the mapped file, which goes with this.
        withExtendedLifetime(self) {
            var found = MMDB_entry_s()
            guard maxmind_find(handle, address, &found) else { return }
            var entry = Entry(entry: found)
            body(&entry)
        }
    }
}
