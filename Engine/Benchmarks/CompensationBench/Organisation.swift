import Chronology
import Compensation
import Foundation
import Money
import SeededRandom

/// An organisation that grows by preferential attachment: half of the members are enrolled by anybody, half by somebody who
/// enrolled before. Orders are spread evenly, 10.00 to 200.00 each, over January 2026.
struct Organisation {
    let parents: [Int32]
    let buyers: [Int32]
    let amounts: [Int32]

    init(members: Int, orders: Int, isChain: Bool, isStar: Bool) {
        var random = SplitMix64(seed: 20_260_101)
        func below(_ bound: Int) -> Int { Int(((random.next() >> 32) &* UInt64(bound)) >> 32) }
        var parents = [Int32](repeating: -1, count: members)
        for member in stride(from: 1, to: members, by: 1) {
            if isChain {
                parents[member] = Int32(member - 1)
            } else if isStar {
                parents[member] = 0
            } else if member == 1 || random.next() & 1 == 0 {
                parents[member] = Int32(below(member))
            } else {
                parents[member] = parents[1 + below(member - 1)]
            }
        }
        var buyers = [Int32](repeating: 0, count: orders)
        var amounts = [Int32](repeating: 0, count: orders)
        for order in 0..<orders {
            buyers[order] = Int32(below(members))
            amounts[order] = Int32(1_000 + below(19_001))
        }
        self.parents = parents
        self.buyers = buyers
        self.amounts = amounts
    }

    private static let firstDay = 20_454
    private func time(_ order: Int) -> Int64 { Int64(Self.firstDay) * 86_400_000 + Int64(order % 2_592_000) * 1_000 }

    func facts(_ plan: Plan) throws -> Facts {
        var builder = FactsBuilder(calendar: plan.calendar)
        builder.reserve(members: parents.count, orders: buyers.count)
        for (member, parent) in parents.enumerated() {
            try builder.add(
                MemberRow(
                    row: member + 2, id: "m\(member)", joinedAt: Instant(millisecondsSince1970: Int64(member)),
                    enrollerId: parent < 0 ? nil : "m\(parent)"))
        }
        let none = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
        var batch = OrderBatch()
        for order in buyers.indices {
            var id = "o\(order)"
            var buyer = "m\(buyers[order])"
            id.withUTF8 { id in
                buyer.withUTF8 { buyer in
                    batch.add(
                        OrderBytes(
                            row: order + 2, id: id, buyerId: buyer, occurredMs: time(order), placedMs: nil, amountMinor: Int64(amounts[order]),
                            commissionVolume: nil, qualifyingVolume: nil, product: none, refundOf: none))
                }
            }
            if batch.isFull || order == buyers.indices.last {
                try builder.add(batch)
                batch = OrderBatch()
            }
        }
        return try builder.build(period: plan.calendar.period(containing: LocalDay(dayNumber: Int64(Self.firstDay)) ?? .earliest))
    }

    func number(ofId id: String) -> Int { Int(id.dropFirst()) ?? 0 }

    func write(_ folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var text = "id,kind,enroller_id,placement_parent_id,placement_slot,joined_at,status\n"
        func stamp(_ milliseconds: Int64) -> String { Instant(millisecondsSince1970: milliseconds).rfc3339 }
        for (member, parent) in parents.enumerated() {
            // A second for each member, so that the order of joining is that of the numbers.
            text += "m\(member),promoter,\(parent < 0 ? "" : "m\(parent)"),,,\(stamp(Int64(10_000) * 86_400_000 + Int64(member) * 1_000)),active\n"
        }
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/members.csv"))
        _ = FileManager.default.createFile(atPath: folder + "/orders.csv", contents: nil)
        guard let file = FileHandle(forWritingAtPath: folder + "/orders.csv") else { return }
        text = "id,buyer_id,occurred_at,amount,currency,commission_volume,qualifying_volume,sku,refund_of\n"
        var second = Int64(-1)
        var shown = ""
        for order in buyers.indices {
            if time(order) != second {
                second = time(order)
                shown = stamp(second)
            }
            text += "o\(order),m\(buyers[order]),\(shown),\(amounts[order]),EUR,,,,\n"
            if text.utf8.count > 1 << 22 {
                file.write(Data(text.utf8))
                text = ""
            }
        }
        file.write(Data(text.utf8))
        try file.close()
        try Data(Self.plan.utf8).write(to: URL(fileURLWithPath: folder + "/plan.yaml"))
    }

    /// Seven levels, depth by rank, people who are not active dropped, ranks by group volume and active legs.
    static let plan = """
        plan: bench
        unit: EUR
        active: {metric: personalVolume, atLeastMinor: 50000}
        ranks:
          - {rank: one, condition: active}
          - {rank: two, condition: {all: [active, {metric: groupVolume, atLeastMinor: 500000}, {metric: activeLegs, atLeast: 1}]}}
          - {rank: three, condition: {all: [active, {metric: groupVolume, atLeastMinor: 2000000}, {metric: activeLegs, atLeast: 2}]}}
          - {rank: four, condition: {all: [active, {metric: groupVolume, atLeastMinor: 10000000}, {metric: activeLegs, atLeast: 3}]}}
        bonuses:
          - bonus: level
            type: unilevel
            rates:
              - {fromRank: one, levels: [5%, 4%]}
              - {fromRank: two, levels: [5%, 4%, 3%, 2%]}
              - {fromRank: three, levels: [5%, 4%, 3%, 2%, 2%, 1%]}
              - {fromRank: four, levels: [5%, 4%, 3%, 2%, 2%, 1%, 1%]}
            compression: removeInactive
            rounding: down

        """

    /// Everything that could walk a chain to its end.
    static let hardPlan = """
        plan: hard
        unit: EUR
        active: {metric: personalVolume, atLeastMinor: 50000}
        ranks:
          - {rank: one, condition: active}
          - {rank: two, condition: {all: [active, {metric: groupVolume, atLeastMinor: 500000}, {metric: activeLegs, atLeast: 1}]}}
          - {rank: legs, condition: {metric: legsWithRank, rank: one, anywhere: true, atLeast: 2}}
        bonuses:
          - {bonus: none, type: unilevel, rates: [5%, 4%, 3%, 2%, 2%, 1%, 1%]}
          - {bonus: perLevel, type: unilevel, rates: [5%, 4%, 3%, 2%, 2%, 1%, 1%], compression: perLevel}
          - {bonus: rollUp, type: unilevel, rates: [5%, 4%, 3%, 2%, 2%, 1%, 1%], compression: rollUp}
          - {bonus: differential, type: differential, slabs: [{fromMinor: 0, rate: 5%}, {fromMinor: 1000000, rate: 10%}]}
          - {bonus: breakaway, type: breakaway, slabs: [{fromMinor: 0, rate: 5%}, {fromMinor: 1000000, rate: 10%}], override: 6%}
          - {bonus: rankDifferential, type: rankDifferential, rates: [{fromRank: one, rate: 3%}, {fromRank: two, rate: 5%}]}
          - {bonus: generation, type: generation, rates: [5%, 4%, 3%]}
          - {bonus: infinity, type: infinity, rates: [{fromRank: one, rate: 1%}, {fromRank: two, rate: 2%}], belowLevel: 7}
          - {bonus: pool, type: pool, rate: 1%, shares: {by: rank, shares: [{fromRank: one, shares: 1}, {fromRank: two, shares: 2}]}}
          - {bonus: match, type: matching, bonuses: [none, differential], rates: [10%, 5%]}

        """
}
