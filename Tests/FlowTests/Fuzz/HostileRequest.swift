import Fuzzing
import HTTPTypes
import HummingbirdTesting
import NIOCore
import OAuth
import Storage
import TestSupport

/// A request that no client of ours would send.
struct HostileRequest: CustomStringConvertible {
    let method: HTTPRequest.Method
    let path: String
    let headers: HTTPFields
    let body: [UInt8]

    var description: String {
        let lines = headers.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
        return "\(method) \(path)\n\(lines)\n\n\(String(decoding: body.prefix(2_000), as: UTF8.self))"
    }

    func send(to server: TestServer) async throws -> TestResponse {
        try await server.client.execute(uri: path, method: method, headers: headers, body: ByteBuffer(bytes: body))
    }
}

/// Makes hostile requests out of what a signed-in browser and a good client hold.
struct HostileRequests {
    /// An address of the server and a method that it takes there.
    struct Route {
        let method: HTTPRequest.Method
        let path: String
    }

    let routes: [Route]
    /// Parameters with values that are right, so that a request comes as far as the one that is wrong.
    let values: [(name: String, value: String)]
    let cookies: [String]
    let accessTokens: [String]

    private static let methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "PROPFIND", "X"]
        .compactMap(HTTPRequest.Method.init(rawValue:))
    private static let types = [
        "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-16",
        "APPLICATION/X-WWW-FORM-URLENCODED", "application/json", "application/json; charset=utf-8",
        "multipart/form-data; boundary=x", "text/plain", "text/html", "application/jwt", "a/b;c=\"", "/", ";", "",
    ]
    /// What may stand in no page as it is.
    static let marks = ["<fuzz", "<script>alert"]
    private static let words = [
        "\"><fuzz x='", "</script><fuzz>", "{{{fuzz}}}", "javascript:alert(1)//<fuzz", "Bearer ", "Basic ", "; Path=/",
    ]

    func make(_ generator: inout SeededGenerator) -> HostileRequest {
        let route = generator.pick(routes)
        let method = generator.oneIn(10) ? generator.pick(Self.methods) : route.method
        let fields = parameters(for: route.path, &generator)
        var headers = headers(&generator)
        var path = concrete(route.path, &generator)
        var body: [UInt8] = []
        let isForm = method != .get && method != .head && !generator.oneIn(6)
        if !isForm || generator.oneIn(6) || path.hasPrefix("/u/") { path += "?" + encoded(fields, &generator) }
        if isForm {
            let isJSON = generator.oneIn(4)
            headers[.contentType] =
                generator.oneIn(8) ? generator.pick(Self.types) : isJSON ? Self.types[3] : Self.types[0]
            body = isJSON ? json(fields, &generator) : Array(encoded(fields, &generator).utf8)
            if generator.oneIn(60) { body += Array(repeating: 0x41, count: 70_000) }
        }
        return HostileRequest(method: method, path: path, headers: headers, body: body)
    }

    private func concrete(_ path: String, _ generator: inout SeededGenerator) -> String {
        let segments = path.split(separator: "/").map { segment in
            segment.hasPrefix("{") || segment.hasPrefix(":") || segment.contains("*")
                ? Mutator(["client", "x.css", ".."]).text(&generator).formEncoded : String(segment)
        }
        let whole = "/" + segments.joined(separator: "/")
        return generator.oneIn(12) ? whole + generator.pick(["/", "//", "/..", "%2f", ".json", ";x", "%00"]) : whole
    }

    /// All parameters that belong together, with one or two of them spoilt.
    private func parameters(for path: String, _ generator: inout SeededGenerator) -> [(String, String)] {
        var fields = values.map { ($0.name, $0.value) }.filter { _ in !generator.oneIn(8) }
        if generator.oneIn(3) { fields = fields.filter { _ in generator.oneIn(3) } }
        for _ in 0..<(1 + generator.below(2)) where !fields.isEmpty {
            let index = generator.below(fields.count)
            switch generator.below(8) {
            case 0: fields.remove(at: index)
            case 1: fields.append(fields[index])
            case 2: fields[index].0 = Mutator([fields[index].0]).text(&generator)
            default: fields[index].1 = Mutator([fields[index].1], words: Self.words).text(&generator)
            }
        }
        return fields
    }

    private func encoded(_ fields: [(String, String)], _ generator: inout SeededGenerator) -> String {
        let text = fields.map { "\($0.0.formEncoded)=\($0.1.formEncoded)" }.joined(separator: "&")
        guard generator.oneIn(6) else { return text }
        // An HTTP parser lets no blanks and control characters through.
        let bytes = Mutator([text]).bytes(&generator).filter { (0x21...0x7E).contains($0) && $0 != 0x23 }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func json(_ fields: [(String, String)], _ generator: inout SeededGenerator) -> [UInt8] {
        var object = JSONObject(fields.map { ($0.0, .string($0.1)) }, uniquingKeysWith: { $1 })
        if generator.oneIn(3), let name = object.keys.sorted().first {
            object[name] = generator.pick([1, true, nil, [], ["a"], [:], 1.5, ["a": ["b": nil]]])
        }
        object["redirect_uris"] = generator.pick([[.string(Client.callback)], [], [1], "x", ["javascript:alert(1)"]])
        let text = (try? JSON.text(object)) ?? "{"
        return generator.oneIn(4) ? Mutator([text]).bytes(&generator) : Array(text.utf8)
    }

    private func headers(_ generator: inout SeededGenerator) -> HTTPFields {
        var headers = HTTPFields()
        func set(_ name: String, _ value: String) {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        func mutated(_ values: [String]) -> String {
            generator.oneIn(2) ? generator.pick(values) : Mutator(values, words: Self.words).text(&generator)
        }
        if !generator.oneIn(3) { set("Cookie", mutated(cookies)) }
        if generator.oneIn(4) { set("Authorization", mutated(accessTokens)) }
        if generator.oneIn(6) { set("Origin", mutated(["https://app.example.com", "null", "https://evil.example"])) }
        if generator.oneIn(8) { set("X-Forwarded-For", mutated(["203.0.113.7, 10.0.0.1", "::1", "unknown"])) }
        if generator.oneIn(8) { set("X-Forwarded-Host", "evil.example") }
        if generator.oneIn(8) { set("Accept-Language", mutated(["de-CH,fr;q=0.5", "*"])) }
        if generator.oneIn(12) { set("DPoP", mutated(["a.b.c"])) }
        if generator.oneIn(12) { set("Range", "bytes=0-1") }
        if generator.oneIn(12) { set("If-None-Match", "*") }
        return headers
    }
}
