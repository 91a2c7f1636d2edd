import Chronology
import Compensation
import Money
import Persistence
import Web

/// The income disclosure of an accepted run, out of what the ledger says was posted: every participant counts, also who got nothing, and
/// beside what they got stands what they paid for goods of their own. Reads the run's facts part by part.
struct LedgerDisclosure {
    private struct Participant {
        var rank: UInt8 = 0
        var isCounted = false
        var isActive = false
        var earnedMinor: Int64 = 0
        var spentMinor: Int64 = 0
    }

    let run: Run
    let connection: any Connection

    static func json(_ run: Run, on connection: any Connection) throws -> JSONValue {
        try LedgerDisclosure(run: run, connection: connection).json()
    }

    private func json() throws -> JSONValue {
        guard let plan = try PlanStore.find(run.planID, version: run.planVersion, in: run.workspaceID, on: connection),
            let program = try ProgramStore.find(run.programID, in: run.workspaceID, at: run.createdAt, on: connection)
        else { throw Refusal.unknown("plan") }
        let engine = try plan.plan(for: program)
        let ranks = engine.ranks.map(\.code)
        let everybody = try participants()
        var byRank = [[Int64]](repeating: [], count: ranks.count + 1)
        var all: [Int64] = []
        var spent: [Int64] = []
        var active: Int64 = 0
        for person in everybody where person.isCounted {
            all.append(person.earnedMinor)
            byRank[min(Int(person.rank), ranks.count)].append(person.earnedMinor)
            spent.append(person.spentMinor)
            if person.isActive { active += 1 }
        }
        let whole = Disclosure.row(rank: 0, all)
        return [
            "source": "ledger", "participants": .integer(Int64(whole.count)), "zero": .integer(Int64(whole.zeroCount)), "active": .integer(active),
            "activeIsStatus": .boolean(engine.active == .status([.active])), "all": row(whole, ranks),
            "ranks": .array(byRank.enumerated().map { row(Disclosure.row(rank: $0.offset, $0.element), ranks) }),
            "expenses": row(Disclosure.row(rank: 0, spent), ranks), "spenders": .integer(Int64(spent.count { $0 > 0 })),
            "hash": .text(Hexadecimal.text(run.hash ?? [])),
        ]
    }

    private func row(_ row: Disclosure.Row, _ ranks: [String]) -> JSONValue {
        [
            "rank": .integer(Int64(row.rank)), "name": .text(row.rank == 0 ? "" : ranks[row.rank - 1]), "count": .integer(Int64(row.count)),
            "zero": .integer(Int64(row.zeroCount)), "total": RunReport.number(row.totalMinor), "highest": .integer(row.highestMinor),
            "quantiles": .array(
                zip(Disclosure.percentPoints, row.quantiles).map { point, value in
                    ["percent": .integer(Int64(point)), "amount": RunReport.number(value / Disclosure.quantileDenominator)]
                }),
        ]
    }

    /// By the rows of the run's facts; only promoters who are not erased are counted.
    private func participants() throws -> [Participant] {
        var people: [Participant] = []
        var ids: [PackedID] = []
        guard let names = try RunPartStore.part(.names, 0, of: run.id, on: connection) else {
            throw DatabaseFailure(.corrupt, "the facts of \(run.id) are missing")
        }
        let trees = try FactsSnapshot([names]).treeCodes.count
        for part in 0..<(try RunPartStore.count(.members, of: run.id, on: connection)) {
            for member in try FactsSnapshot.membersOnly(try stored(.members, part), trees: trees) {
                ids.append(member.id)
                people.append(Participant(isCounted: member.isPromoter && member.status != Compensation.MemberStatus.erased.rawValue))
            }
        }
        for part in 0..<(try RunPartStore.count(.statements, of: run.id, on: connection)) {
            var reader = PackedReader(try stored(.statements, part).bytes)
            while !reader.isAtEnd {
                let statement = try StoredStatement.read(&reader)
                people[statement.member].rank = UInt8(clamping: statement.paidRank)
                people[statement.member].isActive = statement.isActive
            }
        }
        for part in 0..<(try RunPartStore.count(.orders, of: run.id, on: connection)) {
            var reader = PackedReader(try stored(.orders, part).bytes)
            while !reader.isAtEnd {
                let order = try FactsSnapshot.order(&reader)
                people[Int(order.buyer)].spentMinor &+= order.amountMinor
            }
        }
        try LedgerDisclosureStore.earned(by: run, on: connection) { member, amountMinor in
            guard let id = PackedID(member), let place = Self.place(of: id, in: ids) else {
                throw DatabaseFailure(.corrupt, "the ledger has \(member) in \(run.id), whose facts don't")
            }
            people[place].earnedMinor &+= amountMinor
        }
        return people
    }

    private func stored(_ kind: RunPart.Kind, _ number: Int) throws -> RunPart {
        guard let part = try RunPartStore.part(kind, number, of: run.id, on: connection) else {
            throw DatabaseFailure(.corrupt, "part \(number) of the \(kind.rawValue) of \(run.id) is missing")
        }
        return part
    }

    /// Facts stand in the order of ids.
    private static func place(of id: PackedID, in ids: [PackedID]) -> Int? {
        var low = 0
        var high = ids.count
        while low < high {
            let middle = (low + high) / 2
            if ids[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low < ids.count && ids[low] == id ? low : nil
    }
}

enum LedgerDisclosureStore {
    /// What the acceptance of a run posted for each member: pending money, less what became a debt.
    static func earned(by run: Run, on connection: any Connection, _ body: (_ member: String, _ amountMinor: Int64) throws -> Void) throws {
        let sql: SQL = """
            SELECT a.name, e.amount FROM journal_transaction t
            JOIN journal_entry e ON e.workspace_id = t.workspace_id AND e.sequence = t.sequence JOIN account a ON a.id = e.account_id
            WHERE t.workspace_id = \(run.workspaceID) AND t.cause = \(run.id) AND t.purpose >= 'acceptance/' AND t.purpose < 'acceptance0'
            """
        try connection.forEachRow(sql) { row in
            let name: String = try row.get(at: 0)
            guard let member = name.split(whereSeparator: { $0 == "/" || $0 == ":" }).first(where: { $0.hasPrefix(MemberKind.prefix) }) else { return }
            let amount: Int64 = try row.get(at: 1)
            try body(String(member), 0 &- amount)
        }
    }
}
