import Testing

@testable import AuthorizationServer

@Suite("Edit distance")
struct EditDistanceTests {
    @Test(
        "Levenshtein's distance, both ways",
        arguments: [
            ("", "", 0), ("", "abc", 3), ("abc", "abc", 0), ("kitten", "sitting", 3), ("flaw", "lawn", 2),
            ("ab", "ba", 2),
            ("http://a", "https://a", 1), ("https://app.example.com/cb", "https://app.example.com/cb/", 1),
        ])
    func distance(left: String, right: String, expected: Int) {
        #expect(EditDistance.between(Array(left.utf8), Array(right.utf8)) == expected)
        #expect(EditDistance.between(Array(right.utf8), Array(left.utf8)) == expected)
    }

    @Test("The nearest candidate, and none of none")
    func nearest() {
        let candidates = ["https://app.example.com/callback", "http://localhost:3000/callback", "com.example.app:/cb"]
        #expect(EditDistance.nearest(to: "http://localhost:3001/callback", among: candidates) == candidates[1])
        #expect(EditDistance.nearest(to: "https://app.example.com/Callback/", among: candidates) == candidates[0])
        #expect(EditDistance.nearest(to: "x", among: []) == nil)
        #expect(EditDistance.nearest(to: "", among: ["a"]) == "a")
    }

    @Test("Hostile lengths cost little", .timeLimit(.minutes(60)))
    func bounded() {
        let long = String(repeating: "a", count: 1_000_000)
        let candidates = (0..<10).map { String(repeating: "b", count: 1_000_000) + "\($0)" }
        #expect(EditDistance.nearest(to: long, among: candidates) != nil)
    }
}
