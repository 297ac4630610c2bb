/// What tells two sequences apart: the runs that they share and those that they do not, in order.
struct Difference<Element: Equatable> {
    /// A run: the same on both sides, or one side's in the place of the other's.
    struct Hunk {
        var left: ArraySlice<Element>
        var right: ArraySlice<Element>
        let isEqual: Bool
    }

    private(set) var hunks: [Hunk] = []

    /// The longest side, after what begins and ends alike, that is compared element by element; the table
    /// grows with its square.
    static var mostCompared: Int { 512 }

    /// How many elements differ.
    var size: Int {
        hunks.lazy.filter { !$0.isEqual }.reduce(0) { $0 + $1.left.count + $1.right.count }
    }

    init(_ left: [Element], _ right: [Element]) {
        let prefix = zip(left, right).prefix { $0 == $1 }.count
        let most = min(left.count, right.count) - prefix
        let suffix = zip(left.reversed(), right.reversed()).prefix(most).prefix { $0 == $1 }.count
        let leftMiddle = left[prefix..<(left.count - suffix)]
        let rightMiddle = right[prefix..<(right.count - suffix)]

        append(left[..<prefix], right[..<prefix], isEqual: true)
        if max(leftMiddle.count, rightMiddle.count) > Self.mostCompared {
            append(leftMiddle, rightMiddle, isEqual: false)
        } else {
            appendMiddle(leftMiddle, rightMiddle)
        }
        append(left[(left.count - suffix)...], right[(right.count - suffix)...], isEqual: true)
        joinIslands()
    }

    /// Walks the table of longest common subsequences from its beginning.
    private mutating func appendMiddle(_ left: ArraySlice<Element>, _ right: ArraySlice<Element>) {
        let lengths = Self.commonLengths(left, right)
        var (leftIndex, rightIndex) = (left.startIndex, right.startIndex)
        var (leftStart, rightStart) = (leftIndex, rightIndex)
        while leftIndex < left.endIndex, rightIndex < right.endIndex {
            let (row, column) = (leftIndex - left.startIndex, rightIndex - right.startIndex)
            if left[leftIndex] == right[rightIndex] {
                append(left[leftStart..<leftIndex], right[rightStart..<rightIndex], isEqual: false)
                append(left[leftIndex...leftIndex], right[rightIndex...rightIndex], isEqual: true)
                leftIndex += 1
                rightIndex += 1
                (leftStart, rightStart) = (leftIndex, rightIndex)
            } else if lengths[row + 1][column] >= lengths[row][column + 1] {
                leftIndex += 1
            } else {
                rightIndex += 1
            }
        }
        append(left[leftStart...], right[rightStart...], isEqual: false)
    }

    /// The length of the longest common subsequence of what is left from each pair of places on.
    private static func commonLengths(_ left: ArraySlice<Element>, _ right: ArraySlice<Element>) -> [[Int]] {
        var lengths = [[Int]](repeating: [Int](repeating: 0, count: right.count + 1), count: left.count + 1)
        for row in stride(from: left.count - 1, through: 0, by: -1) {
            for column in stride(from: right.count - 1, through: 0, by: -1) {
                lengths[row][column] =
                    left[left.startIndex + row] == right[right.startIndex + column]
                    ? lengths[row + 1][column + 1] + 1
                    : max(lengths[row + 1][column], lengths[row][column + 1])
            }
        }
        return lengths
    }

    /// Adds a run to the last where both are of one kind.
    private mutating func append(_ left: ArraySlice<Element>, _ right: ArraySlice<Element>, isEqual: Bool) {
        guard !left.isEmpty || !right.isEmpty else { return }
        if let last = hunks.last, last.isEqual == isEqual {
            hunks[hunks.count - 1].left += left
            hunks[hunks.count - 1].right += right
        } else {
            hunks.append(Hunk(left: left, right: right, isEqual: isEqual))
        }
    }

    /// Two words share some letters by chance. An equal run that is no longer than the differences on
    /// either side of it says nothing, and joins them.
    private mutating func joinIslands() {
        var index = 1
        while index + 1 < hunks.count {
            let (before, island, after) = (hunks[index - 1], hunks[index], hunks[index + 1])
            let length = island.left.count
            guard island.isEqual, length <= Self.length(before), length <= Self.length(after) else {
                index += 1
                continue
            }
            let joined = Hunk(
                left: before.left + island.left + after.left,
                right: before.right + island.right + after.right,
                isEqual: false
            )
            hunks.replaceSubrange((index - 1)...(index + 1), with: [joined])
            index = max(1, index - 1)
        }
    }

    private static func length(_ hunk: Hunk) -> Int { max(hunk.left.count, hunk.right.count) }
}
