import AuthorizationServer
import Foundation
import OAuth

/// The server's secret in the data folder, made at the first start and never changed.
struct SecretFile {
    let file: URL

    private static let leastLength = 32

    /// The secret; of several first starts at once the first one's.
    /// - Throws: ``Workspace/Problem`` that says what to mend.
    func read() throws -> String {
        if let kept = try kept() { return kept }
        let made = Base64URL.encode(RandomBytes.make(48))
        // Written whole and safe on the disk under another name first: half a secret would be worse than none.
        let draft = file.deletingLastPathComponent().appending(path: "secret.\(UUID().uuidString)")
        defer { unlink(Self.path(draft)) }
        try write(made, to: draft)
        if link(Self.path(draft), Self.path(file)) == 0 { return made }
        guard errno == EEXIST, let others = try kept() else { throw problem("it cannot be made: \(Self.systemError)") }
        return others
    }

    private func kept() throws -> String? {
        guard FileManager.default.fileExists(atPath: Self.path(file)) else { return nil }
        guard let text = try? String(contentsOf: file, encoding: .utf8) else {
            throw problem("it cannot be read; check its owner and mode")
        }
        let secret = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard secret.utf8.count >= Self.leastLength else {
            throw problem(
                "it is shorter than \(Self.leastLength) characters. Put the secret back from a backup; if nothing was ever "
                    + "started with it, delete the file")
        }
        return secret
    }

    private func write(_ secret: String, to draft: URL) throws {
        let descriptor = open(Self.path(draft), O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else {
            throw problem("it cannot be made: \(Self.systemError). Check the folder's owner, mode and free space")
        }
        do {
            let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            try handle.write(contentsOf: Data(secret.utf8))
            try handle.synchronize()
        } catch {
            throw problem("it cannot be written; check the free space of its disk (df)")
        }
    }

    private func problem(_ what: String) -> Workspace.Problem {
        Workspace.Problem(description: "The server's secret is the file \(Self.path(file)), and \(what).")
    }

    private static func path(_ file: URL) -> String { file.path(percentEncoded: false) }
    private static var systemError: String { String(cString: strerror(errno)) }
}
