import Fuzzing
import OAuth
import Storage
import Testing

@Suite("Fuzz: documents of clients, APIs and tenants")
struct DocumentFuzzTests {
    private static let values: [JSONValue] = [
        nil, true, false, 0, -1, 1, 86_400, 2_592_001, 1.5, .integer(.max), .integer(.min), .number(1e300), "", "a",
        "RS256", "HS256", "none", "client_secret_post", "spa", "regular_web", "https://app.example.com/cb", "*",
        "https://*.example.com", "javascript:alert(1)", "\u{202E}", [], ["a"], [1], [[]], [nil], [:], ["a": 1],
        ["leeway": 5], ["https://app.example.com/cb", "https://app.example.com/cb"], ["authorization_code"],
        .string(String(repeating: "x", count: 5_000)),
    ]

    /// Changes a member of `object` or of one below it, adds one or takes one away.
    private static func mutate(_ object: inout JSONObject, _ generator: inout SeededGenerator) {
        let names = object.keys.sorted()
        guard let name = names.isEmpty ? nil : generator.pick(names) else { return object["a"] = 1 }
        if case .object(var inner)? = object[name], generator.oneIn(2) {
            mutate(&inner, &generator)
            return object[name] = .object(inner)
        }
        switch generator.below(6) {
        case 0: object[name] = nil
        case 1: object[name + generator.text(most: 2)] = object.removeValue(forKey: name)
        case 2: object[name] = object[generator.pick(names)]
        default: object[name] = generator.pick(values)
        }
    }

    /// Reads neighbours of `document`, and what is read again from what it writes.
    private static func run<Entity: Equatable>(
        _ document: JSONObject, cases: Int, read: (Document) throws -> Entity, write: (Entity) -> JSONObject
    ) -> Fuzz.Outcome {
        Fuzz.run(
            cases,
            { (generator: inout SeededGenerator) -> JSONObject in
                var changed = document
                for _ in 0..<(1 + generator.below(3)) { mutate(&changed, &generator) }
                return changed
            }
        ) { changed in
            do {
                let entity = try read(Document(changed, path: "x"))
                let again = try read(Document(write(entity), path: "x"))
                return again == entity ? .accepted : .wrong("reads back as \(again), was \(entity)")
            } catch let problem as Document.Problem {
                return problem.path.hasPrefix("x") && !problem.message.isEmpty ? .refused : .wrong("\(problem)")
            }
        }
    }

    @Test("A client's document is read and written without loss, or its problem has a path")
    func clients() throws {
        var client = Client(clientID: "app", name: "App")
        client.callbacks = [try RegisteredURI("https://app.example.com/cb")]
        client.allowedLogoutURLs = [try RegisteredURI("https://*.example.com/")]
        client.webOrigins = ["https://app.example.com"]
        client.grantTypes = [.authorizationCode, .refreshToken]
        client.refreshToken.isRotating = true
        let outcome = Self.run(
            client.document.merging(["client_metadata": ["a": "b"], "description": "x"]) { $1 }, cases: 15_000,
            read: { try Client(document: $0, standardID: "app") }, write: \.document)
        #expect(outcome.complaint == nil)
        #expect(outcome.isTelling, "\(outcome)")
    }

    @Test("An API's document is read and written without loss, or its problem has a path")
    func resourceServers() throws {
        var api = ResourceServer(id: "0123456789abcdef01234567", name: "API", identifier: "urn:api")
        api.scopes = [ResourceServer.Permission(value: "read", description: "Read")]
        let id = api.id
        let outcome = Self.run(
            api.document, cases: 15_000, read: { try ResourceServer(document: $0, standardID: id) }, write: \.document)
        #expect(outcome.complaint == nil)
        #expect(outcome.isTelling, "\(outcome)")
    }

    @Test("A tenant's settings are read and written without loss, or their problem has a path")
    func tenants() throws {
        let settings = TenantSettings()
        let outcome = Self.run(
            settings.document.merging(["friendly_name": "Clinic", "session_lifetime": 72, "flags": ["a": true]]) { $1 },
            cases: 15_000, read: { try TenantSettings(document: $0) }, write: \.document)
        #expect(outcome.complaint == nil)
        #expect(outcome.isTelling, "\(outcome)")
    }
}
