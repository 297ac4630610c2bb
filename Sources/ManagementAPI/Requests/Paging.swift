import OAuth
import Storage

/// The part of a list that a request asks for: a page with its number, or so many from a point on.
package struct Paging: Sendable {
    /// The number of the page, from 0; nil where checkpoints are used.
    package let page: Int
    package let perPage: Int
    package let includesTotals: Bool
    /// Whether the request pages at all; Auth0 leaves small lists whole where it does not.
    package let isAsked: Bool
    /// The checkpoint of a request with `take` or `from`; nil for one with pages.
    package let checkpoint: Checkpoint?

    /// Where a list goes on, and with how many.
    package struct Checkpoint: Sendable {
        /// What the answer before said as `next`; nil for the start.
        package let from: String?
        package let take: Int
    }

    /// - Throws: ``Document/Problem`` for a member with a wrong value.
    package init(from document: inout Document, checkpoints: Bool = false) throws(Document.Problem) {
        let page = try document.integer("page", in: 0...1_000_000)
        let perPage = try document.integer("per_page", in: 0...100)
        includesTotals = try document.bool("include_totals", default: false)
        self.page = page ?? 0
        self.perPage = perPage ?? 50
        var checkpoint: Checkpoint?
        if checkpoints {
            let from = try document.string("from", most: 1024)
            let take = try document.integer("take", in: 1...100)
            if from != nil || take != nil {
                // Auth0's SDKs send their standard `take` or `include_totals` beside what was asked for; checkpoints win.
                checkpoint = Checkpoint(from: from, take: take ?? 50)
            }
        }
        self.checkpoint = checkpoint
        isAsked = page != nil || perPage != nil || checkpoint != nil
    }

    /// The index of the first one that is shown.
    package var start: Int { page * perPage }

    /// The part of a whole list that is asked for.
    package func part<T>(of all: [T]) -> [T] {
        Array(all.dropFirst(start).prefix(perPage))
    }
}

/// The members that a request wants to see: `fields` and `include_fields`.
package struct FieldSelection: Sendable {
    private let names: Set<String>
    private let includes: Bool

    /// - Throws: ``Document/Problem`` for a member with a wrong value.
    package init(from document: inout Document) throws(Document.Problem) {
        let text = try document.string("fields", most: 4096) ?? ""
        names = Set(text.split(separator: ",").map { $0.trimmed })
        includes = try document.bool("include_fields", default: true)
    }

    /// Whether a member is asked for by its name, which some must be.
    package func asks(for name: String) -> Bool { includes && names.contains(name) }

    /// The members that are wanted, and those of `kept`, which Auth0 shows anyhow.
    package func apply(to members: JSONObject, keeping kept: Set<String> = []) -> JSONObject {
        guard !names.isEmpty else { return members }
        return members.filter { kept.contains($0.key) || names.contains($0.key) == includes }
    }
}
