import Crypto
import Foundation
import Persistence
import Web

/// Brings an exported workspace into a database that has none of it, with the same ids and the same journal, so that exporting it again
/// gives the same files. People get new keys.
struct WorkspaceImport: Sendable {
    static let lineBytesMax = 4 << 20
    static let clicksAtOnce = 1_000

    let installation: Installation
    let folder: String
    /// Everything is read and written, and taken back at the end.
    var isDryRun = false

    func run() async throws -> JSONValue {
        let manifest = try readManifest()
        guard case .text(let workspace)? = manifest["workspaceId"], case .array(let files)? = manifest["files"] else { throw damaged("no manifest of kith export") }
        var people: Int64 = 0
        for file in files {
            guard case .text(let name)? = file["name"], case .text(let hash)? = file["sha256"], case .number(let count)? = file["rows"],
                name.hasSuffix(".jsonl"), !name.contains("/")
            else { throw damaged("no manifest of kith export") }
            guard try Self.hash(path(name)) == hash else { throw damaged("\(name) was changed: its hash is not the manifest's") }
            if name == ExportTable.people + ".jsonl" { people = count.integer ?? 0 }
        }
        try await installation.main.read { connection in
            if try ExportStore.isUsed(workspace, on: connection) {
                throw Problem.conflict(code: "workspace_in_use", detail: "The workspace \(workspace) is in this database already. Import into another one.")
            }
        }
        let progress = LongWork.current
        let rowsExpected = files.reduce(0) { $0 + Int($1["rows"]?.int64 ?? 0) }
        progress?.tell(.clicks, 0)
        try await importClicks()
        // They are of a workspace that is not there yet, so nothing is counted twice: their counts come with the links.
        if !isDryRun { try await installation.applyClicks() }
        progress?.tell(.writing, 0, of: rowsExpected)
        let rows: Int64
        if isDryRun {
            rows = try await rehearse(progress, rowsExpected)
        } else {
            try await installation.vault.refill(atLeast: Int(people) + Vault.sparesLow)
            let vault = installation.vault
            rows = try await installation.writeAnywhere { connection in try insertAll(vault: vault, progress, rowsExpected, on: connection) }
        }
        return ["workspaceId": .text(workspace), "rows": .integer(rows), "dryRun": .boolean(isDryRun), "written": .boolean(!isDryRun)]
    }

    private struct TakenBack: Error { var rows: Int64 }

    /// The same writing in a transaction that ends without a commit, with keys that exist in memory alone.
    private func rehearse(_ progress: LongWork?, _ rowsExpected: Int) async throws -> Int64 {
        let vault = installation.vault.rehearsal
        do {
            return try await installation.main.write { connection -> Int64 in throw TakenBack(rows: try insertAll(vault: vault, progress, rowsExpected, on: connection)) }
        } catch let done as TakenBack {
            return done.rows
        }
    }

    // MARK: Rows

    /// Every table after those it refers to. Answers how many rows.
    private func insertAll(vault: Vault, _ progress: LongWork?, _ rowsExpected: Int, on connection: any Connection) throws -> Int64 {
        var rows: Int64 = 0
        for table in ExportTable.all {
            try forEachLine("\(table.name).jsonl") { members in
                rows += 1
                if rows % Int64(FileImport.toldRows) == 0 { progress?.tell(.writing, Int(rows), of: rowsExpected) }
                try insert(table, members, vault: vault, world: installation.world, on: connection)
            }
            if let deferred = table.deferred {
                try forEachLine("\(table.name).jsonl") { members in try fill(table, deferred, members, on: connection) }
            }
        }
        return rows
    }

    private func insert(_ table: ExportTable, _ members: [JSONMember], vault: Vault, world: World, on connection: any Connection) throws {
        switch table.name {
        case "workspace":
            guard case .text(let id)? = JSONValue.object(members)["id"] else { throw ExportRow.Malformed(name: "id") }
            if try !ExportStore.exists(workspace: id, on: connection) { try ExportStore.insert(table.name, ExportRow.values(members), on: connection) }
        case ExportTable.people: try insertPerson(members, vault: vault, world: world, on: connection)
        case "member", "customer":
            var values = try ExportRow.values(members.map { $0.name == table.deferred ? JSONMember($0.name, .null) : $0 })
            values.append((name: "external_hash", value: try externalHash(table.name, members, vault: vault, on: connection)))
            try ExportStore.insert(table.name, values, on: connection)
        case "sale", "lead":
            var values = try ExportRow.values(members.filter { $0.name != "metadata" })
            values.append((name: "metadata_sealed", value: try sealed(members, vault: vault, on: connection)))
            try ExportStore.insert(table.name, values, on: connection)
        case "outbox":
            var values = try ExportRow.values(members)
            // Exports of versions without numbers come in the order of ids.
            if !values.contains(where: { $0.name == "sequence" }), case .text(let workspace)? = JSONValue.object(members)["workspace_id"] {
                let last = try EventStore.lastSequence(in: WorkspaceID(stored: workspace), on: connection)
                values.append((name: "sequence", value: .integer(last + 1)))
            }
            try ExportStore.insert(table.name, values, on: connection)
        case ExportTable.webhookEndpoints:
            var values = try ExportRow.values(members.filter { $0.name != "member_url" })
            values.append((name: "url_sealed", value: try sealedURL(members, vault: vault, on: connection)))
            try ExportStore.insert(table.name, values, on: connection)
            // What happened before was told by the installation it comes from.
            if case .text(let workspace)? = JSONValue.object(members)["workspace_id"] {
                try WebhookCursorStore.begin(in: WorkspaceID(stored: workspace), on: connection)
            }
        default: try ExportStore.insert(table.name, ExportRow.values(members), on: connection)
        }
    }

    private func sealedURL(_ members: [JSONMember], vault: Vault, on connection: any Connection) throws -> Value {
        let row = JSONValue.object(members)
        guard case .text(let url)? = row["member_url"], case .text(let member)? = row["member_id"], case .text(let workspace)? = row["workspace_id"] else { return .null }
        let sealed = try Postback.seal(url, of: MemberID(stored: member), in: WorkspaceID(stored: workspace), vault: vault, on: connection)
        return sealed.map { .blob($0) } ?? .null
    }

    /// A person with a new key, their fields sealed under it. One who was erased has none.
    private func insertPerson(_ members: [JSONMember], vault: Vault, world: World, on connection: any Connection) throws {
        let row = JSONValue.object(members)
        guard case .text(let id)? = row["id"], case .text(let workspace)? = row["workspace_id"], case .object(let fields)? = row["fields"],
            case .array(let lookups)? = row["lookups"]
        else { throw ExportRow.Malformed(name: ExportTable.people) }
        let isErased = row["erased_at"] != .null
        let key = isErased ? nil : try vault.takeKey()
        let person = PersonID(stored: id)
        let values = try ExportRow.values(members.filter { $0.name != "fields" && $0.name != "lookups" })
        let keyID = key?.id ?? world.newID(PersonKeyKind.self)
        try ExportStore.insert(ExportTable.people, values + [(name: "key_id", value: .text(keyID.text))], on: connection)
        guard let key else { return }
        func look(_ kind: PersonLookup, _ value: String) throws {
            let hash = vault.lookupHash(WorkspaceID(stored: workspace), kind.rawValue, value)
            try insertLookup(workspace, kind.rawValue, hash, id, on: connection)
        }
        for field in fields {
            guard case .text(let text) = field.value, let name = PersonField(rawValue: field.name) else { throw ExportRow.Malformed(name: field.name) }
            let sealed = try Vault.seal(Array(text.utf8), under: key.key, for: "\(person.text):\(name.rawValue)")
            try ExportStore.insert(
                "person_field", [("person_id", .text(id)), ("field", .text(name.rawValue)), ("sealed", .blob(sealed))], on: connection)
            if name == .email {
                try look(.email, text)
                try look(.mailbox, Normalised.mailbox(text))
            }
        }
        for lookup in lookups {
            guard case .text(let kind)? = lookup["kind"], case .text(let text)? = lookup["hash"], let hash = ExportRow.bytes(text) else {
                throw ExportRow.Malformed(name: "lookups")
            }
            try insertLookup(workspace, kind, hash, id, on: connection)
        }
    }

    private func insertLookup(_ workspace: String, _ kind: String, _ hash: [UInt8], _ person: String, on connection: any Connection) throws {
        try ExportStore.insert(
            "person_lookup", [("workspace_id", .text(workspace)), ("kind", .text(kind)), ("hash", .blob(hash)), ("person_id", .text(person))],
            on: connection)
    }

    private func externalHash(_ table: String, _ members: [JSONMember], vault: Vault, on connection: any Connection) throws -> Value {
        let row = JSONValue.object(members)
        guard case .text(let person)? = row["person_id"], case .text(let workspace)? = row["workspace_id"] else { throw ExportRow.Malformed(name: table) }
        let id = PersonID(stored: person)
        guard let external = try PersonStore.fields(of: [id], [.externalId], vault: vault, on: connection)[id]?[.externalId] else { return .null }
        return .blob(vault.lookupHash(WorkspaceID(stored: workspace), table, external))
    }

    private func sealed(_ members: [JSONMember], vault: Vault, on connection: any Connection) throws -> Value {
        let row = JSONValue.object(members)
        guard let metadata = row["metadata"], metadata != .null, case .text(let id)? = row["id"], case .text(let customer)? = row["customer_id"],
            let person = try ExportStore.person(of: CustomerID(stored: customer), on: connection),
            let key = try PersonStore.key(of: person, vault: vault, on: connection)
        else { return .null }
        return .blob(try Vault.seal(metadata.bytes, under: key, for: id))
    }

    private func fill(_ table: ExportTable, _ column: String, _ members: [JSONMember], on connection: any Connection) throws {
        guard case .text(let id)? = JSONValue.object(members)["id"], let member = members.first(where: { $0.name == column }), member.value != .null,
            let value = try ExportRow.values([member]).first
        else { return }
        try ExportStore.set(table.name, column, value.value, id: id, on: connection)
    }

    private func importClicks() async throws {
        let lines = try LineReader(path(ExportTable.clicks + ".jsonl"))
        var batch: [[(name: String, value: Value)]] = []
        while true {
            let line = try lines.next()
            if let line { batch.append(try ExportRow.values(parse(line))) }
            guard batch.count == Self.clicksAtOnce || line == nil else { continue }
            let rows = batch
            if !rows.isEmpty, !isDryRun { try await installation.clicks.write { connection in try ExportStore.appendClicks(rows, on: connection) } }
            batch.removeAll(keepingCapacity: true)
            if line == nil { return }
        }
    }

    // MARK: Files

    private func path(_ name: String) -> String { "\(folder)/\(name)" }

    private func damaged(_ reason: String) -> Problem { .badRequest(code: "export_damaged", detail: "\(folder): \(reason). Export again.") }

    private func readManifest() throws -> JSONValue {
        guard let data = FileManager.default.contents(atPath: path(WorkspaceExport.manifestName)),
            let manifest = try? JSONValue.parse([UInt8](data), maximumBytes: 1 << 20), manifest["format"] == .text(WorkspaceExport.format)
        else { throw damaged("there is no manifest of kith export") }
        guard manifest["version"] == .integer(WorkspaceExport.version) else { throw damaged("it was written by another version of Kith") }
        return manifest
    }

    private func forEachLine(_ name: String, _ body: ([JSONMember]) throws -> Void) throws {
        let lines = try LineReader(path(name))
        while let line = try lines.next() { try body(parse(line)) }
    }

    private func parse(_ line: [UInt8]) throws -> [JSONMember] {
        guard case .object(let members)? = try? JSONValue.parse(line, maximumBytes: Self.lineBytesMax) else { throw damaged("a line is no object") }
        return members
    }

    private static func hash(_ path: String) throws -> String {
        guard let handle = FileHandle(forReadingAtPath: path) else { throw FileFailure(path: path, reason: "can't be read") }
        defer { try? handle.close() }
        var hash = SHA256()
        while let piece = try handle.read(upToCount: Tar.pieceBytes), !piece.isEmpty { hash.update(data: piece) }
        return ExportRow.hexadecimal(hash.finalize())
    }
}

/// Lines of a file one by one, in bounded memory.
private final class LineReader {
    private let path: String
    private let handle: FileHandle
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false

    init(_ path: String) throws {
        guard let handle = FileHandle(forReadingAtPath: path) else { throw FileFailure(path: path, reason: "can't be read") }
        self.path = path
        self.handle = handle
    }

    func next() throws -> [UInt8]? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: 0x0A) {
                defer { start = end + 1 }
                return Array(buffer[start..<end])
            }
            guard !isAtEnd else { return nil }
            guard buffer.count - start <= WorkspaceImport.lineBytesMax else { throw FileFailure(path: path, reason: "holds a line that is too long") }
            buffer.removeSubrange(..<start)
            start = 0
            searched = buffer.count
            let piece = try handle.read(upToCount: CSVReader.pieceBytes) ?? Data()
            isAtEnd = piece.isEmpty
            buffer += piece
        }
    }
}
