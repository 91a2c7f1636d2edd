import Chronology
import Persistence
import Web

/// What members of a program agree to, in versions that are never changed.
struct Terms: Sendable {
    static let textLengthMax = 50_000

    var programID: ProgramID
    var version: Int64
    var text: String
    var author: String
    var recordedAt: Instant

    /// Puts a new version in force. The same text again is the same version.
    static func publish(_ text: String, for program: ProgramID, in write: Write) throws -> Terms {
        guard try ProgramStore.exists(program, in: write.workspace.id, on: write.connection) else { throw Refusal.unknownProgram() }
        let newest = try TermsStore.newest(of: program, on: write.connection)
        if let newest, newest.text == text { return newest }
        let terms = Terms(programID: program, version: (newest?.version ?? 0) + 1, text: text, author: write.actor.text, recordedAt: write.now)
        try TermsStore.insert(terms, on: write.connection)
        try write.audit("terms.publish", subject: program.text, JSONText(["version": .integer(terms.version)]))
        return terms
    }

    var json: JSONValue {
        [
            "programId": .text(programID.text), "version": .integer(version), "text": .text(text), "author": .text(author),
            "recordedAt": .text(recordedAt.rfc3339),
        ]
    }
}

enum TermsStore {
    static func insert(_ terms: Terms, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO terms_version (program_id, version, text, author, recorded_at)
            VALUES (\(terms.programID), \(terms.version), \(terms.text), \(terms.author), \(terms.recordedAt))
            """)
    }

    static func newest(of program: ProgramID, on connection: any Connection) throws -> Terms? {
        try connection.row(
            "SELECT version, text, author, recorded_at FROM terms_version WHERE program_id = \(program) ORDER BY version DESC LIMIT 1"
        ).map { try read($0, of: program) }
    }

    static func list(of program: ProgramID, limit: Int, on connection: any Connection) throws -> [Terms] {
        try connection.rows(
            "SELECT version, text, author, recorded_at FROM terms_version WHERE program_id = \(program) ORDER BY version DESC LIMIT \(limit)"
        ).map { try read($0, of: program) }
    }

    static func find(_ version: Int64, of program: ProgramID, on connection: any Connection) throws -> Terms? {
        try connection.row(
            "SELECT version, text, author, recorded_at FROM terms_version WHERE program_id = \(program) AND version = \(version)"
        ).map { try read($0, of: program) }
    }

    private static func read(_ row: Row, of program: ProgramID) throws -> Terms {
        Terms(programID: program, version: try row.get(at: 0), text: try row.get(at: 1), author: try row.get(at: 2), recordedAt: try row.get(at: 3))
    }

    /// How many agreed to each version.
    static func acceptedCounts(of program: ProgramID, on connection: any Connection) throws -> [Int64: Int64] {
        Dictionary(
            try connection.rows("SELECT version, count(*) FROM terms_acceptance WHERE program_id = \(program) GROUP BY version").map {
                (try $0.get(at: 0), try $0.get(at: 1))
            }, uniquingKeysWith: { one, _ in one })
    }

    struct Acceptance: Sendable {
        var memberID: MemberID
        var at: Instant
    }

    /// Who agreed to a version, by id.
    static func acceptances(
        of version: Int64, program: ProgramID, after: MemberID?, limit: Int, on connection: any Connection
    ) throws -> [Acceptance] {
        try connection.rows(
            """
            SELECT member_id, accepted_at FROM terms_acceptance
            WHERE program_id = \(program) AND version = \(version) AND member_id > \(after?.text ?? "") ORDER BY member_id LIMIT \(limit)
            """
        ).map { Acceptance(memberID: try $0.get(at: 0), at: try $0.get(at: 1)) }
    }

    struct Agreed: Sendable {
        var programID: ProgramID
        var programName: String
        var version: Int64
        var at: Instant
    }

    /// All that a member ever agreed to, the newest first.
    static func agreed(by member: MemberID, limit: Int, on connection: any Connection) throws -> [Agreed] {
        try connection.rows(
            """
            SELECT a.program_id, p.name, a.version, a.accepted_at FROM terms_acceptance a JOIN program p ON p.id = a.program_id
            WHERE a.member_id = \(member) ORDER BY a.accepted_at DESC, a.program_id, a.version DESC LIMIT \(limit)
            """
        ).map { Agreed(programID: try $0.get(at: 0), programName: try $0.get(at: 1), version: try $0.get(at: 2), at: try $0.get(at: 3)) }
    }

    /// Accepting twice is accepting once.
    static func accept(_ version: Int64, of program: ProgramID, by member: MemberID, at now: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO terms_acceptance (member_id, program_id, version, accepted_at) VALUES (\(member), \(program), \(version), \(now))
            ON CONFLICT (member_id, program_id, version) DO NOTHING
            """)
    }

    struct Unaccepted: Sendable {
        var programID: ProgramID
        var programName: String
        var version: Int64
        var text: String
    }

    /// The newest terms of programs that a member has not agreed to.
    static func unaccepted(by member: MemberID, in programs: [ProgramID], on connection: any Connection) throws -> [Unaccepted] {
        guard !programs.isEmpty else { return [] }
        return try connection.rows(
            """
            SELECT t.program_id, p.name, t.version, t.text FROM terms_version t JOIN program p ON p.id = t.program_id
            WHERE t.program_id IN \(list: programs)
              AND t.version = (SELECT max(n.version) FROM terms_version n WHERE n.program_id = t.program_id)
              AND NOT EXISTS (SELECT 1 FROM terms_acceptance a WHERE a.member_id = \(member) AND a.program_id = t.program_id AND a.version = t.version)
            ORDER BY t.program_id
            """
        ).map { Unaccepted(programID: try $0.get(at: 0), programName: try $0.get(at: 1), version: try $0.get(at: 2), text: try $0.get(at: 3)) }
    }
}
