public import Chronology
public import Compensation
import Foundation

/// `carry.json`: what a period hands to the next one, and what was paid on orders that may still be refunded.
public struct CarryFile: Hashable, Sendable {
    public var plan: String
    /// The start of the period that may read it.
    public var nextPeriodStart: LocalDay
    public var carry: Carry
    public var history: [PastOrder]

    static let format = 1
    static let bytesLimit = 4_000_000_000
    /// Orders of periods with more of them are not carried; refunds of them need all periods in one command.
    public static let ordersLimit = 100_000

    /// Writes it; nil: all is on disk.
    func failureOfWriting(_ path: String) -> FileFailure? {
        do throws(FileFailure) {
            let file = try ByteWriter(path: path)
            try write(file)
            try file.finish()
        } catch { return error }
        return nil
    }

    private func write(_ file: ByteWriter) throws(FileFailure) {
        try file.write("{\"format\":\(Self.format),\"plan\":")
        try file.json(plan)
        try file.write(",\"nextPeriodStart\":\"\(nextPeriodStart.iso8601)\",\"members\":[")
        for (place, member) in carry.members.enumerated() {
            try file.write(place == 0 ? "\n{\"id\":" : ",\n{\"id\":")
            try file.json(member.id)
            if member.highestRank != 0 { try file.write(",\"highestRank\":\(member.highestRank)") }
            if member.keptRank != 0 { try file.write(",\"keptRank\":\(member.keptRank)") }
            if member.missedPeriods != 0 { try file.write(",\"missedPeriods\":\(member.missedPeriods)") }
            // 64 bits don't fit the numbers of JSON.
            if member.trackers.contains(where: { $0 != 0 }) {
                try file.write(",\"trackers\":[\(member.trackers.map { "\"\(String($0, radix: 16))\"" }.joined(separator: ","))]")
            }
            if member.hasOrdered { try file.write(",\"hasOrdered\":true") }
            if member.debtMinor != 0 { try file.write(",\"debt\":\(member.debtMinor)") }
            try file.write("}")
        }
        try file.write("],\"legs\":[")
        for (place, leg) in carry.legs.enumerated() {
            try head(file, place, leg.bonus, leg.id)
            try file.write(",\"slot\":\(leg.slot),\"bornOn\":\"\(leg.bornOn.iso8601)\",\"agePeriods\":\(leg.agePeriods),\"volume\":\(leg.volume)}")
        }
        try file.write("],\"banked\":[")
        for (place, banked) in carry.banked.enumerated() {
            try head(file, place, banked.bonus, banked.id)
            try file.write(",\"amount\":\(banked.amountMinor)}")
        }
        try file.write("],\"tiers\":[")
        for (place, tier) in carry.tiers.enumerated() {
            try head(file, place, tier.bonus, tier.id)
            try file.write(",\"year\":\(tier.year),\"base\":\(tier.baseMinor),\"companyExact\":\"\(tier.companyExact)\"}")
        }
        try file.write("],\"awards\":[")
        for (place, award) in carry.awards.enumerated() {
            try head(file, place, award.bonus, award.id)
            try file.write(
                ",\"rank\":\(award.rank),\"agePeriods\":\(award.agePeriods),\"paymentsMade\":\(award.paymentsMade),\"paid\":\(award.paidMinor),\"isClawedBack\":\(award.isClawedBack)}")
        }
        try file.write("],\"orders\":[")
        for (place, order) in history.enumerated() {
            try file.write(place == 0 ? "\n{\"id\":" : ",\n{\"id\":")
            try file.json(order.orderId)
            try file.write(
                ",\"amount\":\(order.amountMinor),\"commissionVolume\":\(order.commissionVolume),\"qualifyingVolume\":\(order.qualifyingVolume),\"refundedAmount\":\(order.refundedAmountMinor),\"refundedCommissionVolume\":\(order.refundedCommissionVolume),\"refundedQualifyingVolume\":\(order.refundedQualifyingVolume),\"paid\":[")
            for (place, paid) in order.paid.enumerated() {
                try file.write(place == 0 ? "{\"member\":" : ",{\"member\":")
                try file.json(paid.memberId)
                try file.write(",\"bonus\":")
                try file.json(paid.bonus)
                try file.write(
                    ",\"level\":\(paid.level),\"amount\":\(paid.amountMinor),\"reversed\":\(paid.reversedMinor),\"periodPaid\":\(paid.periodPaidMinor),\"periodBase\":\(paid.periodBaseMinor)}")
            }
            try file.write("]}")
        }
        try file.write("]}\n")
    }

    private func head(_ file: ByteWriter, _ place: Int, _ bonus: String, _ id: String) throws(FileFailure) {
        try file.write(place == 0 ? "\n{\"bonus\":" : ",\n{\"bonus\":")
        try file.json(bonus)
        try file.write(",\"id\":")
        try file.json(id)
    }
}

extension CarryFile {
    /// Reads what `write` wrote.
    public init(path: String) throws(FileFailure) {
        func wrong(_ message: String) -> FileFailure { FileFailure(path: path, message: message) }
        guard let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int else { throw wrong("could not be opened") }
        guard size <= Self.bytesLimit else { throw wrong("is longer than \(Self.bytesLimit) bytes") }
        guard let data = FileManager.default.contents(atPath: path) else { throw wrong("could not be read") }
        let read: Written
        do { read = try JSONDecoder().decode(Written.self, from: data) } catch let error as DecodingError {
            throw wrong("is no carry.json of plan compute: \(Self.words(error))")
        } catch { throw wrong("is no carry.json of plan compute") }
        guard read.format == Self.format else { throw wrong("has the format \(read.format), and this program reads \(Self.format)") }
        guard let day = try? LocalDay(iso8601: read.nextPeriodStart) else { throw wrong("nextPeriodStart is no day") }
        plan = read.plan
        nextPeriodStart = day
        carry = Carry()
        history = []
        for member in read.members {
            var trackers: [UInt64] = []
            for text in member.trackers ?? [] {
                guard let bits = UInt64(text, radix: 16) else { throw wrong("the tracker “\(text.prefix(20))” of \(member.id) is no number") }
                trackers.append(bits)
            }
            carry.members.append(
                Carry.Member(
                    id: member.id, highestRank: member.highestRank ?? 0, keptRank: member.keptRank ?? 0,
                    missedPeriods: member.missedPeriods ?? 0, trackers: trackers, hasOrdered: member.hasOrdered ?? false,
                    debtMinor: member.debt ?? 0))
        }
        for leg in read.legs {
            guard let born = try? LocalDay(iso8601: leg.bornOn) else { throw wrong("the day “\(leg.bornOn.prefix(20))” does not exist") }
            carry.legs.append(Carry.Leg(bonus: leg.bonus, id: leg.id, slot: leg.slot, bornOn: born, agePeriods: leg.agePeriods, volume: leg.volume))
        }
        carry.banked = read.banked.map { Carry.Banked(bonus: $0.bonus, id: $0.id, amountMinor: $0.amount) }
        for tier in read.tiers {
            guard let exact = Int128(tier.companyExact) else { throw wrong("companyExact of \(tier.id) is no number") }
            carry.tiers.append(Carry.Tier(bonus: tier.bonus, id: tier.id, year: tier.year, baseMinor: tier.base, companyExact: exact))
        }
        carry.awards = read.awards.map {
            Carry.Award(
                bonus: $0.bonus, id: $0.id, rank: $0.rank, agePeriods: $0.agePeriods, paymentsMade: $0.paymentsMade, paidMinor: $0.paid,
                isClawedBack: $0.isClawedBack)
        }
        history = read.orders.map { order in
            PastOrder(
                orderId: order.id, amountMinor: order.amount, commissionVolume: order.commissionVolume, qualifyingVolume: order.qualifyingVolume,
                refundedAmountMinor: order.refundedAmount, refundedCommissionVolume: order.refundedCommissionVolume,
                refundedQualifyingVolume: order.refundedQualifyingVolume,
                paid: order.paid.map {
                    PastOrder.Paid(
                        memberId: $0.member, bonus: $0.bonus, level: $0.level, amountMinor: $0.amount, reversedMinor: $0.reversed,
                        periodPaidMinor: $0.periodPaid, periodBaseMinor: $0.periodBase)
                })
        }
        if let problem { throw wrong(problem) }
    }

    private static func words(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, _): "the key “\(key.stringValue)” is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context): "wrong value at \(context.codingPath.map(\.stringValue).joined(separator: "."))"
        default: "it is no JSON"
        }
    }

    private struct Written: Decodable {
        struct Member: Decodable {
            var id: String
            var highestRank: Int?
            var keptRank: Int?
            var missedPeriods: Int?
            var trackers: [String]?
            var hasOrdered: Bool?
            var debt: Int64?
        }
        struct Leg: Decodable {
            var bonus: String
            var id: String
            var slot: Int
            var bornOn: String
            var agePeriods: Int
            var volume: Int64
        }
        struct Banked: Decodable {
            var bonus: String
            var id: String
            var amount: Int64
        }
        struct Tier: Decodable {
            var bonus: String
            var id: String
            var year: Int
            var base: Int64
            var companyExact: String
        }
        struct Award: Decodable {
            var bonus: String
            var id: String
            var rank: Int
            var agePeriods: Int
            var paymentsMade: Int
            var paid: Int64
            var isClawedBack: Bool
        }
        struct Order: Decodable {
            struct Paid: Decodable {
                var member: String
                var bonus: String
                var level: Int
                var amount: Int64
                var reversed: Int64
                var periodPaid: Int64
                var periodBase: Int64
            }
            var id: String
            var amount: Int64
            var commissionVolume: Int64
            var qualifyingVolume: Int64
            var refundedAmount: Int64
            var refundedCommissionVolume: Int64
            var refundedQualifyingVolume: Int64
            var paid: [Paid]
        }
        var format: Int
        var plan: String
        var nextPeriodStart: String
        var members: [Member]
        var legs: [Leg]
        var banked: [Banked]
        var tiers: [Tier]
        var awards: [Award]
        var orders: [Order]
    }
}
