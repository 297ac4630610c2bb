import Foundation
import Fuzzing
import HTTPTypes
import Hummingbird
import NIOCore
import OAuth
import TestSupport
import Testing

@testable import Web

@Suite("Fuzz: forms, JSON bodies and cookies")
struct BodyFuzzTests {
    /// The pairs of a form as the WHATWG's URL standard reads them, or nil for what no encoder writes.
    private static func pairs(_ text: [UInt8]) -> [[[UInt8]]]? {
        var pairs: [[[UInt8]]] = []
        for field in text.split(separator: 0x26) {
            var sides = field.split(separator: 0x3D, maxSplits: 1, omittingEmptySubsequences: false).map { Array($0) }
            if sides.count == 1 { sides.append([]) }
            for (index, side) in sides.enumerated() {
                guard let decoded = decoded(side) else { return nil }
                sides[index] = decoded
            }
            pairs.append(sides)
        }
        return pairs
    }

    private static func decoded(_ side: [UInt8]) -> [UInt8]? {
        var decoded: [UInt8] = []
        var rest = side[...]
        while let byte = rest.popFirst() {
            if byte == 0x25 {
                let digits = rest.prefix(2)
                guard digits.count == 2, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
                    let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
                else { return nil }
                rest = rest.dropFirst(2)
                decoded.append(value)
            } else {
                decoded.append(byte == 0x2B ? 0x20 : byte)
            }
        }
        return decoded.contains(0) || String(validating: decoded, as: UTF8.self) == nil ? nil : decoded
    }

    @Test("RFC 6749 Appendix B: a form is read as it was written, and what nobody writes is refused")
    func forms() {
        let mutator = Mutator(
            [
                "client_id=a&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb&state=%C3%A9+x&scope=openid+email",
                "grant_type=authorization_code&code=x&client_secret=%2B%26%3D", "", "a", "=", "&&", "a=b=c",
            ], words: ["&", "=", "+", "%C3%A9", "%f0%9f%98%80", "%ED%A0%80", "%E2%80%AE", "%2", "&state="])
        let outcome = Fuzz.run(80_000, { mutator.text(&$0) }) { text in
            let expected = Self.pairs(Array(text.utf8))
            do {
                let read = try FormBody.pairs(text)
                return expected == read.map { [Array($0.0.utf8), Array($0.1.utf8)] }
                    ? .accepted : .wrong("read as \(read)")
            } catch let error as OAuthError {
                return expected == nil && error.code == .invalidRequest ? .refused : .wrong("\(error)")
            }
        }
        #expect(outcome.complaint == nil)
        #expect(outcome.isTelling, "\(outcome)")
    }

    @Test("RFC 6749 Appendix B: what a response's query is written from, a form reader reads again")
    func responses() {
        let outcome = Fuzz.run(
            30_000,
            { generator in (0..<generator.below(4)).map { _ in (generator.text(most: 4), generator.text(most: 12)) } }
        ) { pairs in
            let text = FormEncoding.text(pairs.map { (name: $0.0, value: $0.1) })
            let read = try FormBody.pairs(text)
            return read.count == pairs.count
                && zip(read, pairs).allSatisfy {
                    $0.0.utf8.elementsEqual($1.0.utf8) && $0.1.utf8.elementsEqual($1.1.utf8)
                } ? .accepted : .wrong("read as \(read)")
        }
        #expect(outcome.complaint == nil)
        #expect(outcome.accepted == Fuzz.cases(30_000))
    }

    @Test("Auth0: a JSON body has texts, numbers and truth values for members, or is refused as invalid_request")
    func json() {
        let mutator = Mutator(
            [
                #"{"grant_type":"authorization_code","client_id":"a","code":"x","redirect_uri":"https://a.example/"}"#,
                #"{"grant_type":"client_credentials","audience":"\u00e9","n":1,"b":true,"z":null,"e":""}"#, "{}",
            ], words: ["\\u0000", "\\", ",", ":", "[1]", "{\"a\":1}", "1.5", "\"client_id\":\"b\",", "1e3"])
        let outcome = Fuzz.run(20_000, { mutator.bytes(&$0) }) { bytes in
            do {
                let parameters = try FormBody.json(Data(bytes))
                let object = try JSON.decode(JSONObject.self, from: Data(bytes))
                for (name, value) in parameters.all {
                    guard !value.isEmpty, !value.utf8.contains(0), let member = object[name] else {
                        return .wrong("\(name) = \(value)")
                    }
                    if let text = member.string, text != value { return .wrong("\(name) = \(value)") }
                    if member.array != nil || member.object != nil { return .wrong("\(name) is no text") }
                }
                return .accepted
            } catch let error as OAuthError {
                return error.code == .invalidRequest ? .refused : .wrong("\(error)")
            }
        }
        #expect(outcome.complaint == nil)
        #expect(outcome.isTelling, "\(outcome)")
    }

    @Test(
        "RFC 6265 §4.2: a cookie counts where it is one that the server can have made, and nothing in the header breaks that"
    )
    func cookies() throws {
        let secret = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        let mutator = Mutator(
            ["did=\(secret); auth0=\(secret)", "auth0=\(secret)", "a=b; auth0=\"\(secret)\"; c", ""],
            words: [";", "; ", "=", "auth0=", "did=", ",", "$Version=1", secret])
        let cookies = BrowserCookies(isSecure: true)
        let outcome = Fuzz.run(40_000, { mutator.text(&$0) }) { header in
            var fields = HTTPFields()
            fields[.cookie] = header
            let request = Request(
                head: HTTPRequest(method: .get, scheme: "https", authority: "x", path: "/", headerFields: fields),
                body: RequestBody(buffer: ByteBuffer()))
            let found = [BrowserCookies.session, BrowserCookies.device].compactMap { cookies.secret($0, in: request) }
            guard found.allSatisfy({ $0.text.utf8.count == 43 && Base64URL.decode($0.text)?.count == 32 }) else {
                return .wrong("found \(found.map(\.text))")
            }
            return found.isEmpty ? .refused : .accepted
        }
        #expect(outcome.complaint == nil)
        #expect(outcome.isTelling, "\(outcome)")
    }
}
