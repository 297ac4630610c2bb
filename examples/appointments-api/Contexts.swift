import Foundation
import Hummingbird

/// A request to the API before anybody has looked at its token.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    var token: AccessToken?
    var responseEncoder: JSONEncoder { .readable }

    init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
    }
}

/// A request whose token was verified; routes that take this context cannot be reached without one.
struct AuthenticatedContext: ChildRequestContext {
    var coreContext: CoreRequestContextStorage
    let token: AccessToken
    var responseEncoder: JSONEncoder { .readable }

    init(context: APIContext) throws {
        guard let token = context.token else { throw BearerError.noToken }
        coreContext = context.coreContext
        self.token = token
    }
}

extension JSONEncoder {
    /// Writes JSON that people can read, always in the same order.
    fileprivate static var readable: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
