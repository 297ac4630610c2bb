/// Every page of the server.
package enum Pages {
    package static let all: [any Page.Type] = [
        ConsentPage.self,
        ErrorPage.self,
        FormPostPage.self,
        LoggedOutPage.self,
        LoginPage.self,
        LogoutPage.self,
        SignupPage.self,
        StillLoggedInPage.self,
        WebMessagePage.self,
    ]
}
