import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Certificates in headers of a proxy (RFC 9440)")
struct ClientCertificateHeaderTests {
    @Test("A header from anybody but a trusted proxy is ignored, and so is every one where the feature is off")
    func untrustedPeer() async throws {
        let certificate = try TestCertificate()
        var headers = certificate.headers()
        try headers[#require(HTTPField.Name("X-Forwarded-For"))] = "192.0.2.1"
        let forged = headers
        var proxy = TestProxy()
        proxy.isTrusted = false
        let registered = MutualTLSTests.fixtures(.selfSignedTLSClientAuth) {
            $0.certificates = [.init(pem: certificate.pem)]
        }
        for fixtures in [MutualTLSTests.named(), registered] {
            try await TestServer.run(fixtures, proxy: proxy) { server in
                try await MutualTLSTests.expectRefusal(server, forged)
            }
            try await TestServer.run(fixtures) { server in try await MutualTLSTests.expectRefusal(server, forged) }
        }
    }

    @Test("Two values, garbage, newlines, chains and endless headers are no certificate, and break nothing")
    func hostileHeaders() async throws {
        let (own, other) = (try TestCertificate(), try TestCertificate([("CN", "other")]))
        let registered = MutualTLSTests.fixtures(.selfSignedTLSClientAuth) { $0.certificates = [.init(pem: own.pem)] }
        try await TestServer.run(registered, proxy: TestProxy()) { server in
            for values in [
                [own.byteSequence, other.byteSequence], [other.byteSequence, own.byteSequence],
                [own.byteSequence, own.byteSequence], [own.byteSequence, ""],
            ] {
                var headers = HTTPFields()
                headers[values: .clientCert] = values
                try await MutualTLSTests.expectRefusal(server, headers)
            }
            let base64 = own.byteSequence.dropFirst().dropLast()
            for value in [
                "\(own.byteSequence), \(other.byteSequence)", "\(own.byteSequence);a=1", ":\(base64)", ":", "::", "x",
                "-----BEGIN", "-----BEGIN%20CERTIFICATE-----%", (own.pem + other.pem).formEncoded,
                own.pem.replacing("CERTIFICATE", with: "PRIVATE KEY").formEncoded, own.pem.replacing("\n", with: " "),
                own.pem.replacing("\n", with: "\n "), ":\(Data(own.der + [0]).base64EncodedString()):",
                ":\(Data(own.der.dropLast()).base64EncodedString()):", ":\(base64)\r\n:", "Cert=\"",
                "Cert=\"\(own.pem.formEncoded)\",Cert=\"\(other.pem.formEncoded)\"",
                "Cert=\"\(own.pem.formEncoded)\";Cert=\"\(other.pem.formEncoded)\"",
                String(repeating: "A", count: 60_000), String(repeating: ":", count: 60_000),
            ] {
                guard let field = HTTPField.Name("Client-Cert").map({ HTTPField(name: $0, value: value) }) else {
                    return
                }
                try await MutualTLSTests.expectRefusal(server, HTTPFields([field]))
            }
            #expect(try await MutualTLSTests.ask(server, own.headers(verdict: nil)).status == .ok)
            // Longer than the server reads: the connection ends.
            let endless = HTTPField(name: .clientCert, value: String(repeating: "A", count: 1 << 20))
            let answer = try? await MutualTLSTests.ask(server, HTTPFields([endless]))
            #expect(answer?.status != .ok)
        }
    }

    @Test("Proxies' ways to write a certificate: RFC 9440, percent-encoded PEM, Base64 of DER, Envoy's XFCC")
    func forms() async throws {
        let own = try TestCertificate()
        let registered = MutualTLSTests.fixtures(.selfSignedTLSClientAuth) { $0.certificates = [.init(pem: own.pem)] }
        try await TestServer.run(registered, proxy: TestProxy()) { server in
            for value in [
                own.byteSequence, own.pem.formEncoded, own.pem.replacing("\n", with: "%0A").replacing(" ", with: "%20"),
                Data(own.der).base64EncodedString(),
                "Hash=ab;Cert=\"\(own.pem.formEncoded)\";Subject=\"CN=a\\\"b;c,d\";URI=spiffe://x",
            ] {
                let answer = try await MutualTLSTests.ask(server, [.clientCert: value])
                #expect(answer.status == .ok, "\(value.prefix(30))")
            }
        }
    }
}
