/// The parameters of a request to an OAuth endpoint, each at most once.
///
/// A parameter without a value is treated as if it were omitted, and none may be sent
/// twice ([RFC 6749 §3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1), §3.2).
package struct Parameters: Sendable, Equatable {
    private var values: [String: String]

    /// - Throws: ``OAuthError`` `invalid_request` that names the parameter sent more than once.
    package init(_ pairs: some Sequence<(String, String)>) throws(OAuthError) {
        values = [:]
        var seen: Set<String> = []
        for (name, value) in pairs {
            guard seen.insert(name).inserted else {
                throw .invalidRequest(
                    "Duplicate parameter: \(name.forDisplay)",
                    hint:
                        "Send '\(name.forDisplay)' once. Its first and second value may differ, and neither is trusted."
                )
            }
            if !value.isEmpty { values[name] = value }
        }
    }

    /// The parameters of a trusted dictionary; empty values are left out.
    package init(trusted values: [String: String]) {
        self.values = values.filter { !$0.value.isEmpty }
    }

    /// The value of `name`, or nil where it is absent or empty.
    package subscript(_ name: String) -> String? { values[name] }

    /// The value of `name`.
    /// - Throws: ``OAuthError`` `invalid_request` where it is absent or empty.
    package func require(_ name: String) throws(OAuthError) -> String {
        guard let value = values[name] else { throw .missingParameter(name) }
        return value
    }

    /// Every parameter, for keeping a request across pages and for showing it to its developer.
    package var all: [String: String] { values }

    /// These parameters with `other`'s added where both do not name the same one.
    /// - Throws: ``OAuthError`` `invalid_request` for a name that both carry.
    package func adding(_ other: Parameters) throws(OAuthError) -> Parameters {
        var merged = self
        for (name, value) in other.values {
            guard merged.values.updateValue(value, forKey: name) == nil else {
                throw .invalidRequest("Duplicate parameter: \(name.forDisplay)")
            }
        }
        return merged
    }
}

extension String {
    /// The text, short and without control characters, so that it may be quoted in an error or a log line.
    package var forDisplay: String {
        let printable = unicodeScalars.lazy.map { scalar -> Character in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: "\u{FFFD}"
            default: Character(scalar)
            }
        }
        let shown = String(printable.prefix(200))
        return unicodeScalars.count > 200 ? shown + "…" : shown
    }
}

extension StringProtocol {
    /// The text without the spaces and tabs around it.
    package var trimmed: String {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        let bytes = Array(utf8.drop(while: isBlank))
        let end = bytes.lastIndex { !isBlank($0) } ?? -1
        return String(decoding: bytes[..<(end + 1)], as: UTF8.self)
    }
}
