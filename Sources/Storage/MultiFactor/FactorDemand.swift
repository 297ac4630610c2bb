/// That a second factor is wanted, and how it may be given.
package struct FactorDemand: Sendable, Hashable, Codable {
    /// What the user has to do.
    package enum Kind: String, Sendable, Codable {
        /// To pass a factor, or to enrol one where there is none.
        case any
        /// To pass one that is enrolled.
        case challenge
        /// To enrol one. Who has one already passes it: nobody adds a factor with the first one alone.
        case enrollment
    }

    package let kind: Kind
    /// The factors that will do, by Auth0's names; nil for all.
    package let factors: [String]?
    /// Whether a browser that was remembered needs none, and the user may have it remembered.
    package let allowsRememberedBrowser: Bool
    /// Whether that counts for the next time only.
    package let ignoresRememberedBrowser: Bool

    package init(
        _ kind: Kind, factors: [String]? = nil, allowsRememberedBrowser: Bool = false,
        ignoresRememberedBrowser: Bool = false
    ) {
        (self.kind, self.factors) = (kind, factors)
        (self.allowsRememberedBrowser, self.ignoresRememberedBrowser) = (
            allowsRememberedBrowser, ignoresRememberedBrowser
        )
    }

    /// Whether what was passed will do. Where a factor was to be enrolled, any will, once the user has such a one, or where none
    /// of them can be enrolled.
    package func isMet(by passed: [String], of user: Possible) -> Bool {
        guard let factors, !passed.isEmpty else { return !passed.isEmpty }
        let wanted = Set(factors)
        guard wanted.isDisjoint(with: passed) else { return true }
        guard kind == .enrollment else { return false }
        return !wanted.isDisjoint(with: user.enrolled) || wanted.isDisjoint(with: user.enrollable)
    }

    /// What a user can do, by Auth0's names.
    package struct Possible: Sendable, Equatable {
        /// The factors that the user has.
        package var enrolled: [String]
        /// Those that the user has not, and may enrol.
        package var enrollable: [String]

        package init(enrolled: [String] = [], enrollable: [String] = []) {
            (self.enrolled, self.enrollable) = (enrolled, enrollable)
        }
    }
}

/// How far the user of a login transaction is with the second factor. It counts for the session that it was begun with, and no
/// other.
package struct FactorProgress: Sendable, Codable, Equatable {
    package let sessionDigest: String
    /// The `sid` of the session: one that has become another user's has another one. nil is none's.
    private var sid: String?
    /// What the user is asked for.
    package var demand: FactorDemand?
    /// The secret of an app that waits for its first code, sealed.
    package var sealedSecret: String?
    /// The factors that were passed in this transaction.
    package var passed: [String] = []
    /// A recovery code that the user has to note, sealed.
    package var sealedRecoveryCode: String?
    /// The number of a phone that waits for its first code; nil for none.
    package var pendingNumber: String?
    /// The factors for which a code has been sent in this transaction; nil for none.
    package var sent: [String]?

    package init(_ session: Session) { (sessionDigest, sid) = (session.digest, session.sid) }

    /// Whether it was begun with this session, and its user.
    package func belongs(to session: Session) -> Bool { sessionDigest == session.digest && sid == session.sid }

    /// The progress with the session that the user goes on in, where the factor that was passed is the same there.
    package func moved(to session: Session) -> FactorProgress {
        var moved = FactorProgress(session)
        (moved.passed, moved.sealedRecoveryCode) = (passed, sealedRecoveryCode)
        return moved
    }

    /// This progress where something is asked, beside which another tab has come further: what was passed there stays.
    package func asking(_ asked: FactorProgress) -> FactorProgress {
        guard asked.sessionDigest == sessionDigest, asked.sid == sid else { return asked }
        var merged = self
        merged.demand = asked.demand
        merged.sealedSecret = asked.sealedSecret == nil ? nil : sealedSecret ?? asked.sealedSecret
        return merged
    }
}
