import AuthorizationServer
import CLibCurl
import Foundation
import Storage

/// Sends mail by SMTP (RFC 5321) through libcurl, on threads of its own: a transfer blocks its thread.
package final class SMTPTransport: MailTransport {
    private let queue: OperationQueue
    private let timeout: Int
    private let authorities: String?

    /// libcurl's own beginning, once in a process.
    private static let begun = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// - Parameters:
    ///   - timeout: seconds that a transfer may take.
    ///   - authorities: a file of certificates (PEM) to trust in place of the system's.
    package init(timeout: Int = 60, authorities: String? = nil) {
        queue = OperationQueue()
        queue.name = "mail"
        queue.maxConcurrentOperationCount = MailDelivery.atOnce
        (self.timeout, self.authorities) = (timeout, authorities)
    }

    package func send(_ mail: OutgoingMail, through server: MailServer) async throws(MailFailure) {
        let result: Result<Void, MailFailure> = await withCheckedContinuation { continuation in
            queue.addOperation { [timeout, authorities] in
                guard Self.begun else {
                    return continuation.resume(returning: .failure(MailFailure("libcurl cannot be used")))
                }
                let transfer = SMTPTransfer(mail, server, timeout: timeout, authorities: authorities)
                continuation.resume(returning: Result { () throws(MailFailure) in try transfer.run() })
            }
        }
        try result.get()
    }
}

/// One mail's way to its server.
private final class SMTPTransfer {
    private let mail: OutgoingMail
    private let server: MailServer
    private let timeout: Int
    private let authorities: String?
    private let bytes: [UInt8]
    private var position = 0
    /// Whether a part of an address is not ASCII, which the server must know how to take (RFC 6531).
    private let needsUTF8: Bool
    private var hasUTF8 = false
    private var replies = ""

    init(_ mail: OutgoingMail, _ server: MailServer, timeout: Int, authorities: String?) {
        (self.mail, self.server, self.timeout, self.authorities) = (mail, server, timeout, authorities)
        bytes = MIMEMessage(mail).bytes
        needsUTF8 = [mail.content.from, mail.content.recipient].contains { !$0.address.utf8.allSatisfy { $0 < 0x80 } }
    }

    func run() throws(MailFailure) {
        guard let handle = curl_easy_init() else { throw MailFailure("libcurl has no memory left") }
        defer { curl_easy_cleanup(handle) }
        guard let recipients = curl_slist_append(nil, mail.content.recipient.address) else {
            throw MailFailure("libcurl has no memory left")
        }
        defer { curl_slist_free_all(recipients) }
        var problem = [CChar](repeating: 0, count: Int(CURL_ERROR_SIZE))
        let code: CURLcode = problem.withUnsafeMutableBufferPointer { buffer in
            CLibCurlSetPointer(handle, CURLOPT_ERRORBUFFER, buffer.baseAddress)
            CLibCurlSetPointer(handle, CURLOPT_MAIL_RCPT, recipients)
            set(handle)
            return withExtendedLifetime(self) { curl_easy_perform(handle) }
        }
        guard code != CURLE_OK else { return }
        throw failure(code, handle, String(decoding: problem.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self))
    }

    private func set(_ handle: UnsafeMutableRawPointer) {
        let provider = server.provider
        let scheme = provider.security == .implicit ? "smtps" : "smtp"
        let host = provider.host.contains(":") ? "[\(provider.host)]" : provider.host
        CLibCurlSetText(handle, CURLOPT_URL, "\(scheme)://\(host):\(provider.port)/\(server.greeting)")
        CLibCurlSetText(handle, CURLOPT_PROTOCOLS_STR, scheme)
        // No proxy of the environment's: it would see mails.
        CLibCurlSetText(handle, CURLOPT_PROXY, "")
        let wanted = provider.security == .startTLS ? CURLUSESSL_ALL : CURLUSESSL_NONE
        CLibCurlSetNumber(handle, CURLOPT_USE_SSL, Int(wanted.rawValue))
        CLibCurlSetNumber(handle, CURLOPT_SSL_VERIFYPEER, 1)
        CLibCurlSetNumber(handle, CURLOPT_SSL_VERIFYHOST, 2)
        CLibCurlSetNumber(handle, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let authorities { CLibCurlSetText(handle, CURLOPT_CAINFO, authorities) }
        if let user = provider.user {
            CLibCurlSetText(handle, CURLOPT_USERNAME, user)
            CLibCurlSetText(handle, CURLOPT_PASSWORD, server.password ?? "")
        }
        CLibCurlSetNumber(handle, CURLOPT_CONNECTTIMEOUT, 15)
        CLibCurlSetNumber(handle, CURLOPT_TIMEOUT, timeout)
        // Signals belong to the process.
        CLibCurlSetNumber(handle, CURLOPT_NOSIGNAL, 1)
        CLibCurlSetNumber(handle, CURLOPT_UPLOAD, 1)
        CLibCurlSetText(handle, CURLOPT_MAIL_FROM, mail.content.from.address)
        let context = Unmanaged.passUnretained(self).toOpaque()
        CLibCurlSetTransfer(handle, CURLOPT_READFUNCTION) { buffer, size, count, context in
            guard let buffer, let context else { return Int(CURL_READFUNC_ABORT) }
            return Unmanaged<SMTPTransfer>.fromOpaque(context).takeUnretainedValue().read(into: buffer, size * count)
        }
        CLibCurlSetPointer(handle, CURLOPT_READDATA, context)
        CLibCurlSetTransfer(handle, CURLOPT_HEADERFUNCTION) { buffer, size, count, context in
            guard let buffer, let context else { return 0 }
            Unmanaged<SMTPTransfer>.fromOpaque(context).takeUnretainedValue().note(buffer, size * count)
            return size * count
        }
        CLibCurlSetPointer(handle, CURLOPT_HEADERDATA, context)
    }

    /// Gives the next bytes; begins only where the server can take the addresses.
    private func read(into buffer: UnsafeMutablePointer<CChar>, _ count: Int) -> Int {
        guard !needsUTF8 || hasUTF8 else { return Int(CURL_READFUNC_ABORT) }
        let part = bytes[position..<min(position + count, bytes.count)]
        for (index, byte) in part.enumerated() { buffer[index] = CChar(bitPattern: byte) }
        position += part.count
        return part.count
    }

    /// Takes a line that the server has said.
    private func note(_ line: UnsafeMutablePointer<CChar>, _ count: Int) {
        let text = String(
            decoding: UnsafeBufferPointer(start: line, count: count).map(UInt8.init(bitPattern:)), as: UTF8.self)
        if text.dropFirst(4).uppercased().hasPrefix("SMTPUTF8") { hasUTF8 = true }
        replies = text
    }

    private func failure(_ code: CURLcode, _ handle: UnsafeMutableRawPointer, _ problem: String) -> MailFailure {
        var status = 0
        CLibCurlGetNumber(handle, CURLINFO_RESPONSE_CODE, &status)
        let server = "\(server.provider.host):\(server.provider.port)"
        if code == CURLE_ABORTED_BY_CALLBACK, needsUTF8, !hasUTF8 {
            return MailFailure(
                "\(server) cannot take addresses that are not ASCII (it has no SMTPUTF8, RFC 6531)", isPermanent: true)
        }
        let said = problem.isEmpty ? String(cString: curl_easy_strerror(code)) : problem
        switch code {
        case CURLE_LOGIN_DENIED:
            return MailFailure("\(server) does not accept smtp_user and smtp_pass: \(said)")
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE:
            return MailFailure("the certificate of \(server) is not trusted: \(said)")
        case CURLE_USE_SSL_FAILED:
            return MailFailure(
                "\(server) offers no STARTTLS: \(said). Where that is right, set settings.security to tls or none.")
        default:
            let reply = String(replies.prefix(200)).filter { !$0.isNewline }
            return MailFailure(
                "\(server): \(said)\(reply.isEmpty ? "" : " (it said: \(reply))")",
                isPermanent: (500...599).contains(status))
        }
    }
}
