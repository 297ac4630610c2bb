extension Migration {
    /// Clients that a URL describes.
    static let clientMetadataDocuments = Migration(
        number: 9, name: "client metadata documents",
        statements: [
            """
            CREATE TABLE client_metadata_document (
                client_id \(.textColumn) PRIMARY KEY REFERENCES client (client_id) ON DELETE CASCADE,
                expires_at BIGINT NOT NULL)
            """,
            "CREATE INDEX client_metadata_document_expires ON client_metadata_document (expires_at)",
        ])
}
