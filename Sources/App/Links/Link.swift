import Chronology
import Money

/// A way to be recognised: an address that leads to a destination, and a code that can be said or typed.
struct Link: Sendable {
    enum Kind: String, Sendable, CaseIterable { case link, friendCode, coupon, paid }

    struct Variant: Sendable, Hashable {
        var destination: String
        var weight: Int64
    }

    var id: LinkID
    var workspaceID: WorkspaceID
    var programID: ProgramID
    /// Nil: a link of the company's own, for instance in a paid advertisement.
    var memberID: MemberID?
    /// '' is the server's own address.
    var host: String
    var code: String
    var destination: String
    var kind: Kind
    /// The rate of sales that come by the code; replaces the percentage of level 0.
    var codeRate: Rate?
    /// The code only counts for visitors that came by a link of the same member.
    var codeNeedsReferral: Bool
    var expiresAt: Instant?
    var createdAt: Instant
    var variants: [Variant]
    var clicks: Int64 = 0
    var clicksLogged: Int64 = 0

    func isExpired(at instant: Instant) -> Bool { expiresAt.map { $0 <= instant } ?? false }

    /// The destination of a visit: by weight among the variants, or the only one. `draw` is a random number.
    func destination(draw: UInt64) -> (index: Int?, destination: String) {
        let total = variants.reduce(UInt64(0)) { $0 &+ UInt64(clamping: $1.weight) }
        guard total > 0 else { return (nil, destination) }
        var rest = draw % total
        for (index, variant) in variants.enumerated() {
            let weight = UInt64(clamping: variant.weight)
            if rest < weight { return (index, variant.destination) }
            rest -= weight
        }
        return (nil, destination)
    }
}

/// Words that are no codes: addresses of the server's own, and words that would mislead.
enum ReservedCodes {
    static let words: Set<String> = [
        "admin", "api", "app", "assets", "docs", "f", "health", "healthz", "help", "join", "kith", "login", "metrics", "new", "portal", "r",
        "readyz", "root", "settings", "sign-in", "sign-out", "sign-up", "static", "support", "survey", "surveys", "unwanted", "widget", "www", "null", "undefined", "favicon",
    ]
}
