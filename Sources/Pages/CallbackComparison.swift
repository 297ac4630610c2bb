/// A callback that was sent beside the nearest that is registered, with what differs.
///
/// Both have the same number of segments, and those at one index belong together: either they are equal,
/// or they differ and one of them may be empty.
package struct CallbackComparison: Sendable, Equatable {
    /// The callback that was sent.
    package let sent: [Segment]
    /// The registered callback.
    package let nearest: [Segment]

    /// A run of characters that both have, or that differs.
    package struct Segment: Sendable, Equatable {
        /// The characters; none where the other callback has some that this one lacks.
        package let text: String
        package let differs: Bool

        package init(text: String, differs: Bool) {
            self.text = text
            self.differs = differs
        }
    }

    /// Marks the fewest characters that tell the two apart, but for what is too short between two
    /// differences to help a reader.
    ///
    /// Compares Unicode scalars, as the server compares URLs: letters that look alike differ.
    package init(sent: String, nearest: String) {
        var (sentSegments, nearestSegments) = ([Segment](), [Segment]())
        for hunk in Difference(Array(sent.unicodeScalars), Array(nearest.unicodeScalars)).hunks {
            sentSegments.append(Segment(text: Self.string(hunk.left), differs: !hunk.isEqual))
            nearestSegments.append(Segment(text: Self.string(hunk.right), differs: !hunk.isEqual))
        }
        (self.sent, self.nearest) = (sentSegments, nearestSegments)
    }

    /// Compares with the registered callback that differs least; nothing where none is registered.
    package init?(sent: String, registered: [String]) {
        let scalars = Array(sent.unicodeScalars)
        let nearest = registered.prefix(Self.mostCompared).min { left, right in
            Difference(scalars, Array(left.unicodeScalars)).size < Difference(scalars, Array(right.unicodeScalars)).size
        }
        guard let nearest else { return nil }
        self.init(sent: sent, nearest: nearest)
    }

    /// An error page must not cost more than it helps.
    private static let mostCompared = 100

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        String(String.UnicodeScalarView(scalars))
    }

    func content(_ texts: Texts) -> [String: PageValue] {
        [
            "sent": .list(sent.map(Self.content)),
            "nearest": .list(nearest.map(Self.content)),
            "difference": .optional(words(texts)),
        ]
    }

    private static func content(_ segment: Segment) -> [String: PageValue] {
        [
            "segment": .text(VisibleText.shown(segment.text)),
            "differs": .flag(segment.differs),
            "gap": .flag(segment.text.isEmpty),
        ]
    }

    /// The difference in words where there is one place, for those who do not see the marks.
    private func words(_ texts: Texts) -> String? {
        let places = sent.indices.filter { sent[$0].differs }
        guard let place = places.first else { return texts.text("error", "differenceNone") }
        guard places.count == 1 else { return nil }
        let (before, after) = wordAround(place)
        let sentWord = VisibleText.shown(before + sent[place].text + after)
        let registeredWord = VisibleText.shown(before + nearest[place].text + after)
        let arguments = ["sent": sentWord, "registered": registeredWord]
        if sentWord.isEmpty { return texts.text("error", "differenceMissing", arguments) }
        if registeredWord.isEmpty { return texts.text("error", "differenceExtra", arguments) }
        return texts.text("error", "differenceReplaced", arguments)
    }

    /// The letters and digits that stand directly before and after a difference: "8080" reads better than
    /// "808" where a zero happens to agree.
    private func wordAround(_ place: Int) -> (before: Substring, after: Substring) {
        let isWord = { (character: Character?) in character.map { $0.isLetter || $0.isNumber } ?? false }
        let (left, right) = (sent[place].text, nearest[place].text)
        var (before, after): (Substring, Substring) = ("", "")
        if place > 0, isWord(left.first) || isWord(right.first) {
            let text = sent[place - 1].text
            before = text[(text.lastIndex { !isWord($0) }.map(text.index(after:)) ?? text.startIndex)...]
        }
        if place + 1 < sent.count, isWord(left.last) || isWord(right.last) {
            after = sent[place + 1].text.prefix(while: isWord)
        }
        return (before, after)
    }
}
