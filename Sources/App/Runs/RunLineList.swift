import Compensation
import Money
import Persistence
import Web

/// A stored line with the names of what it is about.
struct NamedRunLine: Sendable {
    var number: Int
    var line: StoredLine
    var memberID: String
    var bonus: String
    /// The sale or refund, and which part of it.
    var orderID: String?
    var sourceID: String?

    func json(_ run: Run) -> JSONValue {
        func text(_ value: String?) -> JSONValue { value.map { .text($0) } ?? .null }
        return [
            "number": .integer(Int64(number)), "memberId": .text(memberID), "bonus": .text(bonus), "orderId": text(orderID),
            "sourceMemberId": text(sourceID), "level": .integer(Int64(line.level)), "base": .integer(line.baseMinor),
            "rate": .text(NamedRunLine.rate(line.rateBillionths)), "amount": .integer(line.amountMinor), "cut": .integer(line.cutMinor),
            "currency": .text(run.unit.code), "reason": .text(line.reason.code),
            "receiptUrl": .text("/runs/\(run.id.text)/lines/\(number)"),
        ]
    }

    static func rate(_ billionths: Int64) -> String { (try? Rate(billionths: billionths)).map { "\($0)" } ?? "0" }
}

/// A page of a run's lines: all of them, those of a member, or those of a sale.
struct RunLineList {
    let run: Run
    var member: MemberID?
    var sale: SaleID?

    func rows(after: Int?, limit: Int, _ installation: Installation) async throws -> [NamedRunLine] {
        let numbers = sale == nil ? nil : try await numbersOfSale(installation)
        let first = after.map { $0 + 1 } ?? 0
        return try await installation.main.read { connection in
            guard run.hash != nil, run.state != .draft else { return [] }
            let codes = try bonusCodes(on: connection)
            var picked: [(Int, StoredLine)] = []
            if let numbers {
                for number in numbers.filter({ $0 >= first }).prefix(limit) {
                    if let line = try RunReading.lines(of: run.id, from: number, count: 1, on: connection).first { picked.append((number, line)) }
                }
            } else if let member {
                guard let statement = try RunReading.statement(of: member, in: run.id, on: connection) else { return [] }
                let start = max(first, statement.firstLine)
                let count = min(limit, statement.firstLine + statement.lineCount - start)
                guard count > 0 else { return [] }
                picked = try RunReading.lines(of: run.id, from: start, count: count, on: connection).enumerated().map { (start + $0.offset, $0.element) }
            } else {
                picked = try RunReading.lines(of: run.id, from: first, count: limit, on: connection).enumerated().map { (first + $0.offset, $0.element) }
            }
            guard !picked.isEmpty else { return [] }
            let members = try MemberRows(of: run.id, on: connection)
            let orders = OrderRows(of: run.id, on: connection)
            return try picked.map { number, line in
                NamedRunLine(
                    number: number, line: line, memberID: try members.id(line.member).text,
                    bonus: codes.indices.contains(line.bonus) ? codes[line.bonus] : "", orderID: line.order < 0 ? nil : try orders.order(line.order).id.text,
                    sourceID: line.source < 0 ? nil : try members.id(line.source).text)
            }
        }
    }

    private func bonusCodes(on connection: any Connection) throws -> [String] {
        guard let plan = try PlanStore.find(run.planID, version: run.planVersion, in: run.workspaceID, on: connection),
            let program = try ProgramStore.find(run.programID, in: run.workspaceID, at: run.createdAt, on: connection)
        else { return [] }
        return try plan.plan(for: program).bonuses.map(\.code)
    }

    /// Numbers of the lines on a sale and its refunds, and of the member where one is asked for.
    private func numbersOfSale(_ installation: Installation) async throws -> [Int] {
        guard let sale, let packed = PackedID(sale.text) else { return [] }
        let archived = try await installation.archive.result(of: run.id, in: run.workspaceID, installation)
        let facts = archived.result.facts
        let orders = Set(
            archived.calculation.facts.orders.filter { $0.id.wholeText == packed.wholeText || $0.refundOf?.wholeText == packed.wholeText }
                .map(\.id.text))
        let wanted = member.flatMap { facts.member(id: $0.text) }
        var numbers: [Int] = []
        for (number, place) in archived.placeOfLine.enumerated() {
            let line = archived.result.lines[Int(place)]
            guard line.order >= 0, wanted == nil || Int(line.member) == wanted, orders.contains(facts.orderId(Int(line.order))) else { continue }
            numbers.append(number)
        }
        return numbers
    }
}
