extension Migration {
    /// From where sessions and refresh tokens are used, and what scripts want of them: how the cookie is kept, methods of their own by
    /// which the user proved something, an end for want of use.
    static let sessionDevices = Migration(
        number: 33, name: "devices of sessions and refresh tokens",
        statements: [
            "ALTER TABLE session ADD COLUMN first_device \(.textColumn)",
            "ALTER TABLE session ADD COLUMN last_device \(.textColumn)",
            "ALTER TABLE session ADD COLUMN cookie_mode \(.textColumn)",
            "ALTER TABLE session ADD COLUMN recorded_methods \(.textColumn)",
            "ALTER TABLE refresh_token_family ADD COLUMN idle_expires_at BIGINT",
            "ALTER TABLE refresh_token_family ADD COLUMN first_device \(.textColumn)",
            "ALTER TABLE refresh_token ADD COLUMN device \(.textColumn)",
            // Of a user's events most are about tokens, and logins alone are compared with one another.
            "CREATE INDEX log_event_login ON log_event (user_id, log_id) WHERE details LIKE '%\"device_id\":\"v%'",
        ])
}
