/// The address at which a provider's API begins.
struct BaseURL: Equatable {
    /// Without a slash at its end.
    let text: String
    /// Whether what is sent can be read on the way: plain HTTP to another machine.
    let isReadableOnTheWay: Bool

    /// What is wrong with an address. Its text is not repeated: it may hold a password.
    struct Refusal: Error {
        let message: String
    }

    init(_ text: String) throws(Refusal) {
        guard text.utf8.count <= ConfigurationBounds.baseURLLength else {
            throw Refusal(message: "is longer than \(ConfigurationBounds.baseURLLength) bytes")
        }
        let scheme = text.prefix { $0 != ":" }.lowercased()
        guard scheme == "http" || scheme == "https", text.dropFirst(scheme.count).hasPrefix("://") else {
            throw Refusal(message: "must begin with https:// or http://")
        }
        let rest = text.dropFirst(scheme.count + 3)
        let authority = rest.prefix { !"/?#".contains($0) }
        guard !authority.contains("@") else {
            throw Refusal(message: "must not contain a user or password; name the variable of the key in 'key'")
        }
        guard !rest.contains("?"), !rest.contains("#") else {
            throw Refusal(message: "must not have a query ('?') or fragment ('#')")
        }
        guard rest.utf8.allSatisfy(Self.isAllowed) else {
            throw Refusal(message: "contains a character that must be percent-encoded")
        }
        let host = try Self.host(of: authority)
        var path = rest.dropFirst(authority.count)
        while path.hasSuffix("/") { path = path.dropLast() }
        self.text = "\(scheme)://\(authority)\(path)"
        self.isReadableOnTheWay = scheme == "http" && !Self.isLoopback(host)
    }

    /// The host of `host`, `host:port` or `[address]:port`, in lower case and without brackets.
    private static func host(of authority: Substring) throws(Refusal) -> String {
        let host: Substring
        let port: Substring
        if authority.hasPrefix("[") {
            host = authority.dropFirst().prefix { $0 != "]" }
            let afterHost = authority.dropFirst(host.count + 1)
            guard afterHost.hasPrefix("]"), host.contains(":"), host.allSatisfy({ $0.isHexDigit || ":.".contains($0) })
            else {
                throw Refusal(message: "has no valid IPv6 address between '[' and ']'")
            }
            port = afterHost.dropFirst()
        } else {
            host = authority.prefix { $0 != ":" }
            guard !host.isEmpty else { throw Refusal(message: "has no host") }
            guard host.utf8.allSatisfy(Self.isPartOfHost) else {
                throw Refusal(message: "has a host with a character that host names do not have")
            }
            port = authority.dropFirst(host.count)
        }
        guard port.isEmpty || (port.hasPrefix(":") && (Self.number(port.dropFirst(), upTo: 65_535) ?? 0) > 0) else {
            throw Refusal(message: "has a port that is not a number from 1 to 65535")
        }
        return host.lowercased()
    }

    private static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host.hasSuffix(".localhost") || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { Self.number($0, upTo: 255) != nil }
    }

    private static func number(_ digits: Substring, upTo maximum: Int) -> Int? {
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int(digits) else {
            return nil
        }
        return value <= maximum ? value : nil
    }

    private static func isPartOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
        default: false
        }
    }

    /// Visible ASCII but for what RFC 3986 leaves out.
    private static func isAllowed(_ byte: UInt8) -> Bool {
        (0x21...0x7E).contains(byte) && !Array(#""<>\^`{|}"#.utf8).contains(byte)
    }
}
