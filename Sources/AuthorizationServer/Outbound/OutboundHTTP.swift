import Foundation

/// How the server asks others: their keys, their request objects, their logout endpoints. Every outgoing request goes
/// through this port, so that one place guards them all.
package protocol OutboundHTTP: Sendable {
    /// Sends `request`, once. No redirect is followed.
    /// - Throws: ``OutboundFailure``: the address is not one to be asked, nobody answered, or the answer is too large.
    func send(_ request: OutboundRequest) async throws(OutboundFailure) -> OutboundResponse
}

/// A request of this server to somebody else's.
package struct OutboundRequest: Sendable {
    /// What is asked for.
    package enum Method: Sendable {
        case get
        /// Sends `form` as `application/x-www-form-urlencoded`.
        case post(form: [(name: String, value: String)])
        /// Posts bytes; `headers` come on top of those that every request has.
        case send(Data, contentType: String, headers: [(name: String, value: String)])
        /// Any other method by its name, with the request's headers as they are.
        case custom(String, body: Data?)
    }

    package let method: Method
    /// An absolute https URL without user info and fragment.
    package let url: String
    /// The `Accept` header; nil for any.
    package let accept: String?
    /// The longest body that is read, in bytes.
    package let mostBytes: Int
    /// Further headers, such as `Authorization`.
    package let headers: [(name: String, value: String)]

    package init(
        _ method: Method, _ url: String, accept: String? = nil, mostBytes: Int = 65_536,
        headers: [(name: String, value: String)] = []
    ) {
        (self.method, self.url, self.accept, self.mostBytes) = (method, url, accept, mostBytes)
        self.headers = headers
    }
}

/// What somebody else's server answered, whatever its status.
package struct OutboundResponse: Sendable {
    package let status: Int
    package let body: Data
    package let contentType: String?
    /// Every header by its name in lower case; the values of one that is there several times have commas between them.
    package let headers: [String: String]

    package init(status: Int, body: Data, contentType: String?, headers: [String: String] = [:]) {
        (self.status, self.body, self.contentType, self.headers) = (status, body, contentType, headers)
    }
}

/// Why a request to somebody else's server has no answer.
package struct OutboundFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong, for those who answer to it.
    package enum Kind: Sendable, Equatable {
        /// The URL is none, or of a kind that is never asked.
        case invalidURL
        /// The address belongs to a network that is not asked: private, loopback, link-local and their like.
        case forbiddenAddress
        /// The name has no address.
        case unknownHost
        /// No connection, or none that is secure.
        case unreachable
        case timeout
        case tooLarge
        case redirected
        /// The connection ended before the answer did, or the answer is not HTTP.
        case brokenAnswer
    }

    package let kind: Kind
    /// What happened, and at which host.
    package let cause: String
    /// What to change so that it works.
    package let mend: String

    package init(_ kind: Kind, _ cause: String, mend: String) {
        (self.kind, self.cause, self.mend) = (kind, cause, mend)
    }

    package var description: String { "\(cause). \(mend)" }
}
