import Crypto
import Foundation
import OAuth
import Synchronization

/// Request objects that need not be fetched again: those at a `request_uri` whose fragment is the SHA-256 of what is there,
/// so that another object would have another address (OpenID Connect Core §6.2). What cannot be kept for ever is fetched
/// each time.
package final class RequestObjectCache: Sendable {
    /// Objects at most; each has at most ``RequestObject/mostBytes``.
    private static let most = 200

    private let objects = Mutex<[String: String]>([:])

    /// The object at `uri`, where it is known.
    func object(at uri: String) -> String? { objects.withLock { $0[uri] } }

    /// Keeps what was found at `uri`, where that is all that can ever be there.
    func keep(_ object: String, body: Data, at uri: String) {
        let fragment = uri.firstIndex(of: "#").map { uri[uri.index(after: $0)...] }
        guard let fragment, fragment == Base64URL.encode(SHA256.hash(data: body)) else { return }
        objects.withLock { objects in
            if objects.count >= Self.most { objects.removeAll() }
            objects[uri] = object
        }
    }
}
