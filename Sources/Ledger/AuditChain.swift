public import Chronology
internal import Crypto
public import Persistence

/// Who did what, one hash chain per workspace. Holds ids only, never a person's data.
public enum AuditChain {
    /// One act.
    public struct Entry: Sendable, Hashable {
        public var sequence: Int64
        public var at: Instant
        public var actor: String
        public var action: String
        public var subject: String
        public var detail: String
        /// The chain's value after this entry.
        public var hash: [UInt8]
    }

    /// Entries read by one call of `entries`.
    public static let pageLimit = 1_000

    /// Adds an entry. It stands or falls with the caller's transaction, and locks the workspace's chain until that ends: append last.
    @discardableResult
    public static func append(
        workspace: String, at: Instant, actor: String, action: String, subject: String, detail: String, on connection: any Connection
    ) throws -> Entry {
        let forUpdate = connection.dialect == .postgres ? " FOR UPDATE" : ""
        let answers = try connection.rowsOfAll([
            "INSERT INTO audit_head (workspace_id, sequence, hash) VALUES (\(workspace), 0, \(firstHash)) ON CONFLICT (workspace_id) DO NOTHING",
            "SELECT sequence, hash FROM audit_head WHERE workspace_id = \(workspace)\(raw: forUpdate)",
        ])
        guard let head = answers[1].first else { throw DatabaseFailure(.other, "workspace \(workspace) has no audit head") }
        var entry = Entry(
            sequence: try head.get(at: 0, as: Int64.self) + 1, at: at, actor: actor, action: action, subject: subject, detail: detail, hash: [])
        entry.hash = hash(entry, workspace: workspace, after: try head.get(at: 1))
        try connection.executeAll([
            """
            INSERT INTO audit_entry (workspace_id, sequence, at, actor, action, subject, detail, hash)
            VALUES (\(workspace), \(entry.sequence), \(at.millisecondsSince1970), \(actor), \(action), \(subject), \(detail), \(entry.hash))
            """,
            "UPDATE audit_head SET sequence = \(entry.sequence), hash = \(entry.hash) WHERE workspace_id = \(workspace)",
        ])
        return entry
    }

    /// The newest entries first, from before `sequence`.
    public static func entries(workspace: String, before sequence: Int64 = .max, limit: Int, on connection: any Connection) throws -> [Entry] {
        try connection.rows(
            """
            SELECT sequence, at, actor, action, subject, detail, hash FROM audit_entry
            WHERE workspace_id = \(workspace) AND sequence < \(sequence) ORDER BY sequence DESC LIMIT \(min(max(limit, 0), pageLimit))
            """
        ).map(read)
    }

    /// Recomputes the chain in bounded memory.
    public static func verify(workspace: String, on connection: any Connection) throws -> [Finding] {
        var findings: [Finding] = []
        var previous = (sequence: Int64(0), hash: firstHash)
        func add(_ kind: Finding.Kind, _ sequence: Int64?, _ detail: String) {
            guard findings.count < Journal.findingsLimit else { return }
            findings.append(Finding(kind: kind, workspace: workspace, sequence: sequence, account: nil, detail: detail))
        }
        try connection.forEachRow(
            "SELECT sequence, at, actor, action, subject, detail, hash FROM audit_entry WHERE workspace_id = \(workspace) ORDER BY sequence"
        ) { row in
            let entry = try read(row)
            if entry.sequence != previous.sequence + 1 { add(.auditGap, entry.sequence, "follows \(previous.sequence)") }
            if hash(entry, workspace: workspace, after: previous.hash) != entry.hash {
                add(.auditChainBroken, entry.sequence, "the hash does not follow from the content and the hash before")
            }
            previous = (entry.sequence, entry.hash)
        }
        let head = try connection.row("SELECT sequence, hash FROM audit_head WHERE workspace_id = \(workspace)")
        let stored = (sequence: try head?.get(at: 0, as: Int64.self) ?? 0, hash: try head?.get(at: 1, as: [UInt8].self) ?? firstHash)
        if stored != previous { add(.auditHeadWrong, stored.sequence, "the chain ends at \(previous.sequence), or with another hash") }
        return findings
    }

    private static func read(_ row: Row) throws -> Entry {
        Entry(
            sequence: try row.get(at: 0), at: Instant(millisecondsSince1970: try row.get(at: 1)), actor: try row.get(at: 2),
            action: try row.get(at: 3), subject: try row.get(at: 4), detail: try row.get(at: 5), hash: try row.get(at: 6))
    }

    private static func hash(_ entry: Entry, workspace: String, after previous: [UInt8]) -> [UInt8] {
        var bytes = CanonicalBytes()
        bytes.append(hash: previous)
        bytes.append("kith audit 1")
        bytes.append(workspace)
        bytes.append(entry.sequence)
        bytes.append(entry.at.millisecondsSince1970)
        for text in [entry.actor, entry.action, entry.subject, entry.detail] { bytes.append(text) }
        return Array(SHA256.hash(data: bytes.bytes))
    }
}
