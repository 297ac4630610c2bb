import OAuth
import Testing

@Suite("Response types and modes")
struct ResponseTypeTests {
    @Test("OAuth 2.0 Multiple Response Types §2: every set, in any order, is answered where it is supported")
    func orders() {
        let sets: [(ResponseType, [String])] = [
            (.code, ["code", " code "]), (.token, ["token"]), (.idToken, ["id_token"]),
            ([.code, .token], ["code token", "token code"]), ([.code, .idToken], ["code id_token", "id_token  code"]),
            ([.idToken, .token], ["id_token token", "token id_token"]),
            ([.code, .idToken, .token], ["code id_token token", "token id_token code", "id_token code token"]),
        ]
        for (type, spellings) in sets {
            for spelling in spellings {
                let parsed = try? ResponseType(parsing: spelling)
                #expect(parsed == (ResponseType.supported.contains(type) ? type : nil), "\(spelling)")
            }
        }
    }

    @Test("The code is supported")
    func code() throws {
        #expect(try ResponseType(parsing: "code") == .code)
    }

    @Test(
        "RFC 6749 §4.1.2.1: unsupported_response_type for anything else",
        arguments: [
            "", " ", "CODE", "code code", "code,token", "code\ttoken", "none", "code none", "codetoken", "co\u{0}de",
        ]
    )
    func unsupported(text: String) {
        #expect(refusal { _ = try ResponseType(parsing: text) }?.code == .unsupportedResponseType)
    }

    @Test("Words are advertised in one order")
    func text() {
        #expect(ResponseType([.token, .idToken, .code]).text == "code id_token token")
        #expect(ResponseType([]).text.isEmpty)
    }

    @Test("A client needs the grant for what it asks, and a token never travels in a query by itself")
    func grantsAndModes() {
        #expect(ResponseType.code.grantTypes == [.authorizationCode])
        #expect(ResponseType.token.grantTypes == [.implicit])
        #expect(ResponseType([.code, .idToken]).grantTypes == [.authorizationCode, .implicit])
        #expect(ResponseType.code.defaultMode == .query)
        for type in [ResponseType.token, .idToken, [.code, .token], [.code, .idToken], [.idToken, .token]] {
            #expect(type.defaultMode == .fragment)
        }
    }

    @Test("OAuth 2.0 Form Post Response Mode: the modes' names")
    func modes() throws {
        #expect(try ResponseMode(parsing: "query") == .query)
        #expect(try ResponseMode(parsing: "fragment") == .fragment)
        #expect(try ResponseMode(parsing: "form_post") == .formPost)
        for text in ["", "Query", "form-post", "query ", "jwt", "query.jwt"] {
            #expect(refusal { _ = try ResponseMode(parsing: text) }?.code == .invalidRequest, "\(text)")
        }
    }
}
