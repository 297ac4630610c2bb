extension Migration {
    /// What a connection in import mode asks the old tenant with.
    static let importSecrets = Migration(
        number: 21, name: "import secrets",
        statements: ["ALTER TABLE connection ADD COLUMN sealed_import_secret \(.textColumn)"])
}
