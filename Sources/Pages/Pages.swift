/// Every page of the server.
package enum Pages {
    package static let all: [any Page.Type] = [
        ActivateConfirmPage.self,
        ActivatePage.self,
        ActivatedPage.self,
        CodeLoginPage.self,
        ConfirmLinkPage.self,
        ConsentPage.self,
        ErrorPage.self,
        ForgotPasswordPage.self,
        FormPostPage.self,
        InboxMailPage.self,
        InboxPage.self,
        InvitationPage.self,
        LoggedOutPage.self,
        LoginPage.self,
        LogoutPage.self,
        MailNoticePage.self,
        OrganizationPage.self,
        OrganizationPickerPage.self,
        ResetPasswordPage.self,
        SelectAccountPage.self,
        SignupPage.self,
        StillLoggedInPage.self,
        UnblockPage.self,
        WebMessagePage.self,
    ]
}
