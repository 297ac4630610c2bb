import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Choosing from many organizations")
struct OrganizationPickerTests {
    @Test("§9.3 post_login_prompt: many organizations are found page by page and by name, without a script")
    func manyOrganizations() async throws {
        try await OrganizationTenant.run(OrganizationTenant.fixtures(.require, .postLoginPrompt)) { server in
            for number in 10..<54 {
                var organization = Organization(id: "org_00000000000000\(number)", name: "clinic-\(number)")
                if number == 42 { organization.displayName = "Zürich & <Söhne>" }
                try await OrganizationTenant.add(organization, to: server)
            }
            let (browser, party) = (TestBrowser(server), RelyingParty.regularWebApp(server))
            let start = try await party.authorize(browser)
            let path = try #require(start.location)
            func names(_ query: String) async throws -> [String] {
                try await browser.get(path + query).text.matches(of: /name="organization" value="([^"]*)"/).map {
                    String($0.1)
                }
            }
            let pages = [try await names(""), try await names("&page=2"), try await names("&page=3")]
            #expect(pages.map(\.count) == [20, 20, 5] && Set(pages.joined()).count == 45)
            for (query, page) in [("&page=99", 2), ("&page=-1", 0), ("&page=x", 0)] {
                #expect(try await names(query) == pages[page], "\(query)")
            }
            #expect(try await names("&q=clinic-1").count == 10)
            for text in ["zurich", "Z%C3%9CRICH", "clinic-42", "%26+%3Cs%C3%B6"] {
                #expect(try await names("&q=\(text)") == ["org_0000000000000042"], "\(text)")
            }
            let nothing = try await browser.get(path + "&q=%3Cscript%3E")
            #expect(nothing.status == .ok && nothing.text.contains("None of your organizations"))
            #expect(!nothing.text.contains("<script>"))
            // The links and the form of the page lead to the others.
            let html = try await browser.get(path).text
            #expect(html.contains(/<form[^>]*method="get" action="\/u\/organization-picker"/))
            let next = try #require(html.firstMatch(of: /<a href="([^"]*)" rel="next"/)).1.replacing("&amp;", with: "&")
            #expect(next.hasPrefix("/u/organization-picker?state=") && next.hasSuffix("&page=2"))
            let found = try await browser.get(path + "&q=clinic-42")
            let answer = try await browser.follow(
                browser.post(
                    path, TestBrowser.hiddenFields(found.text).suffix(2) + [("organization", "org_0000000000000042")]))
            #expect(try await OrganizationPromptTests.claims(answer, party)["org_id"] == "org_0000000000000042")
        }
    }
}
