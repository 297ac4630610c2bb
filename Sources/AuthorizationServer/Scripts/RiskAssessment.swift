import Foundation
import OAuth
import Storage

/// How well a login fits what is known of its user, in Auth0's words: `riskAssessment` of events and contexts.
///
/// It is made of the logins of before, as long as the log keeps them, and of what the server counts of the address. What there is no
/// source for is neutral, and the least of the others is the whole.
struct RiskAssessment: Sendable, Equatable {
    /// How sure it is that the login is the user's own.
    enum Confidence: String, Sendable, Comparable {
        case low, medium, high
        /// Nothing is known.
        case neutral

        private var rank: Int {
            switch self {
            case .low: 0
            case .medium: 1
            case .high: 2
            case .neutral: 3
            }
        }

        static func < (left: Confidence, right: Confidence) -> Bool { left.rank < right.rank }
    }

    /// One point of view.
    struct Assessment: Sendable, Equatable {
        let confidence: Confidence
        let code: String
        var details: JSONObject = [:]

        var json: JSONValue {
            var members: JSONObject = ["confidence": .string(confidence.rawValue), "code": .string(code)]
            if !details.isEmpty { members["details"] = .object(details) }
            return .object(members)
        }
    }

    let newDevice: Assessment
    let impossibleTravel: Assessment
    let untrustedIP: Assessment

    /// Logins of before that are looked at.
    static let mostLogins = 20

    /// What a login is known by.
    struct Present: Sendable {
        let at: Date
        let ip: String?
        let userAgent: String?
        /// The browser, as the log names it; nil where the request shows none.
        let deviceID: String?
        /// Whether the address has failed often.
        let isAddressSuspicious: Bool
    }

    /// - Parameters:
    ///   - past: the user's logins of before, the last one first.
    ///   - place: where an address is.
    init(_ present: Present, past: [PastLogin], place: (String) -> AddressPlace?) {
        newDevice = Self.newDevice(present, past)
        impossibleTravel = Self.impossibleTravel(present, past.first, place)
        untrustedIP = Self.untrustedIP(present)
    }

    /// The least of what is known.
    var confidence: Confidence {
        [newDevice, impossibleTravel, untrustedIP].map(\.confidence).min() ?? .neutral
    }

    var json: JSONValue {
        [
            "confidence": .string(confidence.rawValue), "version": "1",
            "assessments": [
                "NewDevice": newDevice.json, "ImpossibleTravel": impossibleTravel.json,
                "UntrustedIP": untrustedIP.json,
            ],
        ]
    }

    private static func newDevice(_ present: Present, _ past: [PastLogin]) -> Assessment {
        guard !past.isEmpty else { return Assessment(confidence: .low, code: "initial_login") }
        let isDevice = present.deviceID.map { id in past.contains { $0.deviceID == id } } ?? false
        let isAgent = present.userAgent.map { agent in past.contains { $0.userAgent == agent } } ?? false
        let details: JSONObject = [
            "device": isDevice ? "known" : "unknown", "useragent": isAgent ? "known" : "unknown",
        ]
        switch (isDevice, isAgent) {
        case (true, true): return Assessment(confidence: .high, code: "match", details: details)
        case (false, false): return Assessment(confidence: .low, code: "no_match", details: details)
        default: return Assessment(confidence: .medium, code: "partial_match", details: details)
        }
    }

    // Kilometres that are nothing, and that are far; and an airliner's speed in kilometres an hour.
    private static let (near, far, fastest) = (100.0, 1000.0, 1000.0)

    private static func impossibleTravel(
        _ present: Present, _ last: PastLogin?, _ place: (String) -> AddressPlace?
    ) -> Assessment {
        guard let last else { return Assessment(confidence: .low, code: "initial_login") }
        guard let here = present.ip.flatMap(place), let there = last.ip.flatMap(place),
            let distance = here.distance(to: there)
        else { return Assessment(confidence: .neutral, code: "missing_geoip") }
        let hours = max(0, present.at.timeIntervalSince(last.happenedAt)) / 3600
        if distance <= near { return Assessment(confidence: .high, code: "minimal_travel_from_last_login") }
        if distance > near + fastest * hours {
            return Assessment(confidence: .low, code: "impossible_travel_from_last_login")
        }
        let isFar = distance > far
        return Assessment(
            confidence: .medium,
            code: isFar ? "substantial_travel_from_last_login" : "travel_from_last_login")
    }

    private static func untrustedIP(_ present: Present) -> Assessment {
        guard let ip = present.ip else { return Assessment(confidence: .neutral, code: "invalid_ip_address") }
        guard present.isAddressSuspicious else {
            return Assessment(confidence: .high, code: "not_found_on_deny_list")
        }
        return Assessment(
            confidence: .low, code: "found_on_deny_list",
            details: [
                "ip": .string(ip), "matches": .string(ip), "source": "suspicious-ip-throttling", "category": "abuse",
            ]
        )
    }
}

/// What a risk assessment is made of, read beside the facts of a login whose user has just proved who they are.
struct RiskSource: Sendable {
    private let throttle: AddressThrottle?
    private let login: (userID: String, at: Date)
    private let now: Date

    /// - Returns: nil where there is no login to look at: for a refresh, and in a session in which a second factor was passed.
    init?(_ login: ScriptedLogin, _ services: Services) async throws {
        guard login.refreshToken == nil, login.isNew || login.session != nil && login.session?.multiFactorAt == nil
        else { return nil }
        // Whoever was not let in by the scripts asks again in the same session, and is no better known for that.
        self.login = (login.user.id, login.isNew ? login.authenticatedAt : services.now())
        let address = RequestOrigin.current?.ip.flatMap(IPAddress.bytes).map(IPAddress.bucket)
        throttle =
            if let address { try await AddressThrottle(.login, address: address, services) } else { nil }
        now = services.now()
    }

    func find(in transaction: any SQLTransaction) throws -> LoginHistory {
        try LoginHistory.find(
            of: login.userID, before: login.at, limit: RiskAssessment.mostLogins,
            isSuspicious: throttle?.isHalfExhausted(at: now), in: transaction)
    }
}

extension RiskAssessment {
    /// The assessment of the login that this task answers.
    init(_ history: LoginHistory, _ login: ScriptedLogin, _ services: Services) {
        let origin = RequestOrigin.current
        self.init(
            Present(
                at: login.authenticatedAt, ip: origin?.ip, userAgent: origin?.userAgent, deviceID: origin?.deviceID,
                isAddressSuspicious: history.isSuspicious),
            past: history.logins, place: services.places.place)
    }
}
