/// The second factors that a page offers in place of its own.
package struct MFAOtherMethods: Sendable {
    private let otp, sms, email, recoveryCode: Bool

    package init(otp: Bool = false, sms: Bool = false, email: Bool = false, recoveryCode: Bool = false) {
        (self.otp, self.sms, self.email, self.recoveryCode) = (otp, sms, email, recoveryCode)
    }

    /// The links, for a page's content.
    func content(state: String) -> [String: PageValue] {
        func path(_ page: String, _ isOffered: Bool) -> PageValue {
            .optional(isOffered ? "/u/\(page)?state=\(SafeURL.queryValue(state))" : nil)
        }
        return [
            "otpPath": path("mfa-otp-challenge", otp), "smsPath": path("mfa-sms-challenge", sms),
            "emailPath": path("mfa-email-challenge", email),
            "recoveryPath": path("mfa-recovery-code-challenge", recoveryCode),
        ]
    }
}
