import Foundation
import OAuth
import Storage

/// What a user does on the pages for the second factor. All of it belongs to a login transaction of this browser, in which
/// ``MFAStep`` has asked for the factor, and to the session with which the user passed the first one.
package struct MultiFactorLogin: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Seconds for which a browser is remembered: Auth0's 30 days.
    package static let rememberedLifetime = 30 * 86_400

    /// Why a code is not taken.
    package enum Refusal: Error, Sendable, Equatable {
        case wrongCode
        case tooMany
    }

    /// What the login waits for.
    package struct Question: Sendable {
        package let user: User
        /// The secret of the app that may be enrolled, as people type it; nil where none may.
        package let secret: String?
        /// The same, as apps read it.
        package let keyURI: String?
        /// Whether a phone may be enrolled.
        package let enrollsPhone: Bool
        /// The number of the phone that waits for its first code; nil for none.
        package let pendingNumber: String?
        /// Whether the app's code will do.
        package let takesOTP: Bool
        /// Where codes that will do are sent, as much of it as anybody may see; nil where none will.
        package let phone: String?
        package let email: String?
        /// Whether the recovery code will do.
        package let takesRecoveryCode: Bool
        /// Whether the user may have the browser remembered.
        package let mayRemember: Bool
        /// The recovery code that the user has to note; nil where there is no new one.
        package let newRecoveryCode: String?
        let enrolled: SecondFactors.Enrolled
        let firstFactor: SecondFactors.FirstFactorChannel
        let session: Session
        let login: LoginTransaction
        let progress: FactorProgress
    }

    /// What the pages show.
    /// - Returns: nil where the login waits for something else.
    package func question(_ login: LoginTransaction, browser: Browser) async throws -> Question? {
        guard let session = try await browser.session(services), let progress = login.progress.factor,
            progress.belongs(to: session),
            let user = try await services.stores.users.find(session.userID), !user.isBlocked
        else { return nil }
        let factors = SecondFactors(services: services)
        let enrolled = try await factors.enrolled(user.id)
        let firstFactor = try await factors.firstFactor(session.connection)
        let settings = try await services.configuration.sections().multiFactor
        var (challenges, enrollments): ([String], [String]) = ([], [])
        if let demand = progress.demand {
            // Where nothing can be done, the authorization endpoint says so.
            let choice = try? FactorChoice(
                demand, of: enrolled, settings, passed: progress.passed, after: firstFactor)
            switch choice {
            case .challenge(let names): challenges = names
            case .enroll(let names): enrollments = names
            case .met, nil: break
            }
        }
        func offers(_ factor: MultiFactorSettings.Factor, _ names: [String]) -> Bool {
            names.contains(factor.methodType)
        }
        let box = services.secret.box
        let secret = offers(.otp, enrollments) ? try progress.sealedSecret.map(box.open) : nil
        let tenant = try await services.configuration.settings()
        return Question(
            user: user, secret: secret, keyURI: secret.map { factors.keyURI($0, for: user, settings: tenant) },
            enrollsPhone: offers(.sms, enrollments),
            pendingNumber: offers(.sms, enrollments) ? progress.pendingNumber : nil,
            takesOTP: offers(.otp, challenges),
            phone: offers(.sms, challenges) ? enrolled.phone?.maskedNumber : nil,
            email: offers(.email, challenges) ? enrolled.email.map(EmailAddress.masked) : nil,
            takesRecoveryCode: offers(.recoveryCode, challenges),
            mayRemember: progress.demand?.allowsRememberedBrowser ?? false,
            newRecoveryCode: try progress.sealedRecoveryCode.map(box.open), enrolled: enrolled,
            firstFactor: firstFactor, session: session, login: login, progress: progress)
    }

    /// Enrols the app that has given this code.
    /// - Returns: what the browser keeps where it is remembered.
    /// - Throws: ``Refusal``, ``TransactionNotFound``.
    package func enroll(_ question: Question, code: String, remembers: Bool) async throws -> Secret? {
        guard let sealedSecret = question.progress.sealedSecret, question.secret != nil else {
            throw TransactionNotFound()
        }
        let factors = SecondFactors(services: services)
        return try await enroll(question, factor: .otp, remembers: remembers) { userID, digest, now, transaction in
            let outcome = try factors.enroll(
                sealedSecret: sealedSecret, code: code, of: userID, recoveryCodeDigest: digest, at: now,
                in: transaction)
            switch outcome {
            case .enrolled: return .right
            case .wrong: return .wrong
            // Somebody has enrolled another app for the user meanwhile, and this login has to pass that one.
            case .taken: throw TransactionNotFound()
            }
        }
    }

    /// Enrols a factor, with a recovery code where the user has none.
    /// - Parameter check: looks at the factor's first code, and writes the factor down, with the code's digest.
    func enroll(
        _ question: Question, factor: MultiFactorSettings.Factor, remembers: Bool,
        _ check:
            @escaping @Sendable (_ userID: String, String?, Date, any SQLTransaction) throws -> SecondFactors.Verdict
    ) async throws -> Secret? {
        let settings = try await services.configuration.sections().multiFactor
        guard settings.isEnabled(factor) else { throw TransactionNotFound() }
        let needsCode = settings.isEnabled(.recoveryCode) && question.enrolled.recoveryCodeCreatedAt == nil
        let recoveryCode = needsCode ? RecoveryCode.make() : nil
        let digest = recoveryCode.map(RecoveryCode.digest)
        let hadOwn = question.enrolled.hasOwn
        return try await pass(
            question, factor: factor, newRecoveryCode: recoveryCode, remembers: remembers, success: .factorEnrolled,
            failure: .factorFailed
        ) { userID, now, transaction in
            // Of several factors that are enrolled at the same time one is the first.
            guard try SecondFactors.enrolled(userID, in: transaction).hasOwn == hadOwn else {
                throw TransactionNotFound()
            }
            return try check(userID, digest, now, transaction)
        }
    }

    /// Takes a code of the user's app.
    /// - Returns: what the browser keeps where it is remembered.
    /// - Throws: ``Refusal``, ``TransactionNotFound``.
    package func challenge(_ question: Question, code: String, remembers: Bool) async throws -> Secret? {
        guard question.takesOTP else { throw TransactionNotFound() }
        let factors = SecondFactors(services: services)
        return try await pass(
            question, factor: .otp, remembers: remembers, success: .factorPassed, failure: .factorFailed,
            blocked: .factorBlocked
        ) { userID, now, transaction in
            try factors.check(otp: code, of: userID, at: now, in: transaction)
        }
    }

    /// Takes the user's recovery code, and makes another one, which the user sees next.
    /// - Returns: nothing: no browser is remembered by a recovery code.
    /// - Throws: ``Refusal``, ``TransactionNotFound``.
    package func recover(_ question: Question, code: String) async throws -> Secret? {
        guard question.takesRecoveryCode else { throw TransactionNotFound() }
        let factors = SecondFactors(services: services)
        let successor = RecoveryCode.make()
        return try await pass(
            question, factor: .recoveryCode, newRecoveryCode: successor, remembers: false,
            success: .recoveryPassed, failure: .recoveryFailed, blocked: .recoveryBlocked
        ) { userID, now, transaction in
            try factors.check(recoveryCode: code, of: userID, for: successor, at: now, in: transaction)
        }
    }

    /// The user has noted the new recovery code; nobody is shown it again.
    package func noteRecoveryCode(_ question: Question) async throws {
        let session = question.session
        try await services.keep(of: question.login) { progress in
            guard progress.factor?.belongs(to: session) == true else { return }
            progress.factor?.sealedRecoveryCode = nil
        }
    }

    // MARK: Passing

    func pass(
        _ question: Question, factor: MultiFactorSettings.Factor, newRecoveryCode: String? = nil, remembers: Bool,
        success: LogEventType, failure: LogEventType, blocked: LogEventType = .factorBlocked,
        _ check: @escaping @Sendable (_ userID: String, Date, any SQLTransaction) throws -> SecondFactors.Verdict
    ) async throws -> Secret? {
        let (login, session, now) = (question.login, question.session, services.now())
        let remembered = remembers && question.mayRemember ? Secret.random() : nil
        let sealedCode = try newRecoveryCode.map(services.secret.box.seal)
        let trail = LogTrail()
        trail.note(login)
        trail.note(session)
        let verdict = try await services.stores.database.write { transaction in
            try LoginTransactionStore.lock(digest: login.digest, in: transaction)
            try UserStore.lock(session.userID, in: transaction)
            // As it is now: another tab may have signed somebody else in, or ended the login.
            let present = try LoginTransactionStore.find(
                digest: login.digest, browserDigest: login.browserDigest, at: now, in: transaction)
            guard var progress = present?.progress, progress.factor?.belongs(to: session) == true,
                try SessionStore.hold(session, in: transaction),
                // Scripts may have made it another user's, who has other factors.
                try SessionStore.find(sid: session.sid, in: transaction) != nil
            else { throw TransactionNotFound() }
            // A wrong code is a value: thrown, it would undo that it was counted.
            let verdict = try check(session.userID, now, transaction)
            guard verdict == .right else { return verdict }
            progress.factor?.passed.append(factor.methodType)
            progress.factor?.sealedSecret = nil
            progress.factor?.pendingNumber = nil
            progress.factor?.sent = nil
            if let sealedCode { progress.factor?.sealedRecoveryCode = sealedCode }
            try LoginTransactionStore.update(progress, digest: login.digest, in: transaction)
            try SessionStore.setMultiFactor(at: now, digest: session.digest, in: transaction)
            if let remembered {
                try RememberedBrowserStore.insert(
                    digest: remembered.digest, of: session.userID,
                    expiresAt: now.addingTimeInterval(Double(Self.rememberedLifetime)), in: transaction)
            }
            return verdict
        }
        trail.note { $0.details["factor"] = .string(factor.rawValue) }
        switch verdict {
        case .right:
            trail.note { $0.noteBrowser() }
            services.log(success, trail)
            return remembered
        case .wrong:
            services.log(failure, trail, description: "The code is wrong, or was used before")
            throw Refusal.wrongCode
        case .tooMany:
            services.log(blocked, trail, description: "Too many wrong codes")
            throw Refusal.tooMany
        }
    }
}
