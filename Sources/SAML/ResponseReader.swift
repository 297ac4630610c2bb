import Foundation

/// Reads a provider's answer to a request (Core §3.3.3; Profiles §4.1.4): everything that it must be for the login is asked of it
/// here, and nothing is read of what is not signed.
package struct ResponseReader: Sendable {
    let provider: IdentityProvider
    let service: ServiceProvider
    /// The request that is answered; nil where nobody has asked (Profiles §4.1.5).
    let requestID: String?
    let now: Date
    /// Decrypts the keys of encrypted assertions; nil where none are read.
    let unwrap: KeyTransport.Unwrapper?

    /// Seconds by which the provider's clock may differ.
    package static let skew: TimeInterval = 60

    package init(
        provider: IdentityProvider, service: ServiceProvider, requestID: String?, now: Date,
        unwrap: KeyTransport.Unwrapper? = nil
    ) {
        (self.provider, self.service, self.requestID, self.now) = (provider, service, requestID, now)
        self.unwrap = unwrap
    }

    /// - Parameter encoded: the form's `SAMLResponse`, base64.
    /// - Throws: ``AssertionRefusal``.
    package func read(_ encoded: String) throws(AssertionRefusal) -> Assertion {
        guard encoded.utf8.count <= 2 * Markup.mostBytes,
            let bytes = Data(base64Encoded: encoded, options: .ignoreUnknownCharacters)
        else { throw .untrusted("SAMLResponse is not base64") }
        let markup: Markup
        do throws(Markup.Problem) {
            markup = try Markup(Array(bytes))
        } catch {
            throw .untrusted("SAMLResponse cannot be read: \(error)")
        }
        return try withExtendedLifetime(markup) { () throws(AssertionRefusal) in try read(markup) }
    }

    private func read(_ markup: Markup) throws(AssertionRefusal) -> Assertion {
        let response = markup.root
        guard response.isNamed("Response", .protocols), response["Version"] == "2.0" else {
            throw .untrusted("This is no Response of SAML 2.0")
        }
        try expect(
            response["InResponseTo"] == requestID,
            requestID == nil
                ? "The response answers a request that is not under way here"
                : "The response answers another request, or none")
        try expect(
            response["Destination"].map { $0 == service.consumerURL } ?? true, "The response is for another address")
        try checkIssuer(response.children("Issuer", .assertion), isNeeded: false)
        try checkStatus(response)
        // Bindings §3.5.5.2.
        try expect(
            response.children("Signature", .signature).isEmpty || response["Destination"] != nil,
            "The signed response does not say whom it is for")
        guard response.count("EncryptedAssertion", .assertion) == 0 else {
            let (inner, assertion) = try encryptedAssertion(in: response, markup)
            return try withExtendedLifetime(inner) { () throws(AssertionRefusal) in try read(assertion) }
        }
        return try read(signedAssertion(in: response, markup))
    }

    private func expect(_ isGood: Bool, _ refusal: String) throws(AssertionRefusal) {
        guard isGood else { throw .untrusted(refusal) }
    }

    private func checkIssuer(_ issuers: [Element], isNeeded: Bool) throws(AssertionRefusal) {
        try expect(issuers.count == 1 || issuers.isEmpty && !isNeeded, "The issuer is missing")
        guard let issuer = issuers.first, let expected = provider.entityID else { return }
        try expect(issuer.text == expected, "Another provider has issued this")
    }

    private func checkStatus(_ response: Element) throws(AssertionRefusal) {
        guard let status = response.only("Status", .protocols), let first = status.only("StatusCode", .protocols) else {
            throw .untrusted("The response has no status")
        }
        if first["Value"] == "urn:oasis:names:tc:SAML:2.0:status:Success" { return }
        let codes = [first] + first.children("StatusCode", .protocols)
        throw .status(
            codes: codes.compactMap { $0["Value"] }, message: status.only("StatusMessage", .protocols)?.text)
    }

    // MARK: Signatures

    /// The response's assertion, once its signature, or the response's, has been verified. There is one assertion in the whole
    /// document, and no signature but at these two places: nothing can be signed here and read there.
    private func signedAssertion(in response: Element, _ markup: Markup) throws(AssertionRefusal) -> Element {
        try expect(response.count("Assertion", .assertion) == 1, "The response has no assertion, or several")
        guard let assertion = response.only("Assertion", .assertion) else {
            throw .untrusted("The assertion is not where it belongs")
        }
        try expect(assertion["ID"]?.isEmpty == false && assertion["Version"] == "2.0", "The assertion has no ID")
        var verified = 0
        for element in [response, assertion] where try isSigned(element, markup) { verified += 1 }
        try expect(verified > 0, "Neither the response nor its assertion is signed")
        try expect(
            response.count("Signature", .signature) == verified, "The response has signatures where none belong")
        return assertion
    }

    /// As ``signedAssertion(in:_:)``, of a response whose assertion is encrypted. The response's signature is verified as it came, the
    /// assertion's in the document that was encrypted, which stands alone.
    /// - Returns: that document with its root.
    private func encryptedAssertion(
        in response: Element, _ markup: Markup
    ) throws(AssertionRefusal) -> (Markup, Element) {
        guard let unwrap else {
            throw .untrusted(
                "The assertion is encrypted, which the connection does not expect; set portico_encrypted_assertions")
        }
        guard let element = response.only("EncryptedAssertion", .assertion),
            response.count("EncryptedAssertion", .assertion) == 1, response.count("Assertion", .assertion) == 0
        else { throw .untrusted("The response has several assertions, or one where it does not belong") }
        let isResponseSigned = try isSigned(response, markup)
        try expect(
            response.count("Signature", .signature) == (isResponseSigned ? 1 : 0),
            "The response has signatures where none belong")
        let inner: Markup
        do throws(EncryptedAssertion.Problem) {
            let plain = try EncryptedAssertion(element).decrypted(by: unwrap, isSigned: isResponseSigned)
            do throws(Markup.Problem) {
                inner = try Markup(plain)
            } catch {
                throw EncryptedAssertion.Problem.undecipherable
            }
        } catch {
            throw .untrusted("The response has \(error)")
        }
        let assertion = inner.root
        try expect(
            assertion.isNamed("Assertion", .assertion) && assertion.count("Assertion", .assertion) == 0,
            "What is encrypted is no assertion, or several")
        try expect(assertion["ID"]?.isEmpty == false && assertion["Version"] == "2.0", "The assertion has no ID")
        let isAssertionSigned = try isSigned(assertion, inner)
        try expect(isResponseSigned || isAssertionSigned, "Neither the response nor its assertion is signed")
        try expect(
            assertion.count("Signature", .signature) == (isAssertionSigned ? 1 : 0),
            "The assertion has signatures where none belong")
        return (inner, assertion)
    }

    /// - Throws: ``AssertionRefusal`` for a signature that is not the provider's.
    private func isSigned(_ element: Element, _ markup: Markup) throws(AssertionRefusal) -> Bool {
        do throws(EnvelopedSignature.Problem) {
            let signature = try EnvelopedSignature(of: element, in: markup, allowsSHA1: provider.allowsSHA1)
            guard let signature else { return false }
            guard signature.isValid(for: provider.certificates) else {
                throw EnvelopedSignature.Problem(description: "a signature that is not the provider's")
            }
            return true
        } catch {
            throw .untrusted("The response has \(error)")
        }
    }

    // MARK: The assertion

    private func read(_ assertion: Element) throws(AssertionRefusal) -> Assertion {
        try checkIssuer(assertion.children("Issuer", .assertion), isNeeded: true)
        guard let subject = assertion.only("Subject", .assertion), let name = subject.only("NameID", .assertion),
            let nameID = name.text, !nameID.isEmpty, nameID.utf8.count <= 1_024
        else { throw .untrusted("The assertion does not say in a NameID who it is about") }
        let confirmed = subject.children("SubjectConfirmation", .assertion).compactMap(confirmedUntil).max()
        guard let confirmed else {
            throw .untrusted("The assertion has no bearer confirmation for this address, this request and this time")
        }
        let limit = try checkConditions(assertion)
        let statements = assertion.children("AuthnStatement", .assertion)
        guard let statement = statements.first, let instant = statement["AuthnInstant"].flatMap(Instant.date) else {
            throw .untrusted("The assertion does not say when the user signed in")
        }
        for ending in statements.compactMap({ $0["SessionNotOnOrAfter"] }) {
            try expect(isBefore(ending), "The provider's session has ended")
        }
        return Assertion(
            id: assertion["ID"] ?? "", issuer: assertion.only("Issuer", .assertion)?.text ?? "", nameID: nameID,
            nameFormat: name["Format"], attributes: Self.attributes(assertion),
            authenticatedAt: min(instant, now), sessionIndex: statement["SessionIndex"],
            expiresAt: max(confirmed, limit ?? confirmed).addingTimeInterval(Self.skew))
    }

    /// Until when somebody is whom the assertion is about because they have it (Profiles §4.1.4.2); nil where they are not.
    private func confirmedUntil(_ confirmation: Element) -> Date? {
        guard confirmation["Method"] == "urn:oasis:names:tc:SAML:2.0:cm:bearer",
            let data = confirmation.only("SubjectConfirmationData", .assertion),
            data["Recipient"] == service.consumerURL, data["InResponseTo"] == requestID,
            data["NotBefore"].map(isNotBefore) ?? true,
            let end = data["NotOnOrAfter"], isBefore(end)
        else { return nil }
        return Instant.date(end)
    }

    /// - Returns: when the conditions end; nil where they say nothing.
    private func checkConditions(_ assertion: Element) throws(AssertionRefusal) -> Date? {
        guard let conditions = assertion.only("Conditions", .assertion) else {
            throw .untrusted("The assertion does not say whom it is for")
        }
        try expect(
            conditions["NotBefore"].map(isNotBefore) ?? true, "The assertion is not valid yet; compare the clocks")
        try expect(conditions["NotOnOrAfter"].map(isBefore) ?? true, "The assertion has expired; compare the clocks")
        let restrictions = conditions.children("AudienceRestriction", .assertion)
        try expect(!restrictions.isEmpty, "The assertion does not say whom it is for")
        for restriction in restrictions {
            try expect(
                restriction.children("Audience", .assertion).contains { $0.text == service.entityID },
                "The assertion is for somebody else")
        }
        let known = ["AudienceRestriction", "OneTimeUse", "ProxyRestriction"]
        // Core §2.5.1: what is not understood makes the assertion's validity unknown.
        try expect(
            conditions.children.allSatisfy { condition in known.contains { condition.isNamed($0, .assertion) } },
            "The assertion has conditions that are not known")
        return conditions["NotOnOrAfter"].flatMap(Instant.date)
    }

    private func isBefore(_ end: String) -> Bool {
        Instant.date(end).map { now < $0.addingTimeInterval(Self.skew) } ?? false
    }

    private func isNotBefore(_ start: String) -> Bool {
        Instant.date(start).map { now >= $0.addingTimeInterval(-Self.skew) } ?? false
    }

    private static func attributes(_ assertion: Element) -> [String: [String]] {
        var attributes: [String: [String]] = [:]
        for attribute in assertion.children("AttributeStatement", .assertion).flatMap(\.children) {
            guard attribute.isNamed("Attribute", .assertion), let name = attribute["Name"] else { continue }
            attributes[name, default: []] += attribute.children("AttributeValue", .assertion).compactMap(\.text)
                .filter { !$0.isEmpty }
        }
        return attributes
    }
}
