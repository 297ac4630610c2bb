import Foundation

/// Certificates in a file of their own for as long as libldap reads them, which takes them from nowhere else.
final class AuthoritiesFile {
    let path: String

    /// The system's certificates, where it keeps them in one file.
    static let system: String? = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
    ].first { FileManager.default.fileExists(atPath: $0) }

    /// - Throws: ``DirectoryFailure`` where no file can be made.
    init(_ certificates: String) throws(DirectoryFailure) {
        var template = Array((NSTemporaryDirectory() + "portico-ca-XXXXXX").utf8CString)
        let file = mkstemp(&template)
        path = template.withUnsafeBufferPointer { buffer in
            String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        guard file >= 0 else {
            throw DirectoryFailure(
                .unreachable, "no file can be made in \(NSTemporaryDirectory())", mend: "Let the server write there.")
        }
        let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
        do {
            try handle.write(contentsOf: Data(certificates.utf8))
            try handle.close()
        } catch {
            throw DirectoryFailure(
                .unreachable, "the certificate authorities cannot be written to \(path): \(error)",
                mend: "Make room in the folder of temporary files.")
        }
    }

    deinit { unlink(path) }
}
