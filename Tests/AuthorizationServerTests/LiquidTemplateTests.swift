import AuthorizationServer
import Foundation
import OAuth
import Testing

@Suite("Liquid, as far as mails need it")
struct LiquidTemplateTests {
    private static let variables: JSONObject = [
        "user": ["name": "Ada <b>", "email": "ada@example.com", "roles": ["admin", "editor"], "age": 36],
        "url": "https://login.example.com/?a=1&b=\"2\"", "roles": ["one", "two", "three"], "empty_list": [],
        "nothing": "", "organization": ["metadata": ["color name": "blue"]], "truth": true, "lie": false,
        "html": "<script>alert(1)</script>",
    ]
    private static let now = Date(timeIntervalSince1970: 1_780_000_000)

    private func render(_ text: String, as format: LiquidTemplate.Format = .text) throws -> String {
        try LiquidTemplate(text).render(Self.variables, as: format, now: Self.now)
    }

    @Test(
        "Variables, filters and tags give what Liquid's reference says",
        arguments: [
            ("{{ user.email }}", "ada@example.com"), ("{{user.email}}", "ada@example.com"),
            ("{{ user['email'] }}", "ada@example.com"), ("{{ missing }}", ""), ("{{ missing.deeper.still }}", ""),
            ("{{ roles[0] }}{{ roles[-1] }}{{ roles[9] }}", "onethree"),
            ("{{ roles.first }} {{ roles.last }} {{ roles.size }}", "one three 3"),
            ("{{ organization.metadata['color name'] }}", "blue"), ("{{ 'literal' }}{{ 3 }}{{ 1.5 }}", "literal31.5"),
            ("{{ user.name | upcase }}", "ADA <B>"), ("{{ 'ABC' | downcase | capitalize }}", "Abc"),
            ("{{ missing | default: 'none' }}", "none"), ("{{ nothing | default: 'none' }}", "none"),
            ("{{ roles | join: ', ' }}", "one, two, three"), ("{{ 'a-b' | split: '-' | last }}", "b"),
            ("{{ 'abcdef' | truncate: 5 }}", "ab..."), ("{{ 'abcdef' | truncate: 5, '' }}", "abcde"),
            ("{{ 'a b&c' | url_encode }}", "a%20b%26c"), ("{{ '<p>x</p>' | strip_html }}", "x"),
            ("{{ 432000 | divided_by: 86400 }}", "5"), ("{{ 1 | divided_by: 0 }}", ""), ("{{ '2' | plus: 3 }}", "5"),
            ("{{ 'now' | date: '%Y-%m-%d' }}", "2026-05-28"),
            ("{{ '2026-01-02T03:04:05.678Z' | date: '%e %B %Y, %I:%M %p' }}", "2 January 2026, 03:04 AM"),
            ("{{ user.email | replace: '@', ' at ' | append: '!' }}", "ada at example.com!"),
            ("{% if truth %}a{% else %}b{% endif %}", "a"), ("{% if lie %}a{% elsif truth %}b{% endif %}", "b"),
            ("{% if missing %}a{% else %}b{% endif %}", "b"), ("{% if nothing %}a{% endif %}", "a"),
            ("{% if nothing == blank %}a{% endif %}{% if missing == blank %}b{% endif %}", "ab"),
            ("{% if empty_list == empty %}a{% endif %}", "a"), ("{% unless lie %}a{% endunless %}", "a"),
            ("{% if user.age > 30 and user.age <= 36 %}a{% endif %}", "a"),
            ("{% if user.email == 'x' or roles contains 'two' %}a{% endif %}", "a"),
            ("{% if user.email contains 'example' %}a{% endif %}", "a"), ("{% if roles.size != 3 %}a{% endif %}", ""),
            // Read from the right: false and (false or true).
            ("{% if lie and lie or truth %}a{% endif %}", ""),
            (
                "{% for r in roles %}{{ forloop.index }}{{ r }}{% unless forloop.last %}, {% endunless %}{% endfor %}",
                "1one, 2two, 3three"
            ),
            ("{% for r in roles limit: 1 offset: 1 %}{{ r }}{% endfor %}", "two"),
            ("{% for r in roles reversed %}{{ r[0] }}{{ r }}{% endfor %}", "threetwoone"),
            ("{% for r in empty_list %}x{% else %}none{% endfor %}", "none"),
            ("{% case user.age %}{% when 1, 2 %}a{% when 36 %}b{% else %}c{% endcase %}", "b"),
            ("{% case user.email %}{% when 'x' %}a{% else %}c{% endcase %}", "c"),
            ("{% assign x = user.email | upcase %}{{ x }}", "ADA@EXAMPLE.COM"),
            ("{% capture x %}<{{ user.age }}>{% endcapture %}{{ x }}", "<36>"),
            ("a {%- if truth -%} b {%- endif -%} c", "abc"), ("a {{- user.age -}} b", "a36b"),
            ("{% raw %}{{ user }}{% endraw %}", "{{ user }}"),
            ("a{% comment %}{{ x | nonsense }}{% endcomment %}b", "ab"),
            ("{{ '}}' }}", "}}"), ("{ not } {a tag}", "{ not } {a tag}"), ("", ""),
        ])
    func renders(template: String, text: String) throws {
        #expect(try render(template) == text)
    }

    @Test("What is unknown or does not end is refused when the template is read, with its line")
    func refuses() {
        for (template, line, part) in [
            ("a\n{% include 'x' %}", 2, "there is no tag 'include'"),
            ("{{ x | shout }}", 1, "there is no filter 'shout'"),
            ("\n\n{% if x %}", 3, "no {% endif %}"), ("{% endif %}", 1, "ends or divides nothing"),
            ("{% for x of y %}{% endfor %}", 1, "'in' is missing"), ("{{ x", 1, "'{{' has no end"),
            ("{{ }}", 1, "a value is missing"), ("{{ x y }}", 1, "'y' is not expected"),
            ("{{ x | truncate }}", 1, "takes"),
            ("{% if x == %}{% endif %}", 1, "a value is missing"), ("{{ 'x }}", 1, "has no end"),
            ("{% assign x 1 %}", 1, "'=' is missing"), ("{% if a %}{% else %}{% elsif b %}{% endif %}", 1, "elsif"),
            ("{{ x | replace: 'a' }}", 1, "two arguments"), ("{% raw %}x", 1, "no {% endraw %}"),
            ("{{ a ? b }}", 1, "'?'"),
        ] {
            do {
                _ = try LiquidTemplate(template)
                Issue.record("\(template) was taken")
            } catch {
                #expect(error.line == line && error.message.contains(part), "\(template): \(error)")
            }
        }
    }

    @Test("In HTML every value is escaped, once, unless the template says that it is HTML")
    func escapes() throws {
        #expect(try render("{{ html }}", as: .html) == "&lt;script&gt;alert(1)&lt;/script&gt;")
        #expect(try render("<a href=\"{{ url }}\">", as: .html).contains("a=1&amp;b=&quot;2&quot;"))
        #expect(try render("{{ html | escape }}", as: .html) == "&lt;script&gt;alert(1)&lt;/script&gt;")
        #expect(try render("{{ html | escape | upcase }}", as: .html).contains("<") == false)
        #expect(try render("{{ html | raw }}", as: .html) == "<script>alert(1)</script>")
        #expect(try render("{{ user.name | newline_to_br }}", as: .html) == "Ada &lt;b&gt;")
        #expect(
            try render("{% capture x %}<i>{{ user.name }}</i>{% endcapture %}{{ x }}", as: .html)
                == "<i>Ada &lt;b&gt;</i>")
        #expect(try render("{% assign x = html %}{{ x }}", as: .html).contains("<") == false)
        #expect(try render("{% for c in user.roles %}{{ html }}{% endfor %}", as: .html).contains("<s") == false)
    }

    @Test("Lists inside of lists end in an error and not in a mail of gigabytes")
    func isBounded() throws {
        let loops = (0..<6).map { "{% for x\($0) in list %}" }.joined()
        let template = try LiquidTemplate(loops + "x" + String(repeating: "{% endfor %}", count: 6))
        let list = JSONValue.array(Array(repeating: 1, count: 50))
        #expect(throws: LiquidProblem.self) { try template.render(["list": list], as: .html, now: Self.now) }
    }

    @Test(
        "The largest and the smallest numbers that a template can name are taken as what they are",
        arguments: [
            ("{{ 'abc' | truncate: -9223372036854775808 }}", "..."),
            ("{{ 'abc' | truncate: -9223372036854775808, '' }}", ""),
            ("{{ 'abc' | truncate: 9223372036854775807 }}", "abc"), ("{{ 'abcdef' | truncate: 5 }}", "ab..."),
            ("{{ -9223372036854775808 | divided_by: -1 }}", ""), ("{{ 9223372036854775807 | plus: 1 }}", ""),
            ("{{ -9223372036854775808 | minus: 1 }}", ""), ("{{ 9223372036854775807 | times: 9 }}", ""),
            ("{{ roles[-9223372036854775808] }}{{ roles[9223372036854775807] }}", ""),
            ("{% for r in roles limit: -9223372036854775808 %}{{ r }}{% else %}none{% endfor %}", "none"),
            ("{% for r in roles offset: 9223372036854775807 %}{{ r }}{% else %}none{% endfor %}", "none"),
            ("{% for r in roles limit: 9223372036854775807 %}{{ r[0] }}x{% endfor %}", "xxx"),
            ("{{ 9223372036854775807 | date: '%Y' }}", "9223372036854775807"),
            ("{{ '1e300' | plus: 0 | date: '%Y' }}", "1e+300"), ("{{ 253402300799 | date: '%Y' }}", "9999"),
        ])
    func extremes(template: String, text: String) throws {
        #expect(try render(template) == text)
    }

    @Test(
        "Values that grow end in an error before they are built",
        arguments: [
            "{% assign a = a | append: a %}", "{% assign a = a | prepend: a %}",
            "{% assign a = a | replace: 'x', 'xx' %}", "{% assign a = roles | join: a %}",
            "{% capture a %}{{ a }}{{ a }}{% endcapture %}", "{% assign a = a | append: a | url_encode %}",
            "{% assign a = a | append: a %}{% assign b = a | split: '' %}",
            "{% assign a = a | append: a %}{% assign b = a | split: 'x' %}",
        ])
    func growth(step: String) throws {
        let template = try LiquidTemplate("{% assign a = 'x' %}" + String(repeating: step, count: 80) + "done")
        #expect(throws: LiquidProblem.self) {
            try template.render(["roles": ["one", "two", "three"]], as: .text, now: Self.now)
        }
    }

    @Test(
        "Long values that are gone through again and again end in an error, soon", .timeLimit(.minutes(20)),
        arguments: [
            "{% assign b = long | upcase %}", "{% if long contains pattern %}{% endif %}",
            "{% assign b = long | replace: pattern, '' %}", "{% assign b = long | strip_html %}",
            "{% if long.size > 3 %}{% endif %}", "{% if long == other %}{% endif %}",
        ])
    func work(step: String) throws {
        let list = JSONValue.array(Array(repeating: 1, count: 100))
        let template = try LiquidTemplate("{% for i in list %}{% for j in list %}\(step){% endfor %}{% endfor %}")
        let long = String(repeating: "<", count: 200_000)
        let variables: JSONObject = [
            "list": list, "long": .string(long), "other": .string(long),
            "pattern": .string(String(long.prefix(100_000)) + ">"),
        ]
        #expect(throws: LiquidProblem.self) { try template.render(variables, as: .text, now: Self.now) }
        // Once is no matter, but for a pattern that long.
        let once = try LiquidTemplate("{{ long | upcase | strip_html | size }}")
        #expect(try once.render(variables, as: .text, now: Self.now) == "200000")
    }

    @Test("Tags, conditions and values that stand too deep in each other are refused when the template is read")
    func depth() throws {
        func nested(_ count: Int) -> [String] {
            [
                String(repeating: "{% if a %}", count: count) + String(repeating: "{% endif %}", count: count),
                "{% if a" + String(repeating: " and a", count: count) + " %}{% endif %}",
                "{% if a" + String(repeating: " or a", count: count) + " %}{% endif %}",
                "{{ " + String(repeating: "a[", count: count) + "a" + String(repeating: "]", count: count) + " }}",
                "{% case a %}{% when 1" + String(repeating: ", 1", count: count) + " %}{% endcase %}",
            ]
        }
        for template in nested(60) {
            #expect(throws: Never.self, "\(template.prefix(40))") { _ = try LiquidTemplate(template) }
        }
        for template in nested(64) + nested(10_000) {
            #expect(throws: LiquidProblem.self, "\(template.prefix(40))") { _ = try LiquidTemplate(template) }
        }
    }
}
