import Foundation
import Hummingbird

/// Something to do with somebody at some time.
struct Appointment: ResponseCodable {
    let id: Int
    let title: String
    let with: String
    let place: String
    let start: Date
    let minutes: Int
}

/// Somebody to have appointments with.
struct Contact: ResponseCodable {
    let name: String
    let email: String
    let phone: String
}

/// The appointments and contacts of one user. A real API would read them from its database by `sub`; this one
/// deals every user a few from the same hand, always the same.
struct AppointmentBook {
    let appointments: [Appointment]
    let contacts: [Contact]

    init(of subject: String, from today: Date) {
        let first = subject.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF }
        let chosen = (0..<3).map { (first + $0) % Self.people.count }
        contacts = chosen.map { Self.people[$0].contact }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let midnight = calendar.startOfDay(for: today)
        appointments = chosen.enumerated().map { day, person in
            let (contact, title, place, hour, minutes) = Self.people[person]
            let start = midnight.addingTimeInterval(Double((day + 1) * 86400) + hour * 3600)
            return Appointment(
                id: 1000 + person, title: title, with: contact.name, place: place, start: start, minutes: minutes)
        }
    }

    private static let people: [(contact: Contact, title: String, place: String, hour: Double, minutes: Int)] = [
        (contact("Grace Moreno", "+34 91 555 0142"), "Dental check-up", "Calle Mayor 12", 8.5, 30),
        (contact("Linus Berg", "+46 8 555 0190"), "Quarterly review", "Meeting room Fjord", 13, 60),
        (contact("Amina Diallo", "+221 33 555 0107"), "Visa application", "Consulate, desk 4", 10.25, 45),
        (contact("Tomoko Hayashi", "+81 3 5550 0163"), "Piano lesson", "Video call", 16, 50),
        (contact("Oliver Wright", "+44 20 5550 0128"), "Car inspection", "Wright & Sons", 7.75, 90),
        (contact("Elena Petrova", "+359 2 555 0175"), "Physiotherapy", "Health Centre East", 11.5, 40),
    ]

    private static func contact(_ name: String, _ phone: String) -> Contact {
        let email = name.lowercased().replacingOccurrences(of: " ", with: ".") + "@example.com"
        return Contact(name: name, email: email, phone: phone)
    }
}
