import HTTPTypes
import Hummingbird
import OAuth
import Testing

@testable import Web

@Suite("Where a request comes from")
struct ClientAddressTests {
    /// The bucket in which a request counts that `peer` sent with `forwarded` in X-Forwarded-For.
    private func bucket(peer: String, forwarded: [String], trusted: [String]) throws -> String {
        let middleware = ClientAddress(trustedProxies: try trusted.map { try #require(AddressRange($0)) })
        let name = try #require(HTTPField.Name("X-Forwarded-For"))
        var headers = HTTPFields()
        headers[values: name] = forwarded
        let request = Request(
            head: HTTPRequest(method: .get, scheme: "http", authority: "x", path: "/", headerFields: headers),
            body: RequestBody(buffer: .init()))
        return IPAddress.bucket(middleware.client(of: request, peer: try #require(IPAddress.bytes(peer))))
    }

    @Test("X-Forwarded-For counts only as far as trusted proxies wrote it")
    func forwarded() throws {
        let proxies = ["10.0.0.0/8"]
        #expect(try bucket(peer: "203.0.113.9", forwarded: ["1.1.1.1"], trusted: proxies) == "203.0.113.9")
        #expect(try bucket(peer: "10.0.0.1", forwarded: ["198.51.100.7"], trusted: proxies) == "198.51.100.7")
        #expect(try bucket(peer: "10.0.0.1", forwarded: ["1.1.1.1, 198.51.100.7"], trusted: proxies) == "198.51.100.7")
        #expect(try bucket(peer: "10.0.0.1", forwarded: ["198.51.100.7, 10.2.3.4"], trusted: proxies) == "198.51.100.7")
        #expect(
            try bucket(peer: "10.0.0.1", forwarded: ["1.1.1.1", "198.51.100.7"], trusted: proxies) == "198.51.100.7")
        #expect(try bucket(peer: "10.0.0.1", forwarded: ["rubbish"], trusted: proxies) == "10.0.0.1")
        #expect(try bucket(peer: "10.0.0.1", forwarded: [], trusted: proxies) == "10.0.0.1")
    }

    @Test("An IPv6 network counts once, and an IPv4 address inside an IPv6 one as itself")
    func buckets() throws {
        let first = try #require(IPAddress.bytes("2001:db8:1:2:aaaa::1"))
        let second = try #require(IPAddress.bytes("2001:db8:1:2:bbbb::2"))
        let other = try #require(IPAddress.bytes("2001:db8:1:3::1"))
        #expect(IPAddress.bucket(first) == IPAddress.bucket(second))
        #expect(IPAddress.bucket(first) != IPAddress.bucket(other))
        #expect(IPAddress.bytes("::ffff:192.0.2.1") == IPAddress.bytes("192.0.2.1"))
    }

    @Test("What is no range of addresses", arguments: ["", "10.0.0.0/33", "10.0.0/8", "x", "::1/129", "10.0.0.0/-1"])
    func malformedRanges(_ text: String) {
        #expect(AddressRange(text) == nil)
    }
}
