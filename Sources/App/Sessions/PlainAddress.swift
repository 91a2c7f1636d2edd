import Foundation
import HTTPTypes
import Hummingbird
import Web

/// An address at which nobody can sign in: plain http from another machine. Browsers drop our cookies there, for they are only for https and
/// for the machine itself; without a word a sign-in would fail again and again.
struct PlainAddress: Sendable {
    /// The problem of a form that was sent from such an address.
    static let code = "plain_address"

    /// The name that the browser asked for, without its port.
    let host: String
    let port: Int
    /// Where people should go, when that is known.
    let secureURL: String?

    /// Nil where cookies are kept, as far as the request shows.
    init?(_ request: Request, _ installation: Installation) {
        guard let asked = request.head.authority, let parts = URLComponents(string: "http://\(asked)"), let host = parts.host?.lowercased(),
            !Self.isThisMachine(host)
        else { return nil }
        // Browsers send these only where they trust the connection; proxies say what they were asked.
        guard request.headers[.fetchSite] == nil, request.headers[.xForwardedProto]?.lowercased() != "https" else { return nil }
        let secure = installation.settings.baseURL.flatMap { $0.lowercased().hasPrefix("https://") ? $0 : nil }
        guard secure.flatMap({ URLComponents(string: $0)?.host?.lowercased() }) != host else { return nil }
        self.host = host
        port = parts.port ?? 80
        secureURL = secure
    }

    /// Why nobody can sign in here, and what to do.
    func words(_ language: PageLanguage) -> String {
        if let secureURL { return language("plainAddress.other", ["host": host, "address": secureURL]) }
        return language("plainAddress.none", ["host": host, "port": String(port)])
    }

    /// The names that browsers trust without TLS.
    static func isThisMachine(_ host: String) -> Bool {
        let name = host.lowercased()
        return name == "localhost" || name.hasSuffix(".localhost") || name == "::1" || name == "[::1]" || Self.isLoopback4(name)
    }

    private static func isLoopback4(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// What `kith serve` says once at its start, when others reach it and nothing says that they do so over TLS.
    static func warning(_ settings: Settings) -> String? {
        guard !isThisMachine(settings.host), settings.baseURL?.lowercased().hasPrefix("https://") != true else { return nil }
        return """
            Kith listens on \(settings.host) without TLS: browsers on other machines can't sign in over plain http. Put a TLS proxy in front and set \
            KITH_BASE_URL to its https address (docs/server.md), or reach it through a tunnel: ssh -L \(settings.port):127.0.0.1:\(settings.port) SERVER.
            """
    }
}

extension HTTPField.Name {
    static let xForwardedProto = HTTPField.Name(ascii: "X-Forwarded-Proto")
}
