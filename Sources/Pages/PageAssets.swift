import CAssets
import Foundation

/// A file that a page refers to.
package struct PageAsset: Sendable {
    package let bytes: [UInt8]
    /// The `Content-Type` to serve it with.
    package let contentType: String
}

/// The templates, texts, styles, scripts and images of the pages.
package struct PageAssets: Sendable {
    /// The assets in the binary.
    package static let embedded = PageAssets(source: .binary(embeddedFiles()))

    private enum Source: Sendable {
        case binary([String: [UInt8]])
        case directory(URL)
    }

    private let source: Source
    /// The assets that browsers may fetch, by path; empty for a directory, whose files change.
    private let served: [String: PageAsset]
    private let paths: [String: String]

    /// The assets of a directory, read anew each time, for whoever edits them; those in the binary without one.
    /// - Parameter directory: a checkout's `Sources/CAssets`.
    package init(directory: URL?) {
        self = directory.map { PageAssets(source: .directory($0)) } ?? .embedded
    }

    private init(source: Source) {
        self.source = source
        var (served, paths) = ([String: PageAsset](), [String: String]())
        if case .binary(let files) = source {
            for (name, bytes) in files {
                guard let contentType = Self.contentType(of: name) else { continue }
                let path = Self.path(of: name, bytes: bytes)
                served[path] = PageAsset(bytes: bytes, contentType: contentType)
                paths[name] = path
            }
        }
        (self.served, self.paths) = (served, paths)
    }

    /// The asset at a path such as `portico-3fa9c1d2.css`, below `/assets/`. A path names its content, so that
    /// a browser may keep it for ever.
    package func find(_ path: String) -> PageAsset? {
        guard isLive else { return served[path] }
        for name in names {
            guard let contentType = Self.contentType(of: name), let bytes = file(name) else { continue }
            guard Self.path(of: name, bytes: bytes) == path else { continue }
            return PageAsset(bytes: bytes, contentType: contentType)
        }
        return nil
    }

    /// Whether the files may change while the server runs.
    package var isLive: Bool {
        if case .directory = source { true } else { false }
    }

    /// The files, as `css/portico.css`.
    package var names: [String] {
        switch source {
        case .binary(let files):
            files.keys.sorted()
        case .directory(let directory):
            ["css", "images", "js", "locales", "mail", "pages"].flatMap { kind in
                let folder = directory.appendingPathComponent(kind).path
                let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
                return files.sorted().map { "\(kind)/\($0)" }
            }
        }
    }

    /// The content of a file, named as in ``names``.
    package func file(_ name: String) -> [UInt8]? {
        switch source {
        case .binary(let files): files[name]
        case .directory(let directory): (try? Data(contentsOf: directory.appendingPathComponent(name))).map(Array.init)
        }
    }

    /// The path below `/assets/` of a file, named as in ``names``.
    package func path(of name: String) -> String? {
        isLive ? file(name).map { Self.path(of: name, bytes: $0) } : paths[name]
    }

    private static func embeddedFiles() -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for index in 0..<CAssetCount() {
            let asset = CAssetAt(index)
            files[String(cString: asset.name)] = Array(UnsafeBufferPointer(start: asset.bytes, count: asset.count))
        }
        return files
    }

    /// `css/portico.css` as `portico-3fa9c1d2.css`: FNV-1a, which tells versions apart and is no secret.
    private static func path(of name: String, bytes: [UInt8]) -> String {
        let hash = bytes.reduce(UInt32(0x811c_9dc5)) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        let digits = String(hash, radix: 16)
        let file = name.split(separator: "/").last ?? ""
        let parts = file.split(separator: ".", maxSplits: 1)
        return "\(parts[0])-\(String(repeating: "0", count: 8 - digits.count))\(digits).\(parts[1])"
    }

    /// Nothing for templates and texts, which are not served.
    private static func contentType(of name: String) -> String? {
        switch name.split(separator: ".").last {
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "webp": "image/webp"
        case "ico": "image/x-icon"
        default: nil
        }
    }
}
