import Chronology
import Synchronization

/// Decides whether a request counts as a person's click. What does not count is logged all the same, with the reason.
final class ClickClassifier: Sendable {
    /// Clicks of one address on one link within `addressWindowMs` that count; the rest is stuffing (rotating agents).
    static let addressCountMax = 30
    static let addressWindowMs: Int64 = 3_600_000
    static let rememberedMax = 100_000
    /// Not counted, but still a touch.
    static let addressVelocity = "addressVelocity"
    static let expiredLink = "expiredLink"

    /// What a request says of itself.
    struct Request: Sendable {
        var method = "GET"
        var userAgent: String?
        /// False when whoever tells of the visit says nothing of its agent; browsers always send one.
        var isAgentKnown = true
        var secFetchDest: String?
        var secFetchMode: String?
        var secFetchSite: String?
        var secFetchUser: String?
        /// What the visitor wants to see: pictures alone, for an `<img>`.
        var accept: String?
        /// The headers `Purpose`, `Sec-Purpose`, `X-Purpose` or `X-Moz`.
        var purpose: String?
    }

    private struct Seen {
        var since: Instant
        var count: Int
    }
    private struct State {
        var verdicts: [String: Bool] = [:]
        var addresses: [AddressOnLink: Seen] = [:]
    }
    private struct AddressOnLink: Hashable {
        var link: String
        var address: [UInt8]
    }

    private let crawlers: CrawlerPatterns
    private let state = Mutex(State())

    init(_ crawlers: CrawlerPatterns) { self.crawlers = crawlers }

    /// The reason for not counting, or nil. `address` and `link` limit how often one address counts.
    func discard(_ request: Request, address: [UInt8]?, link: String, at instant: Instant) -> String? {
        if request.method == "HEAD" { return "headRequest" }
        if let purpose = request.purpose?.lowercased(), purpose.contains("prefetch") || purpose.contains("preview") || purpose.contains("prerender") {
            return "prefetch"
        }
        switch request.secFetchDest?.lowercased() {
        case "image", "style", "script", "font", "audio", "video", "track", "manifest", "object", "embed": return "embeddedImage"
        // Who follows a link navigates; "empty" is a page's own fetch().
        case "iframe", "frame", "fencedframe", "empty": return "embeddedFrame"
        case nil: if let accept = request.accept, accept.lowercased().hasPrefix("image/") { return "embeddedImage" }
        default: break
        }
        if request.isAgentKnown {
            guard let agent = request.userAgent, !agent.isEmpty else { return "crawler" }
            if isCrawler(agent) { return "crawler" }
        }
        if let address, isStuffing(address, link, at: instant) { return Self.addressVelocity }
        return nil
    }

    private func isCrawler(_ agent: String) -> Bool {
        if let known = state.withLock({ $0.verdicts[agent] }) { return known }
        let verdict = crawlers.matches(agent)
        state.withLock { state in
            if state.verdicts.count >= 10_000 { state.verdicts.removeAll(keepingCapacity: true) }
            state.verdicts[agent] = verdict
        }
        return verdict
    }

    private func isStuffing(_ address: [UInt8], _ link: String, at instant: Instant) -> Bool {
        let key = AddressOnLink(link: link, address: address)
        return state.withLock { state in
            if state.addresses.count >= Self.rememberedMax { state.addresses.removeAll(keepingCapacity: true) }
            var seen = state.addresses[key] ?? Seen(since: instant, count: 0)
            if instant.millisecondsClamped(since: seen.since) >= Self.addressWindowMs { seen = Seen(since: instant, count: 0) }
            seen.count += 1
            state.addresses[key] = seen
            return seen.count > Self.addressCountMax
        }
    }
}
