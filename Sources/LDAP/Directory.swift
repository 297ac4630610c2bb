/// A directory whose users sign in with its passwords: how it is reached, and how a user is found in it.
package struct Directory: Sendable, Hashable {
    /// An account that may search.
    package struct Account: Sendable, Hashable {
        package let name: String
        package let password: String

        /// - Parameters:
        ///   - name: a distinguished name, or what else the directory accepts (Active Directory: `user@domain`).
        ///   - password: not empty, for the directory would take its bearer for nobody (RFC 4513 §5.1.2).
        /// - Returns: nil where one of them is empty.
        package init?(name: String, password: String) {
            guard !name.isEmpty, !password.isEmpty else { return nil }
            (self.name, self.password) = (name, password)
        }
    }

    /// How the groups of a user are found that the user's entry does not name.
    package struct GroupSearch: Sendable, Hashable {
        package let base: String
        /// Finds the groups of the user whose distinguished name is put in.
        package let filter: DirectoryFilter

        package init(base: String, filter: DirectoryFilter) { (self.base, self.filter) = (base, filter) }
    }

    package let address: DirectoryAddress
    /// Certificates (PEM) that sign the directory's; nil for those that the system trusts.
    package var authorities: String?
    /// Who searches; nil where everybody may.
    package var account: Account?
    /// The entry below which users are.
    package let base: String
    package let filter: DirectoryFilter
    /// The attributes that are read of a user.
    package var attributes: [String] = []
    package var groups: GroupSearch?
    /// Seconds for each trip to the directory.
    package var timeout = 5

    package init(address: DirectoryAddress, base: String, filter: DirectoryFilter) {
        (self.address, self.base, self.filter) = (address, base, filter)
    }

    /// What the directory says of a name and a password.
    package enum Answer: Sendable, Hashable {
        /// The password is right: the user's entry, and the names of the groups that were searched for.
        case user(DirectoryEntry, groups: [String])
        case unknownUser
        /// - Parameter reason: the directory's own words, for the log.
        case wrongPassword(reason: String)
    }

    /// The most groups of one user that are read.
    static let mostGroups: Int32 = 1_000

    /// Asks the directory, on the calling thread.
    /// - Throws: ``DirectoryFailure``.
    func check(_ name: String, password: String) throws(DirectoryFailure) -> Answer {
        // An empty password binds as nobody, and succeeds (RFC 4513 §5.1.2).
        guard !name.isEmpty, name.utf8.count <= 256, !password.isEmpty, password.utf8.count <= 1_024 else {
            return .wrongPassword(reason: "nothing that the directory is asked about")
        }
        let connection = try DirectoryConnection(self)
        if let account { try connection.bind(account) }
        guard let entry = try connection.onlyEntry(base, filter.matching(name), attributes), !entry.name.isEmpty else {
            // As many trips as for a user that there is.
            _ = try connection.proves("cn=nobody,\(base)", password: password)
            return .unknownUser
        }
        let found: [String] =
            if let groups {
                try connection.entries(groups.base, groups.filter.matching(entry.name), ["cn"], most: Self.mostGroups)
                    .found.compactMap { $0.text("cn") ?? DirectoryEntry.firstValue(of: $0.name) }
            } else {
                []
            }
        switch try connection.proves(entry.name, password: password) {
        case .yes: return .user(entry, groups: found)
        case .no(let reason): return .wrongPassword(reason: reason)
        }
    }
}
