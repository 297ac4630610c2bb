import OAuth
import Testing

@Suite("Scope")
struct ScopeTests {
    @Test(
        "RFC 6749 §3.3: values separated by spaces, in their order, each once",
        arguments: [
            ("", []), ("  ", []), ("openid", ["openid"]), ("b a", ["b", "a"]), (" a  b ", ["a", "b"]),
            ("a b a", ["a", "b"]),
            ("read:notes https://api.example.com/x", ["read:notes", "https://api.example.com/x"]),
            ("!#[]~", ["!#[]~"]),
        ]
    )
    func parsing(text: String, values: [String]) throws {
        #expect(try Scope(parsing: text).values == values)
    }

    @Test(
        "RFC 6749 §3.3: other characters than %x21 / %x23-5B / %x5D-7E are refused",
        arguments: [
            "a\"b", "a\\b", "a\tb", "a\nb", "a\r\nb", "ä", "a\u{0}", "a\u{7F}", "a\u{A0}b", "😀", "a b c\u{202E}",
        ]
    )
    func forbiddenCharacters(text: String) {
        #expect(refusal { _ = try Scope(parsing: text) }?.code == .invalidScope)
    }

    @Test("The order has no meaning")
    func equality() {
        #expect(Scope(["a", "b"]) == Scope(["b", "a", "a"]))
        #expect(Scope(["a", "b"]).hashValue == Scope(["b", "a"]).hashValue)
        #expect(Scope(["a"]) != Scope(["A"]))
        #expect(Scope(["a"]) != Scope(["a", "b"]))
    }

    @Test("Set operations keep the order of the left side")
    func operations() {
        let (left, right) = (Scope(["c", "a", "b"]), Scope(["b", "d", "a"]))
        #expect(left.intersection(right).text == "a b")
        #expect(left.subtracting(right).text == "c")
        #expect(left.union(right).text == "c a b d")
        #expect(left.filter { $0 > "a" }.text == "c b")
        #expect(Scope(["a"]).isSubset(of: left))
        #expect(!left.isSubset(of: right))
        #expect(Scope.empty.isSubset(of: right))
        #expect(Scope.empty.isEmpty && Scope.empty.text.isEmpty)
        #expect(left.contains("c") && !left.contains("d"))
    }

    @Test("OIDC Core §5.4: the scopes that ask for claims, and those of the server, are reserved")
    func reserved() {
        for value in ["openid", "profile", "email", "address", "phone", "offline_access", "name", "identities"] {
            #expect(Scope.isReserved(value), "\(value)")
        }
        for value in ["", "Openid", "openid ", "read:notes", "appointments"] {
            #expect(!Scope.isReserved(value), "\(value)")
        }
    }
}
