import Foundation
import OAuth
import Storage

/// The second factors of users: what they have, and whether what somebody gives is right.
///
/// Everything that looks at a code counts the try first and in the same transaction, so that tries at the same time are each
/// another one.
struct SecondFactors: Sendable {
    let services: Services

    /// Wrong codes of a user's that may be tried, and the seconds until one more may: Auth0's ten an hour.
    static let tries = SuspiciousIPThrottling.Allowance(most: 10, rate: 360_000)

    /// The authentication context of a login with a second factor, as `acr` names it.
    static let context = "http://schemas.openid.net/pape/policies/2007/06/multi-factor"

    /// What a code is.
    enum Verdict: Sendable, Equatable {
        case right
        case wrong
        /// Too many wrong ones were tried; this one was not looked at.
        case tooMany
    }

    // MARK: Codes

    /// Takes a code of the user's app.
    func check(
        otp code: String, of userID: String, at now: Date, in transaction: any SQLTransaction
    ) throws -> Verdict {
        try counted(AuthenticatorStore.triesSubject(userID), at: now, in: transaction) {
            guard let authenticator = try AuthenticatorStore.find(of: userID, in: transaction),
                let secret = Base32.decode(try services.secret.box.open(authenticator.sealedSecret)),
                let step = TOTP(secret: secret).step(of: code, at: now)
            else { return false }
            return try AuthenticatorStore.use(step: step, of: authenticator.id, at: now, in: transaction)
        }
    }

    /// Takes the user's recovery code.
    /// - Parameter successor: the code that the user gets in its place.
    func check(
        recoveryCode code: String, of userID: String, for successor: String, at now: Date,
        in transaction: any SQLTransaction
    ) throws -> Verdict {
        try counted(AuthenticatorStore.recoveryTriesSubject(userID), at: now, in: transaction) {
            try RecoveryCodeStore.redeem(
                digest: RecoveryCode.digest(code), of: userID,
                for: RecoveryCode.digest(successor), at: now, in: transaction)
        }
    }

    /// Takes a code that was sent to the user.
    /// - Parameter isRight: compares it.
    func check(
        sentCodeOf userID: String, at now: Date, in transaction: any SQLTransaction, _ isRight: () throws -> Bool
    ) throws -> Verdict {
        try counted(AuthenticatorStore.sentTriesSubject(userID), at: now, in: transaction, isRight)
    }

    private func counted(
        _ subject: String, at now: Date, in transaction: any SQLTransaction, _ isRight: () throws -> Bool
    ) throws -> Verdict {
        guard try RateLimitStore.take(subject, Self.tries, at: now, in: transaction) else { return .tooMany }
        guard try isRight() else { return .wrong }
        _ = try RateLimitStore.clear(subject, in: transaction)
        return .right
    }

    // MARK: Enrolment

    /// A secret for an app that has yet to give its first code, sealed.
    func newSealedSecret() throws -> String { try services.secret.box.seal(Base32.encode(TOTP.newSecret())) }

    /// What enrolling an app comes to.
    enum Enrollment: Sendable, Equatable {
        case enrolled(id: String)
        case wrong
        /// The user has one meanwhile.
        case taken
    }

    /// Enrols an app that gives its first code, with a recovery code beside it.
    /// - Parameter recoveryCodeDigest: nil where the tenant has none, or the user has one.
    func enroll(
        sealedSecret: String, code: String, of userID: String, recoveryCodeDigest: String?, at now: Date,
        in transaction: any SQLTransaction
    ) throws -> Enrollment {
        guard let secret = Base32.decode(try services.secret.box.open(sealedSecret)),
            let step = TOTP(secret: secret).step(of: code, at: now)
        else { return .wrong }
        // The name of the row's id is Auth0's; nobody can tell anything from it.
        let id = "totp|dev_\(RandomBytes.alphanumeric(16))"
        let authenticator = Authenticator(
            id: id, userID: userID, sealedSecret: sealedSecret, lastStep: step, enrolledAt: now)
        guard try AuthenticatorStore.enroll(authenticator, in: transaction) else { return .taken }
        try keep(recoveryCodeDigest, of: userID, at: now, in: transaction)
        return .enrolled(id: id)
    }

    /// Enrols a phone whose user has read the first code on it, with a recovery code beside it.
    /// - Parameter recoveryCodeDigest: nil where the tenant has none, or the user has one.
    /// - Returns: whether the user has this one now; no where there is another one meanwhile.
    func enroll(
        number: String, of userID: String, recoveryCodeDigest: String?, at now: Date,
        in transaction: any SQLTransaction
    ) throws -> Bool {
        let id = "sms|dev_\(RandomBytes.alphanumeric(16))"
        let phone = PhoneAuthenticator(id: id, userID: userID, number: number, enrolledAt: now)
        guard try PhoneAuthenticatorStore.enroll(phone, in: transaction) else { return false }
        try keep(recoveryCodeDigest, of: userID, at: now, in: transaction)
        return true
    }

    private func keep(
        _ recoveryCodeDigest: String?, of userID: String, at now: Date, in transaction: any SQLTransaction
    ) throws {
        // One that was shown meanwhile stays good.
        guard let recoveryCodeDigest, try RecoveryCodeStore.createdAt(of: userID, in: transaction) == nil else {
            return
        }
        try RecoveryCodeStore.save(digest: recoveryCodeDigest, of: userID, at: now, in: transaction)
    }

    /// What an app reads from a picture, or a link opens it with: Google Authenticator's `otpauth`.
    func keyURI(_ base32Secret: String, for user: User, settings: TenantSettings) -> String {
        let issuer = settings.friendlyName ?? services.issuer.domain
        let account = user.email ?? user.username ?? user.displayName
        func encoded(_ text: String) -> String {
            text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~")))
                ?? ""
        }
        return "otpauth://totp/\(encoded(issuer)):\(encoded(account))?secret=\(base32Secret)&issuer=\(encoded(issuer))"
            + "&algorithm=SHA1&digits=6&period=30"
    }
}
