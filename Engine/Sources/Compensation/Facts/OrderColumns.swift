import Chronology

/// Orders by buyer, time and id, refunds netted.
struct OrderColumns {
    let idNumber: Column<Int32>
    let firstOrder: Column<Int32>
    let buyer: Column<Int32>
    let amount: Column<Int64>
    let commission: Column<Int64>
    let qualifying: Column<Int64>
    let day: Column<Int32>
    let time: Column<Int64>
    let product: Column<Int32>
    let flags: Column<UInt8>
    let lateRefunds: [LateRefund]
    let nettedIds: [String]

    init(
        builder: FactsBuilder, period: Period, memberOfNumber: [Int32], earlier: [UInt8], rowOfMember: [Int32]
    ) throws(FactsFailure) {
        let rows = builder.orders
        let count = rows.rows.count
        let memberCount = rowOfMember.count
        func failure(_ row: Int, _ column: String, _ reason: FactsFailure.Reason) -> FactsFailure {
            FactsFailure(file: .orders, row: rows.rows[row], column: column, reason: reason)
        }

        var worst: (row: Int, failure: FactsFailure)?
        func fail(_ row: Int, _ column: String, _ reason: FactsFailure.Reason) {
            if let known = worst, rows.rows[known.row] <= rows.rows[row] { return }
            worst = (row, failure(row, column, reason))
        }
        var days = [Int32](repeating: 0, count: count)
        var sums: (Int128, Int128, Int128) = (0, 0, 0)
        var lastTime = Int64.min
        var lastDay: Int64 = 0
        for row in 0..<count {
            if memberOfNumber[Int(rows.buyers[row])] < 0 { fail(row, "buyer_id", .unknownMember) }
            if rows.times[row] != lastTime {
                lastTime = rows.times[row]
                lastDay = builder.calendar.zone.localDayNumber(ofMs: lastTime)
            }
            if lastDay < period.start.dayNumber || lastDay >= period.end.dayNumber {
                fail(row, "occurred_at", .outsidePeriod)
            }
            days[row] = Int32(clamping: lastDay)
            sums.0 += Int128(rows.amounts[row].magnitude)
            sums.1 += Int128(rows.commissions[row].magnitude)
            sums.2 += Int128(rows.qualifyings[row].magnitude)
        }
        let limit = Int128(FactsBuilder.volumeSumLimit)
        if count > 0, sums.0 > limit || sums.1 > limit || sums.2 > limit { fail(count - 1, "amount", .volumeTooLarge) }

        var amounts = rows.amounts
        var commissions = rows.commissions
        var qualifyings = rows.qualifyings
        var isGone = [Bool](repeating: false, count: rows.refunds.isEmpty ? 0 : count)
        var late: [Int32: String] = [:]
        var refundRows: Set<Int32> = []
        for refund in rows.refunds { refundRows.insert(refund.row) }
        for refund in rows.refunds {
            let row = Int(refund.row)
            guard let original = rows.ids.number(of: refund.refunded) else {
                late[refund.row] = refund.refunded
                continue
            }
            let order = Int(original)
            if refundRows.contains(original) {
                fail(row, "refund_of", .refundOfRefund)
                continue
            }
            if rows.buyers[order] != rows.buyers[row] { fail(row, "refund_of", .refundOfAnotherBuyer) }
            amounts[order] += rows.amounts[row]
            commissions[order] += rows.commissions[row]
            qualifyings[order] += rows.qualifyings[row]
            if rows.amounts[order] >= 0, rows.commissions[order] >= 0, rows.qualifyings[order] >= 0,
                amounts[order] < 0 || commissions[order] < 0 || qualifyings[order] < 0 {
                fail(row, "amount", .refundExceedsOrder)
            }
            isGone[row] = true
            isGone[order] = amounts[order] == 0 && commissions[order] == 0 && qualifyings[order] == 0
        }
        if let worst { throw worst.failure }
        nettedIds = isGone.indices.filter { isGone[$0] }.map { rows.ids[$0] }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }

        // Counting sort by buyer, then small sorts inside.
        let first = Column<Int32>(memberCount + 1, repeating: 0)
        var kept = 0
        for row in 0..<count where isGone.isEmpty || !isGone[row] {
            first[Int(memberOfNumber[Int(rows.buyers[row])]) + 1] += 1
            kept += 1
        }
        for member in 0..<memberCount { first[member + 1] += first[member] }
        var fill = first.array
        var sequence = [Int32](repeating: 0, count: kept)
        for row in 0..<count where isGone.isEmpty || !isGone[row] {
            let member = Int(memberOfNumber[Int(rows.buyers[row])])
            sequence[Int(fill[member])] = Int32(row)
            fill[member] += 1
        }
        let ids = rows.ids
        let times = rows.times
        for member in 0..<memberCount where first[member + 1] - first[member] > 1 {
            sequence[Int(first[member])..<Int(first[member + 1])].sort {
                let (one, other) = (times[Int($0)], times[Int($1)])
                return one != other ? one < other : ids.precedes(Int($0), Int($1))
            }
        }

        firstOrder = first
        idNumber = Column(sequence, else: 0)
        buyer = Column(kept, repeating: 0)
        amount = Column(kept, repeating: 0)
        commission = Column(kept, repeating: 0)
        qualifying = Column(kept, repeating: 0)
        day = Column(kept, repeating: 0)
        time = Column(kept, repeating: 0)
        product = Column(kept, repeating: -1)
        flags = Column(kept, repeating: 0)
        var lateRefunds: [LateRefund] = []
        for member in 0..<memberCount {
            let own = Int(first[member])..<Int(first[member + 1])
            // A refund of an earlier order proves one.
            var isFirst = earlier[Int(rowOfMember[member])] == 0
                && (late.isEmpty || !own.contains { late[Int32(sequence[$0])] != nil })
            for order in own {
                let row = Int(sequence[order])
                buyer[order] = Int32(member)
                amount[order] = amounts[row]
                commission[order] = commissions[row]
                qualifying[order] = qualifyings[row]
                day[order] = days[row]
                time[order] = times[row]
                product[order] = rows.products[row]
                if !late.isEmpty, let refunded = late[Int32(row)] {
                    flags[order] = Facts.isLateRefund
                    lateRefunds.append(LateRefund(order: Int32(order), refundedOrderId: refunded))
                } else if isFirst {
                    flags[order] = Facts.isFirstOrder
                    isFirst = false
                }
            }
        }
        self.lateRefunds = lateRefunds
    }
}
