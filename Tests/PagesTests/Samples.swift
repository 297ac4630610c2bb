import Pages

/// Every page as the server shows it, by a name of its own.
enum Samples {
    static let chrome = PageChrome(tenantName: "Acme Health", supportURL: "https://acme.example/help")

    static let rules = [
        PasswordRule(text: "At least 8 characters", satisfied: true),
        PasswordRule(text: "A lower-case letter, an upper-case letter and a number", satisfied: false),
    ]

    static let mismatch = DevelopmentDetail(
        cause: "The callback URL of this request is not registered for the application “Appointments”. "
            + "Callback URLs are compared character by character.",
        fix: "Send a registered callback URL in redirect_uri, or add the one that was sent to the application.",
        setting: "Allowed Callback URLs (callbacks)",
        comparison: CallbackComparison(
            sent: "https://appointments.acme.example:3000/callbak",
            nearest: "https://appointments.acme.example:3000/callback"
        ),
        parameters: [
            RequestParameter(name: "client_id", value: "tRq8x0vXbL2m4n6p8s1u3w5y7A9C1E3G"),
            RequestParameter(name: "redirect_uri", value: "https://appointments.acme.example:3000/callbak"),
            RequestParameter(name: "response_type", value: "code"),
            RequestParameter(name: "scope", value: "openid profile email offline_access read:appointments"),
            RequestParameter(name: "state", value: "a2V5LXRvLXNvbWV3aGVyZS1pbi10aGUtYXBw"),
            RequestParameter(name: "code_challenge", value: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ]
    )

    static let pages: [(name: String, page: any Page)] = [
        ("login", login()),
        ("login-problem", login(problem: .wrongCredentials)),
        (
            "login-email",
            LoginPage(state: "s", csrfToken: "c", applicationName: "Appointments", problem: .emailRequired)
        ),
        ("login-code", codeLogin()),
        ("login-code-number", codeLogin(isNumber: true, problem: .addressInvalid)),
        ("login-code-sent", codeLogin(isSent: true)),
        ("login-code-link", codeLogin(sendsLinks: true)),
        ("login-code-link-sent", codeLogin(sendsLinks: true, isSent: true)),
        ("login-code-wrong", codeLogin(isSent: true, problem: .wrongCode)),
        (
            "mfa-otp-enrollment",
            MFAOTPEnrollmentPage(
                state: "s", csrfToken: "c", applicationName: "Appointments",
                secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
                keyURI: "otpauth://totp/Acme%20Health:ada@example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
                offersPhone: true, mayRemember: true)
        ),
        ("mfa-code-challenge-email", codeChallenge(isMail: true)),
        ("mfa-code-challenge-sms", codeChallenge(isMail: false)),
        ("mfa-code-challenge-problem", codeChallenge(isMail: true, problem: .wrongCode)),
        ("mfa-sms-enrollment", phoneEnrollment()),
        ("mfa-sms-enrollment-problem", phoneEnrollment(problem: .addressInvalid)),
        ("mfa-sms-enrollment-sent", phoneEnrollment(isSent: true)),
        ("mfa-otp-challenge", otpChallenge()),
        ("mfa-otp-challenge-problem", otpChallenge(problem: .wrongFactorCode)),
        ("mfa-recovery-code-challenge", recoveryChallenge()),
        ("mfa-recovery-code-challenge-problem", recoveryChallenge(problem: .tooManyFactorCodes)),
        (
            "mfa-recovery-code-enrollment",
            MFARecoveryCodeEnrollmentPage(
                state: "s", csrfToken: "c", applicationName: "Appointments", code: "JBSWY3DPEHPK3PXPJBSWY3DP")
        ),
        ("signup", signup()),
        ("signup-problem", signup(problem: .passwordTooWeak(rules))),
        ("signup-email", signup(problem: .emailInvalid)),
        ("select-account", selectAccount()),
        ("select-account-problem", selectAccount(problem: .expiredForm)),
        ("organization", organization()),
        ("organization-problem", organization(problem: .organizationInvalid)),
        ("organization-picker", organizationPicker()),
        ("organization-picker-problem", organizationPicker(problem: .expiredForm)),
        (
            "organization-picker-search",
            OrganizationPickerPage(
                state: "s", csrfToken: "c", applicationName: "Appointments",
                choices: [OrganizationChoice(id: "org_1", name: "Acme Health")],
                search: OrganizationSearch(text: "a&e", page: 2, isContinued: true))
        ),
        (
            "login-optional-password",
            LoginPage(state: "s", csrfToken: "c", applicationName: "Appointments", passwordField: .optional)
        ),
        (
            "login-address",
            LoginPage(
                state: "s", csrfToken: "c", applicationName: "Appointments", email: "ada@acme.example",
                problem: .unknownDomain, passwordField: .absent)
        ),
        ("invitation", invitation()),
        ("invitation-problem", invitation(problem: .expiredForm)),
        (
            "signup-invited",
            SignupPage(
                state: "s", csrfToken: "c", applicationName: "Appointments", email: "ada@acme.example",
                isAddressFixed: true, problem: .notInvited, passwordRules: rules, loginPath: "/u/login?state=s")
        ),
        ("consent", consent),
        ("error", error()),
        ("error-development", error(development: mismatch)),
        ("logged-out", LoggedOutPage(applicationName: "Appointments")),
        ("logged-out-unknown", LoggedOutPage(applicationName: nil)),
        (
            "logged-out-frames",
            LoggedOutPage(
                applicationName: "Appointments",
                frames: ["https://appointments.acme.example/out?iss=https%3A%2F%2Facme.example%2F&sid=x"],
                continueURL: "https://appointments.acme.example/?state=x")
        ),
        (
            "logout",
            LogoutPage(
                csrfToken: "9v3kd81", applicationName: "Appointments", parameters: [(name: "state", value: "x")])
        ),
        ("unblock", UnblockPage(.ask(ticket: "9v3kd81"))), ("unblock-done", UnblockPage(.done)),
        ("unblock-expired", UnblockPage(.expired)),
        ("logout-problem", LogoutPage(csrfToken: "9v3kd81", applicationName: nil, problem: .expiredForm)),
        ("still-logged-in", StillLoggedInPage()),
        ("form-post", formPost),
        ("activate", ActivatePage()),
        ("activate-problem", ActivatePage(userCode: "QTZL-MCBX", problem: .userCodeInvalid)),
        ("activate-confirm", activateConfirm()),
        ("activate-confirm-problem", activateConfirm(problem: .expiredForm)),
        ("activated", ActivatedPage(isConnected: true)),
        ("activated-refused", ActivatedPage(isConnected: false)),
        (
            "inbox",
            InboxPage(mails: [
                InboxPage.Mail(
                    path: "/dev/inbox/x", recipient: "ada@acme.example", subject: "Confirm your e-mail address",
                    time: "2026-11-21 19:30:00 UTC")
            ])
        ),
        (
            "inbox-mail",
            InboxMailPage(
                sender: "Acme <no-reply@acme.example>", recipient: "ada@acme.example",
                subject: "Confirm your e-mail address", time: "2026-11-21 19:30:00 UTC", text: "Hello\n",
                links: ["https://acme.example/u/email-verification?ticket=x"], framePath: "/dev/inbox/x/html")
        ),
        (
            "forgot-password",
            ForgotPasswordPage(
                state: "hKFo2SBYcQ", csrfToken: "9v3kd81", applicationName: "Appointments", email: "ada@acme.example",
                loginPath: "/u/login?state=hKFo2SBYcQ")
        ),
        (
            "forgot-password-problem",
            ForgotPasswordPage(
                state: "hKFo2SBYcQ", csrfToken: "9v3kd81", applicationName: "Appointments", problem: .emailRequired,
                loginPath: "/u/login?state=hKFo2SBYcQ")
        ),
        (
            "reset-password",
            ResetPasswordPage(
                ticket: "x", csrfToken: "9v3kd81", email: "ada@acme.example",
                passwordRules: [PasswordRule(text: "At least 8 characters", satisfied: false)])
        ),
        (
            "reset-password-mismatch",
            ResetPasswordPage(
                ticket: "x", csrfToken: "9v3kd81", email: "ada@acme.example", problem: .passwordMismatch,
                passwordRules: [PasswordRule(text: "At least 8 characters", satisfied: false)])
        ),
        (
            "reset-password-weak",
            ResetPasswordPage(
                ticket: "x", csrfToken: "9v3kd81", email: "ada@acme.example",
                problem: .passwordTooWeak([PasswordRule(text: "At least 8 characters", satisfied: true)]),
                passwordRules: [])
        ),
        ("confirm-link-login", confirmLink()), ("confirm-link-login-problem", confirmLink(problem: .expiredForm)),
        (
            "confirm-link-email",
            ConfirmLinkPage(
                .emailVerification, path: "/u/email-verification", ticket: "9v3kd81", address: "ada@acme.example")
        ),
        ("mail-notice-other-browser", MailNoticePage(.otherBrowser)),
        ("mail-notice-gone", MailNoticePage(.linkGone)),
        ("mail-notice", MailNoticePage(.emailVerified, backPath: "https://app.example.com/")),
        ("mail-notice-used", MailNoticePage(.linkUsed)),
        ("web-message", webMessage),
    ]

    static func confirmLink(problem: FormProblem? = nil) -> ConfirmLinkPage {
        ConfirmLinkPage(
            .login(applicationName: "Appointments", csrfToken: "9v3kd81"), path: "/passwordless/verify_redirect",
            ticket: "9v3kd81", address: "ada@acme.example", problem: problem)
    }

    static func selectAccount(problem: FormProblem? = nil) -> SelectAccountPage {
        SelectAccountPage(
            state: "hKFo2SBYcQ", csrfToken: "9v3kd81", applicationName: "Appointments",
            userName: "Ada Lovelace", address: "ada@acme.example", problem: problem)
    }

    static func organization(problem: FormProblem? = nil) -> OrganizationPage {
        OrganizationPage(
            state: "hKFo2SBYcQ", csrfToken: "9v3kd81", applicationName: "Appointments",
            organizationName: problem == nil ? "" : "acne", allowsPersonal: problem == nil, problem: problem)
    }

    static func organizationPicker(problem: FormProblem? = nil) -> OrganizationPickerPage {
        OrganizationPickerPage(
            state: "hKFo2SBYcQ", csrfToken: "9v3kd81", applicationName: "Appointments",
            choices: [
                OrganizationChoice(id: "org_1", name: "Acme Health", logoURL: "https://acme.example/logo.png"),
                OrganizationChoice(id: "org_2", name: "Barts Hospital"),
            ],
            allowsPersonal: problem == nil, problem: problem)
    }

    static func invitation(problem: FormProblem? = nil) -> InvitationPage {
        InvitationPage(
            state: "hKFo2SBYcQ", csrfToken: "9v3kd81", applicationName: "Appointments", inviterName: "Grace Hopper",
            organizationName: "Acme Health", address: "ada@acme.example", problem: problem)
    }

    static func otpChallenge(problem: FormProblem? = nil) -> MFAOTPChallengePage {
        MFAOTPChallengePage(
            state: "s", csrfToken: "c", applicationName: "Appointments",
            others: MFAOtherMethods(sms: true, email: true, recoveryCode: true), mayRemember: true, problem: problem)
    }

    static func codeChallenge(isMail: Bool, problem: FormProblem? = nil) -> MFACodeChallengePage {
        MFACodeChallengePage(
            isMail: isMail, address: isMail ? "a****@e****" : "XXXXXXXXX5678", state: "s", csrfToken: "c",
            applicationName: "Appointments",
            others: MFAOtherMethods(otp: true, sms: isMail, email: !isMail, recoveryCode: true), mayRemember: true,
            problem: problem)
    }

    static func phoneEnrollment(isSent: Bool = false, problem: FormProblem? = nil) -> MFASMSEnrollmentPage {
        MFASMSEnrollmentPage(
            state: "s", csrfToken: "c", applicationName: "Appointments", number: "+4915112345678", isSent: isSent,
            offersOTP: true, mayRemember: true, problem: problem)
    }

    static func recoveryChallenge(problem: FormProblem? = nil) -> MFARecoveryCodeChallengePage {
        MFARecoveryCodeChallengePage(
            state: "s", csrfToken: "c", applicationName: "Appointments",
            others: MFAOtherMethods(otp: true, sms: true, email: true), problem: problem)
    }

    static func codeLogin(
        isNumber: Bool = false, sendsLinks: Bool = false, isSent: Bool = false, problem: FormProblem? = nil
    ) -> CodeLoginPage {
        CodeLoginPage(
            path: "/u/login-passwordless?state=hKFo2SBYcQ&connection=email", state: "hKFo2SBYcQ", csrfToken: "9v3kd81",
            applicationName: "Appointments", isNumber: isNumber, sendsLinks: sendsLinks,
            address: isSent ? "ada@acme.example" : "", isSent: isSent, problem: problem)
    }

    static func login(problem: FormProblem? = nil) -> LoginPage {
        LoginPage(
            state: "hKFo2SBYcQ",
            csrfToken: "9v3kd81",
            applicationName: "Appointments",
            email: problem == nil ? "" : "ada@acme.example",
            problem: problem,
            signupPath: "/u/signup?state=hKFo2SBYcQ"
        )
    }

    static func signup(problem: FormProblem? = nil) -> SignupPage {
        SignupPage(
            state: "hKFo2SBYcQ",
            csrfToken: "9v3kd81",
            applicationName: "Appointments",
            email: problem == nil ? "" : "ada@acme.example",
            problem: problem,
            passwordRules: rules,
            loginPath: "/u/login?state=hKFo2SBYcQ"
        )
    }

    static let consent = ConsentPage(
        state: "hKFo2SBYcQ",
        csrfToken: "9v3kd81",
        applicationName: "Appointments",
        applicationLogoURL: nil,
        userName: "Ada Lovelace",
        tenantName: "Acme Health",
        items: [
            ConsentItem(title: "Profile", detail: "access to your profile and email", resource: nil),
            ConsentItem(
                title: "Appointments",
                detail: "read and write your appointments",
                resource: "Appointments API"
            ),
            ConsentItem(title: "Offline access", detail: "stay connected while you are away", resource: nil),
        ],
        audience: "https://appointments.acme.example/api",
        scope: "openid profile read:appointments"
    )

    static func error(development: DevelopmentDetail? = nil) -> ErrorPage {
        ErrorPage(
            status: 403,
            code: "invalid_request",
            headline: "Callback URL mismatch.",
            summary: "The provided redirect_uri is not in the list of allowed callback URLs.",
            requestID: "8f14e45fceea167a5a36",
            development: development
        )
    }

    static func activateConfirm(problem: FormProblem? = nil) -> ActivateConfirmPage {
        ActivateConfirmPage(
            userCode: "QTZL-MCBW", csrfToken: "9v3kd81", applicationName: "Acme Television", problem: problem)
    }

    static let webMessage = WebMessagePage(
        origin: "https://appointments.acme.example",
        parameters: [(name: "code", value: "SplxlOBeZQQYbYS6WxSbIA"), (name: "state", value: "xyz")]
    )

    static let formPost = FormPostPage(
        action: "https://appointments.acme.example/callback",
        parameters: [(name: "code", value: "SplxlOBeZQQYbYS6WxSbIA"), (name: "state", value: "xyz")]
    )
}
