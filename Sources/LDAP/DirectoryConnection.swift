import CLDAP
import Foundation

/// A connection to a directory, for one thread and one login.
final class DirectoryConnection {
    private let handle: OpaquePointer
    private let url: String
    private let timeout: timeval

    /// Connects, secures the connection, and checks the directory's certificate.
    /// - Throws: ``DirectoryFailure``: unreachable, or not in time.
    init(_ directory: Directory) throws(DirectoryFailure) {
        url = directory.address.url
        timeout = timeval(tv_sec: directory.timeout, tv_usec: 0)
        var made: OpaquePointer?
        guard ldap_initialize(&made, url) == LDAP_SUCCESS, let made else {
            throw DirectoryFailure(
                .unreachable, "libldap does not take the address \(url)", mend: "Correct the connection's url.")
        }
        handle = made
        try configure(directory)
        if directory.address.protection == .startTLS {
            try expect(ldap_start_tls_s(handle, nil, nil), "no TLS with the directory", .unreachable)
        }
    }

    deinit { ldap_unbind_ext(handle, nil, nil) }

    private func configure(_ directory: Directory) throws(DirectoryFailure) {
        try set(LDAP_OPT_PROTOCOL_VERSION, LDAP_VERSION3)
        // Nobody but the configured directory learns a password.
        try expect(ldap_set_option(handle, LDAP_OPT_REFERRALS, nil), "referrals stay on", .unreachable)
        for option in [LDAP_OPT_NETWORK_TIMEOUT, LDAP_OPT_TIMEOUT] {
            let status = withUnsafePointer(to: timeout) { ldap_set_option(handle, option, $0) }
            try expect(status, "no time-out", .unreachable)
        }
        guard directory.address.protection != .none else { return }
        try set(LDAP_OPT_X_TLS_REQUIRE_CERT, LDAP_OPT_X_TLS_DEMAND)
        // TLS 1.2.
        try set(LDAP_OPT_X_TLS_PROTOCOL_MIN, 3 << 8 | 3)
        let own = try directory.authorities.map(AuthoritiesFile.init)
        if let path = own?.path ?? AuthoritiesFile.system {
            try expect(
                ldap_set_option(handle, LDAP_OPT_X_TLS_CACERTFILE, path), "no certificate authorities", .unreachable)
        }
        // Takes all of the above, and reads the file.
        try withExtendedLifetime(own) { () throws(DirectoryFailure) in try set(LDAP_OPT_X_TLS_NEWCTX, 0) }
    }

    private func set(_ option: Int32, _ value: Int32) throws(DirectoryFailure) {
        let status = withUnsafePointer(to: value) { ldap_set_option(handle, option, $0) }
        try expect(
            status, "libldap refuses option \(option)", .unreachable,
            mend: "Check the connection's ca_certificate: certificates as PEM.")
    }

    // MARK: Authenticating

    /// Goes on as the account.
    /// - Throws: ``DirectoryFailure`` where the directory refuses it.
    func bind(_ account: Directory.Account) throws(DirectoryFailure) {
        try expect(
            bind(account.name, account.password), "the directory refuses the account that searches",
            .serviceAccount, mend: "Correct the connection's bind_dn and bind_password.")
    }

    /// Whether a password is that of an entry.
    enum Verdict {
        case yes
        case no(reason: String)
    }

    /// Whether `password` is that of the entry with the name; the connection goes on as that entry.
    /// - Throws: ``DirectoryFailure`` where the directory does not say.
    func proves(_ name: String, password: String) throws(DirectoryFailure) -> Verdict {
        let status = bind(name, password)
        switch status {
        case LDAP_SUCCESS: return .yes
        // A locked or expired account is refused with one of the others; the diagnostic message tells which.
        case LDAP_INVALID_CREDENTIALS, LDAP_INAPPROPRIATE_AUTH, LDAP_NO_SUCH_OBJECT, LDAP_UNWILLING_TO_PERFORM,
            LDAP_CONSTRAINT_VIOLATION, LDAP_INVALID_DN_SYNTAX, LDAP_INSUFFICIENT_ACCESS:
            return .no(reason: words(status))
        default: throw failure(status, "the directory does not check a password", .search, mend: nil)
        }
    }

    private func bind(_ name: String, _ password: String) -> Int32 {
        var bytes = password.utf8.map { CChar(bitPattern: $0) }
        return bytes.withUnsafeMutableBufferPointer { buffer in
            var credentials = berval(bv_len: ber_len_t(buffer.count), bv_val: buffer.baseAddress)
            return ldap_sasl_bind_s(handle, name, nil, &credentials, nil, nil, nil)
        }
    }

    // MARK: Searching

    /// The entry that the filter finds.
    /// - Throws: ``DirectoryFailure`` where there are several.
    func onlyEntry(_ base: String, _ filter: String, _ attributes: [String]) throws(DirectoryFailure)
        -> DirectoryEntry?
    {
        let (found, hasMore) = try entries(base, filter, attributes, most: 2)
        // A directory may have a limit of its own, and cut after the first.
        guard found.count < 2, !hasMore else {
            throw DirectoryFailure(
                .ambiguous, "more than one entry of \(url) answers to a name",
                mend: "Make the connection's user_filter find one: by an attribute that no two users share.")
        }
        return found.first
    }

    /// The entries below `base` that the filter finds.
    /// - Returns: at most `most` of them, and whether there are more.
    /// - Throws: ``DirectoryFailure`` where the search fails.
    func entries(_ base: String, _ filter: String, _ attributes: [String], most: Int32) throws(DirectoryFailure)
        -> (found: [DirectoryEntry], hasMore: Bool)
    {
        var message: OpaquePointer?
        defer { ldap_msgfree(message) }
        // No attribute at all (RFC 4511 §4.5.1.8) where none is asked for: an empty list would be all of them.
        var names = (attributes.isEmpty ? ["1.1"] : attributes).map { strdup($0) } + [nil]
        defer { names.forEach { free($0) } }
        var wait = timeout
        let status = ldap_search_ext_s(
            handle, base, LDAP_SCOPE_SUBTREE, filter, &names, 0, nil, nil, &wait, most, &message)
        if status != LDAP_SIZELIMIT_EXCEEDED {
            try expect(
                status, "the search below \(base) fails", .search,
                mend: "Check the connection's base and filters, and what its account may read.")
        }
        var found: [DirectoryEntry] = []
        var entry = ldap_first_entry(handle, message)
        while let this = entry {
            found.append(read(this))
            entry = ldap_next_entry(handle, this)
        }
        return (found, status == LDAP_SIZELIMIT_EXCEEDED)
    }

    private func read(_ entry: OpaquePointer) -> DirectoryEntry {
        let name = ldap_get_dn(handle, entry)
        defer { ldap_memfree(name) }
        var values: [String: [[UInt8]]] = [:]
        var position: OpaquePointer?
        var attribute = ldap_first_attribute(handle, entry, &position)
        while let this = attribute {
            values[String(cString: this)] = self.values(of: this, entry)
            ldap_memfree(this)
            attribute = ldap_next_attribute(handle, entry, position)
        }
        ber_free(position, 0)
        return DirectoryEntry(name: name.map { String(cString: $0) } ?? "", values: values)
    }

    private func values(of attribute: UnsafePointer<CChar>, _ entry: OpaquePointer) -> [[UInt8]] {
        guard let list = ldap_get_values_len(handle, entry, attribute) else { return [] }
        defer { ldap_value_free_len(list) }
        return (0..<Int(ldap_count_values_len(list))).compactMap { index in
            list[index].map { value in
                Array(UnsafeRawBufferPointer(start: value.pointee.bv_val, count: Int(value.pointee.bv_len)))
            }
        }
    }

    // MARK: Failing

    private func expect(
        _ status: Int32, _ what: String, _ kind: DirectoryFailure.Kind, mend: String? = nil
    ) throws(DirectoryFailure) {
        guard status != LDAP_SUCCESS else { return }
        throw failure(status, what, kind, mend: mend)
    }

    private func failure(
        _ status: Int32, _ what: String, _ kind: DirectoryFailure.Kind, mend: String?
    ) -> DirectoryFailure {
        switch status {
        case LDAP_TIMEOUT, LDAP_TIMELIMIT_EXCEEDED:
            DirectoryFailure(
                .timeout, "\(what): \(url) did not answer within \(timeout.tv_sec) s",
                mend: "Look whether the directory is overloaded, or raise the connection's timeout.")
        case LDAP_SERVER_DOWN, LDAP_CONNECT_ERROR, LDAP_UNAVAILABLE, LDAP_BUSY:
            DirectoryFailure(
                .unreachable, "\(what): \(url): \(words(status))",
                mend: "Look whether the directory runs, and whether its certificate names that host and is signed by "
                    + "the connection's ca_certificate.")
        default:
            DirectoryFailure(
                kind, "\(what): \(url): \(words(status))", mend: mend ?? "Look at the directory's own log.")
        }
    }

    /// The error's name, and what the directory adds.
    private func words(_ status: Int32) -> String {
        let name = String(cString: ldap_err2string(status))
        var text: UnsafeMutablePointer<CChar>?
        guard ldap_get_option(handle, LDAP_OPT_DIAGNOSTIC_MESSAGE, &text) == LDAP_SUCCESS, let text else { return name }
        defer { ldap_memfree(text) }
        let more = String(cString: text).filter { $0.isASCII && !$0.isNewline }.prefix(200)
        return more.isEmpty ? name : "\(name) (\(more))"
    }
}
