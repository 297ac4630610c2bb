import OAuth
import Storage

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A name that a client has registered for its certificate, ready to be compared:
/// [RFC 8705 §2.1.2](https://www.rfc-editor.org/rfc/rfc8705#section-2.1.2).
enum MutualTLSName: Sendable, Equatable {
    case subject(SubjectName)
    /// In lower case.
    case dns([UInt8])
    case uri([UInt8])
    /// 4 bytes or 16.
    case ip([UInt8])
    /// With its domain in lower case.
    case email([UInt8])

    /// - Throws: ``SubjectName/Problem`` for a text that no certificate can have.
    init(_ name: MutualTLSSettings.ExpectedName) throws(SubjectName.Problem) {
        guard !name.value.isEmpty else { throw SubjectName.Problem(description: "is empty") }
        switch name.kind {
        case .subject: self = .subject(try SubjectName(name.value))
        case .dns: self = .dns(ClientCertificate.asciiLowercased(name.value))
        case .uri: self = .uri(Array(name.value.utf8))
        case .ip:
            guard let bytes = Self.address(name.value) else {
                throw SubjectName.Problem(description: "is no IP address such as 192.0.2.1 or 2001:db8::1")
            }
            self = .ip(bytes)
        case .email: self = .email(ClientCertificate.mailbox(name.value))
        }
    }

    private static func address(_ text: String) -> [UInt8]? {
        var v4 = [UInt8](repeating: 0, count: 4)
        if inet_pton(AF_INET, text, &v4) == 1 { return v4 }
        var v6 = [UInt8](repeating: 0, count: 16)
        return inet_pton(AF_INET6, text, &v6) == 1 ? v6 : nil
    }
}
