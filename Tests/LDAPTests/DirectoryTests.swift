import Foundation
import LDAP
import Testing

@Suite("A directory of OpenLDAP's", .enabled(if: TestDirectory.program != nil, "slapd is not installed"))
struct DirectoryTests {
    private static let started = Task { try await TestDirectory() }
    private let directories = Directories()

    private func ask(
        _ name: String, _ password: String, _ change: (inout Directory) -> Void = { _ in }
    ) async throws -> Directory.Answer {
        var directory = try await Self.started.value.directory()
        change(&directory)
        return try await directories.check(name, password: password, in: directory)
    }

    private func failure(_ directory: Directory) async -> DirectoryFailure? {
        do throws(DirectoryFailure) {
            _ = try await directories.check("jane", password: "jane's password", in: directory)
            return nil
        } catch {
            return error
        }
    }

    @Test("A user with the right password is found, by either attribute, with attributes and groups")
    func rightPassword() async throws {
        for name in ["jane", "JANE", "jane@example.org"] {
            let answer = try await ask(name, "jane's password")
            guard case .user(let entry, let groups) = answer else {
                Issue.record("\(name): \(answer)")
                continue
            }
            #expect(entry.name == "uid=jane,dc=example,dc=org")
            #expect(entry.text("givenname") == "Jane" && entry.identifier("entryUUID")?.count == 36)
            #expect(entry.texts("memberOf").isEmpty || entry.texts("memberOf").count == 2)
            #expect(groups.isEmpty)
        }
    }

    @Test("Groups are searched for by the user's distinguished name")
    func groups() async throws {
        let filter = try DirectoryFilter("(member={0})")
        let answer = try await ask("jane", "jane's password") {
            $0.groups = .init(base: TestDirectory.base, filter: filter)
        }
        guard case .user(_, let groups) = answer else { throw TestDirectory.NotStarted(log: "\(answer)") }
        #expect(Set(groups) == ["Sales", "Everybody"])
    }

    @Test("A wrong password and an unknown user are told apart for the log alone, and neither is an error")
    func wrongPassword() async throws {
        guard case .wrongPassword = try await ask("jane", "joe's password") else {
            Issue.record("jane came in")
            return
        }
        #expect(try await ask("nobody", "jane's password") == .unknownUser)
    }

    @Test("RFC 4513 §5.1.2: an empty password is never right, though this directory takes it for nobody's")
    func emptyPassword() async throws {
        guard case .wrongPassword = try await ask("jane", "") else {
            Issue.record("an empty password came in")
            return
        }
    }

    @Test(
        "What is typed as a name finds nobody but who is called so",
        arguments: ["*", "j*", "jane)(uid=*", "*)(uid=jane", "jane)(|(uid=*", "", "\u{0}", "jane\u{0}", "(jane)"])
    func injection(name: String) async throws {
        let answer = try await ask(name, "jane's password")
        if case .user = answer { Issue.record("\(name) is \(answer)") }
    }

    @Test("A name that two entries answer to is nobody's")
    func ambiguous() async throws {
        await #expect { _ = try await ask("shared@example.org", "joe's password") } throws: {
            ($0 as? DirectoryFailure)?.kind == .ambiguous
        }
    }

    @Test("A name that two entries answer to is nobody's, where the directory tells of the first alone too")
    func cut() async throws {
        func limited(_ directory: inout Directory) {
            directory.account = Directory.Account(name: TestDirectory.limited, password: "searching")
        }
        await #expect { _ = try await ask("shared@example.org", "joe's password", limited) } throws: {
            ($0 as? DirectoryFailure)?.kind == .ambiguous
        }
        guard case .user = try await ask("jane", "jane's password", limited) else {
            Issue.record("jane is nobody")
            return
        }
    }

    @Test("StartTLS protects the connection before the first password, RFC 4513 §3")
    func startTLS() async throws {
        let server = try await Self.started.value
        let directory = try server.directory(url: "ldap://127.0.0.1:\(server.plain)")
        #expect(await failure(directory) == nil)
        // The same without TLS, where the connection asks for that.
        let open = try server.directory(url: "ldap://127.0.0.1:\(server.plain)", startsTLS: false)
        #expect(await failure(open) == nil)
    }

    @Test("A directory is believed only with a certificate of the right authority, for the host that was asked")
    func certificates() async throws {
        let server = try await Self.started.value
        let other = try String(contentsOf: server.folder.appending(path: "other.pem"), encoding: .utf8)
        for url in ["ldaps://127.0.0.1:\(server.secure)", "ldap://127.0.0.1:\(server.plain)"] {
            let failure = await failure(try server.directory(url: url, authorities: other))
            #expect(failure?.kind == .unreachable, "\(url): \(failure.map(String.init(describing:)) ?? "trusted")")
        }
        let named = await failure(try server.directory(url: "ldaps://localhost:\(server.secure)"))
        #expect(named?.kind == .unreachable, "the certificate names an address, and no host")
        var system = try server.directory()
        system.authorities = nil
        #expect(await failure(system)?.kind == .unreachable, "the system does not trust the test's authority")
        #expect(await failure(try server.directory(authorities: "no certificate"))?.kind == .unreachable)
    }

    @Test("An account that may not search is the administrator's matter, and not a wrong password")
    func serviceAccount() async throws {
        let failure = await failure(try await Self.started.value.directory(password: "wrong"))
        #expect(failure?.kind == .serviceAccount)
        #expect(failure?.description.contains("wrong") == false)
    }

    @Test("A base that does not exist is the administrator's matter")
    func wrongBase() async throws {
        let good = try await Self.started.value.directory()
        var directory = Directory(address: good.address, base: "dc=nowhere", filter: good.filter)
        (directory.account, directory.authorities) = (good.account, good.authorities)
        directory.timeout = 60
        #expect(await failure(directory)?.kind == .search)
    }

    @Test("Nobody listens: the directory cannot be reached")
    func unreachable() async throws {
        let port = try TestDirectory.freePort()
        let directory = try await Self.started.value.directory(url: "ldaps://127.0.0.1:\(port)")
        #expect(await failure(directory)?.kind == .unreachable)
    }

    @Test("Somebody listens and never answers: the login does not wait for ever", arguments: [true, false])
    func silence(startsTLS: Bool) async throws {
        let (file, port) = try TestDirectory.socket(backlog: 8)
        defer { close(file) }
        var directory = try await Self.started.value.directory(url: "ldap://127.0.0.1:\(port)", startsTLS: startsTLS)
        directory.timeout = 1
        let failure = await failure(directory)
        #expect(failure?.kind == .timeout || failure?.kind == .unreachable, "\(String(describing: failure))")
    }

    @Test("More logins than may wait are refused, and those that wait are not")
    func bounded() async throws {
        let (file, port) = try TestDirectory.socket(backlog: 8)
        defer { close(file) }
        var directory = try await Self.started.value.directory(url: "ldap://127.0.0.1:\(port)", startsTLS: false)
        directory.timeout = 1
        let (asked, small) = (directory, Directories(threads: 1, limit: 1))
        let kinds = await withTaskGroup(of: DirectoryFailure.Kind?.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    do throws(DirectoryFailure) {
                        _ = try await small.check("jane", password: "jane's password", in: asked)
                        return nil
                    } catch {
                        return error.kind
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(kinds.contains(.busy) && kinds.contains { $0 != .busy }, "\(kinds)")
    }
}
