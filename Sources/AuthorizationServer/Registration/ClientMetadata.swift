import OAuth
import Storage

/// A client as it describes itself when it registers: the members of
/// [RFC 7591 §2](https://www.rfc-editor.org/rfc/rfc7591#section-2) and OpenID Connect Dynamic Client Registration §2.
///
/// A member that the server does not know is ignored (RFC 7591 §2); a known one with a value that cannot be kept is an
/// error, never another value.
enum ClientMetadata {
    /// Gives `client` what `members` say. What they leave out gets its standard value, which is what RFC 7592 §2.2 asks of
    /// a change; settings that are no metadata stay as they are.
    /// - Parameter algorithms: what the tenant can sign with.
    /// - Throws: ``OAuthError`` `invalid_redirect_uri`, `unapproved_software_statement` or `invalid_client_metadata` with
    ///   the path of the first member that is wrong.
    static func apply(
        _ members: JSONObject, to client: inout Client, algorithms: SigningAlgorithms
    ) throws(OAuthError) {
        guard members["software_statement"] ?? .null == .null else {
            throw OAuthError(
                .unapprovedSoftwareStatement, "software_statement: this server trusts no issuer of software statements",
                hint: "Leave software_statement out, and send the metadata themselves.")
        }
        do throws(Document.Problem) {
            var reader = Reader(document: Document(members, path: ""), client: client, algorithms: algorithms)
            try reader.read(members)
            client = reader.client
        } catch {
            throw OAuthError(
                error.path.hasPrefix("redirect_uris") ? .invalidRedirectURI : .invalidClientMetadata,
                error.description, hint: "RFC 7591 §2 and OpenID Connect Registration §2 have the members.")
        }
    }

    /// The grants that a client may give itself; those that need trust an administrator allows.
    static let grantTypes: Set<GrantType> = [.authorizationCode, .implicit, .refreshToken, .clientCredentials]

    /// `application_type`, OpenID Connect Dynamic Client Registration §2.
    enum ApplicationType: String, CaseIterable {
        case web, native
    }
}

/// Takes metadata out of a document, group by group.
private struct Reader {
    var document: Document
    var client: Client
    /// What the tenant can sign with.
    let algorithms: SigningAlgorithms

    mutating func read(_ members: JSONObject) throws(Document.Problem) {
        try authentication()
        try grants()
        try redirection()
        // RFC 9700 §2.2.2: without a secret, reuse is the only sign that a refresh token was stolen.
        if !client.isConfidential, !client.refreshToken.isRotating { client.refreshToken = .rotating }
        try openID()
        try information(members)
    }

    private mutating func authentication() throws(Document.Problem) {
        // RFC 7591 §2: a client that names no method has client_secret_basic.
        client.tokenEndpointAuthMethod =
            try document.oneOf("token_endpoint_auth_method", ClientAuthenticationMethod.self) ?? .clientSecretBasic
        client.keys = try ClientKeys(from: &document)
        client.requestObject = try RequestObjectSettings(from: &document)
        guard !client.requestObject.isSignedWithSecret || client.isConfidential else {
            throw document.problem("request_object_signing_alg", RequestObjectSettings.needsSecret)
        }
        if let (member, problem) = client.keyProblems.first { throw document.problem(member, problem) }
        guard client.keys.declaredMethod == nil, client.requestObject.credentials.isEmpty else {
            throw document.problem("client_authentication_methods", "is no client metadata; use jwks or jwks_uri")
        }
        if let lack = client.keys.lack(for: client.tokenEndpointAuthMethod) {
            throw document.problem("token_endpoint_auth_method", lack)
        }
    }

    /// The grant and response types, each of which needs the others of RFC 7591 §2.1.
    private mutating func grants() throws(Document.Problem) {
        let sentGrants = try document.strings("grant_types").map { Set($0.map(GrantType.init)) }
        let foreign = sentGrants?.subtracting(ClientMetadata.grantTypes).map(\.rawValue).min()
        if let foreign {
            let known = ClientMetadata.grantTypes.map(\.rawValue).sorted().joined(separator: ", ")
            throw document.problem("grant_types", "'\(foreign.forDisplay)' is none of \(known)")
        }
        client.openID = try OpenIDSettings(from: &document)
        let types: [ResponseType]
        if let sent = client.openID.responseTypes {
            types = sent
        } else {
            types = sentGrants?.contains(.authorizationCode) ?? true ? [.code] : []
        }
        let needed = types.reduce(into: Set<GrantType>()) { $0.formUnion($1.grantTypes) }
        let grants = sentGrants ?? needed.union([.authorizationCode])
        if let missing = needed.subtracting(grants).map(\.rawValue).min() {
            throw document.problem("grant_types", "lacks '\(missing)', which the response_types need")
        }
        let unused = grants.intersection([.authorizationCode, .implicit]).subtracting(needed)
        if let unused = unused.map(\.rawValue).min() {
            throw document.problem("response_types", "has none that uses the grant type '\(unused)'")
        }
        guard !grants.contains(.clientCredentials) || client.isConfidential else {
            throw document.problem(
                "grant_types",
                "client_credentials needs a client that authenticates itself; "
                    + "token_endpoint_auth_method is none")
        }
        client.grantTypes = grants
        client.openID.responseTypes = types
    }

    private mutating func redirection() throws(Document.Problem) {
        let sent = try document.oneOf("application_type", ClientMetadata.ApplicationType.self)
        let callbacks = try document.registeredURIs("redirect_uris") ?? []
        let isNative = sent.map { $0 == .native } ?? RedirectURIRules.areNative(callbacks, of: client)
        let rules = RedirectURIRules(isNative: isNative, usesImplicit: client.grantTypes.contains(.implicit))
        try rules.check(callbacks, "redirect_uris", document)
        let needsCallback = !client.grantTypes.isDisjoint(with: [.authorizationCode, .implicit])
        guard !callbacks.isEmpty || !needsCallback else {
            throw document.problem("redirect_uris", "is required: list the addresses that responses may be sent to")
        }
        client.callbacks = callbacks
        client.allowedLogoutURLs = try document.registeredURIs("post_logout_redirect_uris") ?? []
        try rules.check(client.allowedLogoutURLs, "post_logout_redirect_uris", document)
        try client.logout.readMetadata(from: &document, callbacks: callbacks)
        client.appType =
            isNative ? .native : !needsCallback ? .nonInteractive : client.isConfidential ? .regularWeb : .spa
    }

    private mutating func openID() throws(Document.Problem) {
        if let uri = client.openID.sectorIdentifierURI, RedirectURI(uri)?.scheme != "https" {
            throw document.problem("sector_identifier_uri", "must be an https address")
        }
        let algorithm = try document.oneOf("id_token_signed_response_alg", SigningAlgorithm.self) ?? .rs256
        try check(algorithm, "id_token_signed_response_alg")
        if let algorithm = client.openID.userInfoAlgorithm { try check(algorithm, "userinfo_signed_response_alg") }
        client.idTokenAlgorithm = algorithm
        guard client.openID.defaultACRValues.count <= 20 else {
            throw document.problem("default_acr_values", "must have at most 20 values")
        }
        client.initiateLoginURI = try document.httpsAddress("initiate_login_uri")
    }

    private func check(_ algorithm: SigningAlgorithm, _ name: String) throws(Document.Problem) {
        guard algorithms.allow(algorithm) else {
            throw document.problem(
                name, "'\(algorithm.rawValue)' is none of id_token_signing_alg_values_supported")
        }
        guard algorithm != .hs256 || client.isConfidential else {
            throw document.problem(name, "HS256 signs with the client's secret, and a client without one has none")
        }
    }

    private mutating func information(_ members: JSONObject) throws(Document.Problem) {
        client.name = try document.shownText("client_name", most: 200) ?? client.clientID
        client.logoURI = try document.httpsAddress("logo_uri")
        client.information = ClientInformation()
        client.information.contacts = try document.strings("contacts") ?? []
        guard client.information.contacts.count <= 20,
            client.information.contacts.allSatisfy({ $0.utf8.count <= 254 && $0 == $0.forDisplay })
        else { throw document.problem("contacts", "must be at most 20 addresses of at most 254 bytes") }
        client.information.uri = try document.httpsAddress("client_uri")
        client.information.policyURI = try document.httpsAddress("policy_uri")
        client.information.termsURI = try document.httpsAddress("tos_uri")
        client.information.softwareID = try document.shownText("software_id", most: 255)
        client.information.softwareVersion = try document.shownText("software_version", most: 255)
        try localized(members)
    }

    /// Members in other languages, such as `client_name#de`, RFC 7591 §2.2.
    private mutating func localized(_ members: JSONObject) throws(Document.Problem) {
        for name in members.keys.sorted() {
            let parts = name.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2,
                ["client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri"].contains(parts[0])
            else { continue }
            guard parts[1].wholeMatch(of: /[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,5}/) != nil else {
                throw document.problem(name.forDisplay, "must end with a language tag such as de or pt-BR")
            }
            client.information.localized[name] =
                parts[0] == "client_name"
                ? try document.shownText(name, most: 200) : try document.httpsAddress(name)
        }
        guard client.information.localized.count <= 100 else {
            throw document.problem("client_name", "has more than 100 translations, with those of the addresses")
        }
    }
}

extension Document {
    /// The address of a page or picture that users are shown or sent to: https, so that nobody on the way may change it,
    /// and nothing that runs in our pages.
    fileprivate mutating func httpsAddress(_ name: String) throws(Problem) -> String? {
        guard let text = try string(name, most: 2048) else { return nil }
        guard let uri = RedirectURI(text), uri.scheme == "https", uri.text == text else {
            throw problem(name, "must be an absolute https address without a fragment")
        }
        return text
    }

    /// A text that pages may show: not empty, short, and without characters that are invisible or turn its direction.
    fileprivate mutating func shownText(_ name: String, most: Int) throws(Problem) -> String? {
        guard let text = try string(name, most: most) else { return nil }
        guard !text.isEmpty, text == text.forDisplay, !text.contains(where: { "<>".contains($0) }) else {
            throw problem(name, "must not be empty, nor have < > or control characters")
        }
        return text
    }
}
