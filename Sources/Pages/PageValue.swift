import Foundation

/// A value that a template shows: the closed set that keeps reflection, and surprises, out of the pages.
package enum PageValue: Sendable, Equatable {
    /// Text, which is escaped where it is shown.
    case text(String)
    /// Whether a section is shown.
    case flag(Bool)
    /// A section with values of its own.
    case group([String: PageValue])
    /// A section for each element.
    case list([[String: PageValue]])
    /// Nothing: its section is not shown, even where an outer section has the same name.
    case none

    /// The text, or nothing where there is none.
    package static func optional(_ text: String?) -> PageValue {
        text.map(PageValue.text) ?? .none
    }

    /// The shape that Mustache reads.
    var mustache: Any {
        switch self {
        case .text(let text): text
        case .flag(let flag): flag
        case .group(let group): group.mapValues(\.mustache)
        case .list(let list): list.map { $0.mapValues(\.mustache) }
        case .none: NSNull()
        }
    }
}
