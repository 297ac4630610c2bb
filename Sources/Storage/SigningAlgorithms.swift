import OAuth

/// The tenant's `signing_algorithms`: what it has published keys for. RS256 is always among them, because every provider
/// must have it (OpenID Connect Discovery §3), and alone unless asked otherwise: some applications read nothing but RSA
/// keys, and fail where the JWKS has others.
package struct SigningAlgorithms: Sendable, Hashable {
    /// In the order of ``SigningAlgorithm/allCases``.
    package let values: [SigningAlgorithm]

    /// RS256 alone.
    package static let standard = SigningAlgorithms([])

    /// RS256 and `others`; HS256 has no key to publish and is left out.
    package init(_ others: [SigningAlgorithm]) {
        values = SigningAlgorithm.allCases.filter { $0 == .rs256 || ($0.keyKind != nil && others.contains($0)) }
    }

    /// The kinds of key that the algorithms need, RSA first.
    package var keyKinds: [SigningKey.Kind] {
        SigningKey.Kind.allCases.filter { kind in values.contains { $0.keyKind == kind } }
    }

    /// Whether the tenant can sign with `algorithm`; with HS256 it always can.
    package func allow(_ algorithm: SigningAlgorithm) -> Bool {
        algorithm.keyKind == nil || values.contains(algorithm)
    }

    /// - Throws: ``Document/Problem`` for an algorithm that has no keys, or a list without RS256.
    init(_ document: inout Document) throws(Document.Problem) {
        let name = "signing_algorithms"
        guard let texts = try document.strings(name) else {
            self = .standard
            return
        }
        var algorithms: [SigningAlgorithm] = []
        for (index, text) in texts.enumerated() {
            guard let algorithm = SigningAlgorithm(rawValue: text), algorithm.keyKind != nil else {
                let all = SigningAlgorithm.allCases.filter { $0.keyKind != nil }.map(\.rawValue)
                throw document.problem(
                    "\(name)[\(index)]", "'\(text.forDisplay)' is none of \(all.joined(separator: ", "))")
            }
            algorithms.append(algorithm)
        }
        guard algorithms.contains(.rs256) else {
            throw document.problem(name, "must have RS256, which every client may count on")
        }
        self.init(algorithms)
    }

    /// The values as they stand in the settings.
    var document: JSONValue { JSONValue(values.map(\.rawValue)) }
}
