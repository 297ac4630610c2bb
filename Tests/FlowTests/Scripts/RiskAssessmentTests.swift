import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Rules and actions are told where a request comes from, and how well a login fits its user")
struct RiskAssessmentTests {
    /// Places of addresses of the documentation's networks.
    private struct Places: AddressPlaces {
        func place(of address: String) -> AddressPlace? {
            var place = AddressPlace()
            place.system = 64500
            switch address {
            case "192.0.2.1":
                (place.countryCode, place.countryName, place.continentCode) = ("DE", "Germany", "EU")
                (place.cityName, place.timeZone) = ("Berlin", "Europe/Berlin")
                (place.subdivisionCode, place.subdivisionName) = ("BE", "Land Berlin")
                (place.latitude, place.longitude) = (52.5, 13.4)
            case "192.0.2.2": (place.latitude, place.longitude) = (52.4, 13.1)
            case "198.51.100.1": (place.latitude, place.longitude) = (-33.9, 151.2)
            default: return nil
            }
            return place
        }
    }

    private static func run(_ body: @escaping @Sendable (TestServer) async throws -> Void) async throws {
        try await ScriptedTenant.run(places: Places()) { server in
            try await server.bind(
                """
                api.idToken.setCustomClaim('risk', event.authentication.riskAssessment || 'none');
                api.idToken.setCustomClaim('request', event.request);
                """)
            try await body(server)
        }
    }

    private static func browser(_ server: TestServer, _ agent: String, from address: String) -> TestBrowser {
        let browser = TestBrowser(server)
        (browser.userAgent, browser.address) = (agent, address)
        return browser
    }

    private static func claims(_ server: TestServer, _ browser: TestBrowser) async throws -> JSONObject {
        let party = RelyingParty.regularWebApp(server)
        let arrival = try await party.authorize(browser, ["prompt": "login"])
        let tokens = try await party.redeem(try #require(arrival.query("code"))).json()
        // The log is written behind the requests' backs.
        _ = await server.services.logs.flush()
        return try #require(tokens["id_token"]?.string).claims
    }

    private static func assessment(_ claims: JSONObject, _ name: String) -> JSONObject? {
        claims["risk"]?.object?["assessments"]?.object?[name]?.object
    }

    @Test("event.request has geoip, asn and language, and context.request.geoip the same by its own names")
    func places() async throws {
        try await Self.run { server in
            try await server.addRule(
                "function (user, context, callback) { context.idToken.geoip = context.request.geoip; "
                    + "context.idToken.context = context.riskAssessment.confidence; callback(null, user, context); }")
            let browser = Self.browser(server, "Firefox", from: "192.0.2.1")
            browser.acceptLanguage = "en;q=0.5, de-AT, fr;q=0.9"
            let claims = try await Self.claims(server, browser)
            let request = claims["request"]?.object
            #expect(request?["language"] == "de-AT" && request?["asn"] == "AS64500" && request?["ip"] == "192.0.2.1")
            #expect(
                request?["geoip"] == [
                    "cityName": "Berlin", "continentCode": "EU", "countryCode": "DE", "countryCode3": "DEU",
                    "countryName": "Germany", "latitude": 52.5, "longitude": 13.4, "subdivisionCode": "BE",
                    "subdivisionName": "Land Berlin", "timeZone": "Europe/Berlin",
                ])
            #expect(
                claims["geoip"] == [
                    "city_name": "Berlin", "continent_code": "EU", "country_code": "DE", "country_code3": "DEU",
                    "country_name": "Germany", "latitude": 52.5, "longitude": 13.4, "subdivision_code": "BE",
                    "subdivision_name": "Land Berlin", "time_zone": "Europe/Berlin",
                ])
            #expect(claims["context"] == "low")
        }
    }

    @Test("NewDevice compares the browser's cookie and name with those of the user's logins before")
    func newDevice() async throws {
        try await Self.run { server in
            let known = Self.browser(server, "Firefox", from: "192.0.2.1")
            for (browser, code, confidence) in [
                (known, "initial_login", "low"), (known, "match", "high"),
                (Self.browser(server, "Firefox", from: "192.0.2.1"), "partial_match", "medium"),
                (Self.browser(server, "Opera", from: "192.0.2.1"), "no_match", "low"),
            ] {
                server.clock.advance(by: 60)
                let claims = try await Self.claims(server, browser)
                let assessment = Self.assessment(claims, "NewDevice")
                #expect(assessment?["code"] == .string(code) && assessment?["confidence"] == .string(confidence))
                #expect(claims["risk"]?.object?["version"] == "1")
                #expect(claims["risk"]?.object?["confidence"] == .string(confidence))
            }
        }
    }

    @Test(
        "ImpossibleTravel compares the place and time with the login before; nobody's login is compared with another's")
    func travel() async throws {
        try await Self.run { server in
            for (address, hours, code, confidence) in [
                ("192.0.2.1", 1.0, "initial_login", "low"),
                ("192.0.2.2", 1, "minimal_travel_from_last_login", "high"),
                ("198.51.100.1", 1, "impossible_travel_from_last_login", "low"),
                ("192.0.2.1", 40, "substantial_travel_from_last_login", "medium"),
                ("203.0.113.9", 1, "missing_geoip", "neutral"),
            ] {
                server.clock.advance(by: hours * 3600)
                let claims = try await Self.claims(server, Self.browser(server, "Firefox", from: address))
                let assessment = Self.assessment(claims, "ImpossibleTravel")
                #expect(assessment?["code"] == .string(code) && assessment?["confidence"] == .string(confidence))
            }
        }
    }

    @Test("UntrustedIP tells of an address at which logins have failed often, and of no other")
    func untrustedAddress() async throws {
        try await Self.run { server in
            try await server.services.stores.database.write { transaction in
                for _ in 0..<60 {
                    try RateLimitStore.count(
                        SuspiciousIPThrottling.Stage.login.subject("192.0.2.1"),
                        SuspiciousIPThrottling.Allowance(most: 100, rate: 864_000), at: server.clock.now,
                        in: transaction)
                }
            }
            let bad = try await Self.claims(server, Self.browser(server, "Firefox", from: "192.0.2.1"))
            #expect(Self.assessment(bad, "UntrustedIP")?["code"] == "found_on_deny_list")
            #expect(Self.assessment(bad, "UntrustedIP")?["details"]?.object?["ip"] == "192.0.2.1")
            let good = try await Self.claims(server, Self.browser(server, "Firefox", from: "192.0.2.2"))
            #expect(Self.assessment(good, "UntrustedIP")?["code"] == "not_found_on_deny_list")
            #expect(Self.assessment(good, "UntrustedIP")?["confidence"] == "high")
        }
    }

    @Test(
        "Whoever is refused, or has a second factor outstanding, is as little known when they ask again, in the same session or anew"
    )
    func refused() async throws {
        try await ScriptedTenant.run(places: Places()) { server in
            try await server.bind(
                """
                const device = event.authentication.riskAssessment.assessments.NewDevice;
                if (device.confidence === 'low' && event.request.query.friend !== 'yes') api.access.deny('risk: ' + device.code);
                """)
            let party = RelyingParty.regularWebApp(server)
            let friend = Self.browser(server, "Firefox", from: "192.0.2.1")
            #expect(try await party.authorize(friend, ["friend": "yes"]).query("code") != nil)
            let stranger = Self.browser(server, "Opera", from: "192.0.2.2")
            for prompt in ["login", "login", nil, "none"] as [String?] {
                _ = await server.services.logs.flush()
                server.clock.advance(by: 60)
                let refusal =
                    if prompt == "login" {
                        try await party.authorize(stranger, ["prompt": "login"])
                    } else {
                        try await stranger.get(party.authorizationURL(["prompt": prompt]))
                    }
                #expect(refusal.query("error_description") == "risk: no_match")
            }
        }
    }

    @Test("A login that was let in makes its browser known in the same session, too; a refresh has no assessment")
    func absent() async throws {
        try await Self.run { server in
            let (party, browser) = (
                RelyingParty.regularWebApp(server), Self.browser(server, "Firefox", from: "192.0.2.1")
            )
            let scope = ["scope": "openid offline_access"] as [String: String?]
            let arrival = try await party.authorize(browser, scope)
            let tokens = try await party.redeem(try #require(arrival.query("code"))).json()
            #expect(
                Self.assessment(try #require(tokens["id_token"]?.string).claims, "NewDevice")?["code"]
                    == "initial_login")
            _ = await server.services.logs.flush()
            server.clock.advance(by: 60)
            let silent = try await browser.get(party.authorizationURL(["prompt": "none"]))
            let again = try await party.redeem(try #require(silent.query("code"))).json()
            #expect(Self.assessment(try #require(again["id_token"]?.string).claims, "NewDevice")?["code"] == "match")
            let refreshed = try await party.refresh(try #require(tokens["refresh_token"]?.string)).json()
            #expect(refreshed["id_token"]?.string?.claims["risk"] == "none")
        }
    }
}
