import Foundation
import Logging
import OAuth
import Scripting
import Storage

/// What every endpoint works with. Time comes in, so that a test can hold the clock.
package struct Services: Sendable {
    package let issuer: Issuer
    package let stores: Stores
    package let configuration: ConfigurationCache
    package let secret: ServerSecret
    package let passwords: PasswordHasher
    /// Every request to somebody else's server.
    package let outbound: any OutboundHTTP
    /// The keys that clients publish.
    package let remoteKeySets: RemoteKeySets
    /// How users of other connections than databases prove who they are.
    package let strategies: ConnectionStrategies
    /// The request objects that clients publish.
    package let requestObjects = RequestObjectCache()
    /// What is known of clients' certificates; nil where no proxy passes them on.
    package let mutualTLS: MutualTLS?
    /// Bytes that a users-import job's file may have.
    package let mostImportBytes: Int
    /// What takes mails to mail servers.
    package let mailTransport: any MailTransport
    /// Whether mails that nothing can send are kept for the development inbox: in development mode alone.
    package let keepsMail: Bool
    /// What actions have put aside.
    package let scriptCache = ScriptCache()
    /// Where everybody tells what has happened.
    package let logs: LogRecorder
    /// Passwords that others have lost.
    package let breachedPasswords: BreachedPasswords
    /// What runs rules and actions.
    package let scripts: any ScriptEngine
    /// Where requests come from.
    package let places: any AddressPlaces
    package let now: @Sendable () -> Date
    package let logger: Logger

    package init(
        issuer: Issuer, stores: Stores, secret: ServerSecret, passwords: PasswordHasher, outbound: any OutboundHTTP,
        strategies: ConnectionStrategies = ConnectionStrategies(), mutualTLS: MutualTLS? = nil,
        mostImportBytes: Int = 500 * 1024, keepsMail: Bool = false,
        mailTransport: any MailTransport = NoMailTransport(),
        breachedPasswordSource: (any BreachedPasswordSource)? = nil,
        scripts: any ScriptEngine = NoScriptEngine(reason: "This process does not run scripts"),
        places: any AddressPlaces = NoAddressPlaces(), logger: Logger,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        (self.issuer, self.stores, self.secret) = (issuer, stores, secret)
        (self.passwords, self.outbound, self.logger, self.now) = (passwords, outbound, logger, now)
        (self.mutualTLS, self.mostImportBytes, self.keepsMail) = (mutualTLS, mostImportBytes, keepsMail)
        (self.strategies, self.mailTransport, self.scripts) = (strategies, mailTransport, scripts)
        self.places = places
        breachedPasswords = BreachedPasswords(source: breachedPasswordSource, logger: logger)
        remoteKeySets = RemoteKeySets(outbound: outbound)
        configuration = ConfigurationCache(stores: stores, box: secret.box, issuer: issuer)
        logs = LogRecorder(
            stores: stores, configuration: configuration, hostname: issuer.domain, logger: logger, now: now)
    }

    package var tokens: TokenIssuer {
        TokenIssuer(issuer: issuer, configuration: configuration, box: secret.box, subjects: secret.subjects)
    }
    package var signingKeys: SigningKeys { SigningKeys(stores: stores, box: secret.box, issuer: issuer) }
}
