import Foundation

/// Who somebody is, by the word of a provider that has been proved to be its word, and to be for this server and this login.
package struct Assertion: Sendable, Hashable {
    /// Unique among the provider's.
    package let id: String
    package let issuer: String
    package let nameID: String
    /// What kind of identifier the `NameID` is; nil where the provider does not say.
    package let nameFormat: String?
    /// The values of each attribute, by its `Name`.
    package let attributes: [String: [String]]
    /// When the user signed in at the provider.
    package let authenticatedAt: Date
    /// The provider's name of its session with the user.
    package let sessionIndex: String?
    /// After this the assertion is refused anyway.
    package let expiresAt: Date

    /// A `NameID` that is another one at each login (Core §8.3.8).
    package static let transientFormat = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
}

/// Why an answer of a provider signs nobody in.
package enum AssertionRefusal: Error, Sendable, Equatable {
    /// The provider's own answer is no: its status codes and its words.
    case status(codes: [String], message: String?)
    /// The answer does not prove who the user is.
    case untrusted(String)

    /// The provider could not sign the user in without asking (Core §3.2.2.2).
    package static let noPassive = "urn:oasis:names:tc:SAML:2.0:status:NoPassive"
    /// The provider, or its user, refuses.
    package static let denials: Set<String> = [
        "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed", "urn:oasis:names:tc:SAML:2.0:status:RequestDenied",
    ]
}
