import Chronology
import Persistence
import Synchronization

/// Links by host and code, remembered for redirects. Changes in this process are seen at once, those of others within `freshMs`.
final class LinkIndex: Sendable {
    /// Links remembered at most; at ~400 bytes each this is some 80 MB.
    static let rememberedMax = 200_000
    static let freshMs: Int64 = 2_000

    /// What a redirect needs to know of a link.
    struct Target: Sendable {
        var link: Link
        /// How far the workspace's clock is ahead of real time.
        var aheadMs: Int64
        var isCookieless: Bool
        var linkParameters: [String]
    }

    private struct Known {
        var target: Target?
        var until: Instant
    }

    private let database: any Database
    private let domains = Mutex<[String: (owner: WorkspaceID?, until: Instant)]>([:])
    private let known = Mutex<[String: Known]>([:])

    init(_ database: any Database) { self.database = database }

    /// The link of a code if it is remembered: what a redirect can answer at once.
    func remembered(host: String, folded: String, now: Instant) -> Target? {
        known.withLock { $0["\(host)/\(folded)"] }.flatMap { $0.until > now ? $0.target : nil }
    }

    /// The link of a code, or nil. A file on SQLite has one writing process, which forgets what it changes, so entries stay fresh there.
    func find(host: String, folded: String, now: Instant) async throws -> Target? {
        let key = "\(host)/\(folded)"
        if let entry = known.withLock({ $0[key] }), entry.until > now { return entry.target }
        let target = try await database.read { connection -> Target? in
            guard let link = try LinkStore.find(host: host, folded: folded, on: connection) else { return nil }
            let program = try ProgramStore.newest(link.programID, in: link.workspaceID, on: connection)
            let workspace = try WorkspaceStore.find(link.workspaceID, on: connection)
            return Target(
                link: link, aheadMs: workspace?.testAheadMs ?? 0, isCookieless: program?.settings.isCookieless ?? false, linkParameters: program?.settings.linkParameters ?? [])
        }
        // Unknown codes are not remembered: anyone may ask for any number of them.
        guard let target else { return nil }
        let life = database.dialect == .sqlite ? 3_600_000 : Self.freshMs
        let until = (try? now.adding(milliseconds: life)) ?? .latest
        known.withLock { known in
            if known.count >= Self.rememberedMax { known.removeAll(keepingCapacity: true) }
            known[key] = Known(target: target, until: until)
        }
        return target
    }

    /// The workspace whose short domain a host is; nil when it is nobody's.
    func owner(ofDomain host: String, now: Instant) async throws -> WorkspaceID? {
        if let entry = domains.withLock({ $0[host] }), entry.until > now { return entry.owner }
        let owner = try await database.read { connection in try LinkStore.domainOwner(host, on: connection) }
        let until = (try? now.adding(milliseconds: Self.freshMs)) ?? .latest
        domains.withLock { domains in
            // Anyone may send any Host header.
            if domains.count >= 10_000 { domains.removeAll() }
            domains[host] = (owner, until)
        }
        return owner
    }

    /// Forgets a link that changed.
    func forget(host: String, folded: String) { known.withLock { $0["\(host)/\(folded)"] = nil } }

    /// Forgets all, after a program's settings changed.
    func forgetAll() { known.withLock { $0.removeAll(keepingCapacity: true) } }
}
