/// Why a command did not do what it was asked, in words that name the mend. Its command ends with 1.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
