/// How many characters two texts differ in, for finding what somebody probably meant.
package enum EditDistance {
    /// The candidate that is most like `text`.
    package static func nearest(to text: String, among candidates: [String]) -> String? {
        let sent = Array(text.utf8.prefix(512))
        let distances = candidates.prefix(200).map { (text: $0, distance: between(sent, Array($0.utf8.prefix(512)))) }
        return distances.min { $0.distance < $1.distance }?.text
    }

    /// Levenshtein's distance, in one row of memory.
    package static func between(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (i, character) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in right.enumerated() {
                let substitution = diagonal + (character == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substitution, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count]
    }
}
