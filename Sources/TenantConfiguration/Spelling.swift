import AuthorizationServer

/// What a misspelt name probably meant.
enum Spelling {
    /// The name that differs from `text` in a third of its characters at most; none that is merely the least unlike.
    static func nearest(to text: String, among names: some Sequence<String>) -> String? {
        let sent = text.lowercased()
        return EditDistance.nearest(to: sent, among: names.sorted()).flatMap { near in
            EditDistance.between(Array(sent.utf8.prefix(512)), Array(near.lowercased().utf8))
                <= max(1, sent.utf8.count / 3)
                ? near : nil
        }
    }
}
