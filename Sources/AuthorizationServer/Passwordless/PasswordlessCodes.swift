import Foundation
import Logging
import OAuth
import Storage

/// Codes in place of passwords: sent to an address, and good for whoever reads them there, once, for minutes.
struct PasswordlessCodes: Sendable {
    let services: Services
    let connection: Connection
    let settings: PasswordlessSettings
    /// Where the code may be typed: with one application at the token endpoint, or in one login of one browser.
    let place: Place

    /// Where a code may be typed. Who asks for somebody else's code elsewhere does not make this one void.
    enum Place: Sendable {
        case client(Client)
        case login(LoginTransaction, Client)

        var text: String {
            switch self {
            case .client(let client): "client \(client.clientID)"
            case .login(let login, _): "login \(login.digest)"
            }
        }

        var client: Client {
            switch self {
            case .client(let client), .login(_, let client): client
            }
        }
    }

    /// Why there is no code.
    enum Refusal: Error, Sendable, Equatable {
        case noAddress
        case tooManyRequests(retryAfter: Int)
        /// What sends codes does not; the reason is in the log.
        case notSent
    }

    /// Codes that one address may be sent in ``window``, whoever asks; those of them that one visitor may ask for, so that
    /// nobody keeps the owner out alone; and those that one visitor may ask for whatever the address.
    private static let mostForAddress = 30
    private static let mostForAddressAndVisitor = 10
    private static let mostForVisitor = 50
    private static let window: TimeInterval = 3600

    /// Sends a code. Whether the address is a user's nobody learns: where strangers may not sign up, they are sent nothing and
    /// told the same.
    /// - Parameters:
    ///   - sent: the address as it was typed.
    ///   - visitor: where the request comes from.
    /// - Returns: the address as it is compared.
    /// - Throws: ``Refusal``.
    func send(to sent: String, visitor: String, language: String?, trail: LogTrail) async throws -> String {
        guard let address = settings.address(sent) else { throw Refusal.noAddress }
        trail.note { ($0.connection, $0.userName) = (connection.name, address) }
        let (now, limits) = (services.now(), services.stores.rateLimits)
        let digest = Secret("\(connection.id) \(address)").digest
        for (subject, most) in [
            ("passwordless from \(visitor)", Self.mostForVisitor),
            ("passwordless to \(digest) from \(visitor)", Self.mostForAddressAndVisitor),
            ("passwordless to \(digest)", Self.mostForAddress),
        ] {
            if let wait = try await limits.refusal(subject, most: most, window: Self.window, at: now) {
                throw Refusal.tooManyRequests(retryAfter: wait)
            }
        }
        let user = try await PasswordlessUsers(services: services, connection: connection).find(address)
        guard user.map({ !$0.isBlocked }) ?? settings.allowsSignup else { return address }
        let code = Self.random(length: settings.length)
        let (subject, codeDigest) = (subject(address), self.digest(of: code, address))
        let expiresAt = now.addingTimeInterval(Double(settings.lifetime))
        switch settings.channel {
        case .email(let template):
            let recipient = MessageRecipient(
                email: address, user: user, client: place.client, connection: connection.name, language: language)
            let mail = try await services.messages.prepare(
                PasswordlessMessage(.code(code), template: template), to: recipient, expiresAt: expiresAt)
            guard let mail else { throw Refusal.notSent }
            try await services.stores.database.write { transaction in
                try PasswordlessCodeStore.save(
                    subject: subject, code: codeDigest, expiresAt: expiresAt, in: transaction)
                try MailStore.enqueue(mail, in: transaction)
            }
        case .sms(let gateway):
            try await services.stores.database.write { transaction in
                try PasswordlessCodeStore.save(
                    subject: subject, code: codeDigest, expiresAt: expiresAt, in: transaction)
            }
            do throws(UpstreamFailure) {
                try await gateway.send(code, to: address, services)
            } catch {
                services.logger.error(
                    "a code cannot be sent",
                    metadata: ["connection": "\(connection.name)", "why": "\(error.explanation)"])
                throw Refusal.notSent
            }
        }
        return address
    }

    /// Takes a code that somebody has typed, in a transaction; refusals leave it as values, for they count.
    func redeem(_ code: String, address: String, in transaction: any SQLTransaction) throws
        -> PasswordlessCodeStore.Verdict
    {
        try PasswordlessCodeStore.redeem(
            subject: subject(address), code: digest(of: code, address), at: services.now(), in: transaction)
    }

    private func subject(_ address: String) -> String {
        Secret("\(connection.id) \(place.text) \(address)").digest
    }

    /// A code has few digits, so whoever reads the database must not be able to try them all.
    private func digest(of code: String, _ address: String) -> String {
        services.secret.authenticate("\(connection.id) \(address) \(code)", for: .passwordlessCodes)
    }

    private static func random(length: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<length).map { _ in String(Int.random(in: 0...9, using: &generator)) }.joined()
    }
}
