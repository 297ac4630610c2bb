extension Migration {
    /// What is bound to a client's certificate has the certificate's thumbprint.
    static let certificateThumbprints = Migration(
        number: 10, name: "certificate thumbprints",
        statements: [
            "ALTER TABLE access_token ADD COLUMN certificate_thumbprint \(.textColumn)",
            "ALTER TABLE refresh_token_family ADD COLUMN certificate_thumbprint \(.textColumn)",
        ])
}
