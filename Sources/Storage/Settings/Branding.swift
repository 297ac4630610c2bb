import OAuth

/// How the pages look, with the names of Auth0's `/api/v2/branding`.
package struct Branding: TenantSection {
    package static let name = "branding"

    /// `#` and six hexadecimal digits, of buttons and links; nil for the pages' own.
    package var primaryColor: String?
    /// The ground of the pages; of a gradient its start.
    package var pageBackground: String? { background?.string ?? background?.object?["start"]?.string }
    package var faviconURL: String?
    package var logoURL: String?
    /// A font file.
    package var fontURL: String?
    private var background: JSONValue?

    package init() {}

    package init(document: Document) throws(Document.Problem) {
        var document = document
        if var colors = try document.document("colors") {
            primaryColor = try colors.color("primary")
            background = try Self.background(&colors)
            _ = try colors.remaining(known: [])
        }
        faviconURL = try document.address("favicon_url")
        logoURL = try document.address("logo_url")
        if var font = try document.document("font") {
            fontURL = try font.address("url")
            _ = try font.remaining(known: [])
        }
        _ = try document.remaining(known: [])
    }

    /// A colour, or a gradient of two.
    private static func background(_ colors: inout Document) throws(Document.Problem) -> JSONValue? {
        guard let value = colors.take("page_background") else { return nil }
        var wrapped = Document(["page_background": value], path: colors.path)
        guard value.object != nil else { return try wrapped.color("page_background").map(JSONValue.string) }
        guard var gradient = try wrapped.document("page_background") else { return nil }
        var members: JSONObject = [:]
        members["type"] = try gradient.string("type", most: 32).map(JSONValue.string)
        members["start"] = try gradient.color("start").map(JSONValue.string)
        members["end"] = try gradient.color("end").map(JSONValue.string)
        members["angle_deg"] = try gradient.integer("angle_deg", in: 0...360).map { .integer(Int64($0)) }
        _ = try gradient.remaining(known: [])
        return .object(members)
    }

    package var document: JSONObject {
        var members: JSONObject = [:]
        var colors: JSONObject = [:]
        colors["primary"] = primaryColor.map(JSONValue.string)
        colors["page_background"] = background
        if !colors.isEmpty { members["colors"] = .object(colors) }
        members["favicon_url"] = faviconURL.map(JSONValue.string)
        members["logo_url"] = logoURL.map(JSONValue.string)
        members["font"] = fontURL.map { ["url": .string($0)] }
        return members
    }
}

extension Document {
    /// A colour as `#` and six hexadecimal digits in lower case; three stand for six.
    mutating func color(_ name: String) throws(Problem) -> String? {
        guard let text = try string(name, most: 16)?.lowercased(), !text.isEmpty else { return nil }
        let digits = text.dropFirst()
        guard text.first == "#", [3, 6].contains(digits.count), digits.utf8.allSatisfy(Self.isHexDigit) else {
            throw problem(name, "must be a colour such as #3344c9")
        }
        return digits.count == 6 ? text : "#" + digits.map { "\($0)\($0)" }.joined()
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }

    /// An `https:` address that can stand in a policy and in a stylesheet as it is.
    mutating func address(_ name: String) throws(Problem) -> String? {
        guard let text = try string(name, most: 2048), !text.isEmpty else { return nil }
        // A policy would take a host of `*` for every host.
        let host = text.dropFirst("https://".count).prefix { !"/?#".contains($0) }
        guard text.hasPrefix("https://"), let uri = RedirectURI(text), uri.scheme == "https", !host.contains("*"),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !#""'()\;,<>`"#.utf8.contains($0) })
        else {
            throw problem(
                name, "must be an https address without quotes, brackets and blanks, and without * in its host")
        }
        return text
    }
}
