/// Which addresses the server may connect to on somebody's word: public ones, and those the operator lists.
/// The address that counts is the one of the socket, after name resolution, so a name that changes its mind gains nothing.
struct PublicAddress: Sendable {
    private let allowed: [AddressRange]

    /// Whether public ones pass although nobody lists them.
    private let isPublicAllowed: Bool

    init(allowed: [String], isPublicAllowed: Bool = true) {
        self.allowed = allowed.compactMap(AddressRange.init)
        self.isPublicAllowed = isPublicAllowed
    }

    /// Whether a connection to these 4 or 16 bytes may be opened.
    func mayConnect(_ bytes: [UInt8]) -> Bool {
        if allowed.contains(where: { $0.contains(bytes) }) { return true }
        if let inner = Self.embedded(bytes) { return mayConnectPlain(inner) }
        return mayConnectPlain(bytes)
    }

    private func mayConnectPlain(_ bytes: [UInt8]) -> Bool {
        if allowed.contains(where: { $0.contains(bytes) }) { return true }
        guard isPublicAllowed, bytes.count == 4 || bytes.count == 16 else { return false }
        return !Self.special.contains { $0.contains(bytes) }
    }

    /// The IPv4 address inside a mapped (::ffff:0:0/96) or NAT64 (64:ff9b::/96) one.
    private static func embedded(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count == 16, mapped.contains(bytes) || translated.contains(bytes) else { return nil }
        return Array(bytes[12...])
    }

    private static let mapped = ranges(["::ffff:0:0/96"])
    private static let translated = ranges(["64:ff9b::/96"])

    /// Special-purpose addresses: IANA's registries for IPv4 (RFC 6890) and IPv6, with shared (CGNAT), 6to4 and Teredo space.
    private static let special = ranges([
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10",
        "fec0::/10", "ff00::/8",
    ])

    private static func ranges(_ texts: [String]) -> [AddressRange] { texts.compactMap(AddressRange.init) }
}

extension [AddressRange] {
    fileprivate func contains(_ bytes: [UInt8]) -> Bool { contains { $0.contains(bytes) } }
}
