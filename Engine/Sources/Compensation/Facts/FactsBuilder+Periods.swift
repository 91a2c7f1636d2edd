public import Chronology

extension FactsBuilder {
    /// The periods in which the rows' orders lie, in order, without those in between that have none.
    /// Throws where an order's day is outside the calendar.
    public func periodsWithOrders() throws(ChronologyFailure) -> [Period] {
        var days: Set<Int64> = []
        var lastMs = Int64.min
        var lastDay = Int64.min
        for order in orders.entries where order.time != lastMs {
            let time = order.time
            lastMs = time
            let day = calendar.zone.localDayNumber(ofMs: time)
            if day != lastDay { days.insert(day) }
            lastDay = day
        }
        var periods: Set<Period> = []
        for number in days {
            guard let day = LocalDay(dayNumber: number) else { throw .outOfRange }
            periods.insert(try calendar.period(containing: day))
        }
        return periods.sorted()
    }

    /// From the first period with orders to the last, with those in between that have none, which matter for ranks,
    /// volume that expires and payments. Throws `.outOfRange` beyond `limit` periods.
    public func allPeriods(limit: Int) throws(ChronologyFailure) -> [Period] {
        let some = try periodsWithOrders()
        guard var period = some.first, let last = some.last else { return [] }
        var all: [Period] = []
        while period <= last {
            guard all.count < limit else { throw .outOfRange }
            all.append(period)
            period = try calendar.period(containing: period.end)
        }
        return all
    }

    /// The rows as they are known at the end of a period: orders of that period alone, and members who have joined by
    /// then (and whoever buys or stands above them). Buyers of earlier orders have ordered before. A refund of an order of
    /// another period becomes a refund of an earlier order.
    public func selecting(_ period: Period) -> FactsBuilder {
        var chosen = self
        chosen.orders = OrderRows()
        chosen.orders.productNames = orders.productNames
        let zone = calendar.zone
        var isIn = [Bool](repeating: false, count: orders.entries.count)
        var hasBought = [Bool](repeating: false, count: members.rowOfId.count)
        var buysNow = [Bool](repeating: false, count: members.rowOfId.count)
        var refundOf: [Int32: String] = [:]
        var isRefund = [Bool](repeating: false, count: orders.entries.count)
        for refund in orders.refunds {
            refundOf[refund.row] = refund.refunded
            isRefund[Int(refund.row)] = true
        }
        var lastMs = Int64.min
        var lastDay: Int64 = 0
        for row in orders.entries.indices {
            if orders.entries[row].time != lastMs {
                lastMs = orders.entries[row].time
                lastDay = zone.localDayNumber(ofMs: lastMs)
            }
            if lastDay >= period.start.dayNumber, lastDay < period.end.dayNumber {
                isIn[row] = true
                buysNow[Int(orders.entries[row].buyer)] = true
            } else if lastDay < period.start.dayNumber, !isRefund[row] {
                hasBought[Int(orders.entries[row].buyer)] = true
            }
        }
        let count = isIn.count { $0 }
        chosen.orders.reserve(count)
        for row in orders.entries.indices where isIn[row] {
            let number = orders.ids.withBytes(row) { chosen.orders.ids.insert($0).number }
            chosen.orders.entries.append(orders.entries[row])
            if isRefund[row], let refunded = refundOf[Int32(row)] { chosen.orders.refunds.append((number, refunded)) }
        }
        for row in chosen.members.numbers.indices where hasBought[Int(members.numbers[row])] { chosen.members.earlier[row] = 1 }
        chosen.removeMembersWhoJoin(after: period, except: buysNow)
        return chosen
    }

    /// The same without a choice of orders: those outside of the period are refused when facts are built.
    public func known(atEndOf period: Period) -> FactsBuilder {
        var chosen = self
        var buysNow = [Bool](repeating: false, count: members.rowOfId.count)
        for order in orders.entries { buysNow[Int(order.buyer)] = true }
        chosen.removeMembersWhoJoin(after: period, except: buysNow)
        return chosen
    }

    private mutating func removeMembersWhoJoin(after period: Period, except buysNow: [Bool]) {
        let count = members.numbers.count
        var stays = [Bool](repeating: false, count: count)
        var isAllThere = true
        for row in 0..<count {
            let day = calendar.zone.localDayNumber(ofMs: members.joined[row])
            stays[row] = day < period.end.dayNumber || buysNow[Int(members.numbers[row])]
            isAllThere = isAllThere && stays[row]
        }
        guard !isAllThere else { return }
        func moveUp(_ parents: [Int32], from start: Int) {
            var row = start
            var steps = 0
            while steps <= count {
                let parent = parents[row]
                guard parent >= 0, members.rowOfId[Int(parent)] >= 0 else { return }
                row = Int(members.rowOfId[Int(parent)])
                if stays[row] { return }
                stays[row] = true
                steps += 1
            }
        }
        var places: [[Int32]] = [members.enrollers] + members.places.map(\.parents)
        for move in moves where calendar.zone.localDayNumber(ofMs: move.effectiveAt.millisecondsSince1970) < period.end.dayNumber {
            // Whoever a member was moved below must be there too.
            guard let tree = treeCodes.firstIndex(of: move.tree), tree > 0, let parent = members.ids.number(of: move.parentId),
                members.rowOfId[Int(parent)] >= 0, let member = members.ids.number(of: move.memberId), members.rowOfId[Int(member)] >= 0
            else { continue }
            if stays[Int(members.rowOfId[Int(member)])] { stays[Int(members.rowOfId[Int(parent)])] = true }
            places[tree][Int(members.rowOfId[Int(member)])] = parent
        }
        // Ancestors of those who stay, until nothing changes: one tree's ancestors may bring in another's.
        var known = -1
        var now = stays.count { $0 }
        while now != known {
            known = now
            for parents in places { for row in 0..<count where stays[row] { moveUp(parents, from: row) } }
            now = stays.count { $0 }
        }
        let kept = members
        func pick<Element>(_ values: [Element]) -> [Element] { values.indices.filter { stays[$0] }.map { values[$0] } }
        members.numbers = pick(kept.numbers)
        members.rows = pick(kept.rows)
        members.kinds = pick(kept.kinds)
        members.statuses = pick(kept.statuses)
        members.joined = pick(kept.joined)
        members.earlier = pick(kept.earlier)
        members.enrollers = pick(kept.enrollers)
        members.places = kept.places.map { MemberRows.Places(parents: pick($0.parents), slots: pick($0.slots)) }
        members.attributes = kept.attributes.map { pick($0) }
        members.rowOfId = [Int32](repeating: -1, count: kept.rowOfId.count)
        for (row, number) in members.numbers.enumerated() { members.rowOfId[Int(number)] = Int32(row) }
        let rowOfId = members.rowOfId
        moves = moves.filter { move in
            guard let member = kept.ids.number(of: move.memberId), kept.rowOfId[Int(member)] >= 0 else { return true }
            return rowOfId[Int(member)] >= 0
                || calendar.zone.localDayNumber(ofMs: move.effectiveAt.millisecondsSince1970) < period.end.dayNumber
        }
    }
}
