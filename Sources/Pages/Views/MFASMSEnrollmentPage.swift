/// Asks for the number of the phone that is to be a second factor, and then for the code that was sent there.
///
/// Posts `state`, `_csrf` and `action` to `/u/mfa-sms-enrollment?state=…`: `send` with `phone`; `other`; or with `code` and perhaps
/// `rememberBrowser` `default`.
package struct MFASMSEnrollmentPage: Page {
    package static let template = "mfa-sms-enrollment"
    private let form: TransactionForm
    private let applicationName, number: String
    private let isSent, offersOTP, mayRemember: Bool

    /// - Parameters:
    ///   - number: what the user wrote before.
    ///   - isSent: whether a code was sent there.
    ///   - offersOTP: whether an authenticator app will do as well.
    ///   - mayRemember: whether the user may have the browser remembered.
    ///   - problem: why the form comes back.
    package init(
        state: String, csrfToken: String, applicationName: String, logoURL: String? = nil, number: String = "",
        isSent: Bool = false, offersOTP: Bool = false, mayRemember: Bool = false, problem: FormProblem? = nil
    ) {
        form = TransactionForm(
            "/u/mfa-sms-enrollment", state: state, csrfToken: csrfToken, logoURL: logoURL, problem: problem)
        (self.applicationName, self.number) = (applicationName, number)
        (self.isSent, self.offersOTP, self.mayRemember) = (isSent, offersOTP, mayRemember)
    }

    package var arguments: [String: String] { ["application": applicationName, "number": number] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        var content = form.content(context)
        content["number"] = .text(number)
        content["lede"] = .text(context.texts.text(Self.template, isSent ? "ledeSent" : "lede", arguments))
        (content["asksCode"], content["asksNumber"]) = (.flag(isSent), .flag(!isSent))
        content["mayRemember"] = .flag(mayRemember)
        content["isInvalid"] = .flag(form.problem == .wrongCode || form.problem == .addressInvalid)
        content["otpPath"] = .optional(
            offersOTP ? "/u/mfa-otp-enrollment?state=\(SafeURL.queryValue(form.state))" : nil)
        return content
    }
}
