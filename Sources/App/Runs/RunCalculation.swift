import Chronology
import Compensation
import Money
import Persistence
import Web

/// One run's arithmetic: facts, plan and what came before in; lines, statements and carry out. Reads no clock and no database.
struct RunCalculation: Sendable {
    var plan: Compensation.Plan
    var canonical: String
    var period: Period
    var facts: FactsSnapshot
    var carryIn: Carry
    /// Late facts changed what the runs before would have handed on, so it is stored with this run.
    var isCarryReplaced = false
    var overrides: [Override]
    /// Orders of earlier periods that are refunded in this one.
    var history: [PastOrder]
    /// All orders that were ever refunded, by the runs before.
    var refundedBefore: [PastOrder] = []

    static let threads = 2

    func result() async throws -> RunResult {
        let widths = PlanTrees(plan).widths
        let facts = try facts.facts(calendar: plan.calendar, widths: widths, period: period)
        return try await Compensation.run(
            plan, facts: facts, carryIn: carryIn, overrides: overrides, history: history, options: RunOptions(threads: Self.threads))
    }

    func output() async throws -> RunOutput { try RunOutput(self, try await result()) }
}

/// What a run came to, as it is stored.
struct RunOutput: Sendable {
    static let linesOfPart = 8_192
    static let statementsOfPart = 4_096

    let result: RunResult
    let factsParts: [RunPart]
    let factsHash: [UInt8]
    let outputParts: [RunPart]
    let hash: [UInt8]
    let totalMinor: Int64
    let lineCount: Int
    let payeeCount: Int
    let statementCount: Int

    var parts: [RunPart] { factsParts + outputParts }

    init(_ calculation: RunCalculation, _ result: RunResult) throws {
        self.result = result
        factsParts =
            calculation.facts.parts() + [try calculation.history.part(.history)]
            + (calculation.isCarryReplaced ? try calculation.carryIn.parts().map { $0.asHistory } : [])
        factsHash = PartsHash.of(factsParts)
        let total = result.totalMinor
        guard total.magnitude <= UInt128(Int64.max) else { throw RunFailure.overflow(where: "total") }
        totalMinor = Int64(total)
        let written = try StoredLines(result, calculation.facts)
        lineCount = result.lines.count
        payeeCount = written.payees
        statementCount = written.statements
        var refunded: [String: PastOrder] = [:]
        for order in calculation.refundedBefore + result.refundedOrders { refunded[order.orderId] = order }
        outputParts =
            written.parts + (try result.carryOut.withoutDebts.parts())
            + [try refunded.values.sorted { $0.orderId < $1.orderId }.part(.refunded)]
        var hash = PartsHash()
        hash.add(calculation.canonical)
        hash.add(Array(factsHash).description)
        for part in outputParts { hash.add(part) }
        self.hash = hash.finish()
    }
}

extension RunPart {
    /// A carry that is stored among what a run took: beside its first part, which holds refunded orders.
    var asHistory: RunPart {
        var part = self
        part.kind = .history
        part.number += 1
        return part
    }

    /// Such a carry; nil for other parts.
    var asCarry: RunPart? {
        guard kind == .history, number > 0 else { return nil }
        var part = self
        part.kind = .carry
        part.number -= 1
        return part
    }
}

extension Carry {
    /// What members owe stands in the ledger, where commissions pay it off too.
    var withoutDebts: Carry {
        var carry = self
        for place in carry.members.indices { carry.members[place].debtMinor = 0 }
        return carry
    }
}

/// One stored line. Rows are those of the run's facts.
struct StoredLine: Sendable, Hashable {
    var member: Int
    /// −1: none.
    var order: Int
    var source: Int
    var bonus: Int
    var level: Int
    var reason: LineReason
    var baseMinor: Int64
    var rateBillionths: Int64
    var amountMinor: Int64
    var cutMinor: Int64

    func write(to writer: inout PackedWriter) {
        writer.count(member)
        writer.signed(Int64(order))
        writer.signed(Int64(source))
        writer.count(bonus)
        writer.count(level)
        writer.count(Int(reason.rawValue))
        writer.signed(baseMinor)
        writer.signed(rateBillionths)
        writer.signed(amountMinor)
        writer.signed(cutMinor)
    }

    static func read(_ reader: inout PackedReader) throws -> StoredLine {
        StoredLine(
            member: try reader.count(), order: Int(try reader.signed()), source: Int(try reader.signed()), bonus: try reader.count(),
            level: try reader.count(), reason: LineReason(rawValue: UInt8(truncatingIfNeeded: try reader.count())) ?? .earned,
            baseMinor: try reader.signed(), rateBillionths: try reader.signed(), amountMinor: try reader.signed(), cutMinor: try reader.signed())
    }
}

/// One member's period, with where their lines are.
struct StoredStatement: Sendable, Hashable {
    var member: Int
    var rank: Int
    var paidRank: Int
    var highestRank: Int
    var isActive: Bool
    var personalVolume: Int64
    var groupVolume: Int64
    var amountMinor: Int64
    /// Number of the first line in the run, and how many follow.
    var firstLine: Int
    var lineCount: Int

    func write(to writer: inout PackedWriter) {
        for value in [member, rank, paidRank, highestRank, isActive ? 1 : 0] { writer.count(value) }
        for value in [personalVolume, groupVolume, amountMinor] { writer.signed(value) }
        writer.count(firstLine)
        writer.count(lineCount)
    }

    static func read(_ reader: inout PackedReader) throws -> StoredStatement {
        StoredStatement(
            member: try reader.count(), rank: try reader.count(), paidRank: try reader.count(), highestRank: try reader.count(),
            isActive: try reader.count() == 1, personalVolume: try reader.signed(), groupVolume: try reader.signed(),
            amountMinor: try reader.signed(), firstLine: try reader.count(), lineCount: try reader.count())
    }
}

/// Lines and statements in the order of members' ids, packed. Within a member lines keep the engine's order: by bonus, buyer and order.
private struct StoredLines {
    private(set) var parts: [RunPart] = []
    private(set) var payees = 0
    private(set) var statements = 0

    private var lineWriter = PackedWriter()
    private var lineRows = 0
    private var lineFirstID = ""
    private var lineLastID = ""
    private var linePart = 0
    private var statementWriter = PackedWriter()
    private var statementRows = 0
    private var statementFirstID = ""
    private var statementLastID = ""
    private var statementPart = 0

    init(_ result: RunResult, _ facts: FactsSnapshot) throws {
        let engine = result.facts
        var firstLine = [Int32](repeating: 0, count: engine.memberCount + 1)
        for line in result.lines { firstLine[Int(line.member) + 1] += 1 }
        for number in 0..<engine.memberCount { firstLine[number + 1] += firstLine[number] }
        var hasStatement = [Bool](repeating: false, count: engine.memberCount)
        for number in result.statementMembers { hasStatement[number] = true }
        var written = 0
        for row in facts.members.indices {
            // The engine numbers members its own way.
            let number = engine.member(atRow: row)
            guard number >= 0 else { continue }
            let places = Int(firstLine[number])..<Int(firstLine[number + 1])
            guard hasStatement[number] || !places.isEmpty else { continue }
            let statement = result.statement(of: number)
            let id = facts.members[row].id.text
            add(
                StoredStatement(
                    member: row, rank: statement.rank, paidRank: statement.paidRank, highestRank: statement.highestRank,
                    isActive: statement.isActive, personalVolume: statement.personalVolume, groupVolume: statement.groupVolume,
                    amountMinor: statement.amountMinor, firstLine: written, lineCount: places.count), id)
            for place in places {
                let line = result.lines[place]
                add(
                    StoredLine(
                        member: row, order: line.order < 0 ? -1 : engine.row(ofOrder: Int(line.order)),
                        source: line.source < 0 ? -1 : engine.row(ofMember: Int(line.source)), bonus: Int(line.bonus), level: Int(line.level),
                        reason: line.reason, baseMinor: line.baseMinor, rateBillionths: line.rateBillionths, amountMinor: line.amountMinor,
                        cutMinor: line.cutMinor), id)
            }
            written += places.count
        }
        closeLines()
        closeStatements()
    }

    private mutating func add(_ line: StoredLine, _ id: String) {
        if lineRows == 0 { lineFirstID = id }
        lineLastID = id
        line.write(to: &lineWriter)
        lineRows += 1
        if lineRows == RunOutput.linesOfPart { closeLines() }
    }

    private mutating func add(_ statement: StoredStatement, _ id: String) {
        if statementRows == 0 { statementFirstID = id }
        statementLastID = id
        statement.write(to: &statementWriter)
        statementRows += 1
        statements += 1
        if statement.amountMinor != 0 { payees += 1 }
        if statementRows == RunOutput.statementsOfPart { closeStatements() }
    }

    private mutating func closeLines() {
        guard lineRows > 0 else { return }
        parts.append(
            RunPart(kind: .lines, number: linePart, firstID: lineFirstID, lastID: lineLastID, rows: lineRows, bytes: lineWriter.bytes))
        (lineWriter, lineRows, linePart) = (PackedWriter(), 0, linePart + 1)
    }

    private mutating func closeStatements() {
        guard statementRows > 0 else { return }
        parts.append(
            RunPart(
                kind: .statements, number: statementPart, firstID: statementFirstID, lastID: statementLastID, rows: statementRows,
                bytes: statementWriter.bytes))
        (statementWriter, statementRows, statementPart) = (PackedWriter(), 0, statementPart + 1)
    }
}
