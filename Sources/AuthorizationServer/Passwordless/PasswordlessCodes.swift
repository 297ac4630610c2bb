import Foundation
import Logging
import OAuth
import Storage

/// Codes and links in place of passwords: sent to an address, and good for whoever reads them there, once, for minutes.
struct PasswordlessCodes: Sendable {
    let services: Services
    let connection: Connection
    let settings: PasswordlessSettings
    /// Where the code may be typed: with one application at the token endpoint, or in one login of one browser.
    let place: Place

    /// Where a code may be typed, or what a link goes on with. Who asks for somebody else's code elsewhere does not make this
    /// one void.
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

    /// What is sent, and what the server keeps of it.
    private struct Proof: Sendable {
        let message: PasswordlessMessage.Proof
        let digest: String
        let sealedLink: String?
    }

    /// Codes that one address may be sent in ``window``, whoever asks; those of them that one visitor may ask for, so that
    /// nobody keeps the owner out alone; and those that one visitor may ask for whatever the address.
    private static let mostForAddress = 30
    private static let mostForAddressAndVisitor = 10
    private static let mostForVisitor = 50
    private static let window: TimeInterval = 3600

    /// Sends a code, or a link. Whether the address is a user's nobody learns: where strangers may not sign up, they are sent
    /// nothing and told the same, after the same work.
    /// - Parameters:
    ///   - sent: the address as it was typed.
    ///   - purpose: what a link goes on with; nil for a code.
    ///   - visitor: where the request comes from.
    /// - Returns: the address as it is compared.
    /// - Throws: ``Refusal``.
    func send(
        to sent: String, link purpose: PasswordlessLink.Purpose? = nil, visitor: String, language: String?,
        trail: LogTrail
    ) async throws -> String {
        guard let address = settings.address(sent) else { throw Refusal.noAddress }
        trail.note { ($0.connection, $0.userName) = (connection.name, address) }
        try await limit(address, visitor: visitor)
        let account = try await PasswordlessUsers(services: services, connection: connection).find(address)
        let delivery = Delivery(
            services: services, connection: connection, client: place.client, address: address, user: account?.user,
            isLetIn: account.map { !$0.isBlocked } ?? settings.allowsSignup, language: language,
            expiresAt: services.now().addingTimeInterval(Double(settings.lifetime)))
        let proof = try proof(address, purpose)
        switch settings.channel {
        case .email(let template):
            let mail = try await delivery.mail(PasswordlessMessage(proof.message, template: template))
            try await save(proof, delivery, mail)
        case .sms(let gateway):
            guard case .code(let code) = proof.message else { throw Refusal.notSent }
            let kept = try await delivery.keptText(code, gateway)
            try await save(proof, delivery, kept)
            if kept == nil { try await delivery.send(code, through: gateway, tellsOutcome: settings.allowsSignup) }
        }
        return address
    }

    private func limit(_ address: String, visitor: String) async throws {
        let (now, limits) = (services.now(), services.stores.rateLimits)
        let digest = Secret("\(connection.id) \(address)").digest
        var subjects = [
            ("passwordless from \(visitor)", Self.mostForVisitor),
            ("passwordless to \(digest) from \(visitor)", Self.mostForAddressAndVisitor),
            ("passwordless to \(digest)", Self.mostForAddress),
        ]
        // Numbers are cheap to make up, and each text message has its price.
        if case .sms(let gateway) = settings.channel {
            subjects.append(("passwordless by \(connection.id)", gateway.mostPerHour))
        }
        for (subject, most) in subjects {
            if let wait = try await limits.refusal(subject, most: most, window: Self.window, at: now) {
                throw Refusal.tooManyRequests(retryAfter: wait)
            }
        }
    }

    private func proof(_ address: String, _ purpose: PasswordlessLink.Purpose?) throws -> Proof {
        guard let purpose else {
            let code = Self.random(length: settings.length)
            return Proof(message: .code(code), digest: digest(of: code, address), sealedLink: nil)
        }
        let (ticket, link) = (
            Secret.random(), PasswordlessLink(connectionID: connection.id, address: address, purpose: purpose)
        )
        return Proof(
            message: .link(services.issuer.url("\(PasswordlessLink.path)?ticket=\(ticket.text)")),
            digest: ticket.digest, sealedLink: try services.secret.box.seal(JSON.text(link)))
    }

    private func save(_ proof: Proof, _ delivery: Delivery, _ mail: QueuedMail?) async throws {
        let subject = subject(delivery.address)
        try await services.stores.database.write { transaction in
            try PasswordlessCodeStore.save(
                subject: subject, code: proof.digest, sealedLink: proof.sealedLink, expiresAt: delivery.expiresAt,
                in: transaction)
            if let mail { try MailStore.enqueue(mail, in: transaction) }
        }
    }

    /// Takes what somebody has typed or opened, in a transaction; refusals leave it as values, for they count.
    func redeem(_ answer: PasswordlessAnswer, address: String, in transaction: any SQLTransaction) throws
        -> PasswordlessCodeStore.Verdict
    {
        switch answer {
        case .code(let typed):
            let code = typed.filter { !$0.isWhitespace }
            return try PasswordlessCodeStore.redeem(
                subject: subject(address), code: digest(of: code, address), at: services.now(), in: transaction)
        case .link(let ticket):
            return try PasswordlessCodeStore.redeemLink(digest: ticket.digest, at: services.now(), in: transaction)
        }
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

/// What proves that somebody reads what is sent to an address.
enum PasswordlessAnswer: Sendable {
    /// As it was typed.
    case code(String)
    /// What the link carries.
    case link(Secret)

    /// Whether it is short enough to be found by trying.
    var isGuessable: Bool { if case .code = self { true } else { false } }
}
