import Foundation
import Testing

@Suite("Who may import whom")
struct ImportRulesTests {
    private struct Rule: Sendable {
        /// Targets of ours.
        let ours: Set<String>
        /// Libraries, and folders that alone may use one.
        let libraries: Set<String>
        var only: [String: String] = [:]
    }

    private static let everything: Set<String> = [
        "OAuth", "LDAP", "SAML", "Scripting", "Storage", "Pages", "AuthorizationServer", "Connections", "Outbound",
        "TenantConfiguration", "ManagementAPI", "Web", "GeoIP",
    ]
    private static let system: Set<String> = ["Darwin", "Foundation", "Glibc", "Synchronization"]

    /// The rules, lowest layer first. What stands nowhere here nobody may import.
    private static let rules: [String: Rule] = [
        // The vocabulary knows no storage, no HTTP and no clock.
        "OAuth": Rule(ours: [], libraries: ["Crypto"]),
        // Only a driver sees a database's library.
        "Storage": Rule(
            ours: ["OAuth"], libraries: ["CLibPQ", "Crypto", "GRDB", "Logging", "NIOPosix"],
            only: [
                "CLibPQ": "Sources/Storage/Drivers/PostgreSQL/", "GRDB": "Sources/Storage/Drivers/SQLite/",
                "NIOPosix": "Sources/Storage/Drivers/PostgreSQL/",
            ]),
        // Only what a worker process and the server say to each other: no engine.
        "Scripting": Rule(ours: [], libraries: []),
        // The engine is loaded in a process that has nothing of the server's.
        "ScriptWorker": Rule(
            ours: ["Scripting"],
            libraries: ["CJavaScriptCore", "CSandbox", "CScripts", "Crypto", "CryptoExtras"],
            only: ["CScripts": "Sources/ScriptWorker/PreludeScripts.swift"]),
        // Pages are made of values.
        "Pages": Rule(
            ours: [], libraries: ["CAssets", "CQREncode", "Mustache"],
            only: ["CQREncode": "Sources/Pages/QRCode.swift"]),
        // The decisions know no HTTP and no template.
        "AuthorizationServer": Rule(
            ours: ["OAuth", "Scripting", "Storage"],
            libraries: ["CArgon2", "CAssets", "CBcrypt", "COpenSSL", "Crypto", "Logging", "SwiftASN1", "X509"],
            only: [
                "CAssets": "Sources/AuthorizationServer/Messages/",
                "SwiftASN1": "Sources/AuthorizationServer/ClientCertificates/",
                "X509": "Sources/AuthorizationServer/ClientCertificates/",
            ]),
        "Outbound": Rule(
            ours: ["AuthorizationServer", "OAuth", "Scripting", "Storage"],
            libraries: ["CLibCurl", "NIOCore", "NIOFoundationEssentialsCompat", "NIOHTTP1", "NIOPosix", "NIOSSL"]),
        // The protocols of other providers, over the port for requests to them.
        "Connections": Rule(
            ours: ["AuthorizationServer", "LDAP", "OAuth", "SAML", "Scripting", "Storage"], libraries: ["Crypto"]),
        // Files that say where addresses are, behind the port for that.
        "GeoIP": Rule(
            ours: ["AuthorizationServer", "OAuth", "Scripting", "Storage"], libraries: ["CMaxMindDB", "Logging"]),
        // Protocols as their specifications have them, over the system's libraries.
        "LDAP": Rule(ours: [], libraries: ["CLDAP"]),
        "SAML": Rule(ours: [], libraries: ["CLibXML2", "COpenSSL"]),
        "TenantConfiguration": Rule(
            ours: ["AuthorizationServer", "OAuth", "Scripting", "Storage"], libraries: ["CZlib", "Yams"],
            only: ["CZlib": "Sources/TenantConfiguration/Gunzip.swift"]),
        // The Management API's rules are those of the files that are applied; it knows no HTTP server.
        "ManagementAPI": Rule(
            ours: ["AuthorizationServer", "OAuth", "Scripting", "Storage", "TenantConfiguration"],
            libraries: ["Logging"]),
        "Web": Rule(
            ours: [
                "AuthorizationServer", "ManagementAPI", "OAuth", "Pages", "Scripting", "Storage", "TenantConfiguration",
            ],
            libraries: [
                "HTTPTypes", "Hummingbird", "Logging", "NIOCore", "NIOFoundationEssentialsCompat", "ServiceLifecycle",
            ]),
        "Portico": Rule(
            ours: everything.union(["ScriptWorker"]),
            libraries: [
                "ArgumentParser", "Configuration", "Crypto", "Hummingbird", "HummingbirdCore", "HummingbirdTLS",
                "Logging",
                "NIOCore", "NIOSSL", "ServiceLifecycle", "SwiftASN1", "SystemPackage", "X509",
            ]),
        "Fuzzing": Rule(ours: [], libraries: []),
        "StorageTesting": Rule(ours: ["OAuth", "Storage"], libraries: ["Testing"]),
        "TestSupport": Rule(
            ours: everything.union(["Fuzzing", "StorageTesting"]),
            libraries: [
                "Crypto", "CryptoExtras", "HTTPTypes", "Hummingbird", "HummingbirdTesting", "Logging", "NIOCore",
                "NIOFoundationEssentialsCompat", "SwiftASN1", "X509",
            ]),
    ]

    @Test("Every target imports what its layer may, and nothing else")
    func imports() throws {
        for file in try Repository.files("Sources") {
            let target = String(file.path.split(separator: "/")[1])
            guard let rule = Self.rules[target] else { continue }
            for line in file.code {
                guard
                    let match = line.firstMatch(
                        of: /^\s*(?:@\w+ +)?(?:\w+ +)?import +(?:(?:struct|class|enum|protocol|func) +)?(\w+)/)
                else { continue }
                let module = String(match.1)
                let isAllowed =
                    rule.ours.contains(module) || rule.libraries.contains(module) || Self.system.contains(module)
                #expect(isAllowed, "\(file) imports \(module)")
                if let folder = rule.only[module] { #expect(file.path.hasPrefix(folder), "\(file) imports \(module)") }
                #expect(!line.contains("@testable"), "\(file)")
            }
        }
    }

    @Test("Every target of Sources has a rule, and every rule a target")
    func rulesAreComplete() throws {
        #expect(try Repository.targets() == Set(Self.rules.keys))
    }

    @Test("Package.swift lists for each target the layers that its rule allows")
    func manifest() throws {
        let manifest = try Repository.file("Package.swift").text
        let list = try #require(manifest.firstMatch(of: /let layers[^=]*= \[\n([\s\S]*?)\n\]/)?.1)
        var layers: [String: [String]] = [:]
        for line in list.split(separator: "\n") {
            guard let match = line.firstMatch(of: /"(\w+)": \[(.*?)\]/) else { continue }
            layers[String(match.1)] = match.2.matches(of: /"(\w+)"/).map { String($0.1) }
        }
        func below(_ name: String) -> Set<String> {
            let direct = layers[name] ?? []
            return Set(direct).union(direct.flatMap(below))
        }
        for (target, rule) in Self.rules { #expect(below(target) == rule.ours, "\(target)") }
    }

    @Test("The examples use the protocol, not the server's code")
    func examples() throws {
        let ours = try Repository.targets()
        for file in try Repository.files("examples") {
            for line in file.code {
                guard let match = line.firstMatch(of: /^\s*(?:@\w+ +)?import +(\w+)/) else { continue }
                #expect(!ours.contains(String(match.1)), "\(file) imports \(match.1)")
            }
        }
    }

    @Test("The environment is read in Portico alone, and the clock comes in where decisions are made")
    func environmentAndClock() throws {
        for file in try Repository.files("Sources")
        where !["Portico", "Fuzzing", "StorageTesting"].contains(file.path.split(separator: "/")[1]) {
            for line in file.code {
                #expect(!line.contains(/processInfo\.environment/), "\(file): \(line)")
            }
            #expect(file.words.isDisjoint(with: ["CommandLine", "getenv", "secure_getenv"]), "\(file)")
        }
        let deciding = ["OAuth", "Storage", "AuthorizationServer", "Pages"]
        for file in try deciding.flatMap({ try Repository.files("Sources/" + $0) })
        where file.path != "Sources/AuthorizationServer/Services.swift" {
            for line in file.code { #expect(!line.contains(/Date\(\)|Date\.now/), "\(file): \(line)") }
        }
    }
}
