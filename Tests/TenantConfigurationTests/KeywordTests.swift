import OAuth
import Storage
import TenantConfiguration
import Testing

@Suite("##KEY## and @@KEY@@")
struct KeywordTests {
    /// Values that would change the file if they were pasted into it.
    static let awkward = [
        "plain", "it's \"quoted\"", "two\nlines", "a # no comment", "key: value", "- item", "[1, 2", "{", "*alias",
        "&a",
        "!tag", "%", "@", "`", "| >", " spaces around ", "tab\there", "back\\slash \\n", "'", "\"", "", "null", "~",
        "yes",
        "007", "1_000", "0x10", "12345678901234567890", "##OTHER##", "@@OTHER@@", "\u{E000}0\u{E000}", "😀 é", "\r\n",
    ]

    private func description(_ yaml: String, _ environment: [String: String]) async throws -> String? {
        var found: String?
        try await Tenant.run { tenant in
            try await tenant.apply("roles:\n  - name: Role\n" + yaml, environment)
            found = try await tenant.roles().first?.description
        }
        return found
    }

    @Test("A value stays one text wherever its keyword stands, whatever is in it", arguments: awkward)
    func places(value: String) async throws {
        let environment = ["KEY": value, "OTHER": "other"]
        #expect(try await description("    description: ##KEY##\n", environment) == value)
        #expect(try await description("    description:\n      ##KEY##\n", environment) == value)
        #expect(try await description("    description: \"##KEY##\"\n", environment) == value)
        #expect(try await description("    description: '##KEY##'\n", environment) == value)
        #expect(try await description("    description: a ##KEY## b\n", environment) == "a \(value) b")
        #expect(
            try await description("    description: Ada's ##KEY##'s \"##KEY##\"\n", environment)
                == "Ada's \(value)'s \"\(value)\"")
        #expect(
            try await description("    description: |\n      say \"##KEY##\"\n", environment) == "say \"\(value)\"\n")
        #expect(try await description("    description: ##KEY####OTHER##\n", environment) == "\(value)other")
    }

    @Test("A keyword in a comment is none, in a line of its own and after a value")
    func comments() async throws {
        let yaml = """
                # ##MISSING## and @@MISSING@@
                description: text # see ##MISSING##
                #   @@MISSING@@
                ## ##MISSING## ##
            """
        #expect(try await description(yaml, [:]) == "text")
        #expect(try await description("    description: 'a # ##KEY##' # ##MISSING##\n", ["KEY": "b"]) == "a # b")
    }

    @Test("A number, true or false that stands alone is one; in quotes it is a text")
    func types() async throws {
        try await Tenant.run { tenant in
            let yaml = """
                resourceServers:
                  - identifier: api
                    name: "##NUMBER##"
                    token_lifetime: ##NUMBER##
                    allow_offline_access: ##BOOL##
                """
            try await tenant.apply(yaml, ["NUMBER": "7300", "BOOL": "true"])
            let api = try await tenant.resourceServers().first?.resourceServer
            #expect(api?.tokenLifetime == 7300)
            #expect(api?.allowsOfflineAccess == true)
            #expect(api?.name == "7300")
        }
    }

    @Test("@@KEY@@ is the list, mapping, number or text that its JSON says, with and without quotes")
    func json() async throws {
        let values: [(String, JSONValue)] = [
            (
                #"["https://a.example.com/", "https://b.example.com/#"]"#,
                ["https://a.example.com/", "https://b.example.com/#"]
            ),
            (
                #"{"a": {"b": [1, true, null]}, "c": "it's: \"x\"\n# y"}"#,
                ["a": ["b": [1, true, nil]], "c": "it's: \"x\"\n# y"]
            ),
            (#""quoted text""#, "quoted text"), ("12", 12), ("false", false), ("[]", []),
            ("no JSON: [", "no JSON: ["), ("", ""),
        ]
        for (text, value) in values {
            for written in ["@@KEY@@", "\"@@KEY@@\"", "'@@KEY@@'", "[@@KEY@@]"] {
                try await Tenant.run { tenant in
                    try await tenant.apply(
                        "databases:\n  - name: Users\n    options:\n      x: \(written)\n", ["KEY": text])
                    let stored = try await tenant.stores.connections.find(name: "Users")?.options["x"]
                    #expect(stored == (written.hasPrefix("[") ? [value] : value), "\(written) \(text)")
                }
            }
        }
        #expect(try await description("    description: a @@KEY@@ b\n", ["KEY": #""x""#]) == "a x b")
        #expect(try await description("    description: a @@KEY@@ b\n", ["KEY": "[1]"]) == "a [1] b")
    }

    @Test("A keyword may stand for a whole list of resources")
    func wholeList() async throws {
        try await Tenant.run { tenant in
            let plan = try await tenant.plan("roles: @@ROLES@@\n", ["ROLES": #"[{"name": "A"}, {"name": "B"}]"#])
            #expect(plan.summary == ["+ roles A", "+ roles B"])
            let problems = try await tenant.problems("\nroles: @@ROLES@@\n", ["ROLES": #"[{"name": "A", "nam": 1}]"#])
            #expect(problems.first?.hasPrefix("tenant.yaml:2: roles[0].nam: ") == true)
        }
    }

    @Test("Each variable that is missing is named with its line, all at once")
    func missing() async throws {
        try await Tenant.run { tenant in
            let problems = try await tenant.problems(
                """
                tenant:
                  friendly_name: ##FIRST##
                roles:
                  - name: "a ##SECOND## b"
                    description: |
                      one
                      two ##THIRD##
                  - @@FOURTH@@
                """)
            #expect(
                problems
                    == zip(["FIRST", "SECOND", "THIRD", "FOURTH"], [2, 4, 7, 8]).map { key, line in
                        "tenant.yaml:\(line): \(key) is not in the environment; set it, for example: export \(key)=…"
                    })
            let heading = try await tenant.problems("tenant:\n  friendly_name: A\n##HEADING##\nroles: []\n")
            #expect(
                heading.first
                    == "tenant.yaml:3: HEADING is not in the environment; set it, for example: export HEADING=…")
        }
    }

    @Test(
        "What only looks like a keyword is left alone",
        arguments: ["a##b", "# #A# #", "##a b##", "@@", "####", "x@@y@z"])
    func lookalikes(text: String) async throws {
        #expect(try await description("    description: '\(text)'\n", [:]) == text)
    }
}
