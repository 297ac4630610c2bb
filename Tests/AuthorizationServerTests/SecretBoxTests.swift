import AuthorizationServer
import OAuth
import Testing

@Suite("The server's secret and what it seals")
struct SecretBoxTests {
    private static let secret = ServerSecret("a secret for tests that has more than thirty-two characters")

    @Test("What is sealed opens again", arguments: ["", "text", "ünï 😀\u{0}", String(repeating: "x", count: 100_000)])
    func roundTrip(text: String) throws {
        let box = Self.secret.box
        let (first, second) = (try box.seal(text), try box.seal(text))
        #expect(first != second)
        #expect(try box.open(first) == text)
        #expect(try box.open(second) == text)
        #expect(text.isEmpty || !first.contains(text))
    }

    @Test("One changed bit anywhere, or one byte more or less, and nothing opens")
    func tampering() throws {
        let box = Self.secret.box
        let bytes = try #require(Base64URL.decode(try box.seal("private key")))
        for index in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[index] ^= 1 << UInt8(bit)
                #expect(throws: SecretBox.CannotOpen.self) { try box.open(Base64URL.encode(changed)) }
            }
        }
        let lengths = [[], Array(bytes.dropLast()), Array(bytes.dropFirst()), bytes + [0], Array(bytes.prefix(12))]
        for wrong in lengths.map(Base64URL.encode) + ["private key", "*"] {
            #expect(throws: SecretBox.CannotOpen.self) { try box.open(wrong) }
        }
    }

    @Test("Another secret opens nothing, and the error says what to do; the same one opens in another process")
    func otherSecret() throws {
        let sealed = try Self.secret.box.seal("private key")
        let again = ServerSecret("a secret for tests that has more than thirty-two characters")
        #expect(try again.box.open(sealed) == "private key")
        let other = ServerSecret("a secret for tests that has more than thirty-two character5")
        let error = #expect(throws: SecretBox.CannotOpen.self) { try other.box.open(sealed) }
        #expect(error?.description.contains("PORTICO_SECRET") == true)
    }

    @Test("A form's token belongs to one browser, one session, one transaction and one server")
    func formTokens() {
        func browser(_ secret: String, _ session: String?) -> Browser {
            Browser(secret: Secret(secret), session: session.map { Secret($0) }, address: "192.0.2.1")
        }
        let token = Self.secret.formToken(browser("browser", "session"), state: "state")
        #expect(token == Self.secret.formToken(browser("browser", "session"), state: "state"))
        #expect(Base64URL.decode(token)?.count == 32)
        let others = [
            Self.secret.formToken(browser("another", "session"), state: "state"),
            Self.secret.formToken(browser("browser", "another"), state: "state"),
            Self.secret.formToken(browser("browser", nil), state: "state"),
            Self.secret.formToken(browser("browser", "session"), state: "another"),
            Self.secret.formToken(browser("browser", "session"), state: ""),
            ServerSecret("another secret that has more than thirty-two characters").formToken(
                browser("browser", "session"), state: "state"),
        ]
        #expect(!others.contains(token) && Set(others).count == others.count)
    }

    @Test("The successor of a refresh token follows from it, and from nothing that anybody else has")
    func successors() {
        let token = Secret("v1.first")
        let successor = Self.secret.successor(of: token)
        #expect(successor.text == Self.secret.successor(of: token).text)
        #expect(successor.text.wholeMatch(of: /v1\.[A-Za-z0-9_-]{43}/) != nil)
        #expect(successor.text != Self.secret.successor(of: successor).text)
        #expect(successor.text != Self.secret.successor(of: Secret("v1.firsT")).text)
        let other = ServerSecret("another secret that has more than thirty-two characters")
        #expect(successor.text != other.successor(of: token).text)
    }
}
