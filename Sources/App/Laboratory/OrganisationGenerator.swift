import Chronology
import Compensation
import Web

/// Makes up believable organisations from a seed, for companies without a history: few introduce many, most introduce nobody; some are
/// busy, many buy little; amounts are spread like real baskets. The same seed gives the same organisation on every machine.
struct OrganisationGenerator: Sendable {
    static let promotersMax = 1_000_000

    var promoters: Int
    var seed: UInt64
    /// Customers of one promoter, on average.
    var customersPerPromoter = 2
    /// Hundredths of customers and promoters who order in the period.
    var customersOrderingPercent = 55
    var promotersOrderingPercent = 35
    /// The middle of a basket, in minor units.
    var basketMinor: Int64 = 4_500

    /// Facts of one period.
    func facts(period: Period, zone: Zone) -> FactsSnapshot {
        var random = SeededGenerator(state: seed)
        let startMs = zone.start(of: period.start).millisecondsSince1970
        let endMs = zone.start(of: period.end).millisecondsSince1970
        var facts = FactsSnapshot()
        let counts = customerCounts(&random)
        let customers = counts.reduce(0, +)
        // Ids of customers stand before those of members.
        facts.members.reserveCapacity(customers + promoters)
        var owner = 0
        var left = counts.first ?? 0
        for number in 0..<customers {
            while left == 0 {
                owner += 1
                left = counts[owner]
            }
            left -= 1
            facts.members.append(
                FactsSnapshot.Member(
                    id: PackedID(kind: 0, value: UInt128(number + 1) << 80, part: 0), isPromoter: false, status: 0,
                    joinedMs: startMs - Int64(random.next(upperBound: 400 * 86_400_000 as UInt64)), enroller: Int32(customers + owner),
                    hasEarlierOrders: random.next(upperBound: 10 as UInt64) > 2))
        }
        for number in 0..<promoters {
            facts.members.append(
                FactsSnapshot.Member(
                    id: PackedID(kind: 1, value: UInt128(number + 1) << 80, part: 0), isPromoter: true, status: 0,
                    joinedMs: joined(number, endMs: startMs), enroller: enroller(of: number, customers, &random),
                    hasEarlierOrders: true))
        }
        facts.attributes = facts.attributes.map { _ in Array(repeating: -1, count: facts.members.count) }
        addOrders(to: &facts, customers, startMs, endMs, &random)
        return facts
    }

    /// A few have many customers, most have one or two, some none.
    private func customerCounts(_ random: inout SeededGenerator) -> [Int] {
        (0..<promoters).map { _ in
            let draw = Int(random.next(upperBound: 1_000 as UInt64))
            switch draw {
            case ..<300: return 0
            case ..<700: return 1
            case ..<900: return customersPerPromoter
            case ..<985: return customersPerPromoter * 3
            default: return customersPerPromoter * 15
            }
        }
    }

    /// Those who came first have had years.
    private func joined(_ number: Int, endMs: Int64) -> Int64 {
        let spanMs: Int64 = 4 * 365 * 86_400_000
        return endMs - spanMs + Int64(Double(spanMs) * Double(number) / Double(max(promoters, 1)))
    }

    /// Two in three join through somebody who joined lately, the others through anybody: early people collect more.
    private func enroller(of number: Int, _ customers: Int, _ random: inout SeededGenerator) -> Int32 {
        guard number > 0 else { return -1 }
        if random.next(upperBound: 3 as UInt64) < 2 {
            let recent = max(1, number / 5)
            return Int32(customers + number - 1 - Int(random.next(upperBound: UInt64(recent))))
        }
        // The smaller of two draws: early people are met more often.
        let one = random.next(upperBound: UInt64(number))
        let other = random.next(upperBound: UInt64(number))
        return Int32(customers + Int(min(one, other)))
    }

    private func addOrders(to facts: inout FactsSnapshot, _ customers: Int, _ startMs: Int64, _ endMs: Int64, _ random: inout SeededGenerator) {
        var number = 0
        for buyer in facts.members.indices {
            let percent = buyer < customers ? customersOrderingPercent : promotersOrderingPercent
            guard Int(random.next(upperBound: 100 as UInt64)) < percent else { continue }
            let orders = random.next(upperBound: 10 as UInt64) < 8 ? 1 : 2
            for _ in 0..<orders {
                number += 1
                let amount = basket(&random)
                facts.orders.append(
                    FactsSnapshot.Order(
                        id: PackedID(kind: 3, value: UInt128(number) << 80, part: 0), buyer: Int32(buyer),
                        occurredMs: startMs + Int64(random.next(upperBound: UInt64(max(1, endMs - startMs)))), amountMinor: amount,
                        commissionVolume: amount * 8 / 10, qualifyingVolume: amount * 8 / 10, product: -1, refundOf: nil))
            }
        }
    }

    /// The product of four draws between a half and one and a half: most near the middle, a few large.
    private func basket(_ random: inout SeededGenerator) -> Int64 {
        var amount = basketMinor
        for _ in 0..<4 { amount = amount * Int64(500 + random.next(upperBound: 1_050 as UInt64)) / 1_000 }
        return max(100, amount)
    }
}
