import OAuth
import Storage

/// Where an internet address is, as far as somebody knows. No member says more than a guess does.
package struct AddressPlace: Sendable, Hashable {
    package var cityName: String?
    /// Two letters, such as `EU`.
    package var continentCode: String?
    /// ISO 3166-1's two letters.
    package var countryCode: String?
    /// In English.
    package var countryName: String?
    /// In degrees, north and east of zero.
    package var latitude: Double?
    package var longitude: Double?
    /// ISO 3166-2's, without the country.
    package var subdivisionCode: String?
    package var subdivisionName: String?
    /// A name of the time zone database.
    package var timeZone: String?
    /// The number of the autonomous system.
    package var system: UInt32?

    package init() {}

    /// The autonomous system as Auth0 writes it, such as `AS64500`; nil where nobody knows.
    var asn: String? { system.map { "AS\($0)" } }

    /// What an action reads as `event.request.geoip`.
    var members: JSONObject {
        let texts = [
            "cityName": cityName, "continentCode": continentCode, "countryCode": countryCode,
            "countryCode3": countryCode.flatMap { CountryCodes.threeLetters[$0] }, "countryName": countryName,
            "subdivisionCode": subdivisionCode, "subdivisionName": subdivisionName, "timeZone": timeZone,
        ]
        var members = texts.compactMapValues { $0.map(JSONValue.string) }
        members["latitude"] = latitude.map(JSONValue.number)
        members["longitude"] = longitude.map(JSONValue.number)
        return members
    }

    /// What a rule reads as `context.request.geoip`: the same by other names.
    var ruleMembers: JSONObject {
        Dictionary(
            uniqueKeysWithValues: members.map { name, value in
                let words = name.map { $0.isUppercase ? "_\($0.lowercased())" : String($0) }
                return (words.joined(), value)
            })
    }

    /// The distance to another place on the Earth's surface, in kilometres; nil where either is unknown.
    func distance(to other: AddressPlace) -> Double? {
        guard let latitude, let longitude, let otherLatitude = other.latitude, let otherLongitude = other.longitude
        else { return nil }
        return Sphere.distance((latitude, longitude), (otherLatitude, otherLongitude))
    }
}

/// Knows where internet addresses are.
package protocol AddressPlaces: Sendable {
    /// - Parameter address: an IPv4 or IPv6 address as a text.
    /// - Returns: nil where nothing is known of it.
    func place(of address: String) -> AddressPlace?
}

/// Knows of none.
package struct NoAddressPlaces: AddressPlaces {
    package init() {}

    /// - Returns: nil.
    package func place(of address: String) -> AddressPlace? { nil }
}

extension Services {
    /// Where the request comes from that this task answers; nil where that is unknown.
    var place: AddressPlace? { RequestOrigin.current?.ip.flatMap(places.place) }

    /// From where and by what the request comes that this task answers; nil where nothing is known.
    var device: SeenDevice? {
        guard let origin = RequestOrigin.current else { return nil }
        return SeenDevice(ip: origin.ip, userAgent: origin.userAgent, asn: place?.asn)
    }
}
