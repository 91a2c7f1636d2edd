import Chronology
import Crypto
import Foundation
import Persistence
import Web

enum FileImportKind: Identified { static let prefix = "imp_" }
typealias FileImportID = Identifier<FileImportKind>

/// A file that is taken in: by a page, which keeps it until it is written, or by a command. It tells how far the file is.
struct FileImportRecord: Sendable {
    /// Files of a page that nobody went on with are forgotten.
    static let keptMs: Int64 = 86_400_000

    enum State: String, Sendable, CaseIterable {
        /// Somebody decides which column is what.
        case mapping
        case rehearsing, rehearsed, writing, done
        /// A part was written; then a row could not be.
        case partly
        /// The file is gone before it was written.
        case dropped

        var isWorking: Bool { self == .rehearsing || self == .writing }
    }

    var id: FileImportID
    var workspaceID: WorkspaceID
    var programID: ProgramID?
    var contentHash: String
    var source: String
    var kinds: [ImportKind]
    var mapping: ImportMapping
    var state: State
    var rowsWritten: Int64
    var createdBy: String
    var createdAt: Instant
    var expiresAt: Instant
    var hasContent: Bool
    var workOwner: String?
    var workUntil: Instant?

    /// Whom the rows of a page are written by.
    var actor: Actor { OperatorID(createdBy).map { .operator_($0) } ?? .command }
}

/// Seals files while a page needs them, under a key of the installation's.
struct FileImportSeal: Sendable {
    private let key: SymmetricKey

    init(_ secrets: Secrets) { key = secrets.key("file-import") }

    func seal(_ plain: [UInt8], of id: FileImportID, _ what: String) throws -> [UInt8] { try Vault.seal(plain, under: key, for: "\(id.text):\(what)") }
    func open(_ sealed: [UInt8], of id: FileImportID, _ what: String) throws -> [UInt8] { try Vault.open(sealed, under: key, for: "\(id.text):\(what)") }
}

extension FileImport {
    struct Begun: Sendable {
        var id: FileImportID
        /// What an earlier attempt at this file had written when it broke off; nil when there was none.
        var writtenBefore: Int64?
    }

    /// Notes that the file is being written.
    func begin() async throws -> Begun {
        let hash = try contentHash()
        let (kinds, record) = (parts.map(\.kind), record)
        return try await installation.write(workspace.id, actor: actor) { write in
            let unfinished = try FileImportStore.unfinished(hash, in: write.workspace.id, on: write.connection)
            let before = unfinished.flatMap { $0.rowsWritten > 0 || kinds == [.clicks] ? $0.rowsWritten : nil }
            if let id = record ?? unfinished?.id {
                try FileImportStore.set(id, .writing, on: write.connection)
                return Begun(id: id, writtenBefore: before)
            }
            let made = FileImportRecord(
                id: write.world.newID(), workspaceID: write.workspace.id, programID: self.program, contentHash: hash, source: "file", kinds: kinds,
                mapping: ImportMapping(vendor: nil, kinds: kinds, amounts: .minor, places: [:]), state: .writing, rowsWritten: 0,
                createdBy: write.actor.person, createdAt: write.world.now(), expiresAt: write.world.now(), hasContent: false)
            try FileImportStore.insert(made, content: nil, on: write.connection)
            return Begun(id: made.id)
        }
    }

    /// Notes how it ended.
    func end(_ id: FileImportID, _ summary: Summary) async throws {
        let (hash, kinds) = (try contentHash(), parts.map(\.kind))
        try await installation.write(workspace.id, actor: actor) { write in
            let state: FileImportRecord.State = summary.written == .everything ? .done : summary.written == .partly ? .partly : .rehearsed
            try FileImportStore.finish(id, state, hash: hash, in: write.workspace.id, on: write.connection)
            try write.audit(
                "import.write", subject: id.text,
                JSONText([
                    "kinds": .text(kinds.map(\.rawValue).joined(separator: " ")), "rows": .integer(Int64(summary.rows)), "created": .integer(Int64(summary.created)),
                    "updated": .integer(Int64(summary.updated)), "known": .integer(Int64(summary.known)),
                ]))
        }
    }

    /// Of the file's bytes, and of how they are read.
    func contentHash() throws -> String {
        var hash = SHA256()
        if let text {
            hash.update(data: Data(text.utf8))
        } else {
            guard let handle = FileHandle(forReadingAtPath: path) else { throw FileFailure(path: path, reason: "can't be read") }
            defer { try? handle.close() }
            while let piece = try handle.read(upToCount: CSVReader.pieceBytes), !piece.isEmpty { hash.update(data: piece) }
        }
        let reading = parts.map { part in
            "\(part.kind.rawValue) " + (part.mapping?.parts.map { "\($0.source.column)=\($0.places.map(String.init).joined(separator: "+"))" }.joined(separator: ",") ?? "")
        }
        return ExportRow.hexadecimal(FactsHash.of([ExportRow.hexadecimal(hash.finalize()), program?.text ?? ""] + reading))
    }
}

enum FileImportStore {
    private static let columns = """
        id, workspace_id, program_id, content_hash, source, kinds, mapping, state, rows_written, created_by, created_at, expires_at,
        content_sealed IS NOT NULL, work_owner, work_until
        """

    static func insert(_ record: FileImportRecord, content: [UInt8]?, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO file_import (id, workspace_id, program_id, content_hash, source, kinds, mapping, state, rows_written, content_sealed, created_by, created_at, expires_at)
            VALUES (\(record.id), \(record.workspaceID), \(record.programID), \(record.contentHash), \(record.source),
                    \(words(record.kinds)), \(JSONText(record.mapping.json).text), \(record.state.rawValue), \(record.rowsWritten), \(content),
                    \(record.createdBy), \(record.createdAt), \(record.expiresAt))
            """)
    }

    static func find(_ id: FileImportID, in workspace: WorkspaceID, on connection: any Connection) throws -> FileImportRecord? {
        try connection.row("SELECT \(raw: columns) FROM file_import WHERE id = \(id) AND workspace_id = \(workspace)").map(read)
    }

    /// The newest attempt at a file that did not come to its end.
    static func unfinished(_ hash: String, in workspace: WorkspaceID, on connection: any Connection) throws -> FileImportRecord? {
        try connection.row(
            """
            SELECT \(raw: columns) FROM file_import
            WHERE workspace_id = \(workspace) AND content_hash = \(hash) AND state IN ('writing', 'partly')
            ORDER BY rows_written DESC, created_at DESC LIMIT 1
            """
        ).map(read)
    }

    static func list(in workspace: WorkspaceID, limit: Int, on connection: any Connection) throws -> [FileImportRecord] {
        try connection.rows(
            "SELECT \(raw: columns) FROM file_import WHERE workspace_id = \(workspace) ORDER BY created_at DESC, id DESC LIMIT \(limit)"
        ).map(read)
    }

    /// Files of pages that somebody waits for.
    static func working(limit: Int, on connection: any Connection) throws -> [FileImportRecord] {
        try connection.rows(
            """
            SELECT \(raw: columns) FROM file_import WHERE state IN ('rehearsing', 'writing') AND content_sealed IS NOT NULL ORDER BY created_at LIMIT \(limit)
            """
        ).map(read)
    }

    static func content(_ id: FileImportID, on connection: any Connection) throws -> (content: [UInt8]?, outcome: [UInt8]?) {
        guard let row = try connection.row("SELECT content_sealed, outcome_sealed FROM file_import WHERE id = \(id)") else { return (nil, nil) }
        return (try row.get(at: 0, as: [UInt8]?.self), try row.get(at: 1, as: [UInt8]?.self))
    }

    static func set(_ id: FileImportID, _ state: FileImportRecord.State, on connection: any Connection) throws {
        try connection.execute("UPDATE file_import SET state = \(state.rawValue) WHERE id = \(id)")
    }

    static func setMapping(_ record: FileImportRecord, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE file_import SET program_id = \(record.programID), content_hash = \(record.contentHash), kinds = \(words(record.kinds)),
                mapping = \(JSONText(record.mapping.json).text), state = 'mapping', outcome_sealed = NULL WHERE id = \(record.id)
            """)
    }

    static func setOutcome(_ id: FileImportID, _ sealed: [UInt8], on connection: any Connection) throws {
        try connection.execute("UPDATE file_import SET outcome_sealed = \(sealed) WHERE id = \(id)")
    }

    static func setWork(_ id: FileImportID, owner: String?, until: Instant?, on connection: any Connection) throws {
        try connection.execute("UPDATE file_import SET work_owner = \(owner), work_until = \(until) WHERE id = \(id)")
    }

    static func note(_ id: FileImportID, written: Int64, on connection: any Connection) throws {
        try connection.execute("UPDATE file_import SET rows_written = rows_written + \(written) WHERE id = \(id)")
    }

    /// The end of a file. Earlier attempts at it need not be gone on with; what is written needs no file any more.
    static func finish(_ id: FileImportID, _ state: FileImportRecord.State, hash: String, in workspace: WorkspaceID, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE file_import SET state = \(state.rawValue), content_sealed = CASE WHEN \(state.rawValue) = 'done' THEN NULL ELSE content_sealed END,
                work_owner = NULL, work_until = NULL WHERE id = \(id)
            """)
        guard state == .done else { return }
        try connection.execute(
            """
            UPDATE file_import SET state = 'dropped', content_sealed = NULL, outcome_sealed = NULL
            WHERE workspace_id = \(workspace) AND content_hash = \(hash) AND id <> \(id) AND state IN ('writing', 'partly')
            """)
    }

    static func hasExpired(at now: Instant, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM file_import WHERE content_sealed IS NOT NULL AND expires_at <= \(now) AND state NOT IN ('rehearsing', 'writing') LIMIT 1") != nil
    }

    static func expire(at now: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE file_import SET content_sealed = NULL, outcome_sealed = NULL, state = CASE WHEN state = 'partly' THEN 'partly' ELSE 'dropped' END
            WHERE content_sealed IS NOT NULL AND expires_at <= \(now) AND state NOT IN ('rehearsing', 'writing')
            """)
    }

    /// Kept files may name somebody who is erased: all of the workspace go.
    static func drop(in workspace: WorkspaceID, on connection: any Connection) throws -> Int {
        try connection.execute(
            """
            UPDATE file_import SET state = CASE WHEN content_sealed IS NULL OR state = 'partly' THEN state ELSE 'dropped' END, content_sealed = NULL, outcome_sealed = NULL
            WHERE workspace_id = \(workspace) AND (content_sealed IS NOT NULL OR outcome_sealed IS NOT NULL)
            """)
    }

    private static func words(_ kinds: [ImportKind]) -> String { kinds.map(\.rawValue).joined(separator: " ") }

    private static func read(_ row: Row) throws -> FileImportRecord {
        let mapping = try JSONValue.parse(Array(row.get(at: 6, as: String.self).utf8), maximumBytes: 1 << 20)
        return FileImportRecord(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2), contentHash: try row.get(at: 3), source: try row.get(at: 4),
            kinds: try row.get(at: 5, as: String.self).split(separator: " ").compactMap { ImportKind(rawValue: String($0)) }, mapping: ImportMapping(mapping),
            state: FileImportRecord.State(rawValue: try row.get(at: 7)) ?? .dropped, rowsWritten: try row.get(at: 8), createdBy: try row.get(at: 9),
            createdAt: try row.get(at: 10), expiresAt: try row.get(at: 11), hasContent: try row.get(at: 12), workOwner: try row.get(at: 13),
            workUntil: try row.get(at: 14))
    }
}
