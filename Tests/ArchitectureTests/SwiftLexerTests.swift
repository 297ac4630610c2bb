import Testing

@Suite("Telling code from words")
struct SwiftLexerTests {
    @Test(
        arguments: [
            ("a! // b!", "a!      "), ("\"a!\" + b!", "     + b!"), ("\"\\(a!) b!\"", "  (a!)    "),
            ("#\"a\"! \\(b)\"# c!", "             c!"), ("\"\\\"a!\" b!", "       b!"),
            ("/* a! /* b! */ */ c!", "                  c!"),
            ("\"\"\"\na!\n\"b!\"\n\"\"\" c!", "   \n  \n    \n    c!"), ("\"\\(f(\")!\") + a!)\"", "  (f(    ) + a!) "),
        ])
    func code(text: String, expected: String) {
        var lexer = SwiftLexer(text)
        #expect(lexer.code() == expected)
    }
}
