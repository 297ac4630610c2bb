import AuthorizationServer
import Testing

@Suite("Names in directories")
struct DirectoryNameTests {
    @Test(
        "RFC 4518 §2: all spellings that a directory takes for one name are one",
        arguments: [
            "jane doe", "Jane Doe", "JANE  DOE", "  jane doe", "jane doe \t", "jane\u{A0}doe", "jane\u{3000}\ndoe",
            "ja\u{AD}ne doe", "j\u{200B}ane\u{2060} doe\u{FEFF}", "ｊａｎｅ ｄｏｅ", "jane\u{0} doe", "jane doe\u{FE0F}",
        ])
    func spellings(sent: String) { #expect(DirectoryName(sent).text == "jane doe") }

    @Test("Letters with accents are letters of their own, however they are composed")
    func accents() {
        #expect(DirectoryName("JOSE\u{301}") == DirectoryName("jos\u{E9}"))
        #expect(DirectoryName("jose\u{34F}\u{301}") == DirectoryName("jos\u{E9}"))
        #expect(DirectoryName("jose") != DirectoryName("jos\u{E9}"))
        #expect(DirectoryName(" \u{200B} ").text.isEmpty)
    }
}
