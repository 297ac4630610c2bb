/// Asks for a code that was sent to the user's phone or e-mail address.
///
/// Posts `state`, `_csrf` and `action` to `/u/mfa-sms-challenge?state=…` or `/u/mfa-email-challenge?state=…`: `resend`, or with `code`
/// and perhaps `rememberBrowser` `default`.
package struct MFACodeChallengePage: Page {
    package static let template = "mfa-code-challenge"
    private let form: TransactionForm
    private let applicationName, address: String
    private let isMail, mayRemember: Bool
    private let others: MFAOtherMethods

    /// - Parameters:
    ///   - isMail: whether the code goes by mail, not by text message.
    ///   - address: where it goes, as much of it as anybody may see.
    ///   - others: what will do as well.
    ///   - mayRemember: whether the user may have the browser remembered.
    ///   - problem: why the form comes back.
    package init(
        isMail: Bool, address: String, state: String, csrfToken: String, applicationName: String,
        logoURL: String? = nil, others: MFAOtherMethods = MFAOtherMethods(), mayRemember: Bool = false,
        problem: FormProblem? = nil
    ) {
        form = TransactionForm(
            isMail ? "/u/mfa-email-challenge" : "/u/mfa-sms-challenge", state: state, csrfToken: csrfToken,
            logoURL: logoURL, problem: problem)
        (self.applicationName, self.address, self.isMail) = (applicationName, address, isMail)
        (self.others, self.mayRemember) = (others, mayRemember)
    }

    package var arguments: [String: String] { ["application": applicationName, "address": address] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        var content = form.content(context).merging(others.content(state: form.state)) { $1 }
        content["lede"] = .text(context.texts.text(Self.template, isMail ? "ledeEmail" : "ledeSMS", arguments))
        content["mayRemember"] = .flag(mayRemember)
        content["isInvalid"] = .flag(form.problem == .wrongCode)
        return content
    }
}
