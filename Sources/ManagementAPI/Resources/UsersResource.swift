import AuthorizationServer
import OAuth
import Storage

/// `/api/v2/users`.
struct UsersResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("users")
            .get(
                requires: .read("users"), "List or search users", answers: .page("users", UserMembers.members),
                use: list
            )
            .post(requires: .create("users"), "Create a user", answers: .object(UserMembers.members), use: create)
            .get(
                ":id", requires: .read("users").orOwn("read:current_user"), "Get a user",
                answers: .object(UserMembers.members), use: get
            )
            .patch(
                ":id",
                requires: .update("users", "users_app_metadata").orOwn("update:current_user_metadata"),
                "Update a user", answers: .object(UserMembers.members), use: update
            )
            .delete(":id", requires: .delete("users").orOwn("delete:current_user"), "Delete a user", use: delete)
    }

    struct Fields: Payload {
        let fields: FieldSelection

        init(from document: inout Document) throws(Document.Problem) { fields = try FieldSelection(from: &document) }
    }

    @Sendable private func list(_ call: Query<UserSearch>) async throws -> Answer {
        let (query, paging) = (call.query, call.query.paging)
        let (users, total) = try await management.stores.database.read { transaction in
            // Auth0's window: whoever needs more narrows the query, or exports.
            guard paging.start < UserSearch.window else {
                let total = try UserStore.count(query.filter, in: transaction)
                guard total <= UserSearch.window, paging.start <= 10 * UserSearch.window else {
                    throw UserSearch.beyond
                }
                return ([JSONObject](), total)
            }
            let found = try UserStore.search(
                query.filter, order: query.order, start: paging.start,
                limit: min(paging.perPage, UserSearch.window - paging.start), in: transaction)
            let total = paging.includesTotals ? try UserStore.count(query.filter, in: transaction) : 0
            return (try UserMembers.shown(found, in: transaction), total)
        }
        let shown = users.map { query.fields.apply(to: $0) }
        var answer = Answer.page("users", shown, total: total, paging)
        if paging.includesTotals, var members = answer.body?.object {
            members["length"] = .integer(Int64(shown.count))
            answer.body = .object(members)
        }
        return answer
    }

    @Sendable private func get(_ call: Query<Fields>) async throws -> Answer {
        let (id, now) = (call["id"], management.services.now())
        let box = call.has("read:user_idp_tokens") ? management.services.secret.box : nil
        let found = try await management.stores.database.read { transaction in
            try UserMembers.shown(
                UserStore.find(id, in: transaction).map { [$0] } ?? [], tokensFrom: box, at: now, in: transaction
            ).first
        }
        guard let found else { throw Self.inexistent }
        return .ok(call.query.fields.apply(to: found))
    }

    @Sendable private func create(_ call: Submission<NewUser>) async throws -> Answer {
        let new = call.body
        let connection = try await connection(new.connection)
        guard new.email != nil || new.username != nil else {
            throw Document.Problem(path: "email", message: "is required")
        }
        guard let password = new.password else { throw Document.Problem(path: "password", message: "is required") }
        let hash = try await hash(password, for: connection)
        let databases = ExternalUsers(management)
        try await databases.checkNew([new.email, new.username], in: connection)
        var user = User(
            id: new.id ?? "auth0|" + RandomBytes.hexadecimal(24), connection: connection.name, email: new.email,
            createdAt: management.services.now())
        user.username = new.username
        (user.isEmailVerified, user.isBlocked) = (new.isEmailVerified, new.isBlocked)
        (user.userMetadata, user.appMetadata) = (new.userMetadata, new.appMetadata)
        let local = new.email.map { JSONValue.string(String($0.prefix { $0 != "@" })) }
        user.profile = new.profile
        user.profile["nickname"] = new.profile["nickname"] ?? local ?? new.username.map(JSONValue.string)
        let registration = ManagedRegistration(connection, services: management.services)
        let admitted = try await Self.admitted(user, by: registration)
        let made = try await databases.made(admitted, password: password, in: connection)
        let verification =
            new.verifiesEmail
            ? try await EmailVerification(services: management.services).prepare(for: made, client: nil) : nil
        let answer = try await refusingDoubles {
            try await management.write(call.caller) { transaction, _ in
                guard try ConnectionStore.hold(id: connection.id, in: transaction) else {
                    throw ManagementError.inexistent("connection", "connection")
                }
                if connection.externalDatabase == nil {
                    guard try !UserStore.exists(made.id, in: transaction) else { throw Self.exists }
                    try UserStore.insert(made, passwordHash: hash, in: transaction)
                }
                try verification?.write(in: transaction)
                let shown = UserMembers.shown(made)
                return Changed(.created(shown), [.init("users", made.id, before: nil, after: shown)])
            }
        }
        await registration.tell(made)
        return answer
    }

    private static func admitted(_ user: User, by registration: ManagedRegistration) async throws -> User {
        do {
            return try await registration.admitted(user)
        } catch let refusal as ManagedRegistration.Refusal {
            throw ManagementError(refusal.isServers ? 503 : 400, refusal.message, "extensibility_error")
        }
    }

    @Sendable private func update(_ call: Submission<UserChange>) async throws -> Answer {
        let (id, change) = (call["id"], call.body)
        try Self.checkScope(of: call)
        guard let present = try await management.stores.users.find(id) else { throw Self.inexistent }
        if let connection = change.connection, connection != present.connection {
            throw ManagementError.inexistent("connection", "connection")
        }
        var hash: String?
        if let password = change.password {
            hash = try await self.hash(password, for: connection(present.connection))
        }
        let verification =
            change.verifiesEmail
            ? try await EmailVerification(services: management.services)
                .prepare(for: change.applied(to: present), client: nil) : nil
        let sessions = SessionEnd(services: management.services)
        try await ExternalUsers(management).change(present, change)
        let isPasswordChange = change.password != nil
        return try await refusingDoubles {
            try await management.write(call.caller) { [hash] transaction, now in
                try UserStore.lock(id, in: transaction)
                guard let before = try UserStore.find(id, in: transaction) else { throw Self.inexistent }
                var user = change.applied(to: before)
                user.updatedAt = now
                try UserStore.replace(user, in: transaction)
                try verification?.write(in: transaction)
                if isPasswordChange {
                    if let hash {
                        try UserStore.setPasswordHash(hash, of: id, at: now, in: transaction)
                    } else {
                        try UserStore.noteExternalPassword(of: id, at: now, in: transaction)
                    }
                    let names = [user.email, user.username].compactMap(\.self)
                    try LoginBlocks.remove(names.map { (user.connection, $0) }, in: transaction)
                    try TicketStore.withdraw(.passwordChange, of: id, at: now, in: transaction)
                    try sessions.endAll(of: id, .passwordChanged, in: transaction)
                } else if user.isBlocked, !before.isBlocked {
                    try sessions.endAll(of: id, .accountDeactivated, in: transaction)
                }
                var after = try UserMembers.shown([user], in: transaction).first ?? [:]
                let answer = Answer.ok(after)
                if isPasswordChange { after["password"] = "changed" }
                return Changed(answer, [.init("users", id, before: UserMembers.shown(before), after: after)])
            }
        }
    }

    @Sendable private func delete(_ call: Plain) async throws -> Answer {
        let id = call["id"]
        let sessions = SessionEnd(services: management.services)
        try await ExternalUsers(management).delete(id)
        return try await management.write(call.caller) { transaction, _ in
            guard let user = try UserStore.find(id, in: transaction) else { return Changed(.noContent, []) }
            try sessions.endAll(of: id, .accountDeleted, in: transaction)
            try UserStore.delete(id, in: transaction)
            return Changed(.noContent, [.init("users", id, before: UserMembers.shown(user), after: nil)])
        }
    }

    // MARK: Steps

    static let inexistent = ManagementError(404, "The user does not exist.", "inexistent_user")
    static let exists = ManagementError.conflict("The user already exists.", "auth0_idp_error")

    /// The database connection with this name.
    private func connection(_ name: String) async throws -> Connection {
        guard let connection = try await management.stores.connections.find(name: name) else {
            throw ManagementError.inexistent("connection", "connection")
        }
        guard connection.isDatabase else {
            throw Document.Problem(path: "connection", message: "must be a database connection")
        }
        return connection
    }

    /// - Returns: nil where another database has the password.
    private func hash(_ password: String, for connection: Connection) async throws -> String? {
        let rules = PasswordRules.check(password, try PasswordPolicy(connection: connection))
        guard rules.allSatisfy(\.isSatisfied) else {
            throw ManagementError(400, "PasswordStrengthError: Password is too weak", "invalid_body")
        }
        guard connection.externalDatabase == nil else { return nil }
        return try await management.services.passwords.hash(password)
    }

    private func refusingDoubles(_ body: () async throws -> Answer) async throws -> Answer {
        do {
            return try await body()
        } catch SQLError.uniqueViolation {
            throw Self.exists
        }
    }

    /// Some scopes are for one kind of metadata and nothing else.
    private static func checkScope(of call: Submission<UserChange>) throws(ManagementError) {
        guard !call.has("update:users") else { return }
        let isOwn = call.caller.principal.user?.id == call["id"] && call.has("update:current_user_metadata")
        var allowed: Set<String> = []
        if call.has("update:users_app_metadata") { allowed.insert("app_metadata") }
        if isOwn { allowed.insert("user_metadata") }
        guard call.body.names.isSubset(of: allowed) else { throw .insufficientScope(["update:users"]) }
    }
}
