import AuthorizationServer
import Foundation
import OAuth
import Storage

/// Makes of an export of Auth0's what has a place here, and notes what is otherwise.
struct Auth0Conversion {
    private(set) var value: JSONValue
    private(set) var leftOut: [String] = []
    private(set) var changed: [String] = []
    private(set) var withoutEffect: [String] = []

    init(_ file: TenantFile, _ tenant: CurrentTenant, source: Auth0Migration.Source?) {
        value = file.value
        noteNotSupported(file)
        noteProtectionsThatAreOff(file)
        let unfilled = file.unfilled.filter { problem in
            !file.notSupported.contains {
                problem.path == $0.name || problem.path.hasPrefix($0.name + "[")
                    || problem.path.hasPrefix($0.name + ".")
            }
        }
        leftOut += unfilled.map { "\(Auth0Migration.label($0.path, in: value)): \($0.message)" }
        value = JSONPath.removing(unfilled.map { Auth0Migration.whole($0.path) }, from: value)
        speakAuth0()
        moveManagementGrants(to: tenant)
        switchScriptsOff()
        keepDatabaseScripts()
        if let source { askForPasswords(source) }
    }

    // MARK: What has no place

    /// Each resource of the kinds that this version does not have, and each file that is no export's.
    private mutating func noteNotSupported(_ file: TenantFile) {
        for (kind, _) in file.notSupported.sorted(by: { $0.name < $1.name }) {
            let reason = Self.reasons[kind] ?? "this version does not have it yet"
            guard let kinds = value.object, let found = kinds[kind] else { continue }
            if let list = found.array {
                leftOut += list.map { element in
                    let name = Auth0Migration.name(of: element.object ?? [:], nil)
                    return "\(kind) '\(name.forDisplay)': \(reason)"
                }
            } else {
                let members = found.object?.filter { !TenantFile.isEmpty($0.value) }.keys.sorted() ?? []
                leftOut += members.map { "\(kind).\($0.forDisplay): \(reason)" }
            }
        }
        leftOut += file.foreign.map { "\($0.forDisplay): is no part of the export: nothing in it names it" }
    }

    /// The parts of attack protection that this version does not have: a plan names those that are on.
    private mutating func noteProtectionsThatAreOff(_ file: TenantFile) {
        for (name, value) in (file.entries[.attackProtection]?.first?.members ?? [:]).sorted(by: { $0.key < $1.key })
        where Planner.foreignProtections.contains(name) && !TenantFile.isEmpty(value) && !Planner.isOn(value) {
            leftOut.append("attackProtection.\(name): this version does not have it; it is off in the export")
        }
    }

    /// Why a kind is not taken over, and what to do instead.
    private static let reasons: [String: String] = [
        "actionModules": "this version runs no actions",
        "hooks": "this version runs no hooks",
        "pages": "this version shows its own pages, as Auth0's Universal Login does",
        "customDomains": "the tenant's address is PORTICO_ISSUER",
    ]

    // MARK: What is otherwise here

    /// Applications were written for Auth0's wording, so the tenant words what it says as Auth0 does.
    private mutating func speakAuth0() {
        guard var members = value.object else { return }
        var tenant = members["tenant"]?.object ?? [:]
        if tenant["wire_dialect"] == nil {
            tenant["wire_dialect"] = "auth0"
            changed.append("tenant: wire_dialect is auth0, so that answers are worded as Auth0 words them")
        }
        members["tenant"] = .object(tenant)
        value = .object(members)
    }

    /// A grant for the old tenant's Management API is one for this tenant's.
    private mutating func moveManagementGrants(to tenant: CurrentTenant) {
        let apis = Set(
            (value.object?["resourceServers"]?.array ?? []).compactMap { $0.object?["identifier"]?.string })
        guard let own = tenant.resourceServers.first(where: \.resourceServer.isSystem)?.resourceServer,
            var members = value.object, let grants = members["clientGrants"]?.array
        else { return }
        members["clientGrants"] = .array(
            grants.map { element in
                guard var grant = element.object, let audience = grant["audience"]?.string,
                    audience.hasPrefix("https://"), audience.hasSuffix("/api/v2/"), audience != own.identifier,
                    !apis.contains(audience)
                else { return element }
                let scope = grant["scope"]?.array?.compactMap(\.string) ?? []
                let known = scope.filter(own.scope.values.contains)
                let name = "clientGrants '\(Auth0Migration.name(of: grant, .clientGrants).forDisplay)'"
                changed.append("\(name): is for this tenant's Management API, \(own.identifier)")
                leftOut += scope.filter { !known.contains($0) }.map {
                    "\(name) scope '\($0.forDisplay)': the Management API has no such scope here"
                }
                grant["audience"] = .string(own.identifier)
                if grant["scope"] != nil { grant["scope"] = JSONValue(known) }
                return .object(grant)
            })
        value = .object(members)
    }

    /// An enabled script stops every login until the server can run it: they are kept, and wait.
    private mutating func switchScriptsOff() {
        guard var members = value.object else { return }
        if let rules = members["rules"]?.array {
            members["rules"] = .array(
                rules.map { element in
                    guard var rule = element.object, rule["enabled"]?.bool != false else { return element }
                    rule["enabled"] = false
                    changed.append(
                        "rule \(Auth0Migration.name(of: rule, .rules).forDisplay): is kept and disabled: this version "
                            + "runs no rules, and what it did at logins is missing until one does")
                    return .object(rule)
                })
        }
        if let triggers = members["triggers"]?.object {
            for (trigger, bindings) in triggers.sorted(by: { $0.key < $1.key }) {
                for binding in bindings.array ?? [] {
                    let name = binding.object?["action_name"]?.string ?? binding.object?["name"]?.string ?? "an action"
                    changed.append(
                        "action \(name.forDisplay): is kept and not bound to \(trigger.forDisplay): this version runs "
                            + "no actions; bind it again when one does")
                }
            }
            members["triggers"] = .object(triggers.mapValues { _ in [] })
        }
        value = .object(members)
    }

    /// Every database of the export asks the old tenant for the passwords that there are no hashes of.
    private mutating func askForPasswords(_ source: Auth0Migration.Source) {
        guard var members = value.object, let databases = members["databases"]?.array else { return }
        members["databases"] = .array(
            databases.map { element in
                guard var database = element.object, let name = database["name"]?.string else { return element }
                var options = database["options"]?.object ?? [:]
                // The other database has the passwords for good, and is asked from here.
                if Self.scripts(of: name, options)?.imports == false { return element }
                var settings: JSONObject = [
                    "domain": .string(source.domain), "client_id": .string(source.clientID), "realm": .string(name),
                ]
                settings["client_secret"] = source.clientSecret.map(JSONValue.string)
                if source.createsUsers { settings["create_users"] = true }
                options["import_mode"] = true
                options[ImportSource.option] = .object(settings)
                database["options"] = .object(options)
                changed.append(
                    "database \(name.forDisplay): asks \(source.domain.forDisplay) for the passwords that it has no "
                        + "hashes of, until their first login here; 'portico migrate status' counts them")
                return .object(database)
            })
        value = .object(members)
    }

    /// The scripts of custom databases run here too. What they read came encrypted, by a key that only Auth0 has.
    private mutating func keepDatabaseScripts() {
        guard var members = value.object, let databases = members["databases"]?.array else { return }
        members["databases"] = .array(
            databases.map { element in
                guard var database = element.object, let name = database["name"]?.string,
                    var options = database["options"]?.object
                else { return element }
                let label = "database \(name.forDisplay)"
                if let configuration = options[CustomDatabase.configuration]?.object {
                    let encrypted = configuration.filter { $0.value.string?.hasPrefix("2.0$") == true }.keys.sorted()
                    leftOut += encrypted.map { key in
                        "\(label) options.configuration.\(key.forDisplay): is encrypted by Auth0; add its value to the "
                            + "file, or set it later"
                    }
                    options[CustomDatabase.configuration] = .object(
                        configuration.filter { !encrypted.contains($0.key) })
                    database["options"] = .object(options)
                }
                if let scripts = Self.scripts(of: name, options) {
                    let manner = scripts.imports ? "bring its users over" : "ask its own database at every login"
                    changed.append("\(label): its scripts \(manner), from this server's network")
                    let missing = ScriptService.missingModules(of: scripts).sorted { $0.key < $1.key }
                    changed += missing.map { script, modules in
                        "\(label): the script \(script) needs \(modules.joined(separator: ", ").forDisplay), which this "
                            + "server does not have; ask the database over HTTP"
                    }
                }
                return .object(database)
            })
        value = .object(members)
    }

    private static func scripts(of name: String, _ options: JSONObject) -> CustomDatabase? {
        var connection = Connection(id: "", name: name, strategy: Connection.databaseStrategy)
        connection.options = options
        return CustomDatabase(connection: connection)
    }

    // MARK: What is only kept

    /// Notes the settings that this version keeps for exports alone.
    mutating func noteWithoutEffect(_ file: TenantFile) {
        func note(_ entry: TenantFile.Entry, _ type: ResourceType, _ fields: [String]) -> String? {
            let sent = fields.filter { name in
                let value = JSONPath.value(at: JSONPath.steps(name)[...], in: .object(entry.members))
                return value.map { !TenantFile.isEmpty($0) && $0 != .bool(false) } ?? false
            }
            guard !sent.isEmpty else { return nil }
            let name = Auth0Migration.name(of: entry.members, type).forDisplay
            return "\(type.singular) \(name): \(sent.sorted().joined(separator: ", "))"
        }
        for entry in file.entries[.tenant] ?? [] {
            let settings = try? TenantSettings(document: Document(entry.members, path: ""))
            let flags = (settings?.other["flags"]?.object ?? [:]).keys.filter { !Self.flags.contains($0) }
            let others = (settings?.other.keys).map { $0.filter { $0 != "flags" } } ?? []
            withoutEffect += [note(entry, .tenant, others + flags.map { "flags.\($0)" })].compactMap(\.self)
        }
        for entry in file.entries[.clients] ?? [] {
            let members = entry.members.filter { !ClientWrite.notInDocument.contains($0.key) && $0.value != .null }
            let client = try? Client(document: Document(members, path: ""), standardID: "client")
            let fields = (client?.other.keys).map { $0.filter { !Self.data.contains($0) } } ?? []
            withoutEffect += [note(entry, .clients, fields)].compactMap(\.self)
        }
        for entry in file.entries[.resourceServers] ?? [] {
            let api = try? ResourceServer(document: Document(entry.members, path: ""), standardID: "api")
            withoutEffect += [note(entry, .resourceServers, (api?.other.keys).map(Array.init) ?? [])]
                .compactMap(\.self)
        }
        for type in [ResourceType.databases, .connections] {
            for entry in file.entries[type] ?? [] {
                let options = entry.members["options"]?.object ?? [:]
                let fields =
                    type == .connections
                    ? []
                    : options.keys.filter {
                        let isOfScripts =
                            Self.scripts(of: "", options) != nil && Self.scriptOptions.contains($0)
                        return !Self.options.contains($0) && !isOfScripts
                            && !($0 == "import_mode" && options[ImportSource.option] != nil)
                    }.map { "options.\($0)" }
                let others = ["authentication", "connected_accounts", "show_as_button"]
                withoutEffect += [note(entry, type, fields + others)].compactMap(\.self)
            }
        }
    }

    /// The flags that have their effect.
    private static let flags: Set<String> = [
        "enable_dynamic_client_registration", "use_scope_descriptions_for_consent",
    ]
    /// What has no effect at Auth0 either.
    private static let data: Set<String> = ["description", "client_metadata", "client_aliases"]
    /// The options of custom databases that have their effect.
    private static let scriptOptions: Set<String> = [
        CustomDatabase.option, CustomDatabase.configuration, "enabledDatabaseCustomization", "enable_script_context",
        "import_mode",
    ]
    /// The options of databases that have their effect.
    private static let options: Set<String> = [
        "disable_signup", "brute_force_protection", "passwordPolicy", "password_complexity_options",
        "strategy_version", ImportSource.option,
    ]
}
