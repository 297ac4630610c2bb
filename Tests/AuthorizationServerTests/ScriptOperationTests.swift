import Foundation
import Scripting
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

    @Test("A time that no calendar has means the nearest that one has; what is no time is refused")
    func times() throws {
        for (text, seconds) in [
            ("1800000000500", 1_800_000_000.5), ("-9223372036854775808", 0), ("9223372036854774784", 253_402_300_799),
        ] as [(String, TimeInterval)] {
            let effect = ScriptEffect(op: "refreshToken.change", value: #"{"change":"expiresAt","at":\#(text)}"#)
            let expected = ScriptOperation.change(.refreshToken, .expiry(Date(timeIntervalSince1970: seconds)))
            #expect(try ScriptOperation(effect) == expected)
        }
        for text in ["null", "1e300", "\"soon\""] {
            let effect = ScriptEffect(op: "refreshToken.change", value: #"{"change":"expiresAt","at":\#(text)}"#)
            #expect(throws: ScriptOperation.Problem.self) { try ScriptOperation(effect) }
        }
    }
}
