import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import OAuth

/// The headers in which a proxy passes on what it knows of a client's certificate.
package struct ClientCertificateHeaders: Sendable, Equatable {
    let certificate: HTTPField.Name
    /// Has ``verified`` where the proxy has verified the certificate's chain; nil where it never says.
    let verdict: HTTPField.Name?

    /// Whether the proxy says which chains it has verified.
    package var hasVerdict: Bool { verdict != nil }

    /// The verdict that counts; nginx, Apache and Auth0's edge write it so.
    static let verified = "SUCCESS"

    /// - Returns: nil for what is no name of a header.
    package init?(certificate: String, verdict: String?) {
        guard let name = HTTPField.Name(certificate) else { return nil }
        self.certificate = name
        guard let verdict else {
            self.verdict = nil
            return
        }
        guard let name = HTTPField.Name(verdict), name != self.certificate else { return nil }
        self.verdict = name
    }
}

/// Reads the certificate of a client's connection from what a trusted proxy says of it. What anybody else says is not even
/// read: whoever reaches this server past the proxy could claim to be any client.
struct ClientCertificates: RouterMiddleware {
    let headers: ClientCertificateHeaders?
    let trustedProxies: [AddressRange]

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        if let headers, request.headers.contains(headers.certificate) {
            let peer = context.remoteAddress?.ipAddress.flatMap(IPAddress.bytes)
            if let peer, trustedProxies.contains(where: { $0.contains(peer) }) {
                do throws(ClientCertificate.Problem) {
                    context.clientCertificate = try certificate(in: request.headers, headers)
                } catch {
                    context.logger.warning(
                        "a proxy's client certificate is of no use",
                        metadata: ["header": "\(headers.certificate)", "why": "\(error.description)"])
                }
            } else {
                context.logger.notice(
                    "a client certificate was ignored: it comes from nobody in trusted-proxies",
                    metadata: ["header": "\(headers.certificate)"])
            }
        }
        return try await next(request, context)
    }

    /// - Throws: ``AuthorizationServer/ClientCertificate/Problem`` also where there are two headers: one of them the proxy
    ///   has not written.
    func certificate(
        in fields: HTTPFields, _ headers: ClientCertificateHeaders
    ) throws(ClientCertificate.Problem) -> ClientCertificate? {
        let values = fields[values: headers.certificate]
        guard values.count == 1, let value = values.first else {
            throw ClientCertificate.Problem(
                description: "the header is there more than once; the proxy must remove what clients send in it")
        }
        let verdicts = headers.verdict.map { fields[values: $0] } ?? []
        guard verdicts.count < 2 else {
            throw ClientCertificate.Problem(
                description: "the verdict is there more than once; the proxy must remove what clients send in it")
        }
        let isVerified = verdicts.first == ClientCertificateHeaders.verified
        switch try ClientCertificateValue(value) {
        case .none: return nil
        case .der(let der): return try ClientCertificate(der: der, isChainVerified: isVerified)
        case .pem(let pem): return try ClientCertificate(pem: pem, isChainVerified: isVerified)
        }
    }
}

/// A certificate as proxies write it into a header.
enum ClientCertificateValue: Equatable {
    case none
    case der([UInt8])
    case pem(String)

    /// Bytes of a header at most; a certificate has one or two thousand, and escaping makes a third more of them.
    static let mostBytes = 3 * ClientCertificate.mostBytes

    /// Tells the forms by how they begin: the byte sequence of [RFC 9440 §2](https://www.rfc-editor.org/rfc/rfc9440#section-2)
    /// (`:MIIB…:`), PEM in percent-encoding (nginx's `$ssl_client_escaped_cert`, AWS, Auth0), Envoy's
    /// `x-forwarded-client-cert`, and plain Base64 of DER (HAProxy's `ssl_c_der,base64`).
    init(_ header: String) throws(ClientCertificate.Problem) {
        guard header.utf8.count <= Self.mostBytes else {
            throw ClientCertificate.Problem(description: "the header has more than \(Self.mostBytes) bytes")
        }
        if header.isEmpty {
            self = .none
        } else if header.hasPrefix(":") {
            guard header.hasSuffix(":"), header.utf8.count > 2 else {
                throw ClientCertificate.Problem(description: "the header is no byte sequence between colons")
            }
            self = .der(try Self.base64(header.dropFirst().dropLast()))
        } else if header.hasPrefix("-----BEGIN") {
            self = .pem(try Self.unescaped(header))
        } else if header.contains("=\"") || header.contains(";") {
            self = try Self.forwarded(header)
        } else {
            self = .der(try Self.base64(header[...]))
        }
    }

    private static func base64(_ text: Substring) throws(ClientCertificate.Problem) -> [UInt8] {
        guard let data = Data(base64Encoded: String(text)) else {
            throw ClientCertificate.Problem(description: "the header is no Base64")
        }
        return Array(data)
    }

    private static func unescaped(_ text: String) throws(ClientCertificate.Problem) -> String {
        guard let pem = text.removingPercentEncoding else {
            throw ClientCertificate.Problem(description: "the header has a broken percent-encoding")
        }
        return pem
    }

    /// `Hash=…;Cert="…";Subject="…"` for each proxy that a request passed, the last one's last. Of several hops no one knows
    /// which have been vouched for: the proxy must write its own alone (`SANITIZE_SET`).
    private static func forwarded(_ header: String) throws(ClientCertificate.Problem) -> ClientCertificateValue {
        var (pairs, pair, isQuoted, isEscaped): ([String], String, Bool, Bool) = ([], "", false, false)
        for character in header {
            switch character {
            case _ where isEscaped: isEscaped = false
            case "\\" where isQuoted: isEscaped = true
            case "\"": isQuoted.toggle()
            case "," where !isQuoted:
                throw ClientCertificate.Problem(
                    description: "the header has certificates of several hops; the proxy must set it anew")
            case ";" where !isQuoted:
                pairs.append(pair)
                pair = ""
                continue
            default: break
            }
            pair.append(character)
        }
        let found = (pairs + [pair]).filter { $0.lowercased().hasPrefix("cert=") }
        guard !isQuoted, found.count < 2 else {
            throw ClientCertificate.Problem(description: "the header has more than one Cert, or an open quote")
        }
        guard let certificate = found.first else { return .none }
        return .pem(try unescaped(certificate.dropFirst(5).trimmingCharacters(in: CharacterSet(charactersIn: "\""))))
    }
}
