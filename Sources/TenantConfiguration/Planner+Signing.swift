import AuthorizationServer
import Foundation
import OAuth
import Storage

extension Planner {
    /// Notes an algorithm that the tenant, as it will be, has no keys for.
    mutating func checkSigning(of name: String, _ problems: [Document.Problem], at path: String) {
        if !problems.isEmpty { unsignable.insert(name) }
        note(problems, at: path)
    }

    /// Notes problems of a resource at their places in the file.
    mutating func note(_ found: [Document.Problem], at path: String) {
        problems += found.map { file.problem("\(path).\($0.path)", $0.message) }
    }

    /// Notes what signs already with an algorithm that the file takes from the tenant.
    mutating func checkRemovedAlgorithms() {
        note(
            TenantWrite.problems(
                of: settings, clients: clients.values, apis: resourceServers.values, except: unsignable),
            at: "tenant")
    }
}
