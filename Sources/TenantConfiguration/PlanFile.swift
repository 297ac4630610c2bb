import AuthorizationServer
import Foundation
import OAuth
import Storage

/// A plan that was shown, kept in a file until somebody applies it: `portico plan --out` and `portico apply PLANFILE`.
///
/// A reader sees the plan's text. What is applied stands sealed below it, because a tenant file may hold secrets, and so
/// that nobody changes it between the review and the apply.
package struct PlanFile: Sendable {
    private static let firstLine = "portico plan 1"
    private static let sealedPrefix = "sealed: "

    private let version: Int
    private let allowDelete: Bool
    private let changes: String
    private let notApplied: [String]
    private let clientIDs: JSONObject
    private let excluded: JSONObject
    private let value: JSONValue

    /// Why a plan file cannot be applied.
    package struct Refused: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// The text of a file for `plan`.
    package static func text(of plan: Plan, from file: TenantFile, box: SecretBox) throws -> String {
        let members: JSONObject = [
            "shown": .string(plan.text), "version": .integer(Int64(plan.version)),
            "allow_delete": .bool(plan.allowDelete),
            "changes": .string(plan.changesText), "not_applied": JSONValue(plan.notApplied),
            "client_ids": .object(plan.clientIDs.mapValues(JSONValue.string)),
            "excluded": .object(file.excluded.document), "value": file.value,
        ]
        return text(showing: plan.text, sealed: try box.seal(JSON.text(members)))
    }

    private static func text(showing shown: String, sealed: String) -> String {
        [
            firstLine, "", shown, "", "Apply it with: portico apply THIS-FILE. What follows is for the program.",
            sealedPrefix + sealed, "",
        ].joined(separator: "\n")
    }

    /// Whether a file is a plan and no tenant file.
    package static func isPlan(_ url: URL) -> Bool {
        guard let handle = try? FileHandle(forReadingFrom: url) else { return false }
        defer { try? handle.close() }
        return (try? handle.read(upToCount: firstLine.utf8.count)) == Data(firstLine.utf8)
    }

    /// Reads a plan that ``text(of:from:box:)`` has made.
    /// - Throws: ``Refused`` where it is another tenant's, or was changed.
    package init(contentsOf url: URL, box: SecretBox) throws(Refused) {
        let content = (try? String(contentsOf: url, encoding: .utf8)) ?? ""
        let lines = content.split(separator: "\n")
        guard let sealed = lines.last(where: { $0.hasPrefix(Self.sealedPrefix) })?.dropFirst(Self.sealedPrefix.count),
            let text = try? box.open(String(sealed)), let members = try? JSON.decode(JSONObject.self, from: text)
        else {
            throw Refused(
                description: "The plan was made for another tenant, or was changed. Make it again: portico plan --out")
        }
        // What somebody has read and agreed to is what is applied.
        guard let shown = members["shown"]?.string, content == Self.text(showing: shown, sealed: String(sealed)) else {
            throw Refused(
                description: "The plan's text is not the one that was made with it, so nothing is applied. "
                    + "Make the plan again: portico plan --out")
        }
        version = members["version"]?.integer ?? 0
        allowDelete = members["allow_delete"]?.bool ?? false
        changes = members["changes"]?.string ?? ""
        notApplied = members["not_applied"]?.array?.compactMap(\.string) ?? []
        clientIDs = members["client_ids"]?.object ?? [:]
        excluded = members["excluded"]?.object ?? [:]
        value = members["value"] ?? .object([:])
    }

    /// The plan, ready to be applied.
    /// - Throws: ``Refused`` where the tenant has changed since, ``TenantFileError``, or ``SQLError``.
    package func plan(
        stores: Stores, box: SecretBox, strategies: ConnectionStrategies = ConnectionStrategies()
    ) async throws -> Plan {
        let file = try TenantFile(value: value, excluded: ExcludedResources(document: excluded))
        let plan = try await Plan.make(
            file, stores: stores, box: box, strategies: strategies, allowDelete: allowDelete,
            clientIDs: clientIDs.compactMapValues(\.string))
        guard plan.version == version, plan.changesText == changes else {
            throw Refused(
                description: "The tenant has changed since the plan was made, so nothing is applied. "
                    + "Make the plan again: portico plan --out")
        }
        return plan.notApplying(notApplied)
    }
}
