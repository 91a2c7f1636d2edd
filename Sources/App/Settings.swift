import CNIOLinux
import Foundation
import Logging

/// Everything that can be set from outside: read once, checked, then never again. Flags win over the environment.
struct Settings: Sendable {
    /// `sqlite:PATH` or `postgres://…`.
    var database = "sqlite:kith.sqlite"
    /// Where people's keys are on PostgreSQL; the main database's name with `_keys` when not set.
    var keysDatabase: String?
    var host = "127.0.0.1"
    /// 0 picks a free port and prints it.
    var port = 8080
    /// The address people reach the server at; made from host and port when not set.
    var baseURL: String?
    var smtpURL: String?
    /// Whom letters come from; made from the mail account or the base address when not set.
    var mailFrom: String?
    /// `wait` answers a click after it is on disk, `after` answers at once and syncs at most 5 ms later.
    var clickDurability = ClickDurability.wait
    /// Networks the outbound guard lets pass although they are not public.
    var egressAllow: [String] = []
    /// Proxies whose X-Forwarded-For and X-Forwarded-Host are believed.
    var trustedProxies: [String] = []
    /// Name servers that proofs of hosts and mail records are asked of; those of the machine when empty.
    var dnsServers: [String] = []
    /// Whether hosts of companies answer for the team's pages and the API as well.
    var companyHostsServeAll = false
    /// Requests a minute for each key; 0 switches the limit off.
    var rateLimit = 6_000
    /// The master key and its kin, mode 600, made beside the database on the first start.
    var secretsFile: String?
    var socket: String?
    var logLevel = "info"
    /// Where PayPal and Stripe answer, when not at their own addresses: for trying payouts out against a fake.
    var payPalURL: String?
    var stripeURL: String?
    var shopifyURL: String?
    /// The longest that a payment provider is waited for.
    var railTimeoutMs = RailPace.timeoutMs
    /// Connections to PostgreSQL that read, and lanes of the write gate.
    var connections = 16
    var lanes = 4

    enum ClickDurability: String, Sendable { case wait, after }

    /// Every key with its meaning, for `kith serve --help` and docs/operations.md.
    static let keys: [(name: String, meaning: String)] = [
        ("KITH_DATABASE", "sqlite:PATH (default sqlite:kith.sqlite) or postgres://…"),
        ("KITH_KEYS_DATABASE", "postgres://… of people's keys (default: the main database's name with _keys, on the same server); not on SQLite"),
        ("KITH_HOST", "address to listen on (default 127.0.0.1)"),
        ("KITH_PORT", "port to listen on (default 8080); 0 picks one and prints it"),
        ("KITH_BASE_URL", "the address people reach this server at"),
        ("KITH_SMTP_URL", "smtp://user:password@host:port (STARTTLS) or smtps://…; without it letters wait"),
        ("KITH_MAIL_FROM", "the address that letters come from"),
        ("KITH_CLICK_DURABILITY", "wait (default): a click is on disk before the answer; after: within 5 ms of it"),
        ("KITH_EGRESS_ALLOW", "CIDR list that the outbound guard lets pass"),
        ("KITH_TRUSTED_PROXIES", "CIDR list of proxies whose forwarded headers are believed"),
        ("KITH_DNS_SERVERS", "addresses of name servers for checks of domains, with :port (default: those of the machine)"),
        ("KITH_COMPANY_HOSTS", "portal (default): companies' hosts answer members and friends; all: the team's pages and the API too"),
        ("KITH_RATE_LIMIT", "requests a minute per key; 0 = off"),
        ("KITH_SECRETS_FILE", "file with the master key (made with mode 600 on first start)"),
        ("KITH_SOCKET", "Unix socket for commands beside a running server"),
        ("KITH_LOG_LEVEL", "trace, debug, info, notice, warning, error or critical"),
        ("KITH_PAYPAL_URL", "where PayPal answers, for trials against a fake (default: PayPal itself)"),
        ("KITH_STRIPE_URL", "where Stripe answers, for trials against a fake (default: Stripe itself)"),
        ("KITH_SHOPIFY_URL", "where Shopify's Admin API answers, for trials against a fake (default: the shop itself)"),
        ("KITH_CONNECTIONS", "connections to PostgreSQL (default 16)"),
    ]

    /// Reads the environment. Throws `SettingFailure` naming the key and what it allows.
    static func read(_ environment: [String: String] = ProcessInfo.processInfo.environment) throws(SettingFailure) -> Settings {
        var settings = Settings()
        func list(_ name: String) -> [String] {
            (environment[name] ?? "").split(whereSeparator: { $0 == "," || $0 == " " }).map(String.init)
        }
        func number(_ name: String, _ range: ClosedRange<Int>, _ standard: Int) throws(SettingFailure) -> Int {
            guard let text = environment[name], !text.isEmpty else { return standard }
            guard let value = Int(text), range.contains(value) else {
                throw SettingFailure(name: name, allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        }
        func text(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

        func address(_ name: String) throws(SettingFailure) -> String? {
            guard let text = text(name) else { return nil }
            let parts = URLComponents(string: text)
            guard let parts, parts.scheme == "http" || parts.scheme == "https", !(parts.host ?? "").isEmpty, parts.query == nil, parts.fragment == nil else {
                throw SettingFailure(name: name, allowed: "an address that begins with https:// or http://")
            }
            return text.hasSuffix("/") ? String(text.dropLast()) : text
        }

        settings.database = text("KITH_DATABASE") ?? settings.database
        settings.keysDatabase = text("KITH_KEYS_DATABASE")
        settings.host = text("KITH_HOST") ?? settings.host
        settings.port = try number("KITH_PORT", 0...65_535, settings.port)
        settings.baseURL = text("KITH_BASE_URL").map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        settings.smtpURL = text("KITH_SMTP_URL")
        settings.mailFrom = text("KITH_MAIL_FROM")
        if let from = settings.mailFrom, Normalised.email(from) == nil {
            throw SettingFailure(name: "KITH_MAIL_FROM", allowed: "a mail address")
        }
        if let durability = text("KITH_CLICK_DURABILITY") {
            guard let known = ClickDurability(rawValue: durability) else {
                throw SettingFailure(name: "KITH_CLICK_DURABILITY", allowed: "wait or after")
            }
            settings.clickDurability = known
        }
        settings.egressAllow = list("KITH_EGRESS_ALLOW")
        settings.trustedProxies = list("KITH_TRUSTED_PROXIES")
        for (name, networks) in [("KITH_EGRESS_ALLOW", settings.egressAllow), ("KITH_TRUSTED_PROXIES", settings.trustedProxies)] {
            // One that nobody understands would trust nobody, or all, without a word.
            guard networks.allSatisfy({ AddressRange($0) != nil }) else {
                throw SettingFailure(name: name, allowed: "addresses or networks such as 10.0.0.0/8, parted by commas")
            }
        }
        settings.dnsServers = list("KITH_DNS_SERVERS")
        guard settings.dnsServers.allSatisfy({ DNSClient.Server($0) != nil }) else {
            throw SettingFailure(name: "KITH_DNS_SERVERS", allowed: "addresses such as 9.9.9.9 or 127.0.0.1:5353, parted by commas")
        }
        if let wish = text("KITH_COMPANY_HOSTS") {
            guard wish == "portal" || wish == "all" else { throw SettingFailure(name: "KITH_COMPANY_HOSTS", allowed: "portal or all") }
            settings.companyHostsServeAll = wish == "all"
        }
        settings.rateLimit = try number("KITH_RATE_LIMIT", 0...10_000_000, settings.rateLimit)
        settings.secretsFile = text("KITH_SECRETS_FILE")
        settings.socket = text("KITH_SOCKET")
        settings.logLevel = text("KITH_LOG_LEVEL") ?? settings.logLevel
        guard Logger.Level(rawValue: settings.logLevel) != nil else {
            throw SettingFailure(name: "KITH_LOG_LEVEL", allowed: Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))
        }
        if let base = settings.baseURL {
            let parts = URLComponents(string: base)
            guard let parts, parts.scheme == "http" || parts.scheme == "https", !(parts.host ?? "").isEmpty, parts.query == nil, parts.fragment == nil else {
                throw SettingFailure(name: "KITH_BASE_URL", allowed: "an address that begins with https:// or http://")
            }
        }
        settings.payPalURL = try address("KITH_PAYPAL_URL")
        settings.stripeURL = try address("KITH_STRIPE_URL")
        settings.shopifyURL = try address("KITH_SHOPIFY_URL")
        settings.connections = try number("KITH_CONNECTIONS", 2...200, settings.connections)
        return settings
    }

    /// Chooses a free port when the port is 0, so that the addresses the server speaks of are known before it listens.
    mutating func pickPort() {
        guard port == 0 else { return }
        port = FreePort.find(host: host) ?? 0
    }

    /// The path of the SQLite file, or nil on PostgreSQL.
    var sqlitePath: String? { database.hasPrefix("sqlite:") ? String(database.dropFirst("sqlite:".count)) : nil }

    static func isPostgres(_ url: String) -> Bool { url.hasPrefix("postgres://") || url.hasPrefix("postgresql://") }

    var secretsPath: String { secretsFile ?? sqlitePath.map { $0 + ".secrets" } ?? "kith.secrets" }

    var socketPath: String { socket ?? sqlitePath.map { $0 + ".socket" } ?? "kith.socket" }
}

struct SettingFailure: Error, CustomStringConvertible {
    var name: String
    var allowed: String
    var description: String { "\(name) must be \(allowed)." }
}

/// Asks the system for a port that is free now.
enum FreePort {
    /// SOCK_STREAM. Release builds don't find the name: Linux's headers declare it as an enumeration, which no module owns there.
    private static let streamSocket: Int32 = 1

    static func find(host: String) -> Int? {
        let descriptor = socket(AF_INET, streamSocket, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        // The fields of `sockaddr_in` belong to whichever module read Linux's header first, so that a file that names them compiles
        // or not by chance. Its 16 bytes are fixed: family, port, address, zeros.
        var address = [UInt8](repeating: 0, count: 16)
        withUnsafeBytes(of: sa_family_t(AF_INET)) { address.replaceSubrange(0..<2, with: $0) }
        let isAddress = address.withUnsafeMutableBytes { bytes in bytes.baseAddress.map { inet_pton(AF_INET, host, $0 + 4) == 1 } ?? false }
        guard isAddress else { return nil }
        var length = socklen_t(address.count)
        let isBound = address.withUnsafeMutableBytes { bytes in
            guard let bound = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
            return bind(descriptor, bound, length) == 0 && getsockname(descriptor, bound, &length) == 0
        }
        return isBound ? Int(address[2]) << 8 | Int(address[3]) : nil
    }
}
