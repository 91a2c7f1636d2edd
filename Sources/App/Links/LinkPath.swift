import Foundation
import HTTPTypes
import Hummingbird
import Web

/// Where the links of another system stood: `partner` for `/partner/anna`, `go/to` for `/go/to/anna`, nothing for `/anna`. They lead on like
/// links of ours.
enum LinkPath {
    static let countMax = 10
    static let segmentsMax = 3
    static let lengthMax = 100

    /// A path in the form in which it is compared, or why there can't be such a one.
    static func read(_ text: String) -> Result<String, Refused> {
        let parts = text.trimmingCharacters(in: .whitespaces).split(separator: "/").map { $0.lowercased() }
        guard text.utf8.count <= lengthMax, parts.count <= segmentsMax, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isPlain) && $0 != "." && $0 != ".." })
        else {
            return .failure(Refused(message: "Must be a path of at most \(segmentsMax) words of letters, digits, hyphens and underscores, such as /partner.", code: "invalid"))
        }
        if let first = parts.first, OwnPaths.firstWords.contains(first) {
            return .failure(Refused(message: "/\(first) is a page of Kith's own. Its links can't lead on here; give members new ones, or redirect the path at the old address.", code: "path_taken"))
        }
        return .success(parts.joined(separator: "/"))
    }

    struct Refused: Error {
        var message: String
        var code: String
    }

    /// The path and the code of an address that is none of ours; nil when it is.
    static func split(_ path: String) -> (path: String, code: String)? {
        guard path.utf8.count <= lengthMax + Normalised.codeLengthMax * 9 else { return nil }
        let parts = path.split(separator: "/")
        guard let last = parts.last, parts.count <= segmentsMax + 1, let code = Normalised.code(last.removingPercentEncoding ?? String(last)),
            !OwnPaths.firstWords.contains(parts[0].lowercased())
        else { return nil }
        return (parts.dropLast().map { $0.lowercased() }.joined(separator: "/"), code)
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
    }
}

/// The first words of the paths that Kith answers itself, or may one day.
enum OwnPaths {
    static let firstWords: Set<String> = [
        ".well-known", "account", "actions", "admin", "api", "api-keys", "applications", "assets", "audit", "audit.csv", "badges", "brand", "catalogue",
        "commands", "commissions", "commissions.csv", "complaints", "confirm", "content", "contests", "costs", "coupons", "customers", "customers.csv", "dev", "docs",
        "domains", "earning", "embed", "embedding", "experiments", "f", "favicon.ico", "fraud", "friends", "genealogy", "groups", "guide", "healthz", "help",
        "insights", "insights.csv", "integrations", "invitations", "invite", "join", "join-confirmation", "keys", "kith.js", "laboratory", "leads", "leads.csv", "ledger",
        "links", "links.csv", "loyalty", "mail", "members", "members.csv", "metrics", "occasions", "overview.csv", "parties", "party", "payout-requests", "payouts", "payouts.csv", "plans",
        "portal", "programs", "r", "rails", "readyz", "reconciliation", "rewards", "robots.txt", "rules", "runs", "sales", "sales.csv", "search",
        "settings", "sign-in", "sign-out", "sign-up", "sitemap.xml", "static", "support", "survey", "surveys", "team", "test-clock", "theme", "tiers", "tokens", "track", "unwanted",
        "wallet", "webhooks", "widget.js", "workspace",
    ]
}

/// Links of another system whose paths a program has taken over.
struct LinkPathMiddleware: RouterMiddleware {
    typealias Context = KithContext

    let redirect: Redirect

    func handle(_ request: Request, context: KithContext, next: (Request, KithContext) async throws -> Response) async throws -> Response {
        guard request.method == .get || request.method == .head, let (path, code) = LinkPath.split(request.uri.path),
            let target = try await redirect.target(path: path, code: code, request)
        else { return try await next(request, context) }
        return try await redirect.respond(request, context, to: target)
    }
}
