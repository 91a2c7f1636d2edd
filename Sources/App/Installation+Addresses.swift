import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import SwiftGlibc
import Synchronization
import Web

extension Installation {
    /// The address people reach this server at, without a slash at the end.
    var baseURL: String { settings.baseURL ?? "http://\(settings.host):\(settings.port)" }

    /// The visitor's address: the connection's, or what a trusted proxy says it is.
    func clientAddress(of request: Request, _ context: KithContext) -> String? {
        clientAddress(peer: context.remoteAddress?.ipAddress, headers: request.headers)
    }

    func clientAddress(peer: String?, headers: HTTPFields) -> String? {
        guard let peer, let forwarded = headers[.xForwardedFor] else { return peer }
        guard isTrustedProxy(peer) else {
            warnOfProxy(peer)
            return peer
        }
        // The nearest hop is the last; the first one that is no proxy of ours is the visitor.
        for hop in forwarded.split(separator: ",").reversed() {
            let address = String(hop.drop { $0 == " " }.prefix { $0 != " " })
            if !isTrustedProxy(address) { return address }
        }
        return peer
    }

    /// Once: behind a proxy that we don't know all visitors have one address, and most of their clicks do not count.
    private func warnOfProxy(_ peer: String) {
        guard Self.nearNetworks.contains(where: { AddressRange($0)?.contains(peer) ?? false }), proxyWarning.isFirst() else { return }
        logger.warning(
            "Requests come through a proxy that is not trusted, so all visitors seem to have its address. Name it in KITH_TRUSTED_PROXIES.",
            metadata: ["proxy": "\(peer)"])
    }

    private static let nearNetworks = ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"]

    /// The host of the server's own address.
    var ownHost: String { String(baseURL.split(separator: "/").dropFirst().first?.split(separator: ":").first ?? "").lowercased() }

    private func isTrustedProxy(_ address: String) -> Bool {
        settings.trustedProxies.contains { AddressRange($0)?.contains(address) ?? false }
    }
}

/// Something that is said once in a process's life.
final class Once: Sendable {
    private let isDone = Mutex(false)

    /// True for the first caller alone.
    func isFirst() -> Bool {
        isDone.withLock { isDone in
            defer { isDone = true }
            return !isDone
        }
    }
}
