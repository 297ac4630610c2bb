import AuthorizationServer
import LDAP
import OAuth
import Storage

/// Active Directory (`ad`) and other directories (`ldap`), asked by LDAP.
///
/// Auth0 asks an agent that runs beside the directory. This server asks the directory itself, so the agent's settings
/// (`LDAP_URL`, `LDAP_BASE` …) are members of the connection's `options`, in small letters.
struct LDAPStrategy: ConnectionStrategy {
    let directories = Directories()

    let names: Set<String> = ["ad", "ldap"]
    let family = ConnectionFamily.enterprise
    let manner = ConnectionManner.password
    let secretOptions: Set<String> = ["ldap_bind_password"]
    let secretRecipients: Set<String> = ["ldap_bind_user", "ldap_ca_certificate", "ldap_start_tls", "ldap_url"]

    func login(_ connection: Connection, _ options: inout Document) throws(Document.Problem) -> ConnectionLogin {
        let isActiveDirectory = connection.strategy == "ad"
        let url = try options.requiredString("ldap_url", most: 512)
        let startsTLS = try options.bool("ldap_start_tls", default: true)
        let address: DirectoryAddress
        do throws(DirectoryAddress.Problem) {
            address = try DirectoryAddress(url: url, startsTLS: startsTLS)
        } catch {
            throw options.problem("ldap_url", error.description)
        }
        let base = try options.requiredString("ldap_base", most: 1024)
        let standard =
            isActiveDirectory
            ? "(|(sAMAccountName={0})(userPrincipalName={0})(mail={0}))" : "(|(uid={0})(mail={0}))"
        var directory = Directory(
            address: address, base: base,
            filter: try Self.filter("ldap_user_by_name", &options) ?? DirectoryFilter(trusted: standard))
        directory.authorities = try Self.certificates(&options)
        if let groups = try Self.filter("ldap_search_groups", &options) {
            directory.groups = .init(base: try options.string("ldap_base_groups", most: 1024) ?? base, filter: groups)
        }
        directory.timeout = try options.integer("ldap_timeout", in: 1...60) ?? directory.timeout
        var profile = DirectoryProfile(
            identifier: try options.string("ldap_user_id_attribute", most: 128)
                ?? (isActiveDirectory ? "objectGUID" : "entryUUID"))
        profile.areAddressesVerified = try options.bool("ldap_email_verified", default: false)
        profile.more = try options.strings("ldap_attributes") ?? []
        directory.attributes = profile.attributes
        let account = try options.string("ldap_bind_user", most: 1024)
        let password = try options.string("ldap_bind_password", most: 1024)
        if let account, let password { directory.account = Directory.Account(name: account, password: password) }
        return .password(
            LDAPLogin(
                directories: directories, directory: directory, profile: profile,
                lacksPassword: account != nil && directory.account == nil))
    }

    private static func filter(
        _ name: String, _ options: inout Document
    ) throws(Document.Problem) -> DirectoryFilter? {
        guard let template = try options.string(name, most: 1024) else { return nil }
        do throws(DirectoryFilter.Problem) {
            return try DirectoryFilter(template)
        } catch {
            throw options.problem(name, error.description)
        }
    }

    private static func certificates(_ options: inout Document) throws(Document.Problem) -> String? {
        guard let text = try options.string("ldap_ca_certificate", most: 65_536) else { return nil }
        guard text.contains("-----BEGIN CERTIFICATE-----") else {
            throw options.problem("ldap_ca_certificate", "must be one or more certificates as PEM")
        }
        return text
    }
}

/// Signing in with a name and password that a directory knows.
struct LDAPLogin: DirectoryLogin {
    let directories: Directories
    let directory: Directory
    let profile: DirectoryProfile
    /// Whether there is an account that searches, and no password for it.
    let lacksPassword: Bool

    func check(
        username: String, password: String, _ services: Services
    ) async throws(UpstreamFailure) -> UpstreamProfile? {
        guard !lacksPassword else {
            throw .misconfigured(
                cause: "The account ldap_bind_user has no password", mend: "Set options.ldap_bind_password")
        }
        let answer: Directory.Answer
        do throws(DirectoryFailure) {
            answer = try await directories.check(username, password: password, in: directory)
        } catch {
            switch error.kind {
            case .serviceAccount, .search: throw .misconfigured(cause: error.cause, mend: error.mend)
            case .ambiguous, .busy, .timeout, .unreachable: throw .unavailable(cause: error.cause, mend: error.mend)
            }
        }
        switch answer {
        case .user(let entry, let groups): return try profile.profile(of: entry, groups: groups)
        case .unknownUser: return nil
        case .wrongPassword(let reason):
            services.logger.info("a directory refuses a password", metadata: ["why": "\(reason.forDisplay)"])
            return nil
        }
    }
}
