import AuthorizationServer
import Foundation
import OAuth
import Storage

/// The file that an export has written, for whoever has its link. A link holds for a minute, and each look at the job gives
/// another one, as at Auth0.
package struct ExportFile: Sendable {
    /// What a browser calls the file.
    package let name: String
    private let jobID: String
    private let pieces: Int
    private let store: JobStore

    /// Seconds for which a link holds.
    package static let linkLifetime: TimeInterval = 60

    /// The address of a job's file.
    static func link(to job: Job, _ services: Services) -> String {
        let end = Int(services.now().addingTimeInterval(linkLifetime).timeIntervalSince1970)
        let signature = services.secret.exportLink(job.id, expires: end)
        return services.issuer.url("exports/\(job.id)?expires=\(end)&signature=\(signature)")
    }

    /// The file that a link leads to.
    /// - Returns: nil where the link is none of ours, its time is up, or the file is gone.
    package init?(jobID: String, expires: String?, signature: String?, _ services: Services) async throws {
        guard let end = expires.flatMap(Int.init), let signature,
            ConstantTime.equal(signature, services.secret.exportLink(jobID, expires: end)),
            services.now().timeIntervalSince1970 < Double(end),
            let job = try await services.stores.jobs.find(jobID), job.kind == .usersExport, job.status == .completed
        else { return nil }
        name = "\(job.id).\(ExportSettings(job.settings).format.rawValue).gz"
        (self.jobID, pieces, store) = (job.id, job.progress.pieces, services.stores.jobs)
    }

    /// The file is gone while it was sent.
    private struct Gone: Error {}

    /// Hands the file over, piece by piece, in gzip's form.
    package func send(_ take: (Data) async throws -> Void) async throws {
        var file = GzipFile()
        try await take(file.start)
        for number in 1..<(pieces + 1) {
            guard let piece = try await store.piece(number, of: jobID) else { throw Gone() }
            try await take(file.block(piece))
        }
        try await take(file.end)
    }
}

/// A gzip file ([RFC 1952](https://www.rfc-editor.org/rfc/rfc1952)) whose blocks are stored as they are
/// ([RFC 1951](https://www.rfc-editor.org/rfc/rfc1951) §3.2.4): who fetches an export expects gzip, at any size.
struct GzipFile {
    private var checksum: UInt32 = .max
    private var size: UInt32 = 0

    /// What comes first: deflate, no name, no time, an unknown system.
    let start = Data([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF])

    /// - Parameter bytes: 65,535 at most.
    mutating func block(_ bytes: Data) -> Data {
        for byte in bytes {
            checksum = Self.table[Int(UInt8(truncatingIfNeeded: checksum) ^ byte)] ^ checksum >> 8
        }
        size &+= UInt32(truncatingIfNeeded: bytes.count)
        let count = UInt16(truncatingIfNeeded: bytes.count)
        return Data([0] + Self.littleEndian(count) + Self.littleEndian(~count)) + bytes
    }

    /// What comes last: an empty block that says so, the checksum and the size.
    var end: Data { Data([1, 0, 0, 0xFF, 0xFF] + Self.littleEndian(~checksum) + Self.littleEndian(size)) }

    private static func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian, Array.init)
    }

    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
    }
}
