import Chronology

extension FactsBuilder {
    /// Checks everything and numbers members and orders. Orders outside the period are refused by their row.
    public func build(period: Period) throws(FactsFailure) -> Facts {
        let forest = try ForestBuilder(builder: self, period: period).build()
        let orders = try OrderColumns(
            builder: self, period: period, memberOfNumber: forest.memberOfNumber, earlier: members.earlier,
            rowOfMember: forest.rowOfMember)
        let count = members.numbers.count
        func column<Element: BitwiseCopyable>(_ rows: [Element], _ filler: Element) -> Column<Element> {
            let values = Column(count, repeating: filler)
            for member in 0..<count { values[member] = rows[Int(forest.rowOfMember[member])] }
            return values
        }
        let joined = column(members.joined, 0)
        let days = Column<Int32>(count, repeating: 0)
        for member in 0..<count {
            days[member] = Int32(clamping: calendar.zone.localDayNumber(ofMs: joined[member]))
        }
        let memberOfNumber = Column(forest.memberOfNumber, else: -1)
        return Facts(
            period: period, memberCount: count, orderCount: orders.buyer.count, trees: forest.trees,
            attributeNames: attributeNames, memberIds: members.ids, memberIdNumber: column(members.numbers, 0),
            memberOfIdNumber: memberOfNumber, kind: forest.kind, status: column(members.statuses, 0), joinedMs: joined,
            joinedDay: days, hasEarlierOrders: column(members.earlier, 0),
            attributes: members.attributes.map { column($0, -1) }, attributeValues: members.values,
            orderIds: self.orders.ids, orderIdNumber: orders.idNumber, firstOrder: orders.firstOrder, buyer: orders.buyer,
            amount: orders.amount, commissionVolume: orders.commission, qualifyingVolume: orders.qualifying,
            orderDay: orders.day, orderMs: orders.time, product: orders.product, products: self.orders.productNames,
            orderFlags: orders.flags, lateRefunds: orders.lateRefunds, nettedOrderIds: orders.nettedIds)
    }
}

/// The trees as of the end of the period, and the numbers of the members.
private struct ForestBuilder {
    let builder: FactsBuilder
    let period: Period

    struct Forest {
        var trees: [Tree]
        var kind: Column<UInt8>
        var rowOfMember: [Int32]
        var memberOfNumber: [Int32]
    }

    func build() throws(FactsFailure) -> Forest {
        let rows = builder.members
        let count = rows.numbers.count
        try checkMentioned()
        // Places by row, before numbering: −1 none.
        var parents: [[Int32]] = [rows.enrollers.map { $0 < 0 ? -1 : rows.rowOfId[Int($0)] }]
        var slots: [[Int32]] = [Array(repeating: 0, count: count)]
        for places in rows.places {
            parents.append(places.parents.map { $0 < 0 ? -1 : rows.rowOfId[Int($0)] })
            slots.append(places.slots)
        }
        try applyMoves(&parents, &slots)
        for tree in 1..<max(1, parents.count) where parents.count > 1 {
            for row in 0..<count where parents[tree][row] < 0 {
                parents[tree][row] = parents[0][row]
                slots[tree][row] = 0
            }
        }

        // Ordinals by (joined, id), then depth first along the enroller tree.
        var ordinal = Array(0..<Int32(count))
        let ids = rows.ids
        let joined = rows.joined
        let numbers = rows.numbers
        ordinal.sort {
            let (one, other) = (joined[Int($0)], joined[Int($1)])
            return one != other ? one < other : ids.precedes(Int(numbers[Int($0)]), Int(numbers[Int($1)]))
        }
        var ordinalOfRow = [Int32](repeating: 0, count: count)
        for (place, row) in ordinal.enumerated() { ordinalOfRow[Int(row)] = Int32(place) }
        let byOrdinal = Column<Int32>(count, repeating: -1)
        for place in 0..<count {
            let parent = parents[0][Int(ordinal[place])]
            if parent >= 0 { byOrdinal[place] = ordinalOfRow[Int(parent)] }
        }
        let walk = depthFirst(byOrdinal)
        guard walk.count == count else { throw cycle(tree: 0, parents[0]) }
        let rowOfMember = walk.map { ordinal[Int($0)] }
        var memberOfRow = [Int32](repeating: 0, count: count)
        for (member, row) in rowOfMember.enumerated() { memberOfRow[Int(row)] = Int32(member) }

        let kind = Column<UInt8>(count, repeating: 0)
        for member in 0..<count { kind[member] = rows.kinds[Int(rowOfMember[member])] }
        var trees: [Tree] = []
        for tree in parents.indices {
            trees.append(try makeTree(tree, parents[tree], slots[tree], rowOfMember, memberOfRow, kind))
        }
        var memberOfNumber = [Int32](repeating: -1, count: rows.ids.count)
        for member in 0..<count { memberOfNumber[Int(rows.numbers[Int(rowOfMember[member])])] = Int32(member) }
        return Forest(trees: trees, kind: kind, rowOfMember: rowOfMember, memberOfNumber: memberOfNumber)
    }

    private func failure(_ row: Int, _ column: String, _ reason: FactsFailure.Reason) -> FactsFailure {
        FactsFailure(file: .members, row: builder.members.rows[row], column: column, reason: reason)
    }

    private func checkMentioned() throws(FactsFailure) {
        let rows = builder.members
        guard rows.rowOfId.contains(-1) else { return }
        var worst: (row: Int, column: String)?
        func mention(_ number: Int32, _ row: Int, _ column: String) {
            guard number >= 0, rows.rowOfId[Int(number)] < 0 else { return }
            if worst == nil || rows.rows[row] < rows.rows[worst?.row ?? row] { worst = (row, column) }
        }
        for row in rows.numbers.indices {
            mention(rows.enrollers[row], row, "enroller_id")
            for (tree, places) in rows.places.enumerated() {
                mention(places.parents[row], row, builder.treeCodes[tree + 1].code + "_parent_id")
            }
        }
        if let worst { throw failure(worst.row, worst.column, .unknownMember) }
    }

    /// In the order of time; moves of the same instant happen together.
    private func applyMoves(_ parents: inout [[Int32]], _ slots: inout [[Int32]]) throws(FactsFailure) {
        let rows = builder.members
        func failure(_ move: MoveRow, _ column: String, _ reason: FactsFailure.Reason) -> FactsFailure {
            FactsFailure(file: .moves, row: move.row, column: column, reason: reason)
        }
        var due: [(move: MoveRow, tree: Int, member: Int32, parent: Int32)] = []
        for move in builder.moves {
            guard move.tree != .enroller else { throw failure(move, "tree", .enrollerMoves) }
            guard let tree = builder.treeCodes.firstIndex(of: move.tree) else { throw failure(move, "tree", .unknownTree) }
            if let slot = move.slot, slot < 1 || slot > builder.slotLimits[tree] {
                throw failure(move, "slot", .slotOutOfRange(tree: move.tree.code, limit: builder.slotLimits[tree]))
            }
            guard let member = rows.ids.number(of: move.memberId), rows.rowOfId[Int(member)] >= 0 else {
                throw failure(move, "member_id", .unknownMember)
            }
            guard let parent = rows.ids.number(of: move.parentId), rows.rowOfId[Int(parent)] >= 0 else {
                throw failure(move, "parent_id", .unknownMember)
            }
            let day = builder.calendar.zone.localDayNumber(ofMs: move.effectiveAt.millisecondsSince1970)
            guard day < period.end.dayNumber else { continue }
            due.append((move, tree, rows.rowOfId[Int(member)], rows.rowOfId[Int(parent)]))
        }
        due.sort {
            $0.move.effectiveAt != $1.move.effectiveAt
                ? $0.move.effectiveAt < $1.move.effectiveAt
                : rows.ids.precedes(Int(rows.numbers[Int($0.member)]), Int(rows.numbers[Int($1.member)]))
        }
        var start = 0
        while start < due.count {
            var end = start
            while end < due.count, due[end].move.effectiveAt == due[start].move.effectiveAt {
                // The order of rows must not decide; the same move twice is one.
                var other = end - 1
                while other >= start, due[other].member == due[end].member, due[other].tree != due[end].tree { other -= 1 }
                if other >= start, due[other].member == due[end].member,
                    due[other].parent != due[end].parent || due[other].move.slot != due[end].move.slot
                {
                    let later = due[other].move.row > due[end].move.row ? due[other].move : due[end].move
                    throw failure(later, "effective_at", .movedTwice)
                }
                parents[due[end].tree][Int(due[end].member)] = due[end].parent
                slots[due[end].tree][Int(due[end].member)] = Int32(due[end].move.slot ?? 0)
                end += 1
            }
            if end - start > Self.walkedMoves {
                // Many at once: one look at the whole tree instead of a walk for each.
                var onCycle: [Int: [Bool]] = [:]
                for moved in due[start..<end] {
                    let found = onCycle[moved.tree] ?? membersOnCycles(parents[moved.tree], else: parents[0])
                    onCycle[moved.tree] = found
                    guard !found[Int(moved.member)] else { throw failure(moved.move, "parent_id", .cycle(tree: moved.move.tree.code)) }
                }
                start = end
                continue
            }
            for moved in due[start..<end] {
                var above = moved.parent
                var steps = 0
                while above >= 0, steps <= rows.numbers.count {
                    guard above != moved.member else {
                        throw failure(moved.move, "parent_id", .cycle(tree: moved.move.tree.code))
                    }
                    let placed = parents[moved.tree][Int(above)]
                    above = placed >= 0 ? placed : parents[0][Int(above)]
                    steps += 1
                }
            }
            start = end
        }
    }

    /// Moves of one instant that are followed upwards one by one.
    private static let walkedMoves = 64

    /// Whose way up leads back to themselves.
    private func membersOnCycles(_ placed: [Int32], else enrollers: [Int32]) -> [Bool] {
        var found = [Bool](repeating: false, count: placed.count)
        // 0: not seen, otherwise the start of the walk that saw it, counted from 1.
        var seenBy = [Int32](repeating: 0, count: placed.count)
        func above(_ row: Int) -> Int { Int(placed[row] >= 0 ? placed[row] : enrollers[row]) }
        for start in placed.indices where seenBy[start] == 0 {
            let walk = Int32(start + 1)
            var row = start
            while row >= 0, seenBy[row] == 0 {
                seenBy[row] = walk
                row = above(row)
            }
            guard row >= 0, seenBy[row] == walk else { continue }
            while !found[row] {
                found[row] = true
                row = above(row)
            }
        }
        return found
    }

    private func cycle(tree: Int, _ parent: [Int32]) -> FactsFailure {
        // A member whose way up never ends; the smallest row number on the cycle is named.
        var state = [UInt8](repeating: 0, count: parent.count)
        var worst: Int?
        for start in parent.indices where state[start] == 0 {
            var way: [Int] = []
            var row = start
            while row >= 0, state[row] == 0 {
                state[row] = 1
                way.append(row)
                row = Int(parent[row])
            }
            if row >= 0, state[row] == 1, let from = way.firstIndex(of: row) {
                for onCycle in way[from...]
                where worst == nil || builder.members.rows[onCycle] < builder.members.rows[worst ?? onCycle] {
                    worst = onCycle
                }
            }
            for row in way { state[row] = 2 }
        }
        let code = builder.treeCodes[tree].code
        return failure(worst ?? 0, tree == 0 ? "enroller_id" : code + "_parent_id", .cycle(tree: code))
    }

    private func makeTree(
        _ tree: Int, _ parents: [Int32], _ slots: [Int32], _ rowOfMember: [Int32], _ memberOfRow: [Int32],
        _ kind: Column<UInt8>
    ) throws(FactsFailure) -> Tree {
        let count = rowOfMember.count
        let parent = Column<Int32>(count, repeating: -1)
        let slot = Column<Int32>(count, repeating: 0)
        for member in 0..<count {
            let row = Int(rowOfMember[member])
            if parents[row] >= 0 { parent[member] = memberOfRow[Int(parents[row])] }
            slot[member] = slots[row]
        }
        let walk = depthFirst(parent)
        guard walk.count == count else { throw cycle(tree: tree, parents) }
        try checkSlots(tree, parent, slot, rowOfMember)

        let above = Column<Int32>(count, repeating: -1)
        let legSlot = Column<Int32>(count, repeating: 0)
        let level = Column<Int32>(count, repeating: 0)
        for member in walk.lazy.map({ Int($0) }) {
            let up = Int(parent[member])
            guard up >= 0 else { continue }
            if kind[up] == MemberKind.promoter.rawValue {
                above[member] = Int32(up)
                legSlot[member] = slot[member]
            } else {
                above[member] = above[up]
                legSlot[member] = legSlot[up]
            }
            if above[member] >= 0 { level[member] = level[Int(above[member])] + 1 }
        }
        return Tree(
            code: builder.treeCodes[tree], parent: parent, slot: slot, above: above, legSlot: legSlot,
            sequence: Column(walk, else: 0), level: level)
    }

    private func checkSlots(
        _ tree: Int, _ parent: Column<Int32>, _ slot: Column<Int32>, _ rowOfMember: [Int32]
    ) throws(FactsFailure) {
        var placed: [(place: UInt64, row: Int32)] = []
        for member in 0..<parent.count where slot[member] > 0 && parent[member] >= 0 {
            placed.append((UInt64(UInt32(parent[member])) << 32 | UInt64(UInt32(slot[member])), rowOfMember[member]))
        }
        placed.sort { $0.place < $1.place }
        var worst: Int32?
        for (one, other) in zip(placed, placed.dropFirst()) where one.place == other.place {
            let (first, second) = (builder.members.rows[Int(one.row)], builder.members.rows[Int(other.row)])
            let later = first > second ? one.row : other.row
            if worst == nil || builder.members.rows[Int(later)] < builder.members.rows[Int(worst ?? later)] { worst = later }
        }
        if let worst {
            let code = builder.treeCodes[tree].code
            throw failure(Int(worst), code + "_slot", .slotTaken(tree: code))
        }
    }
}
