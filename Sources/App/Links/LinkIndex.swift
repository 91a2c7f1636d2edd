import Chronology
import Persistence
import Synchronization

/// Links by host and code, remembered for redirects. Changes in this process are seen at once, those of others within `freshMs`.
final class LinkIndex: Sendable {
    /// Links remembered at most; at ~400 bytes each this is some 80 MB.
    static let rememberedMax = 200_000
    static let freshMs: Int64 = 2_000
    /// How long a link that was read before leads on while the database does not answer.
    static let staleMs: Int64 = 86_400_000

    /// What a redirect needs to know of a link.
    struct Target: Sendable {
        var link: Link
        /// How far the workspace's clock is ahead of real time.
        var aheadMs: Int64
        /// When other settings of its program come into force, in real time.
        var changesAt: Instant?
        var isCookieless: Bool
        var linkParameters: [String]
        /// Paths of another system at which its program's links are answered as well.
        var linkPaths: Set<String>
    }

    private struct Known {
        var target: Target?
        var until: Instant
    }

    private let database: any Database
    private let domains = Mutex<[String: (owner: WorkspaceID?, until: Instant)]>([:])
    private struct State {
        var known: [String: Known] = [:]
        /// Grows whenever links are forgotten, so that one read before is not remembered after.
        var forgettings = 0
    }
    private let state = Mutex(State())

    init(_ database: any Database) { self.database = database }

    /// The link of a code if it is remembered: what a redirect can answer at once.
    func remembered(host: String, folded: String, now: Instant) -> Target? {
        state.withLock { $0.known["\(host)/\(folded)"] }.flatMap { $0.until > now ? $0.target : nil }
    }

    /// The link of a code, or nil. A file on SQLite has one writing process, which forgets what it changes, so entries stay fresh there.
    func find(host: String, folded: String, now: Instant) async throws -> Target? {
        let key = "\(host)/\(folded)"
        let (entry, forgettings) = state.withLock { ($0.known[key], $0.forgettings) }
        if let entry, entry.until > now { return entry.target }
        let target: Target?
        do {
            target = try await read(host: host, folded: folded, now: now)
        } catch let failure as DatabaseFailure where failure.kind == .unavailable {
            // A friend's visit is worth more than a change of the last moments.
            guard let entry, now.millisecondsClamped(since: entry.until) < Self.staleMs else { throw failure }
            return entry.target
        }
        // Unknown codes are not remembered: anyone may ask for any number of them.
        guard let target else { return nil }
        let life = database.dialect == .sqlite ? 3_600_000 : Self.freshMs
        let until = min((try? now.adding(milliseconds: life)) ?? .latest, target.changesAt ?? .latest)
        state.withLock { state in
            guard state.forgettings == forgettings else { return }
            if state.known.count >= Self.rememberedMax { state.known.removeAll(keepingCapacity: true) }
            state.known[key] = Known(target: target, until: until)
        }
        return target
    }

    private func read(host: String, folded: String, now: Instant) async throws -> Target? {
        try await database.read { connection -> Target? in
            guard let link = try LinkStore.find(host: host, folded: folded, on: connection) else { return nil }
            let workspace = try WorkspaceStore.find(link.workspaceID, on: connection)
            let aheadMs = workspace?.testAheadMs ?? 0
            let workspaceNow = (try? now.adding(milliseconds: aheadMs)) ?? now
            let program = try ProgramStore.find(link.programID, in: link.workspaceID, at: workspaceNow, on: connection)
            let change = try ProgramStore.nextChange(of: link.programID, after: workspaceNow, on: connection)
            return Target(
                link: link, aheadMs: aheadMs, changesAt: change.flatMap { try? $0.adding(milliseconds: -aheadMs) }, isCookieless: program?.settings.isCookieless ?? false, linkParameters: program?.settings.linkParameters ?? [],
                linkPaths: Set(program?.settings.linkPaths ?? []))
        }
    }

    /// The workspace whose short domain a host is; nil when it is nobody's.
    func owner(ofDomain host: String, now: Instant) async throws -> WorkspaceID? {
        if let entry = domains.withLock({ $0[host] }), entry.until > now { return entry.owner }
        let owner: WorkspaceID?
        do {
            owner = try await database.read { connection in try LinkStore.domainOwner(host, on: connection) }
        } catch let failure as DatabaseFailure where failure.kind == .unavailable {
            guard let entry = domains.withLock({ $0[host] }), now.millisecondsClamped(since: entry.until) < Self.staleMs else { throw failure }
            return entry.owner
        }
        let until = (try? now.adding(milliseconds: Self.freshMs)) ?? .latest
        domains.withLock { domains in
            // Anyone may send any Host header.
            if domains.count >= 10_000 { domains.removeAll() }
            domains[host] = (owner, until)
        }
        return owner
    }

    /// Forgets all, after what they depend on has changed and is committed.
    func forgetAll() {
        state.withLock { state in
            state.forgettings += 1
            state.known.removeAll(keepingCapacity: true)
        }
    }
}
