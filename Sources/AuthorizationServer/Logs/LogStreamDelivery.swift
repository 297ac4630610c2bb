import Crypto
import Foundation
import Logging
import OAuth
import Storage

// The logging library has a type of that name as well.
import struct Storage.LogEvent

/// Sends log events to where the tenant's log streams say, each at least once and in their order.
///
/// How far a stream has come stands in the database, and moves only when the receiver has answered with success: what a node has
/// begun when it ends is sent again. A receiver tells repeated events by their `log_id`.
package struct LogStreamDelivery: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Seconds for which a try belongs to its node; more than a request can take.
    static let lease: TimeInterval = 60
    /// Events in one request at most.
    static let batch = 100
    /// Tries in a row that may fail before the stream is suspended: about fifteen hours.
    package static let mostFailures = 40

    /// Seconds between a try that is the `failures`th in a row to fail, and the next.
    static func pause(after failures: Int) -> TimeInterval { min(1800, TimeInterval(1 << min(failures - 1, 20))) }

    /// Sends what is due for one stream.
    /// - Returns: whether there may be more.
    package func deliverDue() async throws -> Bool {
        let (now, store) = (services.now(), services.stores.logStreams)
        guard try await store.isAnyDue(at: now), let state = try await store.claim(at: now, lease: Self.lease) else {
            return false
        }
        let events = try await services.stores.logEvents.list(after: state.cursor, limit: Self.batch)
        guard let last = events.last?.id else {
            try await store.advance(state, to: state.cursor, at: now)
            return false
        }
        let wanted = events.filter(state.stream.sends)
        if !wanted.isEmpty, let failure = try await send(wanted, to: state) {
            try await fail(state, failure)
        } else {
            try await store.advance(state, to: last, at: services.now())
        }
        return true
    }

    private func fail(_ state: LogStreamState, _ failure: String) async throws {
        let failures = state.failures + 1
        let isSuspended = failures >= Self.mostFailures
        let metadata: Logger.Metadata = [
            "stream": "\(state.stream.name)", "endpoint": "\(state.stream.endpoint)", "try": "\(failures)",
            "cause": "\(failure)",
        ]
        if isSuspended {
            services.logger.error(
                "log stream suspended: make it active again once its receiver is mended", metadata: metadata)
        } else {
            services.logger.warning("log events not delivered, will be tried again", metadata: metadata)
        }
        try await services.stores.logStreams.putOff(
            state, until: services.now().addingTimeInterval(Self.pause(after: failures)), isSuspended: isSuspended)
    }

    /// - Returns: what went wrong; nil where the receiver has taken the events.
    private func send(_ events: [LogEvent], to state: LogStreamState) async throws -> String? {
        let secrets = try secrets(of: state)
        let body = try Self.body(events, state.stream.contentFormat)
        var headers = secrets.headers.map { (name: $0.header, value: $0.value) }
        if let authorization = secrets.authorization { headers.append((name: "Authorization", value: authorization)) }
        if let secret = secrets.signingSecret {
            headers.append(
                (name: "Portico-Signature", value: Self.signature(of: body, secret: secret, at: services.now())))
        }
        do {
            let answer = try await services.outbound.send(
                OutboundRequest(
                    .send(body, contentType: state.stream.contentType, headers: headers), state.stream.endpoint,
                    mostBytes: 65_536))
            return (200..<300).contains(answer.status) ? nil : "the receiver answered \(answer.status)"
        } catch {
            return "\(error)"
        }
    }

    private func secrets(of state: LogStreamState) throws -> LogStream.Secrets {
        guard let sealed = state.sealedSecrets else { return LogStream.Secrets() }
        return try JSON.decode(LogStream.Secrets.self, from: services.secret.box.open(sealed))
    }

    /// Auth0's form: each event with its id beside it.
    static func body(_ events: [LogEvent], _ format: LogStream.ContentFormat) throws -> Data {
        let entries = events.map { event -> JSONValue in
            ["log_id": .string(event.id), "data": .object(event.document)]
        }
        return switch format {
        case .array: try JSON.bytes(entries)
        case .object: try JSON.bytes(["logs": JSONValue.array(entries)])
        case .lines: Data(try entries.map { try JSON.text($0) + "\n" }.joined().utf8)
        }
    }

    /// `t=` the time in seconds since 1970, `v1=` the HMAC-SHA256 of that time, a full stop and the body, in hexadecimal
    /// digits. The time lets a receiver refuse what somebody has kept.
    package static func signature(of body: Data, secret: String, at now: Date) -> String {
        let time = Int(now.timeIntervalSince1970)
        var authenticated = Data("\(time).".utf8)
        authenticated += body
        let code = HMAC<SHA256>.authenticationCode(
            for: authenticated, using: SymmetricKey(data: Array(secret.utf8)))
        let digits = code.map { String($0 >> 4, radix: 16) + String($0 & 0xF, radix: 16) }.joined()
        return "t=\(time),v1=\(digits)"
    }
}
