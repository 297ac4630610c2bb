import Foundation
import OAuth
import Storage

/// The pages whose codes are sent to the user.
extension MultiFactorLogin {
    /// By mail or by text message.
    package enum Channel: Sendable {
        case email
        case sms

        fileprivate var sent: OutOfBandCodes.Channel { self == .email ? .email : .sms }
        fileprivate var name: String { sent.factor.methodType }
    }

    /// Why no code is sent.
    package enum SendingRefusal: Error, Sendable, Equatable {
        case addressInvalid
        case tooManyRequests
        case notSent
    }

    /// Who asks for a code, and in which language it is written.
    package struct Sending: Sendable {
        let client: Client
        let browser: Browser
        let language: String?

        package init(client: Client, browser: Browser, language: String?) {
            (self.client, self.browser, self.language) = (client, browser, language)
        }
    }

    /// Sends the first code of a page, once in a login however often the page is opened.
    /// - Throws: ``SendingRefusal``, ``TransactionNotFound``.
    package func sendOnce(_ channel: Channel, _ question: Question, _ sending: Sending) async throws {
        let now = services.now()
        let (login, session) = (question.login, question.session)
        let isFirst = try await services.stores.database.write { transaction in
            try LoginTransactionStore.lock(digest: login.digest, in: transaction)
            let present = try LoginTransactionStore.find(
                digest: login.digest, browserDigest: login.browserDigest, at: now, in: transaction)
            guard var progress = present?.progress, progress.factor?.belongs(to: session) == true else {
                throw TransactionNotFound()
            }
            let sent = progress.factor?.sent ?? []
            guard !sent.contains(channel.name) else { return false }
            progress.factor?.sent = sent + [channel.name]
            try LoginTransactionStore.update(progress, digest: login.digest, in: transaction)
            return true
        }
        if isFirst { try await send(channel, question, sending) }
    }

    /// Sends a code, in place of the one before.
    /// - Throws: ``SendingRefusal``, ``TransactionNotFound``.
    package func send(_ channel: Channel, _ question: Question, _ sending: Sending) async throws {
        guard (channel == .email ? question.email : question.phone) != nil,
            let address = question.enrolled.address(of: channel.sent)
        else { throw TransactionNotFound() }
        try await send(channel, to: address, question, sending)
    }

    private func send(
        _ channel: Channel, to address: String, _ question: Question, _ sending: Sending, isEnrollment: Bool = false
    ) async throws {
        do {
            try await codes(question).send(
                by: channel.sent, to: address, of: question.user, client: sending.client,
                visitor: sending.browser.address, language: sending.language, isEnrollment: isEnrollment)
        } catch let refusal as OutOfBandCodes.Refusal {
            switch refusal {
            case .tooManyRequests: throw SendingRefusal.tooManyRequests
            case .notSent: throw SendingRefusal.notSent
            }
        }
    }

    /// Takes a code that was sent.
    /// - Returns: what the browser keeps where it is remembered.
    /// - Throws: ``Refusal``, ``TransactionNotFound``.
    package func answer(
        _ channel: Channel, _ question: Question, code: String, remembers: Bool
    ) async throws -> Secret? {
        guard (channel == .email ? question.email : question.phone) != nil,
            let address = question.enrolled.address(of: channel.sent)
        else { throw TransactionNotFound() }
        let (factors, codes) = (SecondFactors(services: services), codes(question))
        return try await pass(
            question, factor: channel.sent.factor, remembers: remembers, success: .factorPassed,
            failure: .factorFailed
        ) { userID, now, transaction in
            // The address may have been changed meanwhile, or the phone taken away.
            guard try SecondFactors.enrolled(userID, in: transaction).address(of: channel.sent) == address else {
                throw TransactionNotFound()
            }
            let verdict = try factors.check(sentCodeOf: userID, at: now, in: transaction) {
                try codes.isRight(code, by: channel.sent, sentTo: address, of: userID, in: transaction)
            }
            if verdict == .right, channel == .sms {
                try PhoneAuthenticatorStore.touch(of: userID, at: now, in: transaction)
            }
            return verdict
        }
    }

    // MARK: Enrolling a phone

    /// Sends the first code to a phone that is to be enrolled.
    /// - Parameter number: as it was typed; nil where the user wants to give another one.
    /// - Throws: ``SendingRefusal``, ``TransactionNotFound``.
    package func beginPhone(_ question: Question, number sent: String?, _ sending: Sending) async throws {
        guard question.enrollsPhone else { throw TransactionNotFound() }
        var number: String?
        if let sent {
            guard let parsed = PhoneNumber.e164(sent) else { throw SendingRefusal.addressInvalid }
            try await send(.sms, to: parsed, question, sending, isEnrollment: true)
            number = parsed
        }
        let session = question.session
        try await services.keep(of: question.login) { [number] progress in
            guard progress.factor?.belongs(to: session) == true else { return }
            progress.factor?.pendingNumber = number
        }
    }

    /// Enrols the phone on which this code was read.
    /// - Returns: what the browser keeps where it is remembered.
    /// - Throws: ``Refusal``, ``TransactionNotFound``.
    package func enrollPhone(_ question: Question, code: String, remembers: Bool) async throws -> Secret? {
        guard let number = question.pendingNumber else { throw TransactionNotFound() }
        let (factors, codes) = (SecondFactors(services: services), codes(question))
        return try await enroll(question, factor: .sms, remembers: remembers) { userID, digest, now, transaction in
            let verdict = try factors.check(sentCodeOf: userID, at: now, in: transaction) {
                try codes.isRight(code, by: .sms, sentTo: number, of: userID, in: transaction)
            }
            guard verdict == .right else { return verdict }
            let isEnrolled = try factors.enroll(
                number: number, of: userID, recoveryCodeDigest: digest, at: now, in: transaction)
            // Somebody has enrolled another phone for the user meanwhile, and this login has to pass that one.
            guard isEnrolled else { throw TransactionNotFound() }
            return .right
        }
    }

    private func codes(_ question: Question) -> OutOfBandCodes {
        OutOfBandCodes(services: services, place: "login \(question.login.digest)")
    }
}
