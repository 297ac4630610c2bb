import Foundation
import OAuth
import Storage

/// What sends text messages: Twilio, or an address of the tenant's own.
package struct SMSGateway: Sendable {
    /// Who is asked to send.
    package enum Provider: Sendable {
        case twilio(sid: String, token: String?)
        /// Auth0's `gateway_url`.
        case gateway(url: String)
        /// Nothing is set up. In development the inbox has the messages.
        case none

        package var isNone: Bool { if case .none = self { true } else { false } }
    }

    package let provider: Provider
    /// The sender's number, or Twilio's id of a set of them.
    package let from: String?
    package let messagingService: String?
    /// Auth0's `template`: `@@password@@` is where the code goes.
    package let template: String

    /// Messages that are sent in an hour at most, whoever asks: Portico's `portico_messages_per_hour`.
    package let mostPerHour: Int

    /// - Parameter mostPerHour: nil for the standard.
    package init(
        provider: Provider, from: String?, messagingService: String?, template: String?, mostPerHour: Int?
    ) {
        (self.provider, self.from, self.messagingService) = (provider, from, messagingService)
        self.mostPerHour = mostPerHour ?? 1000
        self.template = template ?? "Your verification code is: @@password@@"
    }

    /// Why nothing can be sent; nil where it can be tried.
    var problem: UpstreamFailure? {
        switch provider {
        case .twilio(sid: _, token: nil):
            .misconfigured(cause: "Twilio has no token", mend: "Set options.twilio_token")
        case .none:
            .misconfigured(
                cause: "The connection has nothing to send text messages with",
                mend: "Set options.twilio_sid and twilio_token, or options.provider to sms_gateway and gateway_url")
        case .twilio, .gateway: nil
        }
    }

    /// What the person reads.
    func text(code: String) -> String {
        ["@@password@@", "{{ password }}", "{{password}}", "{{ code }}", "{{code}}"].reduce(template) {
            $0.replacing($1, with: code)
        }
    }

    /// Sends a message, once.
    /// - Throws: ``UpstreamFailure``.
    func send(_ code: String, to number: String, _ services: Services) async throws(UpstreamFailure) {
        if let problem { throw problem }
        let request: OutboundRequest
        switch provider {
        case .none: return
        case .twilio(let sid, let token):
            var form = [(name: "To", value: number), (name: "Body", value: text(code: code))]
            if let messagingService { form.append((name: "MessagingServiceSid", value: messagingService)) }
            if let from { form.append((name: "From", value: from)) }
            let credentials = Data("\(sid):\(token ?? "")".utf8).base64EncodedString()
            request = OutboundRequest(
                .post(form: form), "https://api.twilio.com/2010-04-01/Accounts/\(sid)/Messages.json",
                accept: "application/json", headers: [(name: "Authorization", value: "Basic \(credentials)")])
        case .gateway(let url):
            let members: JSONObject = [
                "recipient": .string(number), "body": .string(text(code: code)),
                "sender": from.map(JSONValue.string) ?? .null,
            ]
            guard let body = try? JSON.bytes(members) else {
                throw .misconfigured(cause: "The message cannot be written", mend: "Check options.template")
            }
            request = OutboundRequest(.send(body, contentType: "application/json", headers: []), url)
        }
        let status: Int
        do throws(OutboundFailure) {
            status = try await services.outbound.send(request).status
        } catch {
            throw .unavailable(cause: error.cause, mend: error.mend)
        }
        guard (200...299).contains(status) else {
            throw .unavailable(
                cause: "The SMS gateway answered with \(status)",
                mend: "Look at its own log; the connection's credentials or numbers may be wrong")
        }
    }
}
