// swift-tools-version:6.2
import PackageDescription

/// Who may import whom, lowest layer first.
let layers: KeyValuePairs<String, [String]> = [
    "OAuth": [],
    "LDAP": [],
    "SAML": [],
    "Scripting": [],
    "ScriptWorker": ["Scripting"],
    "Storage": ["OAuth"],
    "Pages": [],
    "AuthorizationServer": ["Scripting", "Storage"],
    "TenantConfiguration": ["AuthorizationServer"],
    "ManagementAPI": ["TenantConfiguration"],
    "Web": ["ManagementAPI", "Pages"],
    "Outbound": ["AuthorizationServer"],
    "Connections": ["AuthorizationServer", "LDAP", "SAML"],
    "GeoIP": ["AuthorizationServer"],
    "Portico": ["Web", "Outbound", "Connections", "GeoIP", "ScriptWorker"],
    "Fuzzing": [],
    "StorageTesting": ["Storage"],
    "TestSupport": ["Web", "Outbound", "Connections", "GeoIP", "StorageTesting", "Fuzzing"],
    "ExampleWebApp": [],
    "AppointmentsAPI": [],
    "OAuthTests": ["OAuth", "Fuzzing"],
    "LDAPTests": ["LDAP"],
    "SAMLTests": ["SAML"],
    "StorageTests": ["StorageTesting", "Fuzzing"],
    "PagesTests": ["Pages"],
    "AuthorizationServerTests": ["TestSupport"],
    "TenantConfigurationTests": ["TestSupport"],
    "OutboundTests": ["Outbound"],
    "GeoIPTests": ["GeoIP"],
    "FlowTests": ["TestSupport"],
    "ScriptingTests": ["TestSupport"],
    "ArchitectureTests": [],
]

/// A target's layers and everything below them. SwiftPM 6.3 leaves indirect dependents
/// stale when a struct's layout changes (swiftlang/swift-package-manager#10502), so every
/// target lists all of them.
func below(_ name: String) -> [String] {
    let direct = layers.first { $0.key == name }?.value ?? []
    return Set(direct + direct.flatMap(below)).sorted()
}

/// A Swift target with the layers below it and the libraries it may use.
func target(
    _ name: String, path: String? = nil, exclude: [String] = [], _ libraries: Target.Dependency...
) -> Target {
    let dependencies = below(name).map { Target.Dependency(stringLiteral: $0) } + libraries
    switch name {
    case "Portico", "ExampleWebApp", "AppointmentsAPI":
        return .executableTarget(name: name, dependencies: dependencies, path: path, exclude: exclude)
    case _ where name.hasSuffix("Tests"):
        return .testTarget(name: name, dependencies: dependencies, path: path)
    default:
        return .target(name: name, dependencies: dependencies, path: path)
    }
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTesting = Target.Dependency.product(name: "HummingbirdTesting", package: "hummingbird")
let hummingbirdTLS = Target.Dependency.product(name: "HummingbirdTLS", package: "hummingbird")
let jwtKit = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioFoundationEssentialsCompat = Target.Dependency.product(
    name: "NIOFoundationEssentialsCompat", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let swiftASN1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
    name: "portico",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "portico", targets: ["Portico"]),
        .library(name: "StorageTesting", targets: ["StorageTesting"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-asn1.git", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-certificates.git", from: "1.21.0"),
        .package(
            url: "https://github.com/apple/swift-configuration.git", from: "1.4.0",
            traits: [.defaults, "YAML"]),
        .package(url: "https://github.com/apple/swift-crypto.git", "4.0.0"..<"5.0.0"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.100.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-system.git", from: "1.8.0"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache.git", from: "2.1.0"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/vapor/jwt-kit.git", from: "5.7.0"),
    ],
    targets: [
        target("OAuth", crypto),
        target("LDAP", "CLDAP"),
        target("SAML", "CLibXML2", "COpenSSL"),
        target("Scripting"),
        target("ScriptWorker", crypto, cryptoExtras, "CJavaScriptCore", "CSandbox", "CScripts"),
        target("Storage", grdb, crypto, logging, nioPosix, "CLibPQ"),
        target("Pages", mustache, "CAssets", "CQREncode"),
        target("AuthorizationServer", crypto, logging, swiftASN1, x509, "CArgon2", "CAssets", "CBcrypt", "COpenSSL"),
        target("TenantConfiguration", yams, "CZlib"),
        target("ManagementAPI", logging),
        target(
            "Web", hummingbird, httpTypes, nioCore, nioFoundationEssentialsCompat, logging, serviceLifecycle),
        target(
            "Portico", argumentParser, configuration, crypto, hummingbird, hummingbirdCore, hummingbirdTLS, logging,
            nioCore, nioSSL, serviceLifecycle, swiftASN1, systemPackage, x509),
        target("Outbound", nioCore, nioFoundationEssentialsCompat, nioHTTP1, nioPosix, nioSSL, "CLibCurl"),
        target("Connections", crypto),
        target("GeoIP", logging, "CMaxMindDB"),
        target("Fuzzing"),
        target("StorageTesting"),
        target(
            "TestSupport", crypto, cryptoExtras, hummingbird, hummingbirdTesting, httpTypes,
            nioFoundationEssentialsCompat, logging, swiftASN1, x509),
        target(
            "ExampleWebApp", path: "examples/web-app", exclude: ["README.md"], asyncHTTPClient, crypto, hummingbird,
            jwtKit, logging, nioHTTP1),
        target(
            "AppointmentsAPI", path: "examples/appointments-api", exclude: ["README.md"], asyncHTTPClient, hummingbird,
            jwtKit, logging, nioHTTP1),
        target("OAuthTests"),
        target("LDAPTests"),
        target("SAMLTests"),
        target("StorageTests"),
        target("PagesTests"),
        target("AuthorizationServerTests", crypto, jwtKit),
        target("TenantConfigurationTests"),
        target("OutboundTests", nioCore, nioHTTP1, nioPosix, nioSSL),
        target("GeoIPTests", logging),
        target("FlowTests", crypto, hummingbird, hummingbirdTesting, httpTypes, jwtKit, nioCore, nioPosix),
        target("ScriptingTests", crypto, cryptoExtras),
        target("ArchitectureTests"),

        .target(name: "CAssets", exclude: ["css", "images", "js", "locales", "mail", "pages"]),
        .target(name: "CJavaScriptCore"),
        .target(name: "CSandbox"),
        .target(name: "CScripts", exclude: ["kinds", "modules", "prelude"]),
        .systemLibrary(
            name: "CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"]), .brew(["argon2"])]),
        .systemLibrary(
            name: "CBcrypt", pkgConfig: "libxcrypt", providers: [.apt(["libcrypt-dev"]), .brew(["libxcrypt"])]),
        .systemLibrary(
            name: "CLDAP", pkgConfig: "ldap", providers: [.apt(["libldap-dev"]), .brew(["openldap"])]),
        .systemLibrary(
            name: "CLibCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]),
        .systemLibrary(
            name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
        .systemLibrary(
            name: "CLibXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"]), .brew(["libxml2"])]),
        .systemLibrary(
            name: "CMaxMindDB", pkgConfig: "libmaxminddb",
            providers: [.apt(["libmaxminddb-dev"]), .brew(["libmaxminddb"])]),
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
        .systemLibrary(
            name: "CQREncode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"]), .brew(["qrencode"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    ]
)

for target in package.targets where ![.system].contains(target.type) && !target.name.hasPrefix("C") {
    target.swiftSettings = [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .treatAllWarnings(as: .error),
    ]
}
