import Crypto
import Foundation
import Persistence
import Web

/// Writes a workspace into a folder, whole and readable: a file of JSON Lines for each table and a manifest with counts and hashes.
/// The same state gives the same bytes.
struct WorkspaceExport {
    static let format = "kith-export"
    static let version: Int64 = 1
    static let manifestName = "manifest.json"

    let workspace: Workspace
    let folder: String
    let vault: Vault

    struct Written: Sendable {
        var name: String
        var rows: Int64
        var sha256: String
    }

    /// Writes everything as of one moment. Answers the manifest.
    func write(main: any Database, clicks: any Database) async throws -> JSONValue {
        let files = FileManager.default
        if let found = try? files.contentsOfDirectory(atPath: folder), !found.isEmpty {
            throw Problem.conflict(code: "target_exists", detail: "The folder \(folder) is not empty. Name a new one.")
        }
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let export = self
        let progress = LongWork.current
        var (written, cursor) = try await main.read { connection in
            (
                try ExportTable.all.enumerated().map { number, table in
                    progress?.tell(.tables, number, of: ExportTable.all.count, part: table.name)
                    return try export.write(table, on: connection)
                }, try CursorStore.position("clicks", on: connection)
            )
        }
        progress?.tell(.clicks, 0)
        let last = cursor
        let (file, waiting) = try await clicks.read { connection in
            (try export.writeClicks(until: last, on: connection), try ExportStore.clicksWaiting(export.workspace.id, after: last, on: connection))
        }
        written.append(file)
        cursor = last
        let manifest: JSONValue = [
            "format": .text(Self.format), "version": .integer(Self.version), "workspaceId": .text(workspace.id.text),
            "workspace": .text(workspace.name), "clicksNotApplied": .integer(waiting),
            "files": .array(written.map { ["name": .text($0.name), "rows": .integer($0.rows), "sha256": .text($0.sha256)] }),
        ]
        let lines = try LineFile(folder + "/" + Self.manifestName)
        try lines.add(manifest)
        _ = try lines.close()
        return manifest
    }

    private func write(_ table: ExportTable, on connection: any Connection) throws -> Written {
        let file = try LineFile("\(folder)/\(table.name).jsonl")
        switch table.name {
        case ExportTable.people:
            try forEachPage(table, on: connection) { rows in
                let ids: [PersonID] = try rows.map { try $0.get("id") }
                let fields = try PersonStore.fields(of: ids, PersonField.allCases, vault: vault, on: connection)
                let lookups = try ExportStore.lookups(of: ids, on: connection)
                for (row, id) in zip(rows, ids) {
                    let known = PersonField.allCases.compactMap { field in
                        fields[id]?[field].map { JSONMember(field.rawValue, .text($0)) }
                    }
                    let hashes = (lookups[id] ?? []).map { JSONValue.object([
                        JSONMember("kind", .text($0.kind)), JSONMember("hash", .text(ExportRow.hexadecimal($0.hash))),
                    ]) }
                    try file.add(
                        ExportRow.json(
                            row, omitting: table.omitted, adding: [JSONMember("fields", .object(known)), JSONMember("lookups", .array(hashes))]))
                }
            }
        case "sale", "lead":
            try forEachPage(table, on: connection) { rows in
                for row in rows {
                    try file.add(ExportRow.json(row, omitting: table.omitted, adding: [JSONMember("metadata", try metadata(row, on: connection))]))
                }
            }
        case ExportTable.webhookEndpoints:
            try forEachPage(table, on: connection) { rows in
                for row in rows { try file.add(ExportRow.json(row, omitting: table.omitted, adding: [JSONMember("member_url", try memberURL(row, on: connection))])) }
            }
        default:
            try ExportStore.forEach(table, workspace.id, on: connection) { try file.add(ExportRow.json($0, omitting: table.omitted)) }
        }
        return try file.close()
    }

    private func forEachPage(_ table: ExportTable, on connection: any Connection, _ body: ([Row]) throws -> Void) throws {
        var after = ""
        while true {
            let rows = try ExportStore.page(table, workspace.id, after: after, on: connection)
            guard let last = rows.last else { return }
            try body(rows)
            after = try last.get("id")
        }
    }

    /// What a sale or lead said of itself, opened with the customer's key.
    private func metadata(_ row: Row, on connection: any Connection) throws -> JSONValue {
        guard let sealed: [UInt8] = try row.get("metadata_sealed", as: [UInt8]?.self),
            let person = try ExportStore.person(of: try row.get("customer_id"), on: connection),
            let key = try PersonStore.key(of: person, vault: vault, on: connection)
        else { return .null }
        let plain = try Vault.open(sealed, under: key, for: try row.get("id"))
        return try JSONValue.parse(plain, maximumBytes: 1_000_000)
    }

    /// The address of a member's tracker, opened with the member's key.
    private func memberURL(_ row: Row, on connection: any Connection) throws -> JSONValue {
        guard let sealed: [UInt8] = try row.get("url_sealed", as: [UInt8]?.self), let member = try row.get("member_id", as: MemberID?.self) else { return .null }
        return try Postback.url(sealed, of: member, in: workspace.id, vault: vault, on: connection).map { .text($0) } ?? .null
    }

    private func writeClicks(until cursor: Int64, on connection: any Connection) throws -> Written {
        let file = try LineFile("\(folder)/\(ExportTable.clicks).jsonl")
        try ExportStore.clicks(workspace.id, until: cursor, on: connection) { try file.add(ExportRow.json($0, omitting: ["sequence"])) }
        return try file.close()
    }
}

/// A file that grows line by line and knows its hash.
private final class LineFile {
    private let name: String
    private let handle: FileHandle
    private var buffer: [UInt8] = []
    private var hash = SHA256()
    private var rows: Int64 = 0

    init(_ path: String) throws {
        name = (path as NSString).lastPathComponent
        handle = try Tar.create(path)
    }

    func add(_ value: JSONValue) throws {
        buffer += value.bytes
        buffer.append(0x0A)
        rows += 1
        if buffer.count >= Tar.pieceBytes { try flush() }
    }

    func close() throws -> WorkspaceExport.Written {
        try flush()
        try handle.synchronize()
        try handle.close()
        return WorkspaceExport.Written(name: name, rows: rows, sha256: ExportRow.hexadecimal(hash.finalize()))
    }

    private func flush() throws {
        hash.update(data: buffer)
        try handle.write(contentsOf: Data(buffer))
        buffer.removeAll(keepingCapacity: true)
    }
}
