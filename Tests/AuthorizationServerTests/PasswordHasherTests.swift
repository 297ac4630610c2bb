import AuthorizationServer
import OAuth
import Storage
import Synchronization
import TestSupport
import Testing

@Suite("Hashing under load")
struct PasswordHasherTests {
    @Test("More logins than the limit are refused at once, with a time to try again; then there is room")
    func limit() async throws {
        let hasher = PasswordHasher(threads: 1, limit: 3)
        let stored = try await hasher.hash("password")
        let results = await withTaskGroup { group in
            for _ in 0..<20 {
                group.addTask { () -> Result<Bool, any Error> in
                    do { return .success(try await hasher.verify("password", against: stored)) } catch {
                        return .failure(error)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        var (matched, busy) = (0, 0)
        for result in results {
            switch result {
            case .success(let isRight):
                #expect(isRight)
                matched += 1
            case .failure(let error):
                #expect((error as? PasswordHasher.Busy)?.retryAfter == 5)
                busy += 1
            }
        }
        #expect(matched >= 3 && busy >= 1 && matched + busy == 20)
        #expect(try await hasher.verify("password", against: stored))
    }

    @Test("A user who is not there costs the same hash as one who is, and never matches")
    func nobody() async throws {
        let hasher = PasswordHasher(threads: 1)
        // Algorithm, version, memory and passes; behind them stand salt and hash.
        func cost(_ hash: String) -> [Substring] { Array(hash.split(separator: "$").prefix(3)) }
        #expect(try await cost(hasher.nobody) == cost(hasher.hash("password")))
        #expect(try await !hasher.verify("wrong", against: nil))
        #expect(try await !hasher.verify("", against: nil))
    }

    @Test("While logins wait for their hashes, tokens are issued", .timeLimit(.minutes(60)))
    func tokensGoOn() async throws {
        try await TestServer.run { server in
            let (finished, isAnswered) = (Counter(), Counter())
            try await withThrowingTaskGroup { group in
                // Many more than there are threads for hashes, or for tasks, and without end until the token is there.
                for _ in 0..<32 {
                    group.addTask {
                        while isAnswered.value.load(ordering: .relaxed) == 0 {
                            _ = try await server.services.passwords.verify("wrong", against: nil)
                            finished.value.add(1, ordering: .relaxed)
                        }
                    }
                }
                let answer = try await server.token(
                    ("grant_type", "client_credentials"), ("client_id", "machine"),
                    ("client_secret", Client.machineSecret), ("audience", "appointments:api"))
                #expect(try answer.json()["token_type"] == "Bearer")
                isAnswered.value.store(1, ordering: .relaxed)
                try await group.waitForAll()
            }
            #expect(finished.value.load(ordering: .relaxed) >= 32)
        }
    }
}

/// A number that several tasks count up.
private final class Counter: Sendable {
    let value = Atomic(0)
}
