import Foundation
import OAuth
import Scripting
import Storage

/// Runs what the tenant lets have a say in a login: its rules, one after the other, and then its actions.
///
/// A script that denies, fails or cannot run lets nobody in. No database's transaction is open while one runs.
struct PostLoginScripts: Sendable {
    let services: Services
    let trail: LogTrail

    /// Whether there is anything to run.
    func areDue() async throws -> Bool {
        try await !services.configuration.dueScripts().at([.postLogin]).isEmpty
    }

    /// Runs all of them for somebody whom no browser waits for.
    /// - Parameter login: whose login it is; they may make it another user's.
    /// - Returns: what they have changed; nil where there are none.
    /// - Throws: ``OAuthError``.
    func run(_ login: inout ScriptedLogin) async throws -> ScriptChanges? {
        do {
            return try await run(&login, passed: [], of: FactorDemand.Possible())
        } catch is SecondFactorWanted {
            throw OAuthError.multiFactorRequired
        }
    }

    /// Runs all of them for somebody whom no browser waits for, and who may have passed second factors.
    /// - Parameters:
    ///   - login: whose login it is; they may make it another user's.
    ///   - passed: the factors that were passed for this login.
    ///   - possible: what the user can do.
    /// - Returns: what they have changed; nil where there are none.
    /// - Throws: ``SecondFactorWanted`` for the first demand that is not met, or ``OAuthError``.
    func run(
        _ login: inout ScriptedLogin, passed: [String], of possible: FactorDemand.Possible
    ) async throws -> ScriptChanges? {
        var course = try await run(login, since: nil)
        try await follow(course, &login, passed, possible)
        while let pause = course?.pause {
            // A user without a browser cannot be sent anywhere: a script that tries is refused where it does.
            guard pause.factor != nil, pause.url == nil else { throw OAuthError.serverError }
            course = try await run(login, since: course)
            try await follow(course, &login, passed, possible)
        }
        return course?.changes
    }

    /// Makes the login that of the user whom scripts have named, and sees whether what they ask for was passed.
    private func follow(
        _ course: ScriptProgress?, _ login: inout ScriptedLogin, _ passed: [String],
        _ possible: FactorDemand.Possible
    ) async throws {
        let demand = course?.pause.map(\.factor) ?? course?.factor
        if let id = course?.primaryUserID, id != login.user.id {
            // What the account's user has passed is not what the other one would have to pass.
            guard demand == nil else { throw OAuthError.multiFactorRequired }
            guard let user = try await services.stores.users.find(id) else { throw OAuthError.serverError }
            login.user = user
        }
        if let demand, !demand.isMet(by: passed, of: possible) { throw SecondFactorWanted(demand: demand) }
    }

    /// Runs those that have not run yet.
    /// - Parameter earlier: how far they were; nil where none has run.
    /// - Returns: how far they are now, with a pause where the user has to go somewhere else first; nil where there are none.
    /// - Throws: ``OAuthError``.
    func run(_ login: ScriptedLogin, since earlier: ScriptProgress?) async throws -> ScriptProgress? {
        let due = try await services.configuration.dueScripts()
        let scripts = due.at([.postLogin])
        guard !scripts.isEmpty || earlier?.pause != nil else { return nil }
        var pass = PostLoginPass(
            login, try await ScriptFacts(login, services), ScriptRuns(services: services, share: .user(login.user.id)),
            since: earlier
                ?? ScriptProgress(
                    sessionDigest: login.session?.digest ?? "", organizationID: login.organization?.id))
        do {
            try await pass.run(scripts, configuration: configuration(due))
            try await pass.settlePrimaryUser(trail)
            pass.progress.sid = pass.login.session?.sid
            try await pass.keepNotes()
        } catch let denial as PostLoginPass.Denial {
            // What was noted before is kept, as at Auth0: it may be why the next login is let in.
            try await pass.keepNotes()
            pass.runs.log(trail)
            throw denial.error
        } catch let failed as FailedScript {
            pass.runs.log(trail, failure: failed)
            throw failed.error
        } catch let problem as ScriptOperation.Problem {
            let failed = FailedScript("The tenant's scripts", cause: problem.description)
            pass.runs.log(trail, failure: failed)
            throw failed.error
        }
        let isLetIn = pass.progress.pause == nil && pass.progress.factor == nil
        pass.runs.log(trail, admits: isLetIn && pass.login.refreshToken == nil)
        return pass.progress
    }

    private func configuration(_ due: DueScripts) throws -> JSONObject {
        try due.sealedConfiguration.mapValues { .string(try services.secret.box.open($0)) }
    }
}

/// One pass through a login's scripts, and what it has come to so far.
struct PostLoginPass {
    var login: ScriptedLogin
    var facts: ScriptFacts
    /// The account that has signed in, before it is another user's identity.
    let signedIn: User
    /// The app for one-time codes that it had; nil for none.
    let formerAuthenticatorID: String?
    /// The user with what actions have noted.
    var user: User
    var notes = UserNotes()
    private var sessionNotes = SessionNotes()
    /// The rules that have run.
    private var ruleIDs: [String] = []
    var runs: ScriptRuns
    var progress: ScriptProgress

    /// A script says no.
    struct Denial: Error {
        let error: OAuthError
    }

    init(_ login: ScriptedLogin, _ facts: ScriptFacts, _ runs: ScriptRuns, since progress: ScriptProgress) {
        (self.login, self.facts, self.runs, self.progress) = (login, facts, runs, progress)
        (user, signedIn, formerAuthenticatorID) = (login.user, login.user, facts.authenticatorID)
    }

    var services: Services { runs.services }

    /// - Throws: ``Denial``, ``FailedScript``.
    mutating func run(_ scripts: [DueScripts.Script], configuration: @autoclosure () throws -> JSONObject) async throws
    {
        let pause = progress.pause
        progress.pause = nil
        let rules = scripts.compactMap { script in if case .rule(let rule) = script { rule } else { nil } }
        ruleIDs = rules.map(\.id)
        if pause?.actionID == nil {
            // Rules that sent the user away all run again, and nothing of what they did before counts.
            progress.changes = ScriptChanges()
            progress.factor = nil
            if !rules.isEmpty { try await run(rules, configuration(), since: pause) }
            if progress.pause != nil { return }
        }
        var actions = scripts.compactMap { script in if case .action(let action) = script { action } else { nil } }
        if let id = pause?.actionID {
            guard let index = actions.firstIndex(where: { $0.id == id }) else {
                throw FailedScript("The action that sent the user away", cause: "it is not bound any more")
            }
            // After a second factor the next one's turn has come; after a visit somewhere else it is the same one's.
            actions.removeFirst(pause?.url == nil ? index + 1 : index)
        }
        for action in actions where progress.pause == nil {
            try await run(action, isContinued: action.id == pause?.actionID)
        }
        try checkSizes()
    }

    /// Writes down what actions have noted of the user, the session and the refresh token.
    mutating func keepNotes() async throws {
        let (userNotes, sessionNotes) = (notes, sessionNotes)
        (notes, self.sessionNotes) = (UserNotes(), SessionNotes())
        if !userNotes.isEmpty { try await userNotes.write(to: ownerID(), services) }
        if !sessionNotes.isEmpty { try await sessionNotes.write(login, services) }
    }

    // MARK: Rules

    /// - Parameter pause: where a rule had sent the user before; nil where none had.
    private mutating func run(
        _ rules: [Rule], _ configuration: JSONObject, since pause: ScriptProgress.Pause?
    ) async throws {
        var user = JSONValue.object(ScriptUser.rule(login.user, identities: facts.identities, factors: facts.factors))
        var context = JSONValue.object(RuleContext.members(login, facts))
        let domain = services.issuer.domain
        let auth0: JSONValue = ["domain": .string(domain), "baseUrl": .string(services.issuer.url("api/v2"))]
        var redirect: (url: String, rule: Rule)?
        var primary: (id: String, title: String)?
        for rule in rules {
            let title = DueScripts.Script.rule(rule).title
            let ending = try await runs.run(
                .rule, title: title, source: rule.script,
                input: ["user": user, "context": context, "configuration": .object(configuration), "auth0": auth0])
            try deny(ending.operations)
            let result: JSONObject
            do throws(JSONReader.Problem) {
                result = try JSONReader.object(ending.value.utf8)
            } catch {
                throw FailedScript(title, cause: "what it gave back cannot be read: \(error.description)")
            }
            user = result["user"] ?? user
            context = result["context"] ?? context
            // The context says what all rules up to this one want: the last one's counts.
            let wanted = try RuleResult(context: context, title: title)
            progress.changes = wanted.changes
            progress.factor = wanted.factor
            // The context keeps what an earlier rule wants; whoever writes another address wants that itself.
            if wanted.redirect != redirect?.url { redirect = wanted.redirect.map { ($0, rule) } }
            if wanted.primaryUser != primary?.id { primary = wanted.primaryUser.map { ($0, title) } }
        }
        if let (id, title) = primary { try await become(id, title) }
        guard let (url, rule) = redirect else { return }
        let title = DueScripts.Script.rule(rule).title
        guard login.returned != nil else {
            progress.pause = try paused(at: url, title: title, ruleID: rule.id)
            return
        }
        // Who has come back is not sent away again by the rule that had sent them. Another one has not had its say.
        guard pause?.ruleID == rule.id else {
            throw FailedScript(
                title, cause: "it sends the user away after another rule had; rules can do that once in a login")
        }
    }

    // MARK: Actions

    private mutating func run(_ action: DueScripts.BoundAction, isContinued: Bool) async throws {
        let title = DueScripts.Script.action(action).title
        var situation: JSONObject = [
            "canRedirect": .bool(login.mayLeave), "domain": .string(services.issuer.domain),
            "rules": JSONValue(ruleIDs), "returned": .null, "isContinued": .bool(isContinued),
        ]
        if isContinued, let returned = login.returned {
            situation["returned"] = .object(returned.all.mapValues(JSONValue.string))
        }
        situation["state"] = login.state.map { .string($0.text) }
        let event = PostLoginEvent.members(login, facts, user: user, progress: progress)
        let ending = try await runs.run(
            action, entry: isContinued ? "onContinuePostLogin" : "onExecutePostLogin", event: event,
            situation: situation)
        var url: String?
        var factor: FactorDemand?
        for operation in ending.operations {
            progress.changes.apply(operation)
            switch operation {
            case .appMetadata(let name, let value): notes.noteApp(name, value)
            case .userMetadata(let name, let value): notes.noteUser(name, value)
            case .transactionMetadata(let name, let value): progress.transactionMetadata[name] = value
            case .redirect(let target): url = target
            case .finalFactor(let demand): progress.factor = demand
            case .primaryUser(let id): try await become(id, title)
            case .factor(let demand):
                guard factor == nil else {
                    throw FailedScript(title, cause: "it asks for a second factor twice; an action can do that once")
                }
                factor = demand
            default: break
            }
        }
        notes.apply(to: &user)
        do {
            try UserNotes.check(user)
            try noteSession(ending.operations)
        } catch let problem as ScriptOperation.Problem {
            throw FailedScript(title, cause: problem.description)
        }
        try deny(ending.operations)
        if let url { progress.pause = try paused(at: url, title: title, actionID: action.id) }
        if let factor {
            progress.pause = ScriptProgress.Pause(actionID: action.id, ruleID: nil, url: url, factor: factor)
        }
    }

    private func deny(_ operations: [ScriptOperation]) throws {
        for operation in operations {
            switch operation {
            case .deny(let code, let reason, _):
                throw Denial(error: OAuthError(code.map(OAuthError.Code.init) ?? .accessDenied, reason))
            case .revoke(_, let reason, _): throw Denial(error: .accessDenied(reason))
            default: break
            }
        }
    }

    private mutating func noteSession(_ operations: [ScriptOperation]) throws(ScriptOperation.Problem) {
        for operation in operations {
            switch operation {
            case .change(.refreshToken, let change) where login.refreshToken == nil || change.isIdleExpiry:
                // An exchange sets the end for want of use itself, once it has taken place.
                var wanted = progress.changes.refreshToken ?? NewRefreshToken()
                wanted.take(change)
                progress.changes.refreshToken = wanted
            // There is none to end yet; the login is denied all the same.
            case .revoke(.refreshToken, _, _) where login.refreshToken == nil: break
            case .method(let url): try sessionNotes.note(.method(url), of: .session, login)
            case .change(let holder, let change):
                try sessionNotes.note(change, of: holder, login)
                if case .cookieMode(let mode) = change { progress.cookieMode = mode }
            case .revoke(let holder, _, let keepsTokens):
                try sessionNotes.note(.revocation(keepsRefreshTokens: keepsTokens), of: holder, login)
            default: break
            }
        }
    }

    // MARK: Sending the user somewhere else

    private func paused(
        at url: String, title: String, actionID: String? = nil, ruleID: String? = nil
    ) throws -> ScriptProgress.Pause {
        guard login.mayLeave else {
            throw Denial(
                error: OAuthError(
                    .interactionRequired, "The user has to go somewhere else first.",
                    hint: "\(title) sends the user to another page, and here is no browser that may go there."))
        }
        return ScriptProgress.Pause(actionID: actionID, ruleID: ruleID, url: url)
    }

    private func checkSizes() throws {
        for (token, claims) in [
            ("access token", progress.changes.accessTokenClaims), ("ID token", progress.changes.idTokenClaims),
        ] where try JSON.bytes(claims).count > ClaimNames.mostBytes {
            throw FailedScript(
                "The tenant's scripts",
                cause: "the claims for the \(token) have more than \(ClaimNames.mostBytes / 1024) KB")
        }
    }
}
