import AuthorizationServer
import NIOCore
import Testing

@testable import Outbound

@Suite("Addresses that may be asked")
struct AddressTests {
    private static func isPublic(_ text: String) throws -> Bool {
        PublicAddress.contains(PublicAddress.unmapped(try SocketAddress(ipAddress: text, port: 0).bytes))
    }

    @Test(
        "Private, local and special networks are not the public internet",
        arguments: [
            "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1",
            "127.255.255.255", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1",
            "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1",
            "64:ff9b::169.254.169.254", "64:ff9b:1::8.8.8.8", "100::1", "2001::1", "2001:0:a00:1::", "2001:db8::1",
            "2001:10::1", "2002:7f00:1::1", "2002:a00:1::", "2002:808:808::", "3fff::1", "fc00::1", "fd12:3456::1",
            "fe80::1", "fec0::1", "ff02::1",
        ])
    func forbidden(_ text: String) throws { #expect(try !Self.isPublic(text)) }

    @Test(
        "The public internet, up to the edges of the networks that are not",
        arguments: [
            "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
            "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
            "2001:200::1", "2001:4860:4860::8888", "2606:4700::1111", "2a00:1450::1", "3ffe::1",
        ])
    func allowed(_ text: String) throws { #expect(try Self.isPublic(text)) }

    @Test(
        "URLs that are read in more than one way, or not at all, are refused",
        arguments: [
            "", "example.com", "//example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/",
            "https://", "https:///path", "https://user@example.com/", "https://user:password@example.com/",
            "https://example.com@127.0.0.1/", "https://example.com/#fragment", "https://example.com\\@evil.example/",
            "https://exa mple.com/", "https://example.com/\r\nHost: a", "https://example.com:0/",
            "https://example.com:65536/", "https://example.com:443:80/", "https://example.com:+443/", "https://127.1/",
            "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.0.0.1.5/",
            "https://[::1/",
            "https://[127.0.0.1]/", "https://%31%32%37.0.0.1/", "https://exämple.com/", "https://example..com/",
            "https://-a.example.com/", "https://example.com./", "https://[fe80::1%25eth0]/",
            "https://example.com/" + String(repeating: "a", count: 2048),
        ])
    func invalid(_ text: String) {
        #expect(throws: OutboundFailure.self) { try OutboundURL(text) }
    }

    @Test("A URL is taken apart")
    func parts() throws {
        let plain = try OutboundURL("https://Example.com")
        #expect((plain.host, plain.port, plain.target, plain.hostHeader) == ("example.com", 443, "/", "example.com"))
        let full = try OutboundURL("HTTPS://a-b.example.com:8443/keys.json?v=1&x=/?")
        #expect((full.host, full.port, full.target) == ("a-b.example.com", 8443, "/keys.json?v=1&x=/?"))
        #expect(full.hostHeader == "a-b.example.com:8443")
        let query = try OutboundURL("https://example.com?a=b")
        #expect(query.target == "/?a=b")
        let six = try OutboundURL("https://[2606:4700::1111]:444/")
        #expect((six.host, six.port, six.hostHeader) == ("2606:4700::1111", 444, "[2606:4700::1111]:444"))
        #expect(six.isAddress)
    }
}
