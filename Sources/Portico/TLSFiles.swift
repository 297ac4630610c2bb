import Crypto
import Foundation
import NIOSSL
import OAuth
import SwiftASN1
import X509

/// The certificates that `--tls` serves with.
enum TLSFiles {
    /// What is wrong with a certificate file.
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    /// - Throws: ``Problem`` that names the file.
    static func configuration(
        _ tls: ServerConfiguration.TLS, _ configuration: ServerConfiguration
    ) throws -> TLSConfiguration {
        let (certificate, key) =
            switch tls {
            case .files(let certificate, let key): (certificate, key)
            case .development: try development(configuration)
            }
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(certificate).map { NIOSSLCertificateSource.certificate($0) }
            let privateKey = try NIOSSLPrivateKey(file: key, format: .pem)
            var made = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain, privateKey: .privateKey(privateKey))
            made.minimumTLSVersion = .tlsv12
            made.applicationProtocols = ["http/1.1"]
            return made
        } catch {
            throw Problem(
                description: "The certificate \(certificate) and the key \(key) cannot be used: \(error). "
                    + "Both must be PEM, the chain with the server's own certificate first.")
        }
    }

    /// The development authority's files in the data folder: the authority lasts, so that a browser trusts it once; the
    /// server's certificate is made anew where it is missing, near its end, or for another host.
    private static func development(_ configuration: ServerConfiguration) throws -> (String, String) {
        let folder = configuration.data.appending(path: "tls", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let host = String(configuration.issuer.domain.prefix { $0 != ":" })
        let paths = ["ca.pem", "ca.key", "\(host).pem", "\(host).key"].map { folder.appending(path: $0) }
        let authority = try DevelopmentAuthority(certificate: paths[0], key: paths[1])
        if !isFresh(paths[2]) || !FileManager.default.fileExists(atPath: paths[3].path(percentEncoded: false)) {
            try authority.issue(host: host, certificate: paths[2], key: paths[3])
        }
        return (paths[2].path(percentEncoded: false), paths[3].path(percentEncoded: false))
    }

    private static func isFresh(_ file: URL) -> Bool {
        guard let pem = try? String(contentsOf: file, encoding: .utf8),
            let certificate = try? Certificate(
                pemEncoded: pem.components(separatedBy: "-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----")
        else { return false }
        return certificate.notValidAfter > Date(timeIntervalSinceNow: 7 * 86_400)
    }
}

/// A certificate authority for one developer's machine.
struct DevelopmentAuthority {
    private let certificate: Certificate
    private let key: Certificate.PrivateKey
    private let pem: String

    /// Reads the authority, or makes one that is valid for ten years.
    init(certificate certificateFile: URL, key keyFile: URL) throws {
        if let pem = try? String(contentsOf: certificateFile, encoding: .utf8),
            let keyPEM = try? String(contentsOf: keyFile, encoding: .utf8)
        {
            (certificate, key) = (try Certificate(pemEncoded: pem), try Certificate.PrivateKey(pemEncoded: keyPEM))
            self.pem = pem
            return
        }
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        self.key = key
        let name = try DistinguishedName { CommonName("Portico development authority") }
        certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
            notValidBefore: Date(timeIntervalSinceNow: -3600), notValidAfter: Date(timeIntervalSinceNow: 3650 * 86_400),
            issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(
                    keyIdentifier: ArraySlice(Insecure.SHA1.hash(data: key.publicKey.subjectPublicKeyInfoBytes)))
            },
            issuerPrivateKey: key)
        pem = try certificate.serializeAsPEM().pemString + "\n"
        try Self.write(try key.serializeAsPEM().pemString + "\n", to: keyFile, mode: 0o600)
        try Self.write(pem, to: certificateFile, mode: 0o644)
    }

    /// Makes a certificate for `host` and this machine's own names, valid for 90 days; the file has the chain.
    func issue(host: String, certificate certificateFile: URL, key keyFile: URL) throws {
        let serverKey = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let names = Set([host, "localhost"]).sorted().map { GeneralName.dnsName($0) }
        let leaf = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: serverKey.publicKey,
            notValidBefore: Date(timeIntervalSinceNow: -3600), notValidAfter: Date(timeIntervalSinceNow: 90 * 86_400),
            issuer: certificate.subject, subject: try DistinguishedName { CommonName(host) },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(
                    names + [.ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])), .ipAddress(Self.loopback6)])
            },
            issuerPrivateKey: key)
        try Self.write(try serverKey.serializeAsPEM().pemString + "\n", to: keyFile, mode: 0o600)
        try Self.write(try leaf.serializeAsPEM().pemString + "\n" + pem, to: certificateFile, mode: 0o644)
    }

    private static let loopback6 = ASN1OctetString(
        contentBytes: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])

    private static func write(_ text: String, to file: URL, mode: Int) throws {
        let path = file.path(percentEncoded: false)
        guard
            FileManager.default.createFile(
                atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: mode])
        else {
            throw TLSFiles.Problem(description: "The file \(path) cannot be written; check the data folder's mode.")
        }
    }
}
