import AuthorizationServer
import Hummingbird
import Logging
import NIOCore
import OAuth

/// What a request carries besides itself.
package struct WebContext: RequestContext, RemoteAddressRequestContext {
    package var coreContext: CoreRequestContextStorage
    package let remoteAddress: SocketAddress?
    /// Names the request in answers; the log has it as `hb.request.id`.
    let requestID: String
    /// Where the request comes from, as failed logins are counted; set by ``ClientAddress``.
    var clientAddress = "unknown"
    /// The address that the request comes from, whole; set by ``ClientAddress``.
    var clientIP: String?
    /// The certificate of the client's connection, where a trusted proxy passes it on; set by ``ClientCertificates``.
    var clientCertificate: ClientCertificate?

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        requestID = source.logger[metadataKey: "hb.request.id"]?.description ?? RandomBytes.hexadecimal(20)
        remoteAddress = source.channel.remoteAddress
    }

    /// Largest body that is read: forms and token requests are a few kilobytes.
    package var maxUploadSize: Int { 64 * 1024 }
}
