import AuthorizationServer
import Foundation
import OAuth
import Storage

extension Plan {
    /// Compares a file with the tenant. What the file leaves out stays as it is; a list that it names is complete only
    /// with `allowDelete`.
    /// - Parameter strategies: those whose connections' options are checked, and their secrets kept.
    /// - Throws: ``TenantFileError`` with everything that cannot be applied.
    package static func make(
        _ file: TenantFile, stores: Stores, box: SecretBox, strategies: ConnectionStrategies = ConnectionStrategies(),
        allowDelete: Bool
    ) async throws -> Plan {
        try await make(
            file, stores: stores, box: box, strategies: strategies, allowDelete: allowDelete, clientIDs: [:])
    }

    /// - Parameter clientIDs: the ids that a plan has shown for the applications that the file gives none.
    static func make(
        _ file: TenantFile, stores: Stores, box: SecretBox, strategies: ConnectionStrategies, allowDelete: Bool,
        clientIDs: [String: String]
    ) async throws -> Plan {
        let current = try await stores.database.read { try CurrentTenant($0) }
        var planner = Planner(
            file: file, current: current, box: box, strategies: strategies, allowDelete: allowDelete)
        planner.clientIDs = clientIDs
        planner.planEverything()
        guard planner.problems.isEmpty else { throw TenantFileError(problems: planner.problems) }
        return Plan(
            changes: planner.changes, notApplied: planner.notApplied, version: current.version, box: box,
            allowDelete: allowDelete, clientIDs: planner.clientIDs)
    }
}

/// The tenant's configuration at one moment.
struct CurrentTenant: Sendable {
    let version: Int
    let settings: TenantSettings
    let clients: [RegisteredClient]
    let resourceServers: [RegisteredResourceServer]
    let clientGrants: [ClientGrant]
    let connections: [Connection]
    let roles: [Role]
    let organizations: [Organization]
    /// The connections of organizations, and the ids of the client grants that they may use, by the organizations' ids.
    let organizationConnections: [String: [OrganizationConnection]]
    let organizationGrants: [String: Set<String>]
    let logStreams: [LogStreamState]
    let rules: [Rule]
    let ruleConfigurations: [RuleConfiguration]
    let actions: [Action]
    /// The versions that run, by the ids of their actions.
    let deployedVersions: [String: ActionVersion]
    let actionBindings: [ActionBinding]
    let sections: TenantSections
    let emailProvider: EmailProviderStore.Stored?
    let emailTemplates: [EmailTemplate]
    let keyKinds: Set<SigningKey.Kind>
    /// By the names of the connections.
    let importSecrets: [String: String]
    /// The sealed secrets of connections' options, by the connections' names.
    let connectionSecrets: [String: String]
    /// How many users each connection has, by its name.
    let userCounts: [String: Int]

    init(_ transaction: any SQLTransaction) throws {
        version = try TenantStore.configurationVersion(in: transaction)
        settings = try TenantStore.settings(in: transaction)
        // What a document on the web says is nobody's configuration here.
        clients = try ClientStore.list(in: transaction).filter { !$0.client.isMetadataDocument }
        resourceServers = try ResourceServerStore.list(in: transaction)
        clientGrants = try ClientGrantStore.list(in: transaction)
        connections = try ConnectionStore.list(in: transaction)
        roles = try RoleStore.list(in: transaction)
        organizations = try OrganizationStore.list(in: transaction)
        organizationConnections = try OrganizationStore.connections(in: transaction)
        organizationGrants = try OrganizationStore.clientGrants(in: transaction)
        logStreams = try LogStreamStore.list(in: transaction)
        importSecrets = try ConnectionStore.sealedImportSecrets(in: transaction)
        connectionSecrets = try ConnectionStore.sealedSecrets(in: transaction)
        userCounts = Dictionary(
            try connections.map {
                ($0.name, try UserStore.count(connection: $0.name, in: transaction))
            }
        ) { $1 }
        rules = try RuleStore.list(in: transaction)
        ruleConfigurations = try RuleConfigurationStore.list(in: transaction)
        actions = try ActionStore.list(in: transaction)
        deployedVersions = try ActionVersionStore.deployed(in: transaction)
        actionBindings = try ActionBindingStore.list(in: transaction)
        sections = try TenantSectionStore.all(in: transaction)
        emailProvider = try EmailProviderStore.find(in: transaction)
        emailTemplates = try EmailTemplateStore.list(in: transaction)
        keyKinds = try Set(SigningKeyStore.list(in: transaction).map(\.kind))
    }
}

/// Plans one kind of resource after the other, in the order in which they refer to one another.
struct Planner {
    let file: TenantFile
    let current: CurrentTenant
    let box: SecretBox
    let strategies: ConnectionStrategies
    let allowDelete: Bool
    var changes: [Plan.Change] = []
    var problems: [FileProblem] = []
    var notApplied: [String] = []
    /// The ids of new applications that the file gives none, by their places in it.
    var clientIDs: [String: String] = [:]
    /// The names of the connections as they will be.
    var connectionNames: Set<String> = []
    /// Whether one of them sends text messages.
    var sendsTextMessages = false
    /// The settings, applications and APIs as they will be, for what refers to them.
    var settings: TenantSettings
    var clients: [String: Client] = [:]
    var resourceServers: [String: ResourceServer] = [:]
    /// The client grants as they will be, with what they have to do with organizations.
    var usableGrants: [PlannedOrganization.GrantKey: OrganizationUsage] = [:]
    /// The applications and APIs that sign with what the tenant has no keys for, and are noted already.
    var unsignable: Set<String> = []

    /// The rules as they will be, and the actions by their names.
    var rules: [Rule] = []
    var actions: [String: PlannedAction] = [:]
    /// The actions that the file binds where nothing runs them.
    var idleBindings: [String] = []

    init(
        file: TenantFile, current: CurrentTenant, box: SecretBox, strategies: ConnectionStrategies, allowDelete: Bool
    ) {
        (self.file, self.current, self.box, self.allowDelete) = (file, current, box, allowDelete)
        self.strategies = strategies
        settings = current.settings
        for registered in current.clients { clients[registered.client.clientID] = registered.client }
        for registered in current.resourceServers {
            resourceServers[registered.resourceServer.identifier] = registered.resourceServer
        }
        for action in current.actions {
            actions[action.name] = PlannedAction(action: action, isDeployed: action.deployedVersionID != nil)
        }
    }

    mutating func planEverything() {
        for (name, location) in file.notSupported {
            notApplied.append(
                "\(location.map { "\($0): " } ?? "")\(name): not applied; this version does not have it yet")
        }
        planTenant()
        planResourceServers()
        planClients()
        checkRemovedAlgorithms()
        planClientGrants()
        planConnections()
        planRoles()
        planOrganizations()
        planLogStreams()
        planAttackProtection()
        planBranding()
        planPrompts()
        planMultiFactor()
        planEmailProvider()
        planEmailTemplates()
        planRules()
        planRuleConfigurations()
        planActions()
        planTriggers()
        warnOfScripts()
        checkReferences()
    }

    /// A text that is no part of the resource's document, such as a secret; noted where it is something else.
    mutating func text(_ name: String, of entry: TenantFile.Entry) -> String? {
        guard let value = entry.members[name], value != .null else { return nil }
        guard let text = value.string else {
            problems.append(file.problem("\(entry.path).\(name)", "must be a text; put it in quotes"))
            return nil
        }
        return text
    }

    /// Top-level members of `change` replace those of `base`; null removes one.
    static func merged(_ base: JSONObject, _ change: JSONObject) -> JSONObject {
        base.merging(change) { $1 }.filter { $0.value != .null }
    }

    /// Notes a creation, or a change where there is one.
    mutating func plan(
        _ type: ResourceType, _ name: String, before: JSONObject?, after: JSONObject,
        alsoChanged: [FieldDifference] = [], generatedSecret: String? = nil,
        write: @escaping @Sendable (any SQLTransaction, Date) throws -> Void
    ) {
        let differences = FieldDifference.between(before ?? [:], after).filter { $0.field != "id" } + alsoChanged
        guard before == nil || !differences.isEmpty else { return }
        changes.append(
            Plan.Change(
                kind: before == nil ? .create : .update, type: type, name: name, differences: differences,
                generatedSecret: generatedSecret, write: write))
    }

    mutating func planDelete(
        _ type: ResourceType, _ name: String, write: @escaping @Sendable (any SQLTransaction, Date) throws -> Void
    ) {
        changes.append(Plan.Change(kind: .delete, type: type, name: name, differences: [], write: write))
    }

    /// Notes the second of two entries for one resource.
    mutating func isFirst(_ key: String, _ seen: inout Set<String>, _ entry: TenantFile.Entry) -> Bool {
        guard seen.insert(key).inserted else {
            problems.append(file.problem(entry.path, "'\(key.trimmed.forDisplay)' is in the file twice"))
            return false
        }
        return true
    }

    private mutating func planTenant() {
        guard let entry = file.entries[.tenant]?.first else { return }
        let members: JSONObject
        do throws(Document.Problem) {
            members = try TenantWrite.merged(current.settings, entry.members)
        } catch {
            return note([error], at: entry.path)
        }
        let parsed = parse(members, path: entry.path) { document throws(Document.Problem) in
            try TenantSettings(document: document)
        }
        guard let settings = parsed else { return }
        self.settings = settings
        let write: TenantWrite
        do {
            write = try TenantWrite(settings, having: current.keyKinds, box: box)
        } catch {
            problems.append(file.problem("tenant.signing_algorithms", "keys cannot be made: \(error)"))
            return
        }
        plan(.tenant, settings.friendlyName ?? "settings", before: current.settings.document, after: settings.document)
        { transaction, now in
            try write.save(at: now, in: transaction)
        }
    }
}
