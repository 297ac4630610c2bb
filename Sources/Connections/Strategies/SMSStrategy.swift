import AuthorizationServer
import OAuth
import Storage

/// Codes by text message in place of passwords, sent by Twilio or by a gateway of the tenant's own.
struct SMSStrategy: ConnectionStrategy {
    let names: Set<String> = ["sms"]
    let family = ConnectionFamily.passwordless
    let manner = ConnectionManner.code
    let secretOptions: Set<String> = ["twilio_token"]
    let secretRecipients: Set<String> = ["twilio_sid"]

    private enum Provider: String, CaseIterable {
        case twilio
        case gateway = "sms_gateway"
    }

    func login(_ connection: Connection, _ options: inout Document) throws(Document.Problem) -> ConnectionLogin {
        let provider = try Self.provider(&options)
        let (from, service) = (
            try options.string("from", most: 64), try options.string("messaging_service_sid", most: 64)
        )
        guard provider.isNone || from != nil || service != nil else {
            throw options.problem("from", "is required, or messaging_service_sid")
        }
        let gateway = SMSGateway(
            provider: provider, from: from, messagingService: service,
            template: try options.string("template", most: 1024),
            mostPerHour: try options.integer("portico_messages_per_hour", in: 1...1_000_000))
        return .code(try PasswordlessSettings(.sms(gateway), &options))
    }

    private static func provider(_ options: inout Document) throws(Document.Problem) -> SMSGateway.Provider {
        let named = try options.oneOf("provider", Provider.self)
        let sid = try options.string("twilio_sid", most: 64)
        let token = try options.string("twilio_token", most: 256)
        let url = try options.string("gateway_url", most: 2048)
        if try options.object("gateway_authentication") != nil {
            throw options.problem(
                "gateway_authentication", "is not supported in this version; put a secret path in gateway_url")
        }
        switch named {
        case .gateway:
            guard let url, url.hasPrefix("https://") || url.hasPrefix("http://") else {
                throw options.problem("gateway_url", "must be an https URL")
            }
            return .gateway(url: url)
        // While somebody develops, the inbox has the messages.
        case nil where sid == nil && token == nil && url == nil: return .none
        case .twilio, nil:
            guard let sid, sid.wholeMatch(of: /[A-Za-z0-9]+/) != nil else {
                throw options.problem("twilio_sid", "must be letters and digits")
            }
            return .twilio(sid: sid, token: token)
        }
    }
}
