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
        /// The secret of the app that is to be enrolled, as people type it; nil where one is enrolled.
        package let secret: String?
        /// The same, as apps read it.
        package let keyURI: String?
        /// Whether the app's code will do.
        package let takesOTP: Bool
        /// Whether the recovery code will do.
        package let takesRecoveryCode: Bool
        /// Whether the user may have the browser remembered.
        package let mayRemember: Bool
        /// The recovery code that the user has to note; nil where there is no new one.
        package let newRecoveryCode: String?
        let session: Session
        let login: LoginTransaction
        let progress: FactorProgress

        /// Whether a factor has yet to be passed.
        package var isUnanswered: Bool { progress.demand.map { !$0.isMet(by: progress.passed) } ?? false }
    }

    /// What the pages show.
    /// - Returns: nil where the login waits for something else.
    package func question(_ login: LoginTransaction, browser: Browser) async throws -> Question? {
        guard let session = try await browser.session(services), let progress = login.progress.factor,
            progress.belongs(to: session),
            let user = try await services.stores.users.find(session.userID), !user.isBlocked
        else { return nil }
        let enrolled = try await SecondFactors(services: services).enrolled(user.id)
        let settings = try await services.configuration.sections().multiFactor
        let usable = enrolled.factors(settings).filter { name in
            guard let demand = progress.demand, demand.kind != .enrollment else { return true }
            return demand.factors?.contains(name) ?? true
        }
        let box = services.secret.box
        let secret =
            enrolled.authenticator == nil && settings.isEnabled(.otp) ? try progress.sealedSecret.map(box.open) : nil
        let tenant = try await services.configuration.settings()
        return Question(
            user: user, secret: secret,
            keyURI: secret.map { SecondFactors(services: services).keyURI($0, for: user, settings: tenant) },
            takesOTP: usable.contains(MultiFactorSettings.Factor.otp.rawValue),
            takesRecoveryCode: usable.contains(MultiFactorSettings.Factor.recoveryCode.rawValue),
            mayRemember: progress.demand?.allowsRememberedBrowser ?? false,
            newRecoveryCode: try progress.sealedRecoveryCode.map(box.open), session: session, login: login,
            progress: progress)
    }

    /// Enrols the app that has given this code.
    /// - Returns: what the browser keeps where it is remembered.
    /// - Throws: ``Refusal``, ``TransactionNotFound``.
    package func enroll(_ question: Question, code: String, remembers: Bool) async throws -> Secret? {
        guard let sealedSecret = question.progress.sealedSecret, question.secret != nil else {
            throw TransactionNotFound()
        }
        let settings = try await services.configuration.sections().multiFactor
        guard settings.isEnabled(.otp) else { throw TransactionNotFound() }
        let recoveryCode = settings.isEnabled(.recoveryCode) ? RecoveryCode.make() : nil
        let factors = SecondFactors(services: services)
        return try await pass(
            question, factor: .otp, newRecoveryCode: recoveryCode, remembers: remembers, success: .factorEnrolled,
            failure: .factorFailed
        ) { userID, now, transaction in
            let outcome = try factors.enroll(
                sealedSecret: sealedSecret, code: code, of: userID, recoveryCode: recoveryCode, at: now,
                in: transaction)
            switch outcome {
            case .enrolled: return .right
            case .wrong: return .wrong
            // Somebody has enrolled another app for the user meanwhile, and this login has to pass that one.
            case .taken: throw TransactionNotFound()
            }
        }
    }

    /// Takes a code of the user's app.
    /// - Returns: what the browser keeps where it is remembered.
    /// - Throws: ``Refusal``, ``TransactionNotFound``.
    package func challenge(_ question: Question, code: String, remembers: Bool) async throws -> Secret? {
        guard question.isUnanswered, question.takesOTP else { throw TransactionNotFound() }
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
        guard question.isUnanswered, question.takesRecoveryCode else { throw TransactionNotFound() }
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

    private func pass(
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
            // As it is now: another tab may have signed somebody else in, or ended the login.
            let present = try LoginTransactionStore.find(
                digest: login.digest, browserDigest: login.browserDigest, at: now, in: transaction)
            guard var progress = present?.progress, progress.factor?.belongs(to: session) == true,
                try SessionStore.hold(digest: session.digest, in: transaction),
                // Scripts may have made it another user's, who has other factors.
                try SessionStore.find(sid: session.sid, in: transaction) != nil
            else { throw TransactionNotFound() }
            // A wrong code is a value: thrown, it would undo that it was counted.
            let verdict = try check(session.userID, now, transaction)
            guard verdict == .right else { return verdict }
            progress.factor?.passed.append(factor.rawValue)
            progress.factor?.sealedSecret = nil
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
