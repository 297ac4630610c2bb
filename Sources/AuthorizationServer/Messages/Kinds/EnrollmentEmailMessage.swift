import OAuth
import Storage

/// The link to enrol a second factor.
package struct EnrollmentEmailMessage: Message {
    package static let kind = MessageKind.enrollmentEmail
    package let link: String

    package init(link: String) { self.link = link }

    package var variables: JSONObject { ["link": .string(link), "url": .string(link)] }
}
