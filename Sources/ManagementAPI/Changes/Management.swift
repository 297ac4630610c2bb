import AuthorizationServer
import Foundation
import OAuth
import Storage

/// What every resource works with.
package struct Management: Sendable {
    package let services: Services

    package init(services: Services) { self.services = services }

    package var stores: Stores { services.stores }

    /// What resources call the tenant: the first label of its host name, as at Auth0.
    package var tenantName: String {
        String(services.issuer.domain.prefix { $0 != "." && $0 != ":" })
    }

    /// Changes configuration: in one transaction, alone among all nodes, and every node hears of it. Each thing that was
    /// changed is an ``AuditEvent``.
    /// - Parameter body: may run twice; it throws ``ManagementError`` to refuse, and then nothing is written.
    package func configure<T: Sendable>(
        _ caller: Caller, _ body: @escaping @Sendable (any SQLTransaction, Date) throws -> Changed<T>
    ) async throws -> T {
        let value = try await write(caller) { transaction, now in
            try TenantStore.lockConfiguration(in: transaction)
            let changed = try body(transaction, now)
            if changed.isChange { try TenantStore.configurationChanged(in: transaction) }
            return changed
        }
        try await services.configuration.refresh()
        return value
    }

    /// Changes what is no configuration, such as users: as ``configure(_:_:)`` without waiting for others.
    package func write<T: Sendable>(
        _ caller: Caller, _ body: @escaping @Sendable (any SQLTransaction, Date) throws -> Changed<T>
    ) async throws -> T {
        let now = services.now()
        let changed = try await stores.database.write { try body($0, now) }
        for subject in changed.subjects { audit(AuditEvent(caller: caller, subject: subject, at: now)) }
        return changed.value
    }

    /// Tells who has changed what.
    private func audit(_ event: AuditEvent) {
        services.logs.record(event.logEvent)
    }
}

/// What a transaction came to, and what it changed.
package struct Changed<T: Sendable>: Sendable {
    let value: T
    let subjects: [AuditEvent.Subject]

    /// - Parameter subjects: what was created, changed or deleted; none where everything is as it was.
    package init(_ value: T, _ subjects: [AuditEvent.Subject]) { (self.value, self.subjects) = (value, subjects) }

    var isChange: Bool { !subjects.isEmpty }
}
