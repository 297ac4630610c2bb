import CAssets
import OAuth
import Storage

/// The mails of a tenant that has set no templates.
struct StandardTemplate: Sendable {
    let subject: LiquidTemplate
    let html: LiquidTemplate
    let text: LiquidTemplate

    /// The parts of each kind; a kind that is not sent has none.
    static let all: [MessageKind: StandardTemplate] = {
        let files = assets()
        var templates: [MessageKind: StandardTemplate] = [:]
        for kind in MessageKind.allCases where kind.isSent {
            guard let html = files["\(kind.rawValue).html"], let text = files["\(kind.rawValue).txt"],
                let template = StandardTemplate(html: html, text: text, frame: files["layout.html"] ?? "")
            else { continue }
            templates[kind] = template
        }
        return templates
    }()

    /// - Parameters:
    ///   - text: its first line is the subject.
    ///   - frame: stands around `html`.
    private init?(html: String, text: String, frame: String) {
        let lines = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        guard lines.count == 2, let subject = try? LiquidTemplate(String(lines[0])),
            let body = try? LiquidTemplate(frame.replacing("{{ content }}", with: html)),
            let plain = try? LiquidTemplate(lines[1].trimmingPrefix("\n") + "")
        else { return nil }
        (self.subject, self.html, self.text) = (subject, body, plain)
    }

    private static func assets() -> [String: String] {
        var files: [String: String] = [:]
        for index in 0..<CAssetCount() {
            let asset = CAssetAt(index)
            let name = String(cString: asset.name)
            guard name.hasPrefix("mail/") else { continue }
            files[String(name.dropFirst(5))] = String(
                decoding: UnsafeBufferPointer(start: asset.bytes, count: asset.count), as: UTF8.self)
        }
        return files
    }
}
