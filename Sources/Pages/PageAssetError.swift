/// An asset of the pages that cannot be used.
package struct PageAssetError: Error, CustomStringConvertible {
    /// The file, below `Sources/CAssets`.
    package let name: String
    package let cause: String
    package let fix: String

    package var description: String { "\(name): \(cause); to mend it, \(fix)" }
}
