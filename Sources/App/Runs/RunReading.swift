import Chronology
import Compensation
import Persistence
import Web

/// Rows of the members among a run's facts, part by part as they are asked for. One connection, one request.
final class MemberRows {
    private let run: RunID
    private let connection: any Connection
    private let trees: Int
    private var parts: [Int: [FactsSnapshot.Member]] = [:]
    /// Parts held at a time.
    private static let partsMax = 16

    init(of run: RunID, on connection: any Connection) throws {
        self.run = run
        self.connection = connection
        guard let names = try RunPartStore.part(.names, 0, of: run, on: connection) else {
            throw DatabaseFailure(.corrupt, "the facts of \(run) are missing")
        }
        trees = try FactsSnapshot([names]).treeCodes.count
    }

    func id(_ row: Int) throws -> PackedID { try member(row).id }

    func member(_ row: Int) throws -> FactsSnapshot.Member {
        let number = row / FactsSnapshot.rowsOfPart
        if parts[number] == nil {
            guard let part = try RunPartStore.part(.members, number, of: run, on: connection) else {
                throw DatabaseFailure(.corrupt, "part \(number) of the members of \(run) is missing")
            }
            if parts.count >= Self.partsMax { parts.removeAll() }
            parts[number] = try FactsSnapshot.membersOnly(part, trees: trees)
        }
        guard let rows = parts[number], rows.indices.contains(row % FactsSnapshot.rowsOfPart) else {
            throw DatabaseFailure(.corrupt, "the facts of \(run) have no member \(row)")
        }
        return rows[row % FactsSnapshot.rowsOfPart]
    }
}

/// The orders among a run's facts, part by part.
final class OrderRows {
    private let run: RunID
    private let connection: any Connection
    private var parts: [Int: [FactsSnapshot.Order]] = [:]
    private static let partsMax = 16

    init(of run: RunID, on connection: any Connection) {
        self.run = run
        self.connection = connection
    }

    func order(_ row: Int) throws -> FactsSnapshot.Order {
        let number = row / FactsSnapshot.rowsOfPart
        if parts[number] == nil {
            guard let part = try RunPartStore.part(.orders, number, of: run, on: connection) else {
                throw DatabaseFailure(.corrupt, "part \(number) of the orders of \(run) is missing")
            }
            if parts.count >= Self.partsMax { parts.removeAll() }
            var reader = PackedReader(part.bytes)
            var orders: [FactsSnapshot.Order] = []
            while !reader.isAtEnd { orders.append(try FactsSnapshot.order(&reader)) }
            parts[number] = orders
        }
        guard let rows = parts[number], rows.indices.contains(row % FactsSnapshot.rowsOfPart) else {
            throw DatabaseFailure(.corrupt, "the facts of \(run) have no order \(row)")
        }
        return rows[row % FactsSnapshot.rowsOfPart]
    }
}

extension FactsSnapshot {
    static func membersOnly(_ part: RunPart, trees: Int) throws -> [Member] {
        var snapshot = FactsSnapshot()
        snapshot.treeCodes = Array(repeating: "", count: trees)
        snapshot.places = Array(repeating: [], count: trees)
        try snapshot.readMembers(part)
        return snapshot.members
    }
}

/// Reads stored lines and statements, a page at a time.
enum RunReading {
    /// Lines of one call at most; a member may have more, page by page.
    static let linesMax = 1_000

    static func statement(of member: MemberID, in run: RunID, on connection: any Connection) throws -> StoredStatement? {
        guard let wanted = PackedID(member.text) else { return nil }
        guard let part = try RunPartStore.part(.statements, holding: member.text, of: run, on: connection) else { return nil }
        let rows = try MemberRows(of: run, on: connection)
        var reader = PackedReader(part.bytes)
        while !reader.isAtEnd {
            let statement = try StoredStatement.read(&reader)
            if try rows.id(statement.member) == wanted { return statement }
        }
        return nil
    }

    /// Statements from a number on.
    static func statements(of run: RunID, from first: Int, count: Int, on connection: any Connection) throws -> [StoredStatement] {
        try rows(.statements, size: RunOutput.statementsOfPart, of: run, from: first, count: count, on: connection) { try StoredStatement.read(&$0) }
    }

    /// Lines from a number on.
    static func lines(of run: RunID, from first: Int, count: Int, on connection: any Connection) throws -> [StoredLine] {
        try rows(.lines, size: RunOutput.linesOfPart, of: run, from: first, count: count, on: connection) { try StoredLine.read(&$0) }
    }

    private static func rows<Element>(
        _ kind: RunPart.Kind, size: Int, of run: RunID, from first: Int, count: Int, on connection: any Connection,
        _ read: (inout PackedReader) throws -> Element
    ) throws -> [Element] {
        var found: [Element] = []
        var number = max(0, first) / size
        var skipped = max(0, first) % size
        while found.count < count, let part = try RunPartStore.part(kind, number, of: run, on: connection) {
            var reader = PackedReader(part.bytes)
            while !reader.isAtEnd, found.count < count {
                let row = try read(&reader)
                if skipped > 0 { skipped -= 1 } else { found.append(row) }
            }
            skipped = 0
            number += 1
        }
        return found
    }

    /// Whether an order is among the facts of a run.
    static func holds(_ order: PackedID, _ run: RunID, on connection: any Connection) throws -> Bool {
        guard let part = try RunPartStore.part(.orders, holding: order.text, of: run, on: connection) else { return false }
        var reader = PackedReader(part.bytes)
        while !reader.isAtEnd { if try FactsSnapshot.order(&reader).id == order { return true } }
        return false
    }

    struct Finding: Sendable {
        var check: String
        var memberID: MemberID
        var part: Int64
        var whole: Int64
        var isHard: Bool
    }

    static func findings(of run: RunID, on connection: any Connection) throws -> [Finding] {
        guard let part = try RunPartStore.part(.findings, 0, of: run, on: connection) else { return [] }
        var reader = PackedReader(part.bytes)
        var found: [Finding] = []
        while !reader.isAtEnd {
            found.append(
                Finding(
                    check: try reader.text(), memberID: MemberID(stored: try reader.text()), part: try reader.signed(), whole: try reader.signed(),
                    isHard: try reader.count() == 1))
        }
        return found
    }
}
