import Foundation
import OAuth
import Storage

/// What an `mfa_token` stands for: a login without a browser whose user has yet to pass a second factor, or an enrolment that waits
/// for its first code.
struct WaitingLogin: Sendable, Codable {
    /// The request that goes on once the factor is passed; nil where an access token for the MFA API enrols a factor, and
    /// nothing follows.
    var request: Request?
    /// That access token; nil where a request goes on.
    var apiToken: APIToken?
    /// How the user has proved who they are; nil where an earlier login has.
    var firstFactor: FirstFactor?
    /// The name of the connection that the user has signed in with.
    let connection: String
    /// What is wanted of the user; nil where nothing but the enrolment is.
    var demand: FactorDemand?
    /// The factors that the user has passed for this login, by the names that scripts know.
    var passed: [String] = []
    /// A factor that waits for its first code.
    var enrollment: Enrollment?
    /// The code that was sent last.
    var challenge: Challenge?

    /// A request to the token endpoint, without what proves its client and without its password or code.
    struct Request: Sendable, Codable {
        let grant: GrantType
        let parameters: [String: String]
        /// The API that the tokens are for; nil for the userinfo endpoint alone.
        let audience: String?
        let keyThumbprint: String?
        let certificateThumbprint: String?
        let isFromBrowser: Bool

        /// What the request had proved to hold.
        var possession: Confirmation {
            Confirmation(keyThumbprint: keyThumbprint, certificateThumbprint: certificateThumbprint)
        }
    }

    /// An access token for the MFA API: the one that follows on the enrolment is good for no more, and no longer.
    struct APIToken: Sendable, Codable {
        let scope: String
        /// In seconds since 1970.
        let expiresAt: Int
        let keyThumbprint: String?
        let certificateThumbprint: String?

        /// What its user proves to hold.
        var possession: Confirmation {
            Confirmation(keyThumbprint: keyThumbprint, certificateThumbprint: certificateThumbprint)
        }

        var end: Date { Date(timeIntervalSince1970: Double(expiresAt)) }
    }

    /// A factor that is being enrolled.
    struct Enrollment: Sendable, Codable {
        /// The secret of an app, sealed.
        var sealedSecret: String?
        /// The number of a phone.
        var number: String?
        /// The digest of the recovery code that the user was given with it; nil for none.
        var recoveryCodeDigest: String?
    }

    /// A code that was sent.
    struct Challenge: Sendable, Codable {
        /// The digest of the `oob_code` by which the client names it.
        let digest: String
        let channel: OutOfBandCodes.Channel
        /// Where it was sent.
        let address: String
        /// Whether it proves a phone that is being enrolled.
        let isEnrollment: Bool
    }
}

extension WaitingLogin.Request {
    /// What is kept of a request. Its password, code or one-time assertion is spent, and its client proves itself again.
    init(_ request: TokenRequest, _ grant: GrantType, audience: String?) {
        // Scripts may look at any other parameter, now and when the login goes on.
        let kept = request.parameters.all.filter {
            $0.key == "refresh_token" || !ScriptedLogin.secrets.contains($0.key)
        }
        self.init(
            grant: grant, parameters: kept, audience: audience,
            keyThumbprint: request.possession.keyThumbprint,
            certificateThumbprint: request.confirmation(audience: audience).certificateThumbprint,
            isFromBrowser: request.isFromBrowser)
    }
}

/// The first factor of a login that waits, to be compared with what there is when it goes on: nobody slips in with an old password
/// beside the change that ends everything.
struct FirstFactor: Sendable, Codable, Equatable {
    /// The account that has proved it, which may be a further identity of the user's.
    let accountID: String
    /// When the account's password was set, here and in another database; in milliseconds since 1970.
    let passwordAt: Int?
    let externalPasswordAt: Int?
    /// The address that a code was sent to; nil for a password.
    let address: String?
    /// When it was proved, in milliseconds since 1970.
    let provedAt: Int

    /// As things are in this transaction.
    init(of accountID: String, address: String? = nil, at now: Date, in transaction: any SQLTransaction) throws {
        (self.accountID, self.address, provedAt) = (accountID, address, now.milliseconds)
        passwordAt = try UserStore.passwordTime(of: accountID, in: transaction)?.milliseconds
        externalPasswordAt = try UserStore.externalPasswordTime(of: accountID, in: transaction)?.milliseconds
    }

    var date: Date { Date(timeIntervalSince1970: Double(provedAt) / 1000) }

    /// Makes sure that it still counts.
    /// - Throws: ``OAuthError`` `invalid_grant` where the account is another user's by now, or its user blocked, or its password
    ///   or address another one.
    func check(_ userID: String, in transaction: any SQLTransaction) throws {
        try UserStore.lock(accountID, in: transaction)
        guard let present = try UserStore.upstreamAccount(accountID, in: transaction), present.user.id == userID,
            try FirstFactor(of: accountID, address: address, at: date, in: transaction) == self,
            address?.contains("@") != true || present.identity.email == address
        else {
            throw OAuthError.invalidGrant(
                "The login has to be begun anew.",
                hint: "The user's password or address was changed, or the account unlinked, after the first factor.")
        }
        guard !present.isBlocked else {
            throw OAuthError(.invalidGrant, "user is blocked", reason: .userIsBlocked)
        }
    }
}

extension Date {
    fileprivate var milliseconds: Int { Int((timeIntervalSince1970 * 1000).rounded()) }
}

/// The second factors that a request to the token endpoint comes with: an `mfa` grant goes on with the login that waited.
struct ResumedLogin: Sendable {
    let user: User
    /// Nil where the request proves by itself who it is for, such as by a refresh token.
    let firstFactor: FirstFactor?
    /// By the names that scripts know.
    let passed: [String]
    let passedAt: Date
}

/// A second factor is wanted that the user has not passed.
struct SecondFactorWanted: Error {
    let demand: FactorDemand
}
