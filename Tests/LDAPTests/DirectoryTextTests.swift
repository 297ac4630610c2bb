import LDAP
import Testing

@Suite("What goes to a directory, and what comes from it")
struct DirectoryTextTests {
    @Test(
        "RFC 4515 §3: what is typed cannot change the filter",
        arguments: [
            ("jane", "(uid=jane)"),
            ("*", #"(uid=\2a)"#),
            ("jane)(uid=*", #"(uid=jane\29\28uid=\2a)"#),
            ("jane)(|(objectClass=*)", #"(uid=jane\29\28\7c\28objectClass=\2a\29)"#),
            (#"a\2a"#, #"(uid=a\5c2a)"#),
            ("a\0b", #"(uid=a\00b)"#),
            ("é", #"(uid=\c3\a9)"#),
            ("{0}", #"(uid=\7b0\7d)"#),
            ("jane@example.org", "(uid=jane@example.org)"),
        ])
    func escaping(typed: String, expected: String) throws {
        #expect(try DirectoryFilter("(uid={0})").matching(typed) == expected)
    }

    @Test("A filter with several places has the name in each")
    func places() throws {
        #expect(try DirectoryFilter("(|(uid={0})(mail={0}))").matching("j*") == #"(|(uid=j\2a)(mail=j\2a))"#)
    }

    @Test(
        "A filter that would find everybody, or none, is refused where it is configured",
        arguments: ["(uid=jane)", "uid={0}", "(uid={0}", "(uid={0}))", "(uid={0})(mail={0})", "", "(uid={0}\n)"])
    func filters(template: String) {
        #expect(throws: DirectoryFilter.Problem.self) { try DirectoryFilter(template) }
    }

    @Test(
        "An address is a host with its port, and nothing else",
        arguments: [
            "", "directory.example", "http://directory.example", "ldap://", "ldapi:///run/slapd", "ldap://a b",
            "ldap://a ldap://b", "ldap://u:p@host", "ldap://host/dc=example", "ldap://host:0", "ldap://host:70000",
            "ldap://host?x", "ldap://host\0",
        ])
    func addresses(url: String) {
        #expect(throws: DirectoryAddress.Problem.self) { try DirectoryAddress(url: url, startsTLS: true) }
    }

    @Test("An address says how passwords are protected: by default they are")
    func protection() throws {
        #expect(try DirectoryAddress(url: "LDAPS://host", startsTLS: false).protection == .tls)
        #expect(try DirectoryAddress(url: "ldap://host:389/", startsTLS: true).protection == .startTLS)
        #expect(try DirectoryAddress(url: "ldap://[::1]:1389", startsTLS: false).protection == .none)
        #expect(try DirectoryAddress(url: "ldap://host:389/", startsTLS: true).url == "ldap://host:389")
    }

    @Test("[MS-DTYP] §2.3.4: an objectGUID is written as Active Directory's tools write it")
    func objectGUID() {
        let bytes: [UInt8] = [
            0xF4, 0xC8, 0x2B, 0x6F, 0x01, 0x20, 0x4A, 0x4E, 0x9A, 0x00, 0x0C, 0x2D, 0x3E, 0x4F, 0x5A, 0x6B,
        ]
        let entry = DirectoryEntry(name: "cn=a", values: ["objectGUID": [bytes], "entryUUID": [Array("u-1".utf8)]])
        #expect(entry.identifier("objectGUID") == "6f2bc8f4-2001-4e4a-9a00-0c2d3e4f5a6b")
        #expect(entry.identifier("ENTRYUUID") == "u-1")
        #expect(entry.text("objectguid") == nil)
    }

    @Test(
        "RFC 4514: a group is called what its name begins with",
        arguments: [
            ("CN=Sales,OU=Groups,DC=example", "Sales"), (#"cn=Sales\, East,dc=example"#, "Sales, East"),
            (#"cn=Caf\c3\a9,dc=example"#, "Café"), ("ou=a+cn=b,dc=c", "a"), ("nothing", nil), ("cn=", nil),
        ])
    func groupNames(name: String, expected: String?) {
        #expect(DirectoryEntry.firstValue(of: name) == expected)
    }

    @Test("RFC 4513 §5.1.2: an account without a password would be nobody, so there is none")
    func account() {
        #expect(Directory.Account(name: "cn=search", password: "") == nil)
        #expect(Directory.Account(name: "", password: "secret") == nil)
    }
}
