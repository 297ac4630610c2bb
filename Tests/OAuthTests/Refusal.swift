import OAuth

/// The refusal that `body` throws, or nil where it throws none.
func refusal(_ body: () throws -> Void) -> OAuthError? {
    do {
        try body()
        return nil
    } catch {
        return error as? OAuthError
    }
}
