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
    private(set) var lateRefunds: [LateRefund] = []
    let nettedIds: [String]

    init(
        builder: FactsBuilder, period: Period, memberOfNumber: [Int32], earlier: [UInt8], rowOfMember: [Int32]
    ) throws(FactsFailure) {
        let memberCount = rowOfMember.count
        let checked = try CheckedOrders(rows: builder.orders, calendar: builder.calendar, period: period, memberOfNumber: memberOfNumber)
        nettedIds = checked.nettedIds

        // Counting sort by buyer, then small sorts inside.
        let first = Column<Int32>(memberCount + 1, repeating: 0)
        checked.forKept { _, order in first[Int(memberOfNumber[Int(order.buyer)]) + 1] += 1 }
        for member in 0..<memberCount { first[member + 1] += first[member] }
        let kept = Int(first[memberCount])
        let fill = Column(copying: first, else: 0)
        let sequence = Column<Int32>(kept, repeating: 0)
        checked.forKept { row, order in
            let member = Int(memberOfNumber[Int(order.buyer)])
            sequence[Int(fill[member])] = Int32(row)
            fill[member] += 1
        }

        firstOrder = first
        idNumber = sequence
        buyer = Column(kept, repeating: 0)
        amount = Column(kept, repeating: 0)
        commission = Column(kept, repeating: 0)
        qualifying = Column(kept, repeating: 0)
        day = Column(kept, repeating: 0)
        time = Column(kept, repeating: 0)
        product = Column(kept, repeating: -1)
        flags = Column(kept, repeating: 0)
        let late = checked.late
        checked.entries.withUnsafeBufferPointer { entries in
            for member in 0..<memberCount {
                let own = Int(first[member])..<Int(first[member + 1])
                sort(own, of: sequence, entries, builder.orders.ids)
                // A refund of an earlier order proves one.
                var isFirst = earlier[Int(rowOfMember[member])] == 0
                    && (late.isEmpty || !own.contains { late[sequence[$0]] != nil })
                for order in own {
                    let row = Int(sequence[order])
                    let entry = entries[row]
                    buyer[order] = Int32(member)
                    amount[order] = entry.amount
                    commission[order] = entry.commission
                    qualifying[order] = entry.qualifying
                    day[order] = checked.days[row]
                    time[order] = entry.time
                    product[order] = entry.product
                    if !late.isEmpty, let refunded = late[sequence[order]] {
                        flags[order] = Facts.isLateRefund
                        lateRefunds.append(LateRefund(order: Int32(order), refundedOrderId: refunded))
                    } else if isFirst {
                        flags[order] = Facts.isFirstOrder
                        isFirst = false
                    }
                }
            }
        }
    }
}

/// Up to so many are put in place one by one; mostly they are in order already.
private let insertedOrdersMax = 32

/// One member's orders by time, then id bytes.
@inline(__always)
private func sort(_ own: Range<Int>, of sequence: Column<Int32>, _ entries: UnsafeBufferPointer<OrderEntry>, _ ids: IdTable) {
    func precedes(_ one: Int32, _ other: Int32) -> Bool {
        let (a, b) = (entries[Int(one)].time, entries[Int(other)].time)
        return a != b ? a < b : ids.precedes(Int(one), Int(other))
    }
    guard own.count <= insertedOrdersMax else {
        var rows = UnsafeMutableBufferPointer(start: sequence.base + own.lowerBound, count: own.count)
        return rows.sort(by: precedes)
    }
    for place in own.dropFirst() {
        let row = sequence[place]
        var to = place
        while to > own.lowerBound, precedes(row, sequence[to - 1]) {
            sequence[to] = sequence[to - 1]
            to -= 1
        }
        sequence[to] = row
    }
}

/// The rows of a period, every one checked, refunds inside the period netted.
private struct CheckedOrders {
    /// After netting.
    private(set) var entries: [OrderEntry]
    private(set) var days: [Int32]
    /// Empty: no row.
    private var isGone: [Bool]
    /// Refunds of orders that aren't among the rows.
    private(set) var late: [Int32: String] = [:]
    private(set) var nettedIds: [String] = []

    init(rows: OrderRows, calendar: PlanCalendar, period: Period, memberOfNumber: [Int32]) throws(FactsFailure) {
        let given = rows.entries
        entries = given
        days = [Int32](large: given.count, repeating: 0)
        isGone = [Bool](repeating: false, count: rows.refunds.isEmpty ? 0 : given.count)
        var worst: (row: Int, failure: FactsFailure)?
        func fail(_ row: Int, _ column: String, _ reason: FactsFailure.Reason) {
            if let known = worst, given[known.row].row <= given[row].row { return }
            worst = (row, FactsFailure(file: .orders, row: given[row].row, column: column, reason: reason))
        }
        var sums: (Int128, Int128, Int128) = (0, 0, 0)
        var lastTime = Int64.min
        var lastDay: Int64 = 0
        for row in given.indices {
            let order = given[row]
            if memberOfNumber[Int(order.buyer)] < 0 { fail(row, "buyer_id", .unknownMember) }
            if order.time != lastTime {
                lastTime = order.time
                lastDay = calendar.zone.localDayNumber(ofMs: lastTime)
            }
            if lastDay < period.start.dayNumber || lastDay >= period.end.dayNumber {
                fail(row, "occurred_at", .outsidePeriod)
            }
            days[row] = Int32(clamping: lastDay)
            sums.0 += Int128(order.amount.magnitude)
            sums.1 += Int128(order.commission.magnitude)
            sums.2 += Int128(order.qualifying.magnitude)
        }
        let limit = Int128(FactsBuilder.volumeSumLimit)
        if !given.isEmpty, sums.0 > limit || sums.1 > limit || sums.2 > limit { fail(given.count - 1, "amount", .volumeTooLarge) }

        let refundRows = Set(rows.refunds.map(\.row))
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
            if given[order].buyer != given[row].buyer { fail(row, "refund_of", .refundOfAnotherBuyer) }
            entries[order].amount += given[row].amount
            entries[order].commission += given[row].commission
            entries[order].qualifying += given[row].qualifying
            let left = entries[order]
            if given[order].amount >= 0, given[order].commission >= 0, given[order].qualifying >= 0,
                left.amount < 0 || left.commission < 0 || left.qualifying < 0 {
                fail(row, "amount", .refundExceedsOrder)
            }
            isGone[row] = true
            isGone[order] = left.amount == 0 && left.commission == 0 && left.qualifying == 0
        }
        if let worst { throw worst.failure }
        nettedIds = isGone.indices.filter { isGone[$0] }.map { rows.ids[$0] }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    @inline(__always)
    func forKept(_ body: (Int, OrderEntry) -> Void) {
        entries.withUnsafeBufferPointer { entries in
            for row in entries.indices where isGone.isEmpty || !isGone[row] { body(row, entries[row]) }
        }
    }
}
