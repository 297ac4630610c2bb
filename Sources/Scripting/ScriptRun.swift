/// One script to run, in a fresh realm that nothing is left of afterwards. Semantics are the caller's: what the input means and
/// what becomes of the effects.
package struct ScriptRun: Sendable {
    /// What the script is, which says how it is compiled and which prelude calls it.
    package enum Kind: String, Sendable, CaseIterable {
        /// A function expression, `function (user, context, callback) { … }`.
        case rule
        /// A CommonJS module that exports its handlers.
        case action
        /// One script of a custom database, `function login(email, password, callback) { … }`.
        case database
        /// The script of a connection that finds out who has signed in, `function (accessToken, ctx, cb) { … }`.
        case profile
    }

    package let kind: Kind
    /// For stack traces and messages, such as `rule Add roles`.
    package let name: String
    /// The tenant's text, character for character.
    package let source: String
    /// The action's handler (`onExecutePostLogin`), the database script's name (`login`); empty for a rule.
    package let entry: String
    /// The text of a JSON object, of which the kind's prelude makes the script's arguments.
    package let input: String
    /// The dependencies that the tenant listed, name to version; nil where there is no such list.
    package let modules: [String: String]?
    package let limits: ScriptLimits
    /// Whose share of the workers it takes, such as a user's: nobody has more than half of them, and all take turns. Nil for
    /// a run that is like no other. No worker is told.
    package let share: String?

    package init(
        kind: Kind, name: String, source: String, entry: String = "", input: String,
        modules: [String: String]? = nil, limits: ScriptLimits = .standard, share: String? = nil
    ) {
        (self.kind, self.name, self.source, self.entry) = (kind, name, source, entry)
        (self.input, self.modules, self.limits, self.share) = (input, modules, limits, share)
    }
}
