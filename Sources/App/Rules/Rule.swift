import Chronology
import Persistence
import Rules
import Web

/// A commission rule of a program: what it says (`CommissionRule`, of the engine) and how it is called.
struct Rule: Sendable {
    var id: RuleID
    var programID: ProgramID
    var name: String
    var terms: CommissionRule
    /// The rule as it was written, with every default filled in.
    var document: JSONValue
}

extension Rule {
    /// What its receiver may have instead.
    var choices: [RewardTerms] {
        (document["choices"]?.elements ?? []).compactMap { json in (try? JSONReader(json)).flatMap { RewardTerms.read($0) } }
    }

    static let rulesMax = 200

    /// Adds a rule to a program, in force from `effectiveFrom`. Without one a rule written before the program's first sale holds from
    /// the beginning, so that history can be sent in afterwards, and a later rule from now on.
    static func create(_ document: RuleDocument, program id: ProgramID, in write: Write) throws -> Rule {
        guard let program = try ProgramStore.find(id, in: write.workspace.id, at: write.now, on: write.connection) else { throw Refusal.unknownProgram() }
        try document.check(for: program)
        try document.checkCoupons(of: id, in: write)
        guard try RuleStore.count(of: id, on: write.connection) < rulesMax else {
            throw Problem.conflict(code: "too_many_rules", detail: "A program has at most \(rulesMax) rules.")
        }
        let hasSales = try SaleStore.hasAny(in: id, on: write.connection)
        let rule = try document.rule(id: write.world.newID(), program: id, version: 1, now: hasSales ? write.now : .earliest)
        try RuleStore.insert(rule, workspace: write.workspace.id, recordedAt: write.now, author: write.actor, on: write.connection)
        try write.audit("rule.create", subject: rule.id.text, JSONText(["version": 1, "document": rule.document]))
        return rule
    }

    /// Writes the next version of a rule; what happened before its start keeps the version it had. With the version that somebody looked at
    /// it is refused when another has been written since.
    static func change(_ id: RuleID, _ document: RuleDocument, lookedAt version: Int? = nil, in write: Write) throws -> Rule {
        guard let newest = try RuleStore.newest(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("rule") }
        guard version == nil || version == newest.terms.version else {
            throw Problem.conflict(code: "rule_changed", detail: "Version \(newest.terms.version) was written since. Look at it, then decide.")
        }
        if let program = try ProgramStore.find(newest.programID, in: write.workspace.id, at: write.now, on: write.connection) {
            try document.check(for: program)
            try document.checkCoupons(of: program.id, besides: [newest.terms.reward] + newest.choices, in: write)
        }
        let rule = try document.rule(id: id, program: newest.programID, version: newest.terms.version + 1, now: write.now)
        try RuleStore.insertVersion(rule, recordedAt: write.now, author: write.actor, on: write.connection)
        try write.audit(
            "rule.change", subject: id.text,
            JSONText(["version": .integer(Int64(rule.terms.version)), "before": newest.document, "after": rule.document]))
        return rule
    }

    /// Ends a rule now; what happened before keeps it.
    func end(in write: Write) throws {
        guard case .object(let members) = document, terms.effectiveFrom < write.now else { return }
        let kept = members.filter { $0.name != "effectiveUntil" && $0.name != "effectiveFrom" }
        let body = try JSONReader(.object(kept + [
            JSONMember("effectiveFrom", .text(terms.effectiveFrom.rfc3339)), JSONMember("effectiveUntil", .text(write.now.rfc3339)),
        ]))
        let newest = try RuleStore.newest(id, in: write.workspace.id, on: write.connection) ?? self
        let ended = try RuleDocument.read(body).rule(id: id, program: programID, version: newest.terms.version + 1, now: write.now)
        try RuleStore.insertVersion(ended, recordedAt: write.now, author: write.actor, on: write.connection)
        try write.audit(
            "rule.change", subject: id.text,
            JSONText(["version": .integer(Int64(ended.terms.version)), "before": newest.document, "after": ended.document]))
    }
}

enum RuleStore {
    static func insert(
        _ rule: Rule, workspace: WorkspaceID, recordedAt: Instant, author: Actor, on connection: any Connection
    ) throws {
        try connection.execute(
            "INSERT INTO rule (id, workspace_id, program_id, created_at) VALUES (\(rule.id), \(workspace), \(rule.programID), \(recordedAt))")
        try insertVersion(rule, recordedAt: recordedAt, author: author, on: connection)
    }

    static func insertVersion(_ rule: Rule, recordedAt: Instant, author: Actor, on connection: any Connection) throws {
        let document = String(decoding: rule.document.bytes, as: UTF8.self)
        let hash = HashedTable.ruleVersion.hash([
            rule.id, rule.terms.version, rule.terms.effectiveFrom, rule.terms.effectiveUntil, recordedAt, author.text, document,
        ])
        try connection.execute(
            """
            INSERT INTO rule_version (rule_id, version, effective_from, effective_until, recorded_at, author, document, row_hash)
            VALUES (\(rule.id), \(rule.terms.version), \(rule.terms.effectiveFrom), \(rule.terms.effectiveUntil), \(recordedAt), \(author.text), \(document),
                    \(hash))
            """)
    }

    static func count(of program: ProgramID, on connection: any Connection) throws -> Int {
        try connection.value("SELECT count(*) FROM rule WHERE program_id = \(program)") ?? 0
    }

    static func newest(_ id: RuleID, in workspace: WorkspaceID, on connection: any Connection) throws -> Rule? {
        try connection.row(
            """
            SELECT r.id, r.program_id, v.version, v.document FROM rule r JOIN rule_version v ON v.rule_id = r.id
            WHERE r.id = \(id) AND r.workspace_id = \(workspace) ORDER BY v.version DESC LIMIT 1
            """
        ).map(read)
    }

    static func version(_ id: RuleID, _ version: Int, on connection: any Connection) throws -> Rule? {
        try connection.row(
            """
            SELECT r.id, r.program_id, v.version, v.document FROM rule r JOIN rule_version v ON v.rule_id = r.id
            WHERE r.id = \(id) AND v.version = \(version)
            """
        ).map(read)
    }

    /// The rules of a program that are in force at an instant, by level.
    static func inForce(_ program: ProgramID, at instant: Instant, on connection: any Connection) throws -> [Rule] {
        Dictionary(grouping: try all(of: program, on: connection), by: \.id).values.compactMap { versions in
            guard let terms = CommissionRule.version(of: versions.map(\.terms), inForceAt: instant) else { return nil }
            return versions.first { $0.terms.version == terms.version }
        }.sorted { ($0.terms.level, $0.id) < ($1.terms.level, $1.id) }
    }

    /// All versions of a program's rules, by rule and version.
    static func all(of program: ProgramID, on connection: any Connection) throws -> [Rule] {
        try connection.rows(
            """
            SELECT r.id, r.program_id, v.version, v.document FROM rule r JOIN rule_version v ON v.rule_id = r.id
            WHERE r.program_id = \(program) ORDER BY r.id, v.version
            """
        ).map(read)
    }

    /// A stored version never changes, so it is parsed once.
    private static let parsed = Memo<String, Rule>(limit: 2_000)

    private static func read(_ row: Row) throws -> Rule {
        let id: RuleID = try row.get(at: 0)
        let program: ProgramID = try row.get(at: 1)
        let version: Int = try row.get(at: 2)
        let text: String = try row.get(at: 3)
        return try parsed.value("\(program)/\(id)/\(version)/\(text)") {
            let reader = try JSONReader(JSONValue.parse(Array(text.utf8), maximumBytes: 1_000_000))
            let document = RuleDocument.read(reader)
            try reader.finish()
            return try document.rule(id: id, program: program, version: version, now: .earliest)
        }
    }
}
