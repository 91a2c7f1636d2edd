import Chronology
import Foundation
import HTTPTypes
import Persistence
import Web

/// Takes a generic file in through the same verbs as the API. A file with any bad row writes nothing: every row is read first, then the
/// whole import is rehearsed on a copy that is thrown away, and only then done, in batches. What only then can't be written, because others
/// wrote meanwhile, ends the import before its batch; the batches before stay, and the answer says so.
struct FileImport: Sendable {
    /// Rows in one transaction.
    static let batchRows = 200
    /// Errors told at most; the others are counted.
    static let errorsMax = 100
    static let rowsMax = 5_000_000
    /// Members are sorted before they are enrolled, so they are held in memory.
    static let membersMax = 1_000_000
    /// Rows between two words of how far it is.
    static let toldRows = 100

    struct RowError: Sendable {
        var line: Int
        var column: String
        var message: String
        var json: JSONValue { ["line": .integer(Int64(line)), "column": .text(column), "message": .text(message)] }
    }

    struct Summary: Sendable {
        var rows = 0
        var created = 0
        var updated = 0
        /// Known already, with the same facts.
        var known = 0
        /// Minor units of what was told, by currency: a file read a hundred times too large shows.
        var amountsMinor: [String: Int128] = [:]
        var errors: [RowError] = []
        var errorCount = 0
        var written = Written.nothing
        /// New and changed rows that an earlier attempt at this file had written before it broke off; nil when there was none.
        var writtenBefore: Int64?

        enum Written: Sendable { case nothing, partly, everything }

        mutating func add(_ errors: [RowError]) {
            errorCount += errors.count
            self.errors += errors.prefix(max(0, FileImport.errorsMax - self.errors.count))
        }

        /// As commands and pages show it: `written` is true, false or `partly`.
        func json(_ kinds: [ImportKind], isDryRun: Bool) -> JSONValue {
            [
                "kind": .text(kinds.map(\.rawValue).joined(separator: " ")), "dryRun": .boolean(isDryRun), "rows": .integer(Int64(rows)), "created": .integer(Int64(created)),
                "updated": .integer(Int64(updated)), "known": .integer(Int64(known)), "errorCount": .integer(Int64(errorCount)),
                "amounts": .array(amountsMinor.sorted { $0.key < $1.key }.map { ["currency": .text($0.key), "amount": .integer(Int64(clamping: $0.value))] }),
                "errors": .array(errors.map(\.json)), "written": written == .partly ? .text("partly") : .boolean(written == .everything),
                "resumed": .boolean(writtenBefore != nil), "writtenBefore": .integer(writtenBefore ?? 0),
            ]
        }
    }

    let installation: Installation
    let workspace: Workspace
    let program: ProgramID?
    /// What is read out of the file, one after the other.
    let parts: [Part]
    let path: String
    /// The file itself, where it came by a page.
    var text: String?
    var actor = Actor.command
    /// The row that follows it; nil: it is found by the file, or made.
    var record: FileImportID?
    var progress = LongWork.current
    /// For tests: the process dies after so many rows.
    var stopsAfterRows: Int?

    /// One kind of rows that the file has, with the names that another system gives its columns.
    struct Part: Sendable {
        var kind: ImportKind
        var mapping: ColumnMapping.Resolved?
        /// Rows that say nothing of this kind are passed over: most sales of a file were never refunded.
        var passesSilentRows = false
    }

    init(installation: Installation, workspace: Workspace, program: ProgramID?, parts: [Part], path: String) {
        self.installation = installation
        self.workspace = workspace
        self.program = program
        self.parts = parts
        self.path = path
    }

    /// A generic file.
    init(installation: Installation, workspace: Workspace, program: ProgramID?, kind: ImportKind, path: String) {
        self.init(installation: installation, workspace: workspace, program: program, parts: [Part(kind: kind)], path: path)
    }

    func run(isDryRun: Bool) async throws -> JSONValue {
        let kinds = parts.map(\.kind)
        let checked = try check()
        if checked.errorCount > 0 { return checked.json(kinds, isDryRun: isDryRun) }
        if kinds == [.clicks] { return try await ClickImport(file: self).run(isDryRun: isDryRun).json(kinds, isDryRun: isDryRun) }
        let rehearsed = try await rehearse(checked.rows)
        if isDryRun || rehearsed.errorCount > 0 { return rehearsed.json(kinds, isDryRun: isDryRun) }
        return try await write(expecting: checked.rows).json(kinds, isDryRun: false)
    }

    // MARK: Reading

    /// The form of every row, without the database.
    private func check() throws -> Summary {
        var summary = Summary()
        do {
            for part in parts {
                let next = try rows(part)
                while let (_, result) = try next() {
                    summary.rows += 1
                    if summary.rows % Self.toldRows == 0 { progress?.tell(.reading, summary.rows) }
                    if case .failure(let refused) = result { summary.add(refused.errors) }
                }
            }
        } catch let malformed as CSVReader.Malformed {
            summary.add([RowError(line: malformed.line, column: malformed.column, message: malformed.reason)])
        }
        return summary
    }

    struct Refused: Error {
        var errors: [RowError]
    }

    /// The file's rows in its order, read with the API's own checks.
    func rows(_ part: Part) throws -> () throws -> (line: Int, row: Result<ImportRow, Refused>)? {
        let reader = try text.map { try CSVReader(text: $0) } ?? CSVReader(path: path)
        let (kind, columns) = (part.kind, part.mapping?.columns ?? reader.columns)
        try kind.check(columns)
        var count = 0
        return {
            var next = try reader.next()
            if part.passesSilentRows { while let row = next, part.mapping?.isSilent(row.fields) == true { next = try reader.next() } }
            guard let row = next else { return nil }
            count += 1
            guard count <= Self.rowsMax else { throw CSVReader.Malformed(line: row.line, reason: "A file has at most \(Self.rowsMax) rows. Split it.") }
            do {
                let row = part.mapping.map { CSVReader.CSVRow(line: row.line, fields: $0.fields(row.fields)) } ?? row
                return (row.line, .success(try ImportRow.read(kind.body(row, header: columns, program: program), kind, program: program)))
            } catch let problem as Problem {
                return (row.line, .failure(Refused(errors: errors(problem, line: row.line, part))))
            }
        }
    }

    static let decimalAllowed = "Must be an amount such as 1234.50: digits, a point before the decimals, and no more decimals than the currency has; not below 0."

    /// A refusal by the columns of the file.
    func errors(_ problem: Problem, line: Int, _ part: Part) -> [RowError] {
        func told(_ column: String, _ message: String) -> RowError {
            RowError(line: line, column: column.isEmpty ? "" : part.mapping?.theirs(column) ?? column, message: message)
        }
        return problem.errors.isEmpty
            ? [told(problem.status == .conflict ? part.kind.identity : "", problem.detail)]
            : problem.errors.map { error in
                let column = part.kind.column(of: error.field)
                // The file says 49.00: whoever were asked for a whole number would write a hundred times too much.
                let isDecimal = error.message.hasPrefix("Must be a whole number") && part.mapping?.isDecimal(column) ?? false
                return told(column, isDecimal ? Self.decimalAllowed : error.message)
            }
    }

    /// Good rows in the order in which they are written: members after those whom they name.
    private func rowsInOrder(_ part: Part) throws -> () throws -> (line: Int, row: ImportRow)? {
        let next = try rows(part)
        func nextGood() throws -> (line: Int, row: ImportRow)? {
            while let (line, result) = try next() { if case .success(let row) = result { return (line, row) } }
            return nil
        }
        guard part.kind == .members else { return nextGood }
        var members: [(line: Int, row: ImportRow)] = []
        while let row = try nextGood() {
            guard members.count < Self.membersMax else {
                throw CSVReader.Malformed(line: row.line, reason: "A file of members has at most \(Self.membersMax) rows. Split it.")
            }
            members.append(row)
        }
        var sorted = try MemberOrder.sorted(members).makeIterator()
        return { sorted.next() }
    }

    // MARK: Writing

    /// The whole import on a copy that is thrown away. Others write meanwhile.
    private func rehearse(_ rowsExpected: Int) async throws -> Summary {
        progress?.tell(.rehearsing, 0, of: rowsExpected)
        let (vault, world) = (installation.vault.rehearsal, installation.world)
        return try await Rehearsal.run(workspace.id, of: installation) { connection -> Summary in
            guard let workspace = try WorkspaceStore.find(self.workspace.id, on: connection) else { throw Refusal.unknown("workspace") }
            let write = Write(
                connection: connection, workspace: workspace, now: workspace.now(world), actor: self.actor, world: world, vault: vault)
            var summary = Summary()
            do {
                for part in self.parts {
                    let next = try self.rowsInOrder(part)
                    while summary.errors.count < Self.errorsMax, let (line, row) = try next() {
                        try self.apply(row, line: line, part, evidence: .none, to: &summary, in: write)
                        if summary.rows % Self.toldRows == 0 { self.progress?.tell(.rehearsing, summary.rows, of: rowsExpected) }
                    }
                }
            } catch let malformed as CSVReader.Malformed {
                summary.add([RowError(line: malformed.line, column: malformed.column, message: malformed.reason)])
            }
            return summary
        }
    }

    private struct Waiting: Sendable {
        var line: Int
        var row: ImportRow
        var evidence = Evidence.none
    }

    /// The import itself, after the rehearsal went well. An attempt at the same file that broke off is gone on with: rows that it wrote
    /// are known.
    func write(expecting rowsExpected: Int = 0) async throws -> Summary {
        var summary = Summary()
        let begun = try await begin()
        summary.writtenBefore = begun.writtenBefore
        progress?.tell(.writing, 0, of: rowsExpected)
        do {
            for part in parts { try await write(part, begun.id, rowsExpected, to: &summary) }
            summary.written = .everything
        } catch let stopped as Stopped {
            let before = summary.created + summary.updated
            summary.written = before > 0 ? .partly : .nothing
            let told = before > 0 ? " The \(before) rows written before it stay; take the same file in again when it is mended." : ""
            summary.add(stopped.errors.map { RowError(line: $0.line, column: $0.column, message: $0.message + told) })
        }
        try await end(begun.id, summary)
        return summary
    }

    /// A batch had rows that could not be written, and was taken back.
    private struct Stopped: Error { var errors: [RowError] }

    private func write(_ part: Part, _ record: FileImportID, _ rowsExpected: Int, to summary: inout Summary) async throws {
        let next = try rowsInOrder(part)
        var batch: [Waiting] = []
        var clicked = Set<String>()
        while let (line, row) = try next() {
            // What a click of the same customer tells must be stored before their next sale asks for it.
            if batch.count == Self.batchRows || row.customer.map(clicked.contains) == true {
                summary = try await write(batch, part, record, after: summary)
                progress?.tell(.writing, summary.rows, of: rowsExpected)
                batch.removeAll(keepingCapacity: true)
                clicked.removeAll(keepingCapacity: true)
            }
            if let stopsAfterRows, summary.rows >= stopsAfterRows { throw CancellationError() }
            if let customer = row.customer, row.clickID != nil { clicked.insert(customer) }
            batch.append(Waiting(line: line, row: row))
        }
        summary = try await write(batch, part, record, after: summary)
        progress?.tell(.writing, summary.rows, of: rowsExpected)
    }

    private func write(_ batch: [Waiting], _ part: Part, _ record: FileImportID, after before: Summary) async throws -> Summary {
        guard !batch.isEmpty else { return before }
        try Task.checkCancellation()
        var ready = batch
        for index in ready.indices {
            if case .sale(let sale) = ready[index].row {
                ready[index].evidence = try await installation.evidence(
                    click: sale.clickID, visitor: sale.visitorID, customer: sale.customerExternalID, workspace.id)
            }
        }
        try await installation.vault.refill(atLeast: Self.batchRows)
        let rows = ready
        return try await installation.write(workspace.id, actor: actor) { write in
            var summary = before
            for waiting in rows { try apply(waiting.row, line: waiting.line, part, evidence: waiting.evidence, to: &summary, in: write) }
            if summary.errorCount > 0 { throw Stopped(errors: summary.errors) }
            let written = summary.created + summary.updated - before.created - before.updated
            try FileImportStore.note(record, written: Int64(written), on: write.connection)
            return summary
        }
    }

    /// One row, which stands or falls alone.
    private func apply(_ row: ImportRow, line: Int, _ part: Part, evidence: Evidence, to summary: inout Summary, in write: Write) throws {
        summary.rows += 1
        do {
            switch try write.connection.savepoint({ try row.apply(evidence: evidence, in: write) }) {
            case .created: summary.created += 1
            case .updated: summary.updated += 1
            case .known: summary.known += 1
            }
            // Refunds among sales are not added to them.
            if parts.count == 1 || part.kind != .refunds, let (currency, minor) = row.money { summary.amountsMinor[currency, default: 0] += Int128(minor) }
        } catch let problem as Problem where problem.status.code < 500 {
            summary.add(errors(problem, line: line, part))
        }
    }
}
