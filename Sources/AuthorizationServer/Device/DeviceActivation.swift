import Foundation
import OAuth
import Storage

/// The browser's side of the device flow, [RFC 8628 §3.3](https://www.rfc-editor.org/rfc/rfc8628#section-3.3): a user
/// types the device's code, confirms it, signs in as for any application, and lets the device in.
///
/// Confirming starts a ``LoginTransaction`` of the browser's own, which ends in a ``DeviceAdmission`` instead of an
/// answer to a client. So nobody lets a device in who has not seen its code and the application's name, in this browser.
package struct DeviceActivation: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// A device that waits, as the user is shown it.
    package struct Question: Sendable {
        package let userCode: String
        package let client: Client
        let device: DeviceCode
    }

    /// Why a code leads nowhere.
    package enum Refusal: Error, Sendable {
        /// Not a code, unknown, answered or expired.
        case unknownCode
        /// This address has tried too many that were none.
        case tooManyGuesses

        fileprivate var explanation: String {
            switch self {
            case .unknownCode: "Invalid or expired user code."
            case .tooManyGuesses: "Too many wrong user codes from this address."
            }
        }
    }

    /// The device that waits for what the user typed.
    /// - Throws: ``Refusal``.
    package func question(_ typed: String, browser: Browser) async throws -> Question {
        do {
            return try await find(typed, browser)
        } catch let refusal as Refusal {
            services.log(.failedDeviceActivation, LogTrail(), description: refusal.explanation)
            throw refusal
        }
    }

    private func find(_ typed: String, _ browser: Browser) async throws -> Question {
        let settings = try await services.configuration.settings().deviceFlow
        try await takeGuess(browser.address)
        guard let code = UserCode(typed: typed, settings),
            let device = try await services.stores.deviceCodes.find(
                userCodeDigest: services.secret.digest(of: code), at: services.now()),
            let client = try await services.configuration.client(device.clientID)?.client,
            client.grantTypes.contains(.deviceCode)
        else { throw Refusal.unknownCode }
        try await giveGuessBack(browser.address)
        return Question(userCode: code.text, client: client, device: device)
    }

    /// What the confirmation's form must send back: it is good for this device in this browser.
    package func formToken(_ question: Question, _ browser: Browser) -> String {
        services.secret.formToken(browser, state: "activate \(question.userCode)")
    }

    /// The user has confirmed that the code is the one that the device shows.
    /// - Returns: the `state` of the login transaction that this starts.
    package func confirm(_ question: Question, browser: Browser) async throws -> Secret {
        let (state, now) = (Secret.random(), services.now())
        let login = LoginTransaction(
            digest: state.digest, browserDigest: browser.secret.digest, clientID: question.client.clientID,
            purpose: .device(codeDigest: question.device.digest), createdAt: now, expiresAt: question.device.expiresAt)
        try await services.stores.database.write { try LoginTransactionStore.insert(login, in: $0) }
        return state
    }

    /// The user does not know the device, or does not want it.
    package func cancel(_ question: Question) async throws {
        let (digest, now) = (question.device.digest, services.now())
        try await services.stores.database.write { try DeviceCodeStore.deny(digest: digest, at: now, in: $0) }
        let trail = LogTrail()
        trail.note { ($0.clientID, $0.audience) = (question.client.clientID, question.device.audience) }
        services.log(.deviceRefused, trail, description: "User cancelled the confirmation prompt.")
    }

    // MARK: Guesses

    /// Wrong codes that an address may try within ``guessWindow``, and no more: of 20^8 that is nothing.
    private static let mostGuesses = 20
    /// Seconds: no code lives longer.
    private static let guessWindow: TimeInterval = 900

    private static func guesses(_ address: String) -> String { "user codes \(address)" }

    /// Counted before the code is looked for, so that guesses that run at once cannot each be the last.
    private func takeGuess(_ address: String) async throws {
        guard
            try await services.stores.rateLimits.refusal(
                Self.guesses(address), most: Self.mostGuesses, window: Self.guessWindow, at: services.now()) == nil
        else { throw Refusal.tooManyGuesses }
    }

    /// One only: whoever knows a right code must not get more guesses at others'.
    private func giveGuessBack(_ address: String) async throws {
        try await services.stores.rateLimits.giveBack(Self.guesses(address))
    }
}
