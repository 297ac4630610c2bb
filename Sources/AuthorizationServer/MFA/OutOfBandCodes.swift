import Foundation
import Logging
import OAuth
import Storage

/// Codes that are sent to a user as a second factor: to the verified e-mail address, or to an enrolled phone. They take the ways
/// that the codes of passwordless logins take.
struct OutOfBandCodes: Sendable {
    let services: Services
    /// The login in which the code may be typed, and in no other.
    let place: String

    /// Where a code goes.
    enum Channel: String, Sendable, Codable {
        case email
        case sms

        var factor: MultiFactorSettings.Factor { self == .email ? .email : .sms }
    }

    /// Why no code is sent.
    enum Refusal: Error, Sendable, Equatable {
        case tooManyRequests(retryAfter: Int)
        /// What sends codes does not; the reason is in the log.
        case notSent
    }

    /// Digits of a code.
    private static let length = 6
    /// Seconds for which a code is good.
    static let lifetime = 300

    /// Codes that one user may be sent in ``window``, and that one visitor may have sent, whoever to.
    private static let mostForUser = 10
    private static let mostForVisitor = 50
    /// Text messages that one number may be sent, all in all and for one visitor, with those of passwordless logins.
    private static let (mostForNumber, mostForNumberAndVisitor) = (30, 10)
    /// The share of a gateway's text messages that numbers get which nobody has confirmed: whoever makes numbers up leaves the rest
    /// to those who have one.
    private static let shareOfEnrollments = 4
    private static let window: TimeInterval = 3600

    /// Sends a code in place of the one before.
    /// - Parameters:
    ///   - address: the e-mail address, or the number in E.164.
    ///   - visitor: where the request comes from.
    ///   - isEnrollment: whether the number is one that the user has yet to confirm.
    /// - Throws: ``Refusal``.
    func send(
        by channel: Channel, to address: String, of user: User, client: Client?, visitor: String, language: String?,
        isEnrollment: Bool = false
    ) async throws {
        let gateway = channel == .sms ? try await readGateway() : nil
        try await limit(user, address, visitor, gateway, isEnrollment)
        let code = Self.random()
        let expiresAt = services.now().addingTimeInterval(Double(Self.lifetime))
        let kept: QueuedMail?
        switch channel {
        case .email:
            let recipient = MessageRecipient(email: address, user: user, client: client, language: language)
            kept = try await services.messages.prepare(
                MFAOutOfBandCodeMessage(code: code), to: recipient, expiresAt: expiresAt)
            guard kept != nil else { throw Refusal.notSent }
        case .sms:
            guard let gateway = gateway?.gateway else { throw noGateway() }
            kept = try await text(code, gateway, to: address, expiresAt)
        }
        let (subject, digest) = (subject(channel), digest(of: code, user.id, address))
        try await services.stores.database.write { transaction in
            try PasswordlessCodeStore.save(subject: subject, code: digest, expiresAt: expiresAt, in: transaction)
            if let kept { try MailStore.enqueue(kept, in: transaction) }
        }
        guard kept == nil, let gateway = gateway?.gateway else { return }
        do throws(UpstreamFailure) {
            try await gateway.send(code, to: address, services)
        } catch {
            explain(error)
            throw Refusal.notSent
        }
    }

    /// Takes a code that somebody has typed, in a transaction.
    func isRight(
        _ typed: String, by channel: Channel, sentTo address: String, of userID: String,
        in transaction: any SQLTransaction
    ) throws -> Bool {
        let code = typed.filter { !$0.isWhitespace }
        return try PasswordlessCodeStore.redeem(
            subject: subject(channel), code: digest(of: code, userID, address), at: services.now(), in: transaction)
            == .right
    }

    private func limit(
        _ user: User, _ address: String, _ visitor: String, _ sms: (connection: Connection, gateway: SMSGateway)?,
        _ isEnrollment: Bool
    ) async throws {
        let (now, limits) = (services.now(), services.stores.rateLimits)
        var subjects = [
            ("second factor codes from \(visitor)", Self.mostForVisitor),
            ("second factor codes to \(user.id)", Self.mostForUser),
        ]
        // Each text message has its price, whatever it is for.
        if let sms {
            let (id, most) = (sms.connection.id, sms.gateway.mostPerHour)
            let number = Secret("\(id) \(address)").digest
            subjects += [
                ("passwordless to \(number) from \(visitor)", Self.mostForNumberAndVisitor),
                ("passwordless to \(number)", Self.mostForNumber),
            ]
            if isEnrollment { subjects.append(("factor enrolments by \(id)", max(1, most / Self.shareOfEnrollments))) }
            subjects.append(("passwordless by \(id)", most))
        }
        for (subject, most) in subjects {
            if let wait = try await limits.refusal(subject, most: most, window: Self.window, at: now) {
                throw Refusal.tooManyRequests(retryAfter: wait)
            }
        }
    }

    /// The text message for the development inbox; nil where a gateway sends it.
    private func text(
        _ code: String, _ gateway: SMSGateway, to number: String, _ expiresAt: Date
    ) async throws -> QueuedMail? {
        guard let problem = gateway.problem else { return nil }
        let kept = try await services.messages.keep(
            gateway.text(code: code), to: number, from: gateway.from, expiresAt: expiresAt)
        guard let kept else {
            explain(problem)
            throw Refusal.notSent
        }
        return kept
    }

    private func readGateway() async throws -> (connection: Connection, gateway: SMSGateway)? {
        do {
            return try await services.smsGateway()
        } catch let failure as UpstreamFailure {
            explain(failure)
            throw Refusal.notSent
        }
    }

    private func noGateway() -> Refusal {
        explain(
            .misconfigured(
                cause: "No connection sends text messages",
                mend: "Make a connection of the strategy sms, whose gateway codes of second factors take, too"))
        return .notSent
    }

    private func explain(_ failure: UpstreamFailure) {
        services.logger.error(
            "a code for a second factor cannot be sent", metadata: ["why": "\(failure.explanation)"])
    }

    private func subject(_ channel: Channel) -> String { Secret("second factor \(channel) \(place)").digest }

    /// A code has few digits, so whoever reads the database must not be able to try them all.
    private func digest(of code: String, _ userID: String, _ address: String) -> String {
        services.secret.authenticate("\(place) \(userID) \(address) \(code)", for: .factorCodes)
    }

    private static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<length).map { _ in String(Int.random(in: 0...9, using: &generator)) }.joined()
    }
}

extension Connection {
    /// Whether codes of second factors take its gateway.
    package var sendsTextMessages: Bool { strategy == "sms" }
}

extension Services {
    /// Whether something sends text messages: a gateway or, in development, the inbox.
    package func canSendTextMessages() async throws -> Bool {
        do {
            guard let gateway = try await smsGateway()?.gateway else { return false }
            return gateway.problem == nil || keepsMail
        } catch is UpstreamFailure {
            return false
        }
    }

    /// What sends the tenant's text messages: the first of its `sms` connections; nil where there is none.
    /// - Throws: ``UpstreamFailure`` where its settings cannot be read.
    func smsGateway() async throws -> (connection: Connection, gateway: SMSGateway)? {
        let connections = try await configuration.connections().filter(\.sendsTextMessages)
        guard let connection = connections.min(by: { $0.name < $1.name }),
            case .sms(let gateway) = try await passwordless(connection).channel
        else { return nil }
        return (connection, gateway)
    }
}

/// Phone numbers as people and applications send them.
enum PhoneNumber {
    /// The number in E.164, whatever stands between the digits; nil where it is none.
    static func e164(_ sent: String) -> String? {
        let number = sent.filter { !" -().\u{A0}".contains($0) }
        return number.wholeMatch(of: /\+[1-9][0-9]{6,14}/) == nil ? nil : number
    }
}
