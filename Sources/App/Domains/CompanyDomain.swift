import Chronology
import Persistence
import Web

/// A host name of a company's own. It is used when the company has proved that it is theirs.
struct CompanyDomain: Sendable, Hashable {
    enum State: String, Sendable, CaseIterable { case pending, verified, failed }

    static let countMax = 20
    static let tokenBytes = 20
    /// What stands in front of the host in the record that proves it.
    static let label = "_kith"
    static let filePath = "/.well-known/kith-domain.txt"
    /// Between two looks: while it is waited for, and after.
    static let waitingMs: Int64 = 10 * 60_000
    static let waitingEndMs: Int64 = 2 * 86_400_000
    static let dailyMs: Int64 = 86_400_000
    /// A host that proves nothing any more is used on for so long: name servers have bad days.
    static let patienceMs: Int64 = 3 * 86_400_000

    var workspaceID: WorkspaceID
    var host: String
    var token: String
    var state: State
    var finding: DomainFinding
    var checkedAt: Instant?
    var verifiedAt: Instant?
    var failingSince: Instant?
    var nextCheckAt: Instant
    var isMain: Bool
    var createdAt: Instant

    var recordName: String { "\(Self.label).\(host)" }
    /// Of the record, and of the file.
    var proof: String { "kith-domain=\(token)" }
}

/// What a look at a host found.
struct DomainFinding: Sendable, Hashable {
    enum Proof: String, Sendable { case none, record, file }

    static let none = DomainFinding()

    var proof = Proof.none
    /// The texts at the record's name, when none of them is the proof.
    var texts: [String] = []
    /// Where the host leads: other names, and addresses.
    var names: [String] = []
    var addresses: [String] = []
    /// A sentence: what went wrong while looking.
    var record = ""
    var file = ""
}

extension CompanyDomain {
    static func add(_ host: HostName, ownHost: String, in write: Write) throws -> CompanyDomain {
        guard host.text != ownHost else { throw Refusal.field("host", "Is this server's own address.", code: "domain_taken") }
        guard try DomainStore.find(host.text, in: write.workspace.id, on: write.connection) == nil else {
            throw Refusal.field("host", "Is in the list already.", code: "domain_listed")
        }
        guard try DomainStore.list(in: write.workspace.id, on: write.connection).count < countMax else {
            throw Refusal.field("host", "A workspace may have \(countMax) hosts.", code: "too_many_domains")
        }
        let token = Base64URL.encode(write.world.random.bytes(tokenBytes))
        let now = write.world.now()
        let domain = CompanyDomain(
            workspaceID: write.workspace.id, host: host.text, token: token, state: .pending, finding: .none, nextCheckAt: try now.adding(milliseconds: waitingMs),
            isMain: false, createdAt: now)
        try DomainStore.insert(domain, on: write.connection)
        try write.audit("domain.add", subject: host.text)
        return domain
    }

    static func remove(_ host: String, in write: Write) throws {
        guard let domain = try DomainStore.find(host, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("domain") }
        try DomainStore.remove(domain, on: write.connection)
        try passOnMain(domain, in: write)
        try write.audit("domain.remove", subject: host)
    }

    /// Letters and links name this host from now on.
    static func makeMain(_ host: String, in write: Write) throws -> CompanyDomain {
        guard var domain = try DomainStore.find(host, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("domain") }
        guard domain.state == .verified else {
            throw Problem.conflict(code: "domain_not_verified", detail: "Only a verified host can be the main one. Check it first.")
        }
        try DomainStore.setMain(host, in: write.workspace.id, on: write.connection)
        domain.isMain = true
        try write.audit("domain.main", subject: host)
        return domain
    }

    /// Notes what a look found. The first verified host becomes the main one; links may be made on each.
    static func note(_ finding: DomainFinding, of host: String, in write: Write) throws -> CompanyDomain {
        guard var domain = try DomainStore.find(host, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("domain") }
        let now = write.world.now()
        let before = domain
        domain.finding = finding
        domain.checkedAt = now
        let isWaiting = domain.state == .pending && now.millisecondsClamped(since: domain.createdAt) < waitingEndMs
        domain.nextCheckAt = try now.adding(milliseconds: isWaiting ? waitingMs : dailyMs)
        if finding.proof != .none {
            if domain.state != .verified {
                try mustBeFree(host, in: write)
                try DomainStore.release(host, to: write.workspace.id, at: now, on: write.connection)
            }
            (domain.state, domain.failingSince) = (.verified, nil)
            domain.verifiedAt = domain.verifiedAt ?? now
            domain.nextCheckAt = try now.adding(milliseconds: dailyMs)
            if try LinkStore.domainOwner(host, on: write.connection) == nil {
                try LinkStore.insertDomain(host, workspace: write.workspace.id, at: now, on: write.connection)
            }
            if try DomainStore.main(of: write.workspace.id, on: write.connection) == nil { domain.isMain = true }
        } else if domain.state == .verified {
            domain.failingSince = domain.failingSince ?? now
            if now.millisecondsClamped(since: domain.failingSince ?? now) >= patienceMs {
                (domain.state, domain.verifiedAt, domain.isMain) = (.failed, nil, false)
            }
        } else if !isWaiting {
            domain.state = .failed
        }
        try DomainStore.update(domain, on: write.connection)
        if before.isMain && !domain.isMain { try passOnMain(before, in: write) }
        if before.state != domain.state { try write.audit("domain.\(domain.state.rawValue)", subject: host) }
        return domain
    }

    /// Nobody else has proved it. Links of whoever had it before keep nobody from it.
    private static func mustBeFree(_ host: String, in write: Write) throws {
        let owner = try DomainStore.verifiedOwner(host, on: write.connection)
        guard owner == nil || owner == write.workspace.id else { throw Refusal.field("host", "Is in use by another workspace of this server.", code: "domain_taken") }
    }

    private static func passOnMain(_ domain: CompanyDomain, in write: Write) throws {
        guard domain.isMain, let next = try DomainStore.list(in: write.workspace.id, on: write.connection).first(where: { $0.state == .verified }) else { return }
        try DomainStore.setMain(next.host, in: write.workspace.id, on: write.connection)
    }
}

extension DomainFinding {
    var json: JSONValue {
        [
            "proof": .text(proof.rawValue), "texts": .array(texts.map { .text($0) }), "names": .array(names.map { .text($0) }),
            "addresses": .array(addresses.map { .text($0) }), "record": .text(record), "file": .text(file),
        ]
    }

    init(_ text: String) {
        self.init()
        guard let json = try? JSONValue.parse(Array(text.utf8), maximumBytes: 100_000) else { return }
        func words(_ name: String) -> [String] {
            guard case .array(let elements)? = json[name] else { return [] }
            return elements.compactMap { if case .text(let text) = $0 { text } else { nil } }
        }
        func word(_ name: String) -> String { if case .text(let text)? = json[name] { text } else { "" } }
        self.init(
            proof: Proof(rawValue: word("proof")) ?? .none, texts: words("texts"), names: words("names"), addresses: words("addresses"), record: word("record"),
            file: word("file"))
    }
}
