import Foundation
import HummingbirdTesting
import OAuth

/// The parameters of an authorization response, in whichever mode it came.
package struct AuthorizationAnswer: Sendable {
    package let parameters: [String: String]

    /// Reads the form of a page, or else the fragment or the query of `Location`.
    package init(_ response: TestResponse) {
        guard let location = response.location else {
            parameters = Dictionary(TestBrowser.hiddenFields(response.text)) { first, _ in first }
            return
        }
        let separator: Character = location.contains("#") ? "#" : "?"
        let text = location.firstIndex(of: separator).map { location[location.index(after: $0)...] } ?? ""
        let pairs = text.split(separator: "&").map { pair in
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(sides[0]), sides.count == 2 ? sides[1].removingPercentEncoding ?? "" : "")
        }
        parameters = Dictionary(pairs) { first, _ in first }
    }

    package subscript(_ name: String) -> String? { parameters[name] }

    /// The claims of the ID token, unverified.
    package var idTokenClaims: JSONObject { parameters["id_token"]?.claims ?? [:] }
}
