import CQREncode

/// A text as a picture that cameras read (ISO/IEC 18004), drawn as the path of an SVG: black modules on a white ground, whatever the
/// page's colours are.
package struct QRCode: Sendable, Equatable {
    /// Modules on each side, with the quiet zone around them.
    package let size: Int
    /// The `d` of a path that fills the black modules, one unit each.
    package let path: String

    /// Modules of the quiet zone on each side (ISO/IEC 18004 §9.1).
    private static let quietZone = 4

    /// - Returns: nil for a text that is empty or too long, or has a NUL.
    package init?(_ text: String) {
        guard !text.isEmpty, !text.utf8.contains(0),
            let code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M)
        else { return nil }
        defer { QRcode_free(code) }
        let width = Int(code.pointee.width)
        var path = ""
        for row in 0..<width {
            var column = 0
            while column < width {
                let start = column
                // The lowest bit of a module says whether it is black.
                while column < width, code.pointee.data[row * width + column] & 1 == 1 { column += 1 }
                let run = column - start
                if run > 0 {
                    path += "M\(start + Self.quietZone) \(row + Self.quietZone)h\(run)v1h-\(run)z"
                }
                column += 1
            }
        }
        (size, self.path) = (width + 2 * Self.quietZone, path)
    }
}
