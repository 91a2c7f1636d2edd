import Compensation
import Money

/// `lines.csv` and `statements.csv` of a run.
struct RunTables {
    let result: RunResult

    static let lineColumns = "member_id,bonus,order_id,level,base,rate,amount,currency,reason"
    static let statementColumns =
        "member_id,rank,paid_rank,personal_volume,group_volume,amount,currency,highest_rank,active,debt_in,payable,debt_out"

    func writeLines(_ path: String) throws(FileFailure) {
        let file = try ByteWriter(path: path)
        try file.write(Self.lineColumns + "\n")
        let facts = result.facts
        let unit = result.plan.unit.code
        let bonuses = result.plan.bonuses.map(\.code)
        var member = -1
        var memberId = ""
        var rates: [Int64: String] = [0: "0"]
        var count = 0
        do {
            try result.forLinesInFileOrder { place in
                let line = result.lines[place]
                // A line of nothing says nothing; what period rounding or a split left with 0 goes with it.
                guard line.amountMinor != 0 else { return }
                if Int(line.member) != member {
                    member = Int(line.member)
                    memberId = facts.memberId(member)
                }
                try file.cell(memberId)
                file.comma()
                try file.cell(bonuses[Int(line.bonus)])
                file.comma()
                if line.order >= 0 { try file.cell(facts.orderId(Int(line.order))) }
                file.comma()
                file.write(Int64(line.level))
                file.comma()
                file.write(line.baseMinor)
                file.comma()
                if let known = rates[line.rateBillionths] {
                    try file.write(known)
                } else {
                    let text = (try? Rate(billionths: line.rateBillionths))?.text ?? "0"
                    rates[line.rateBillionths] = text
                    try file.write(text)
                }
                file.comma()
                file.write(line.amountMinor)
                file.comma()
                try file.cell(unit)
                file.comma()
                try file.write(line.reason.code)
                try file.endLine()
                count += 1
            }
        } catch let failure as FileFailure {
            throw failure
        } catch {
            throw FileFailure(path: path, message: "could not be written")
        }
        try file.finish()
    }

    /// Gives the number of statements.
    func writeStatements(_ path: String, membersById: [Int]) throws(FileFailure) -> Int {
        let file = try ByteWriter(path: path)
        try file.write(Self.statementColumns + "\n")
        let unit = result.plan.unit.code
        let ranks = [""] + result.plan.ranks.map(\.code)
        var count = 0
        for member in membersById where result.hasStatement(member) {
            count += 1
            let statement = result.statement(of: member)
            result.facts.withMemberId(member) { file.cell($0) }
            for rank in [statement.rank, statement.paidRank] {
                file.comma()
                try file.cell(ranks[rank])
            }
            for number in [statement.personalVolume, statement.groupVolume, statement.amountMinor] {
                file.comma()
                file.write(number)
            }
            file.comma()
            try file.cell(unit)
            file.comma()
            try file.cell(ranks[statement.highestRank])
            file.comma()
            try file.write(statement.isActive ? "true" : "false")
            for number in [statement.debtInMinor, statement.payableMinor, statement.debtOutMinor] {
                file.comma()
                file.write(number)
            }
            try file.endLine()
        }
        try file.finish()
        return count
    }
}
