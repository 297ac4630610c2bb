import Foundation
import OAuth

/// How an application hears that a session which it signed a user in by has ended: Auth0's `oidc_logout`, and the client
/// metadata of OpenID Connect Back-Channel Logout 1.0 §2.2 and Front-Channel Logout 1.0 §2.
package struct ClientLogoutSettings: Sendable, Hashable {
    /// Auth0's `oidc_logout.backchannel_logout_urls`: each gets a logout token of its own.
    package var backchannelURLs: [String] = []
    /// OpenID Connect's `backchannel_logout_uri`.
    package var backchannelURI: String?
    /// Whether logout tokens must have a `sid`; they always do.
    package var isBackchannelSessionRequired = false
    /// Which ends of a session are told to the back channel; nil for Auth0's standard, ``standardInitiators``.
    package var initiators: Initiators?
    /// Auth0's `backchannel_logout_session_metadata.include`, kept and given back.
    package var includesSessionMetadata: Bool?
    /// The page that the browser opens in a frame when it logs out.
    package var frontchannelURI: String?
    /// Whether the frame's address has `iss` and `sid`.
    package var isFrontchannelSessionRequired = false

    /// What ends a session, in Auth0's words.
    package enum Initiator: String, Sendable, CaseIterable {
        /// The user logged out, or somebody else signed in in the same browser.
        case rpLogout = "rp-logout"
        case idpLogout = "idp-logout"
        case passwordChanged = "password-changed"
        /// Its time was up, or it was not used for long.
        case sessionExpired = "session-expired"
        case sessionRevoked = "session-revoked"
        case accountDeleted = "account-deleted"
        case emailIdentifierChanged = "email-identifier-changed"
        case accountDeactivated = "account-deactivated"
        case mfaPhoneUnenrolled = "mfa-phone-unenrolled"
    }

    /// Which initiators are told.
    package enum Initiators: Sendable, Hashable {
        case all
        case selected(Set<Initiator>)
    }

    /// What an application hears of that says nothing about it.
    package static let standardInitiators: Set<Initiator> = [.rpLogout, .idpLogout]

    package init() {}

    /// Whether the application hears of ends at all; where it does not, its logins cost nothing more.
    package var isTold: Bool { backchannelURI != nil || !backchannelURLs.isEmpty || frontchannelURI != nil }

    /// Where logout tokens are posted, each address once.
    package var backchannelAddresses: [String] {
        let own = backchannelURI.map { [$0] } ?? []
        return own + backchannelURLs.filter { !own.contains($0) }
    }

    /// Where a logout token is posted when `initiator` ends a session.
    package func backchannel(after initiator: Initiator) -> [String] {
        let isWanted =
            switch initiators {
            case .all: true
            case .selected(let selected): selected.contains(initiator)
            case nil: Self.standardInitiators.contains(initiator)
            }
        return isWanted ? backchannelAddresses : []
    }
}

extension ClientLogoutSettings {
    private enum Mode: String, CaseIterable { case custom, all }

    /// Takes the settings out of a client's document.
    /// - Parameter callbacks: the client's, for ``readMetadata(from:callbacks:)``.
    /// - Throws: ``Document/Problem`` for a member with a wrong value.
    init(from document: inout Document, callbacks: [RegisteredURI]) throws(Document.Problem) {
        if var settings = try document.document("oidc_logout") { try read(&settings) }
        if var old = try document.document("oidc_backchannel_logout") {
            let urls = try Self.addresses(&old, "backchannel_logout_urls")
            backchannelURLs += urls.filter { !backchannelURLs.contains($0) }
            _ = try old.remaining(known: [])
        }
        try readMetadata(from: &document, callbacks: callbacks)
    }

    /// Takes OpenID Connect's members, as clients that register themselves have them; what is absent gets its standard
    /// value.
    /// - Parameter callbacks: the client's, one of which has the front channel's origin (Front-Channel Logout 1.0 §2).
    /// - Throws: ``Document/Problem`` for a member with a wrong value.
    package mutating func readMetadata(
        from document: inout Document, callbacks: [RegisteredURI]
    ) throws(Document.Problem) {
        backchannelURI = try Self.address(&document, "backchannel_logout_uri")
        isBackchannelSessionRequired = try document.bool("backchannel_logout_session_required", default: false)
        frontchannelURI = try Self.address(&document, "frontchannel_logout_uri")
        isFrontchannelSessionRequired = try document.bool("frontchannel_logout_session_required", default: false)
        if let frontchannelURI, let uri = RedirectURI(frontchannelURI),
            !callbacks.contains(where: { $0.hasOrigin(of: uri) })
        {
            throw document.problem(
                "frontchannel_logout_uri",
                "must have the scheme, host and port of one of the callbacks; \(uri.origin) is none of theirs")
        }
    }

    private mutating func read(_ settings: inout Document) throws(Document.Problem) {
        backchannelURLs = try Self.addresses(&settings, "backchannel_logout_urls")
        if var chosen = try settings.document("backchannel_logout_initiators") {
            let mode = try chosen.oneOf("mode", Mode.self) ?? .custom
            var selected: Set<Initiator> = []
            for (index, name) in (try chosen.strings("selected_initiators") ?? []).enumerated() {
                guard let initiator = Initiator(rawValue: name) else {
                    let names = Initiator.allCases.map(\.rawValue).joined(separator: ", ")
                    throw chosen.problem("selected_initiators[\(index)]", "'\(name.forDisplay)' is none of \(names)")
                }
                selected.insert(initiator)
            }
            _ = try chosen.remaining(known: [])
            initiators = mode == .all ? .all : .selected(selected)
        }
        if var metadata = try settings.document("backchannel_logout_session_metadata") {
            includesSessionMetadata = try metadata.bool("include")
            _ = try metadata.remaining(known: [])
        }
        _ = try settings.remaining(known: [])
    }

    private static func addresses(_ document: inout Document, _ name: String) throws(Document.Problem) -> [String] {
        let texts = try document.strings(name) ?? []
        guard texts.count <= 10 else { throw document.problem(name, "has \(texts.count) addresses; 10 are allowed") }
        for (index, text) in texts.enumerated() { try check(text, "\(name)[\(index)]", document) }
        return texts
    }

    private static func address(_ document: inout Document, _ name: String) throws(Document.Problem) -> String? {
        guard let text = try document.string(name), !text.isEmpty else { return nil }
        try check(text, name, document)
        return text
    }

    private static func check(_ text: String, _ name: String, _ document: Document) throws(Document.Problem) {
        guard !text.contains("#") else {
            throw document.problem(name, "'\(text.forDisplay)' has a fragment; remove everything from '#' on")
        }
        guard let uri = RedirectURI(text), !text.contains("*"),
            uri.scheme == "https" || uri.scheme == "http" && uri.isLoopback,
            // The host goes into a page's policy, whose words end at a ';'.
            uri.host.utf8.allSatisfy(Self.isOfHost)
        else {
            throw document.problem(
                name,
                "'\(text.forDisplay)' must be an https address such as https://app.example.com/logout; http is for this "
                    + "machine alone")
        }
    }

    private static func isOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ":"):
            true
        default: false
        }
    }

    /// OpenID Connect's members; what is as it is by itself is left out.
    package var metadata: JSONObject {
        var members: JSONObject = [:]
        members["backchannel_logout_uri"] = backchannelURI.map(JSONValue.string)
        if isBackchannelSessionRequired { members["backchannel_logout_session_required"] = true }
        members["frontchannel_logout_uri"] = frontchannelURI.map(JSONValue.string)
        if isFrontchannelSessionRequired { members["frontchannel_logout_session_required"] = true }
        return members
    }

    /// The members of a client's document.
    package var members: JSONObject {
        var members = metadata
        var settings: JSONObject = [:]
        if !backchannelURLs.isEmpty { settings["backchannel_logout_urls"] = JSONValue(backchannelURLs) }
        switch initiators {
        case .all: settings["backchannel_logout_initiators"] = ["mode": "all"]
        case .selected(let selected):
            settings["backchannel_logout_initiators"] = [
                "mode": "custom", "selected_initiators": JSONValue(selected.map(\.rawValue).sorted()),
            ]
        case nil: break
        }
        if let includesSessionMetadata {
            settings["backchannel_logout_session_metadata"] = ["include": .bool(includesSessionMetadata)]
        }
        if !settings.isEmpty { members["oidc_logout"] = .object(settings) }
        return members
    }
}

extension RegisteredURI {
    /// Whether this URI has the scheme, host and port of `other`.
    fileprivate func hasOrigin(of other: RedirectURI) -> Bool {
        guard let own = RedirectURI(text), let registered = try? RegisteredURI(own.origin + "/"),
            let origin = RedirectURI(other.origin + "/")
        else { return false }
        return registered.matches(origin)
    }
}
