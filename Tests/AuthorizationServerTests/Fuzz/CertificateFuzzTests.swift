import Fuzzing
import OAuth
import TestSupport
import Testing

@testable import AuthorizationServer

@Suite("Fuzz: certificates and their names")
struct CertificateFuzzTests {
    @Test("RFC 4514, RFC 5280 §7.1: a text near a name passes for it only where it differs in case and spaces alone")
    func names() throws {
        let text = "CN=machine,O=Clinic,C=DE"
        let subject: [(type: String, value: String)] = [("C", "DE"), ("O", "Clinic"), ("CN", "machine")]
        let name = try ClientCertificate(der: TestCertificate(subject).der).subject
        #expect(try SubjectName(text) == name)
        let mutator = Mutator(
            [text, text, text.lowercased(), "CN=machine, O=Clinic, C=DE", "C=DE\nO=Clinic\nCN=machine"],
            words: [" ", "CN=", "O=", ",", "+", "=", "\\", "\\,", "\\20", "#", "\n", "\u{0}", "\u{200B}", "е", "é"])
        var equal = 0
        let outcome = Fuzz.run(40_000, { mutator.text(&$0) }) { text in
            guard let read = try? SubjectName(text) else { return .refused }
            guard read == name else { return .accepted }
            equal += 1
            // These write the same letters in other ways.
            if text.contains("\\") || text.contains("#") || text.contains("\n") || text.contains(".") {
                return .accepted
            }
            let letters = text.utf8.filter { $0 != UInt8(ascii: " ") }.map {
                (0x41...0x5A).contains($0) ? $0 | 0x20 : $0
            }
            return letters == Array("cn=machine,o=clinic,c=de".utf8) ? .accepted : .wrong("it passes for the name")
        }
        #expect(outcome.complaint == nil)
        #expect(outcome.isTelling && equal > 20, "\(outcome), \(equal) equal")
    }

    @Test("X.690: of all bytes near a certificate, only its own have its thumbprint, and none breaks the reader")
    func certificates() throws {
        let certificate = try TestCertificate(hosts: ["a.example.com"], uris: ["urn:a"], emails: ["a@example.com"])
        let outcome = Fuzz.run(20_000) { random -> [UInt8] in
            var bytes = certificate.der
            for _ in 0..<random.below(4) {
                let place = random.below(bytes.count)
                switch random.below(3) {
                case 0: bytes[place] = UInt8(random.below(256))
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8(random.below(256)), at: place)
                }
            }
            return bytes
        } _: { bytes in
            guard let read = try? ClientCertificate(der: bytes) else { return .refused }
            return (read.thumbprint == certificate.thumbprint) == (bytes == certificate.der)
                ? .accepted : .wrong("another certificate has the thumbprint")
        }
        #expect(outcome.complaint == nil)
        #expect(outcome.isTelling, "\(outcome)")
    }
}
