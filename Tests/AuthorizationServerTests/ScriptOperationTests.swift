import Storage
import Testing

@testable import AuthorizationServer

@Suite("What scripts may ask for")
struct ScriptOperationTests {
    @Test("Each trigger has the operations of its API, and a rule denies alone")
    func triggers() {
        func isAvailable(_ op: String, _ trigger: ActionTrigger?) -> Bool {
            ScriptOperation.isAvailable(op, at: trigger)
        }
        for op in ["accessToken.addScope", "idToken.setCustomClaim", "user.setAppMetadata", "session.revoke"] {
            #expect(isAvailable(op, .postLogin) && !isAvailable(op, .credentialsExchange) && !isAvailable(op, nil))
        }
        #expect(isAvailable("accessToken.setCustomClaim", .credentialsExchange))
        #expect(isAvailable("user.setUserMetadata", .preUserRegistration))
        #expect(!isAvailable("accessToken.setCustomClaim", .preUserRegistration))
        for trigger in [ActionTrigger.postUserRegistration, .postChangePassword] {
            #expect(isAvailable("cache.set", trigger) && !isAvailable("access.deny", trigger))
        }
        #expect(isAvailable("access.deny", nil) && !isAvailable("cache.set", nil))
    }
}
