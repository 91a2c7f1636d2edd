import CNIOLinux
import HTTPTypes
import Hummingbird
import NIOCore
import SwiftGlibc
import Web

extension Installation {
    /// The address people reach this server at, without a slash at the end.
    var baseURL: String { settings.baseURL ?? "http://\(settings.host):\(settings.port)" }

    /// The visitor's address: the connection's, or what a trusted proxy says it is.
    func clientAddress(of request: Request, _ context: KithContext) -> String? {
        let peer = context.remoteAddress?.ipAddress
        guard let peer, isTrustedProxy(peer), let forwarded = request.headers[.xForwardedFor] else { return peer }
        // The nearest hop is the last; the first one that is no proxy of ours is the visitor.
        for hop in forwarded.split(separator: ",").reversed() {
            let address = String(hop.drop { $0 == " " }.prefix { $0 != " " })
            if !isTrustedProxy(address) { return address }
        }
        return peer
    }

    /// The host that a link was asked for at; '' for the server's own.
    func linkHost(of request: Request) -> String {
        let host = request.uri.host ?? request.head.authority ?? ""
        let name = String(host.split(separator: ":").first ?? "").lowercased()
        return baseURL.contains("//\(name)") ? "" : name
    }

    private func isTrustedProxy(_ address: String) -> Bool {
        settings.trustedProxies.contains { AddressRange($0)?.contains(address) ?? false }
    }
}

/// A range of addresses in CIDR form.
struct AddressRange: Sendable, Hashable {
    private let bytes: [UInt8]
    private let prefix: Int

    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1)
        guard let first = parts.first, let bytes = Self.bytes(String(first)) else { return nil }
        let width = bytes.count * 8
        let prefix = parts.count > 1 ? Int(parts[1]) : width
        guard let prefix, (0...width).contains(prefix) else { return nil }
        self.bytes = bytes
        self.prefix = prefix
    }

    func contains(_ address: String) -> Bool {
        guard let other = Self.bytes(address), other.count == bytes.count else { return false }
        for bit in 0..<prefix where (bytes[bit / 8] ^ other[bit / 8]) & (0x80 >> UInt8(bit % 8)) != 0 { return false }
        return true
    }

    private static func bytes(_ text: String) -> [UInt8]? {
        guard let address = try? SocketAddress(ipAddress: text, port: 0) else { return nil }
        switch address {
        case .v4(let address): return withUnsafeBytes(of: address.address.sin_addr) { Array($0) }
        case .v6(let address): return withUnsafeBytes(of: address.address.sin6_addr) { Array($0) }
        case .unixDomainSocket: return nil
        }
    }
}
