import Foundation
import Logging
import OAuth
import Storage

extension PasswordlessCodes {
    /// How a code or a link gets to its address, or seems to: whoever may not sign in is sent nothing, and what is done for them
    /// is the same, so that no answer tells by its time who is a user.
    struct Delivery: Sendable {
        let services: Services
        let connection: Connection
        let client: Client
        /// As it is compared.
        let address: String
        let user: User?
        /// Whether whoever has the address may sign in.
        let isLetIn: Bool
        let language: String?
        let expiresAt: Date

        /// The mail, which is empty and goes nowhere where nobody may read it.
        /// - Throws: ``Refusal/notSent`` where the tenant has nothing to send mails with.
        func mail(_ message: PasswordlessMessage) async throws -> QueuedMail {
            let recipient = MessageRecipient(
                email: address, user: user, client: client, connection: connection.name, language: language)
            let mail = try await services.messages.prepare(message, to: recipient, expiresAt: expiresAt)
            guard let mail else { throw Refusal.notSent }
            return isLetIn ? mail : mail.withheld
        }

        /// The text message for the development inbox; nil where a gateway sends it.
        /// - Throws: ``Refusal/notSent`` where there is neither.
        func keptText(_ code: String, _ gateway: SMSGateway) async throws -> QueuedMail? {
            guard let problem = gateway.problem else { return nil }
            let text = gateway.text(code: code)
            let kept = try await services.messages.keep(text, to: address, from: gateway.from, expiresAt: expiresAt)
            guard let kept else {
                explain(problem)
                throw Refusal.notSent
            }
            return isLetIn ? kept : kept.withheld
        }

        /// Sends a text message.
        /// - Parameter tellsOutcome: whether whoever asked waits for the gateway, and is told what it says. Then everybody is sent
        ///   the code, also who is blocked, whom it does not let in: the answer would tell by its time. Where strangers may not
        ///   sign up nobody waits: only for users there would be something to wait for.
        /// - Throws: ``Refusal/notSent``.
        func send(_ code: String, through gateway: SMSGateway, tellsOutcome: Bool) async throws {
            guard tellsOutcome else {
                guard isLetIn else { return }
                // A code that is lost with its node is asked for again: it would be good for minutes only.
                Task {
                    do { try await deliver(code, gateway) } catch { logFailure() }
                }
                return
            }
            try await deliver(code, gateway)
        }

        private func deliver(_ code: String, _ gateway: SMSGateway) async throws(Refusal) {
            do throws(UpstreamFailure) {
                try await gateway.send(code, to: address, services)
            } catch {
                explain(error)
                throw .notSent
            }
        }

        private func explain(_ failure: UpstreamFailure) {
            services.logger.error(
                "a code cannot be sent",
                metadata: ["connection": "\(connection.name)", "why": "\(failure.explanation)"])
        }

        /// Nobody waits who could be told.
        private func logFailure() {
            let trail = LogTrail()
            trail.note { ($0.connection, $0.userName, $0.clientID) = (connection.name, address, client.clientID) }
            services.log(.failedNotification, trail, description: "The code could not be sent")
        }
    }
}
