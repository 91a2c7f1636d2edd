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
        clientAddress(peer: context.remoteAddress?.ipAddress, headers: request.headers)
    }

    func clientAddress(peer: String?, headers: HTTPFields) -> String? {
        guard !settings.trustedProxies.isEmpty, let peer, isTrustedProxy(peer), let forwarded = headers[.xForwardedFor] else { return peer }
        // The nearest hop is the last; the first one that is no proxy of ours is the visitor.
        for hop in forwarded.split(separator: ",").reversed() {
            let address = String(hop.drop { $0 == " " }.prefix { $0 != " " })
            if !isTrustedProxy(address) { return address }
        }
        return peer
    }

    /// The host of the server's own address.
    var ownHost: String { String(baseURL.split(separator: "/").dropFirst().first?.split(separator: ":").first ?? "").lowercased() }

    private func isTrustedProxy(_ address: String) -> Bool {
        settings.trustedProxies.contains { AddressRange($0)?.contains(address) ?? false }
    }
}
