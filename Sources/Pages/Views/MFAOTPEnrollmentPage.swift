/// Has the user add the account to an app for one-time codes, and asks for the app's first code.
///
/// Posts `state`, `_csrf`, `code`, perhaps `rememberBrowser`, and `action=default` to `/u/mfa-otp-enrollment?state=…`.
package struct MFAOTPEnrollmentPage: Page {
    package static let template = "mfa-otp-enrollment"
    private let form: TransactionForm
    private let applicationName, secret, keyURI: String
    private let offersPhone, mayRemember: Bool

    /// - Parameters:
    ///   - secret: the secret as people type it.
    ///   - keyURI: the same as apps read it: `otpauth://…`.
    ///   - offersPhone: whether a phone will do as well.
    ///   - mayRemember: whether the user may have the browser remembered.
    ///   - problem: why the form comes back.
    package init(
        state: String, csrfToken: String, applicationName: String, logoURL: String? = nil, secret: String,
        keyURI: String, offersPhone: Bool = false, mayRemember: Bool = false, problem: FormProblem? = nil
    ) {
        form = TransactionForm(
            "/u/mfa-otp-enrollment", state: state, csrfToken: csrfToken, logoURL: logoURL, problem: problem)
        (self.applicationName, self.secret, self.keyURI) = (applicationName, secret, keyURI)
        (self.offersPhone, self.mayRemember) = (offersPhone, mayRemember)
    }

    package var arguments: [String: String] { ["application": applicationName] }

    package func content(_ context: PageContext) -> [String: PageValue] {
        var content = form.content(context)
        let code = QRCode(keyURI)
        content["picture"] =
            code.map { .group(["size": .text("\($0.size)"), "path": .text($0.path)]) } ?? PageValue.none
        content["secret"] = .text(Self.grouped(secret))
        content["keyURI"] = .optional(keyURI.hasPrefix("otpauth://") ? keyURI : nil)
        content["smsPath"] = .optional(
            offersPhone ? "/u/mfa-sms-enrollment?state=\(SafeURL.queryValue(form.state))" : nil)
        content["mayRemember"] = .flag(mayRemember)
        content["isInvalid"] = .flag(form.problem == .wrongFactorCode)
        return content
    }

    /// In groups of four, as people read it.
    static func grouped(_ text: String) -> String {
        var grouped = ""
        for (index, character) in text.enumerated() {
            if index > 0, index % 4 == 0 { grouped.append(" ") }
            grouped.append(character)
        }
        return grouped
    }
}
