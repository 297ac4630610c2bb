/// Every store of the tenant's database, one line each.
package struct Stores: Sendable {
    package let database: any SQLDatabase

    package init(database: any SQLDatabase) { self.database = database }

    package var tenant: TenantStore { TenantStore(database: database) }
    package var clients: ClientStore { ClientStore(database: database) }
    package var resourceServers: ResourceServerStore { ResourceServerStore(database: database) }
    package var clientGrants: ClientGrantStore { ClientGrantStore(database: database) }
    package var connections: ConnectionStore { ConnectionStore(database: database) }
    package var users: UserStore { UserStore(database: database) }
    package var sessions: SessionStore { SessionStore(database: database) }
    package var logoutDeliveries: LogoutDeliveryStore { LogoutDeliveryStore(database: database) }
    package var loginTransactions: LoginTransactionStore { LoginTransactionStore(database: database) }
    package var accessTokens: AccessTokenStore { AccessTokenStore(database: database) }
    package var deviceCodes: DeviceCodeStore { DeviceCodeStore(database: database) }
    package var consentGrants: ConsentGrantStore { ConsentGrantStore(database: database) }
    package var signingKeys: SigningKeyStore { SigningKeyStore(database: database) }
    package var failedLogins: FailedLoginStore { FailedLoginStore(database: database) }
    package var clientRegistrations: ClientRegistrationStore { ClientRegistrationStore(database: database) }
    package var clientMetadataDocuments: ClientMetadataDocumentStore { ClientMetadataDocumentStore(database: database) }
    package var rateLimits: RateLimitStore { RateLimitStore(database: database) }
    package var revokedAuthorizations: RevokedAuthorizationStore { RevokedAuthorizationStore(database: database) }
    package var configurationHistory: ConfigurationHistoryStore { ConfigurationHistoryStore(database: database) }
    package var logEvents: LogEventStore { LogEventStore(database: database) }
    package var logStreams: LogStreamStore { LogStreamStore(database: database) }
    package var organizations: OrganizationStore { OrganizationStore(database: database) }
    package var organizationInvitations: OrganizationInvitationStore { OrganizationInvitationStore(database: database) }
    package var jobs: JobStore { JobStore(database: database) }
    package var mail: MailStore { MailStore(database: database) }
    package var tickets: TicketStore { TicketStore(database: database) }
    package var passwordResetRequests: PasswordResetRequestStore { PasswordResetRequestStore(database: database) }
    package var expiredRows: ExpiredRowsStore { ExpiredRowsStore(database: database) }
}
