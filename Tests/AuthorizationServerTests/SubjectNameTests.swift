import TestSupport
import Testing

@testable import AuthorizationServer

@Suite("Distinguished names as texts (RFC 4514)")
struct SubjectNameTests {
    private static func name(_ parts: [(String, String)]) throws -> SubjectName {
        try ClientCertificate(der: TestCertificate(parts.map { (type: $0.0, value: $0.1) }).der).subject
    }

    @Test("RFC 4514 §3, §4: a text is the name of the certificate that OpenSSL shows by it")
    func same() throws {
        let cases: [(String, [(String, String)])] = [
            ("CN=a", [("CN", "a")]), ("cn=A", [("CN", "a")]), ("2.5.4.3=a", [("CN", "a")]),
            ("CN=a,O=b,C=DE", [("C", "DE"), ("O", "b"), ("CN", "a")]),
            ("CN=a, O=b , C=DE", [("C", "DE"), ("O", "b"), ("CN", "a")]),
            ("C=DE\nO=b\nCN=a", [("C", "DE"), ("O", "b"), ("CN", "a")]),
            ("C=DE\r\nO=b, inc\\, ltd\r\nCN=a\r\n", [("C", "DE"), ("O", "b, inc, ltd"), ("CN", "a")]),
            (#"CN=James \"Jim\" Smith\, III,O=b"#, [("O", "b"), ("CN", #"James "Jim" Smith, III"#)]),
            (#"CN=\ a\ "#, [("CN", " a ")]), (##"CN=\#a\+b\=c"##, [("CN", "#a+b=c")]),
            (#"CN=Lu\C4\8Di\C4\87"#, [("CN", "Lučić")]), ("CN=Lučić", [("CN", "Lučić")]),
            ("CN=#0C0161", [("CN", "a")]), ("1.2.3.4=x", [("1.2.3.4", "x")]), ("CN=a  b", [("CN", "A b")]),
            ("CN=a=b", [("CN", "a=b")]),
        ]
        for (text, parts) in cases {
            #expect(try SubjectName(text) == Self.name(parts), "\(text)")
        }
        #expect(try SubjectName("CN=a+OU=b") == SubjectName("OU=b+CN=a"))
        #expect(try SubjectName("CN=a+OU=b") != SubjectName("CN=a,OU=b"))
        #expect(try SubjectName("CN=b+CN=a") == SubjectName("CN=a+CN=b"))
        #expect(try SubjectName("CN=a+CN=a") != SubjectName("CN=a"))
    }

    @Test("Another order, part, value or kind of value is another name")
    func different() throws {
        for (text, parts) in [
            ("CN=a,O=b", [("CN", "a"), ("O", "b")]), ("CN=a", [("CN", "a"), ("CN", "a")]), ("CN=a", [("OU", "a")]),
            ("CN=é", [("CN", "e\u{301}")]), ("CN=#0401AA", [("CN", "a")]), (#"CN=a\00"#, [("CN", "a")]),
            (#"CN=a\,O\=b"#, [("O", "b"), ("CN", "a")]),
        ] as [(String, [(String, String)])] {
            #expect(try SubjectName(text) != Self.name(parts), "\(text)")
        }
    }

    @Test(
        "What is no distinguished name is told",
        arguments: [
            "", "a", "CN", "CN=", "=a", "CN=a,", "CN=a,,O=b", "XX=a", "CN=a;O=b", "CN=\"a\"", #"CN=a\"#, #"CN=a\x"#,
            "CN=#", "CN=#0", "CN=#0C02", "CN=#zz", #"CN=\FF"#, "CN=a+", "CN=a<b", "3.1=a", "2.05=a", "CN=a\u{0}",
        ])
    func malformed(text: String) {
        #expect(throws: SubjectName.Problem.self) { try SubjectName(text) }
    }

    @Test("A certificate that is cut off, followed by something, or too long is none")
    func certificates() throws {
        let der = try TestCertificate().der
        for bytes in [[], Array(der.dropLast()), der + [0], der + der, [UInt8](repeating: 0x30, count: 20_000)] {
            #expect(throws: ClientCertificate.Problem.self) { try ClientCertificate(der: bytes) }
        }
        let pem = try TestCertificate().pem
        for text in ["", "x", pem + pem, pem.replacing("CERTIFICATE", with: "PUBLIC KEY")] {
            #expect(throws: ClientCertificate.Problem.self) { try ClientCertificate(pem: text) }
        }
    }
}
