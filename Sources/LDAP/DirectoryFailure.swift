/// Why a directory could not say whether a password is right.
package struct DirectoryFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong, for those who answer to it.
    package enum Kind: Sendable, Equatable {
        /// No connection, or none that is secure.
        case unreachable
        case timeout
        /// The directory refuses the account that searches.
        case serviceAccount
        /// The search fails, whoever is looked for.
        case search
        /// More than one entry answers to the name.
        case ambiguous
        /// More logins are waiting than are accepted.
        case busy
    }

    package let kind: Kind
    /// What happened.
    package let cause: String
    /// What to change so that it works.
    package let mend: String

    package init(_ kind: Kind, _ cause: String, mend: String) {
        (self.kind, self.cause, self.mend) = (kind, cause, mend)
    }

    package var description: String { "\(cause). \(mend)" }
}
