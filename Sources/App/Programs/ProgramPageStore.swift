import Chronology
import Persistence

/// Programs as pages show them: how many people and rules, and every version that was written.
enum ProgramPageStore {
    struct Size: Sendable {
        var members: Int64
        var rules: Int64
    }

    static func size(of program: ProgramID, on connection: any Connection) throws -> Size {
        Size(
            members: try connection.value("SELECT count(*) FROM enrollment WHERE program_id = \(program)") ?? 0,
            rules: try connection.value("SELECT count(*) FROM rule WHERE program_id = \(program)") ?? 0)
    }

    struct Version: Sendable {
        /// Nil: the program's own settings.
        var ruleID: RuleID?
        var version: Int64
        var effectiveFrom: Instant
        var recordedAt: Instant
        var author: String
    }

    /// The versions of a program's settings and rules, the newest first.
    static func versions(of program: ProgramID, limit: Int, on connection: any Connection) throws -> [Version] {
        let settings = try connection.rows(
            """
            SELECT version, effective_from, recorded_at, author FROM program_version WHERE program_id = \(program)
            ORDER BY version DESC LIMIT \(limit)
            """
        ).map { row in
            Version(
                ruleID: nil, version: try row.get(at: 0), effectiveFrom: try row.get(at: 1), recordedAt: try row.get(at: 2), author: try row.get(at: 3))
        }
        let rules = try connection.rows(
            """
            SELECT v.version, v.effective_from, v.recorded_at, v.author, v.rule_id FROM rule_version v JOIN rule r ON r.id = v.rule_id
            WHERE r.program_id = \(program) ORDER BY v.recorded_at DESC, v.rule_id LIMIT \(limit)
            """
        ).map { row in
            Version(
                ruleID: try row.get(at: 4), version: try row.get(at: 0), effectiveFrom: try row.get(at: 1), recordedAt: try row.get(at: 2),
                author: try row.get(at: 3))
        }
        return Array((settings + rules).sorted { $0.recordedAt > $1.recordedAt }.prefix(limit))
    }
}
