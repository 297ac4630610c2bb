import Foundation
import Testing

@testable import AuthorizationServer

@Suite("Password hashes")
struct PasswordHashTests {
    @Test("Argon2id with OWASP's parameters and a salt of its own")
    func made() throws {
        let (first, second) = (try PasswordHash.make("correct horse"), try PasswordHash.make("correct horse"))
        #expect(
            first.wholeMatch(of: /\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+\/]{22}\$[A-Za-z0-9+\/]{43}/) != nil)
        #expect(first != second)
        for hash in [first, second] {
            #expect(PasswordHash.verify("correct horse", against: hash))
            #expect(!PasswordHash.verify("correct horsE", against: hash))
            #expect(PasswordHash.isSupported(hash) && !PasswordHash.needsUpgrade(hash))
        }
    }

    @Test(
        "A password is its bytes: empty, Unicode, a NUL inside",
        arguments: ["", "pässwörd 😀 עברית", "a\u{0}b", "\u{0}"])
    func bytes(password: String) throws {
        let hash = try PasswordHash.make(password)
        #expect(PasswordHash.verify(password, against: hash))
        #expect(!PasswordHash.verify(password + "\u{0}", against: hash))
        #expect(!PasswordHash.verify("a\u{0}c", against: hash))
        #expect(!PasswordHash.verify("a", against: hash))
    }

    @Test(
        "The reference implementation's and crypt_blowfish's vectors",
        arguments: [
            ("password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"),
            ("password", "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA"),
            ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
            ("U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
            ("U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
            ("U*U*U", "$2y$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
            ("correct horse", "$2b$04$f.xjwyLVsR0p0FzS76SCEO10gRPyzMpIbrqJXCznlEB0TNnqDQ8eq"),
            ("pässwörd😀", "$2b$04$X1Vyx5CoWRVLXgXVc.XAeuN4uy90FqYgPcQYjQEQvApBtM9ap7RbW"),
            ("", "$2b$04$7S5965iWkgFmGYlb74yQCeWTsJjgOrtloFtgATD6oksNJDok9CEQu"),
        ])
    func vectors(password: String, stored: String) {
        #expect(PasswordHash.isSupported(stored))
        #expect(PasswordHash.needsUpgrade(stored))
        #expect(PasswordHash.verify(password, against: stored))
        #expect(!PasswordHash.verify(password + "x", against: stored))
        // crypt would stop reading at the NUL, and take the rest for nothing.
        #expect(!PasswordHash.verify(password + "\u{0}", against: stored))
        #expect(!PasswordHash.verify(password + "\u{0}x", against: stored))
    }

    @Test("bcrypt reads 72 bytes of a password, as the system that it came from did")
    func longBcrypt() {
        let stored = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"
        let read = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        #expect(PasswordHash.verify(read, against: stored))
        #expect(PasswordHash.verify(read + "chars after 72 are ignored", against: stored))
        #expect(!PasswordHash.verify(String(read.dropLast()), against: stored))
    }

    @Test(
        "What is no hash that can be checked matches nothing",
        arguments: [
            "", "password", "$", "$argon2id$", "$argon2id$v=19$m=19456,t=2,p=1$",
            "$argon2id$v=19$m=19456,t=2,p=1$c29t$",
            "$argon2id$v=19$m=1,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2d$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$2b$04$", "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$99$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$05$CCCCCCCCCCCCCCCCCCCC!.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$1$salt$qJH7.N4xYta3aEG/dfqo/0", "5f4dcc3b5aa765d61d8327deb882cf99", "*0", "*1",
        ])
    func unusable(stored: String) {
        for password in ["", "password", "U*U", stored] { #expect(!PasswordHash.verify(password, against: stored)) }
    }

    @Test("A password of 1024 bytes is read, a longer one refused unread, in no time")
    func length() throws {
        let (longest, tooLong) = (String(repeating: "p", count: 1024), String(repeating: "p", count: 1025))
        let hash = try PasswordHash.make(longest)
        #expect(PasswordHash.verify(longest, against: hash))
        #expect(try !PasswordHash.verify(tooLong, against: PasswordHash.make(tooLong)))
        let megabyte = String(repeating: "é", count: 500_000)
        let duration = ContinuousClock().measure {
            for _ in 0..<100 { #expect(!PasswordHash.verify(megabyte, against: hash)) }
        }
        #expect(duration < .seconds(5))
    }

    @Test("Nothing matches the hash of nobody, and it takes as long as anybody's")
    func unmatchable() throws {
        let (nobody, somebody) = (PasswordHash.unmatchable(), try PasswordHash.make("password"))
        #expect(nobody != PasswordHash.unmatchable())
        #expect(PasswordHash.isSupported(nobody) && !PasswordHash.needsUpgrade(nobody))
        #expect(nobody.utf8.count == somebody.utf8.count)
        func fastest(_ stored: String) -> Duration {
            (0..<7).map { _ in ContinuousClock().measure { #expect(!PasswordHash.verify("wrong", against: stored)) } }
                .min() ?? .zero
        }
        let ratio = fastest(nobody) / fastest(somebody)
        #expect((0.5...2).contains(ratio))
    }
}
