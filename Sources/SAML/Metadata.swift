import Foundation

/// Metadata ([Metadata](https://docs.oasis-open.org/security/saml/v2.0/saml-metadata-2.0-os.pdf)): a provider's, which is read,
/// and this server's, which is shown.
package enum Metadata {
    /// Why metadata describes no provider.
    package struct Problem: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// The provider that metadata describes. Its signature is not looked at: an administrator has put it here.
    /// - Parameter preferred: the binding for requests, where the provider has it.
    /// - Throws: ``Problem``.
    package static func provider(_ text: String, preferred: Binding?) throws(Problem) -> IdentityProvider {
        let markup: Markup
        do throws(Markup.Problem) {
            markup = try Markup(Array(text.utf8), allowsComments: true)
        } catch {
            throw Problem(description: "cannot be read: \(error)")
        }
        return try withExtendedLifetime(markup) { () throws(Problem) in try provider(markup.root, preferred) }
    }

    private static func provider(_ root: Element, _ preferred: Binding?) throws(Problem) -> IdentityProvider {
        let entities =
            root.isNamed("EntitiesDescriptor", .metadata) ? root.children("EntityDescriptor", .metadata) : [root]
        let described = entities.compactMap { entity in
            entity.isNamed("EntityDescriptor", .metadata)
                ? entity.only("IDPSSODescriptor", .metadata).map { (entity, $0) } : nil
        }
        guard described.count == 1, let (entity, descriptor) = described.first else {
            throw Problem(description: "must describe one identity provider (EntityDescriptor with IDPSSODescriptor)")
        }
        var certificates: [Certificate] = []
        for key in descriptor.children("KeyDescriptor", .metadata) where key["use"] != "encryption" {
            for data in key.children("KeyInfo", .signature).flatMap({ $0.children("X509Data", .signature) }) {
                for text in data.children("X509Certificate", .signature).compactMap(\.text) {
                    do throws(Certificate.Problem) {
                        certificates.append(try Certificate(text))
                    } catch {
                        throw Problem(description: "has a certificate that \(error)")
                    }
                }
            }
        }
        let services = descriptor.children("SingleSignOnService", .metadata)
        let order = [preferred, .redirect, .post].compactMap { $0 }
        let found = order.compactMap { binding in
            services.first { $0["Binding"] == binding.rawValue }?["Location"].map { (binding, $0) }
        }.first
        guard let (binding, url) = found,
            let provider = IdentityProvider(
                entityID: entity["entityID"], signInURL: url, binding: binding, certificates: certificates)
        else {
            throw Problem(
                description:
                    "must have a SingleSignOnService by redirect or POST, and the certificate that it signs with")
        }
        return provider
    }

    /// This server's metadata for a connection.
    /// - Parameters:
    ///   - certificate: that of the key that signs requests, DER in base64; nil where they are not signed.
    ///   - encryption: that of the key that assertions are encrypted for; nil where they are not to be.
    package static func text(
        of service: ServiceProvider, certificate: String?, encryption: String? = nil
    ) -> String {
        let escaped = AuthenticationRequest.escaped
        let signingKey = certificate.map { descriptor("signing", $0, methods: "") } ?? ""
        let methods = ["2009/xmlenc11#aes256-gcm", "2009/xmlenc11#aes128-gcm", "2001/04/xmlenc#rsa-oaep-mgf1p"]
            .map { "<md:EncryptionMethod Algorithm=\"http://www.w3.org/\($0)\"/>" }.joined()
        let key = signingKey + (encryption.map { descriptor("encryption", $0, methods: methods) } ?? "")
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <md:EntityDescriptor xmlns:md="\(Element.Namespace.metadata.rawValue)" entityID="\(escaped(service.entityID))">\
            <md:SPSSODescriptor AuthnRequestsSigned="\(certificate != nil)" WantAssertionsSigned="true" \
            protocolSupportEnumeration="\(Element.Namespace.protocols.rawValue)">\(key)\
            <md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>\
            <md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>\
            <md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified</md:NameIDFormat>\
            <md:AssertionConsumerService Binding="\(Binding.post.rawValue)" \
            Location="\(escaped(service.consumerURL))" index="0" isDefault="true"/></md:SPSSODescriptor>\
            </md:EntityDescriptor>
            """
    }

    private static func descriptor(_ use: String, _ certificate: String, methods: String) -> String {
        """
        <md:KeyDescriptor use="\(use)"><ds:KeyInfo xmlns:ds="\(Element.Namespace.signature.rawValue)">\
        <ds:X509Data><ds:X509Certificate>\(AuthenticationRequest.escaped(certificate))</ds:X509Certificate></ds:X509Data>\
        </ds:KeyInfo>\(methods)</md:KeyDescriptor>
        """
    }
}
