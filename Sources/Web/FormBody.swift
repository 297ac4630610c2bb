import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import NIOFoundationEssentialsCompat
import OAuth

/// Reads what clients and browsers send as parameters.
enum FormBody {
    /// The pairs of `application/x-www-form-urlencoded` text, which a query is too.
    /// - Throws: ``OAuthError`` `invalid_request` for text that is not encoded so, not UTF-8, or has a NUL.
    static func pairs(_ text: some StringProtocol) throws(OAuthError) -> [(String, String)] {
        var pairs: [(String, String)] = []
        for field in text.utf8.split(separator: UInt8(ascii: "&")) {
            let encodedName = field.prefix { $0 != UInt8(ascii: "=") }
            let encodedValue = field.dropFirst(encodedName.count).dropFirst()
            guard let name = decode(encodedName), let value = decode(encodedValue) else {
                throw .invalidRequest(
                    "Malformed parameter: \(String(decoding: encodedName, as: UTF8.self).forDisplay)",
                    hint: "Percent-encode the value as UTF-8 (encodeURIComponent, or --data-urlencode with curl).")
            }
            pairs.append((name, value))
        }
        return pairs
    }

    /// Undoes percent-encoding, with `+` for a space; nil for a broken escape, bytes that are not UTF-8, or a NUL.
    private static func decode(_ encoded: some Sequence<UInt8>) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(encoded.underestimatedCount)
        var iterator = encoded.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case 0: return nil
            case UInt8(ascii: "+"): bytes.append(0x20)
            case UInt8(ascii: "%"):
                guard let high = iterator.next().flatMap(hexDigit), let low = iterator.next().flatMap(hexDigit),
                    high | low != 0
                else { return nil }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexDigit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The parameters of a request's query.
    /// - Parameter flags: those that say `true` by being there, without a value.
    /// - Throws: ``OAuthError`` `invalid_request`, or `HTTPError` 414 for a query that nobody should be made to keep.
    static func query(of request: Request, flags: Set<String> = []) throws -> OAuth.Parameters {
        let query = request.uri.query ?? ""
        guard query.utf8.count <= longestQuery else {
            throw HTTPError(
                .uriTooLong, message: "The query is longer than \(longestQuery / 1024) KiB; shorten 'state'.")
        }
        return try OAuth.Parameters(
            pairs(query).map { name, value in (name, value.isEmpty && flags.contains(name) ? "true" : value) })
    }

    /// A login transaction keeps the request for an hour, and anybody may begin one.
    private static let longestQuery = 16 * 1024

    /// The parameters of a body in form encoding, or where `allowsJSON` says so in JSON alike.
    /// - Parameter nested: the members that may be objects in JSON; each of theirs is a parameter `name[member]`, as forms write it.
    /// - Throws: ``OAuthError`` `invalid_request` for another type, a body that cannot be read or is too large.
    static func parameters(
        of request: Request, context: WebContext, allowsJSON: Bool = false, nested: Set<String> = []
    ) async throws -> OAuth.Parameters {
        let body: ByteBuffer
        do {
            body = try await request.body.collect(upTo: context.maxUploadSize)
        } catch is NIOTooManyBytesError {
            throw OAuthError.invalidRequest("The body is larger than \(context.maxUploadSize / 1024) KiB")
        } catch {
            // The client went away or sent less than it announced: its fault, and no line for the error log.
            throw OAuthError.invalidRequest("The body ended before its announced length")
        }
        let type = contentType(of: request)
        switch type {
        case "application/x-www-form-urlencoded":
            guard let text = String(validating: body.readableBytesView, as: UTF8.self) else {
                throw OAuthError.invalidRequest("The body is not UTF-8")
            }
            return try OAuth.Parameters(pairs(text))
        case "application/json" where allowsJSON:
            return try json(Data(buffer: body), nested: nested)
        default:
            let types = "application/x-www-form-urlencoded" + (allowsJSON ? " or application/json" : "")
            throw OAuthError.invalidRequest(
                "Unsupported content type: \(type.isEmpty ? "none" : type.forDisplay)",
                hint: "Send the parameters in the body with the header Content-Type: \(types).")
        }
    }

    /// The members of a body that is a JSON object and nothing else.
    /// - Throws: ``OAuthError`` with the code `refusal` for another type, a body that cannot be read or is too large.
    static func object(
        of request: Request, mostBytes: Int, refusal: OAuthError.Code
    ) async throws -> JSONObject {
        guard contentType(of: request) == "application/json" else {
            throw OAuthError(
                refusal, "Unsupported content type: \(contentType(of: request).forDisplay)",
                hint: "Send a JSON object with the header Content-Type: application/json.")
        }
        let body: ByteBuffer
        do {
            body = try await request.body.collect(upTo: mostBytes)
        } catch is NIOTooManyBytesError {
            throw OAuthError(refusal, "The body is larger than \(mostBytes / 1024) KiB")
        } catch {
            throw OAuthError(refusal, "The body ended before its announced length")
        }
        do throws(JSONReader.Problem) {
            return try JSON.decode(JSONObject.self, from: Data(buffer: body))
        } catch {
            throw OAuthError(refusal, "The body is not a JSON object: \(error.description)")
        }
    }

    private static func contentType(of request: Request) -> String {
        (request.headers[.contentType] ?? "").lowercased().prefix { $0 != ";" }.trimmed
    }

    /// The members of a JSON object; null and "" are absent.
    static func json(_ body: Data, nested: Set<String> = []) throws -> OAuth.Parameters {
        let object: JSONObject
        do throws(JSONReader.Problem) {
            object = try JSON.decode(JSONObject.self, from: body)
        } catch .duplicate(let name) {
            throw OAuthError.invalidRequest("Duplicate parameter: \(name.forDisplay)")
        } catch {
            throw OAuthError.invalidRequest(
                "The body is not a JSON object", hint: #"Send an object such as {"grant_type": "refresh_token", …}."#)
        }
        let pairs = try object.flatMap { name, value -> [(String, String)] in
            guard nested.contains(name), case .object(let members) = value else { return try pair(name, value) }
            return try members.flatMap { try pair("\(name)[\($0)]", $1) }
        }
        return try OAuth.Parameters(pairs)
    }

    private static func pair(_ name: String, _ value: JSONValue) throws -> [(String, String)] {
        switch value {
        case .null: []
        case .string(let text) where !text.utf8.contains(0): [(name, text)]
        case .integer(let number): [(name, String(number))]
        case .bool(let bool): [(name, String(bool))]
        default:
            throw OAuthError.invalidRequest("Malformed parameter: \(name.forDisplay)", hint: "It must be a text.")
        }
    }
}
