import Chronology
import Compensation
import Persistence

// What a run hands to the next, as it is stored. Debts are not in it: what a member owes stands in the ledger.

extension Carry {
    private static let rowsOfPart = 16_384

    func parts() throws -> [RunPart] {
        var rows: [(id: String, write: (inout PackedWriter) throws -> Void)] = []
        rows.reserveCapacity(members.count + legs.count + banked.count + tiers.count + awards.count)
        for entry in members { rows.append((entry.id, { writer in try entry.write(to: &writer) })) }
        for entry in legs { rows.append((entry.id, { writer in try entry.write(to: &writer) })) }
        for entry in banked { rows.append((entry.id, { writer in try entry.write(to: &writer) })) }
        for entry in tiers { rows.append((entry.id, { writer in try entry.write(to: &writer) })) }
        for entry in awards { rows.append((entry.id, { writer in try entry.write(to: &writer) })) }
        var parts: [RunPart] = []
        for first in stride(from: 0, to: rows.count, by: Self.rowsOfPart) {
            var writer = PackedWriter()
            let chunk = rows[first..<min(first + Self.rowsOfPart, rows.count)]
            for row in chunk { try row.write(&writer) }
            parts.append(
                RunPart(
                    kind: .carry, number: first / Self.rowsOfPart, firstID: chunk.first?.id ?? "", lastID: chunk.last?.id ?? "",
                    rows: chunk.count, bytes: writer.bytes))
        }
        return parts
    }

    init(_ parts: [RunPart]) throws {
        self.init()
        for part in parts where part.kind == .carry {
            var reader = PackedReader(part.bytes)
            while !reader.isAtEnd {
                switch try reader.byte() {
                case Tag.member: members.append(try .read(&reader))
                case Tag.leg: legs.append(try .read(&reader))
                case Tag.banked: banked.append(try .read(&reader))
                case Tag.tier: tiers.append(try .read(&reader))
                case Tag.award: awards.append(try .read(&reader))
                default: throw DatabaseFailure(.corrupt, "the carry of a run has an entry of an unknown kind")
                }
            }
        }
    }

    fileprivate enum Tag {
        static let member: UInt8 = 1
        static let leg: UInt8 = 2
        static let banked: UInt8 = 3
        static let tier: UInt8 = 4
        static let award: UInt8 = 5
    }
}

extension PackedWriter {
    fileprivate mutating func known(_ text: String) throws {
        guard let packed = PackedID(text) else { throw DatabaseFailure(.corrupt, "\(text) is no id of a member, customer, sale or refund") }
        id(packed)
    }
}

extension Carry.Member {
    fileprivate func write(to writer: inout PackedWriter) throws {
        writer.unsigned(UInt64(Carry.Tag.member))
        try writer.known(id)
        writer.count(highestRank)
        writer.count(keptRank)
        writer.count(missedPeriods)
        writer.count(hasOrdered ? 1 : 0)
        writer.count(trackers.count)
        for bits in trackers { writer.unsigned(bits) }
    }

    fileprivate static func read(_ reader: inout PackedReader) throws -> Carry.Member {
        let id = try reader.id().text
        let highest = try reader.count()
        let kept = try reader.count()
        let missed = try reader.count()
        let hasOrdered = try reader.count() == 1
        let trackers = try (0..<(try reader.count())).map { _ in try reader.unsigned() }
        return Carry.Member(
            id: id, highestRank: highest, keptRank: kept, missedPeriods: missed, trackers: trackers, hasOrdered: hasOrdered)
    }
}

extension Carry.Leg {
    fileprivate func write(to writer: inout PackedWriter) throws {
        writer.unsigned(UInt64(Carry.Tag.leg))
        writer.text(bonus)
        try writer.known(id)
        writer.count(slot)
        writer.signed(bornOn.dayNumber)
        writer.count(agePeriods)
        writer.signed(volume)
    }

    fileprivate static func read(_ reader: inout PackedReader) throws -> Carry.Leg {
        Carry.Leg(
            bonus: try reader.text(), id: try reader.id().text, slot: try reader.count(),
            bornOn: LocalDay(dayNumber: try reader.signed()) ?? .earliest, agePeriods: try reader.count(), volume: try reader.signed())
    }
}

extension Carry.Banked {
    fileprivate func write(to writer: inout PackedWriter) throws {
        writer.unsigned(UInt64(Carry.Tag.banked))
        writer.text(bonus)
        try writer.known(id)
        writer.signed(amountMinor)
    }

    fileprivate static func read(_ reader: inout PackedReader) throws -> Carry.Banked {
        Carry.Banked(bonus: try reader.text(), id: try reader.id().text, amountMinor: try reader.signed())
    }
}

extension Carry.Tier {
    fileprivate func write(to writer: inout PackedWriter) throws {
        writer.unsigned(UInt64(Carry.Tag.tier))
        writer.text(bonus)
        try writer.known(id)
        writer.signed(Int64(year))
        writer.signed(baseMinor)
        writer.wide(companyExact)
    }

    fileprivate static func read(_ reader: inout PackedReader) throws -> Carry.Tier {
        Carry.Tier(
            bonus: try reader.text(), id: try reader.id().text, year: Int(try reader.signed()), baseMinor: try reader.signed(),
            companyExact: try reader.wide())
    }
}

extension Carry.Award {
    fileprivate func write(to writer: inout PackedWriter) throws {
        writer.unsigned(UInt64(Carry.Tag.award))
        writer.text(bonus)
        try writer.known(id)
        writer.count(rank)
        writer.count(agePeriods)
        writer.count(paymentsMade)
        writer.signed(paidMinor)
        writer.count(isClawedBack ? 1 : 0)
    }

    fileprivate static func read(_ reader: inout PackedReader) throws -> Carry.Award {
        Carry.Award(
            bonus: try reader.text(), id: try reader.id().text, rank: try reader.count(), agePeriods: try reader.count(),
            paymentsMade: try reader.count(), paidMinor: try reader.signed(), isClawedBack: try reader.count() == 1)
    }
}

// MARK: Orders of earlier periods that are refunded

extension [PastOrder] {
    /// In the order of their ids; one part, as refunds of a period are few.
    func part(_ kind: RunPart.Kind) throws -> RunPart {
        let sorted = self.sorted { $0.orderId.utf8.lexicographicallyPrecedes($1.orderId.utf8) }
        var writer = PackedWriter()
        for order in sorted {
            try writer.known(order.orderId)
            for value in [
                order.amountMinor, order.commissionVolume, order.qualifyingVolume, order.refundedAmountMinor,
                order.refundedCommissionVolume, order.refundedQualifyingVolume,
            ] { writer.signed(value) }
            writer.count(order.paid.count)
            for paid in order.paid {
                try writer.known(paid.memberId)
                writer.text(paid.bonus)
                writer.count(paid.level)
                for value in [paid.amountMinor, paid.reversedMinor, paid.periodPaidMinor, paid.periodBaseMinor] { writer.signed(value) }
            }
        }
        return RunPart(
            kind: kind, number: 0, firstID: sorted.first?.orderId ?? "", lastID: sorted.last?.orderId ?? "", rows: count,
            bytes: writer.bytes)
    }

    init(_ parts: [RunPart], kind: RunPart.Kind) throws {
        self = []
        for part in parts where part.kind == kind && part.number == 0 {
            var reader = PackedReader(part.bytes)
            while !reader.isAtEnd {
                var order = PastOrder(
                    orderId: try reader.id().text, amountMinor: try reader.signed(), commissionVolume: try reader.signed(),
                    qualifyingVolume: try reader.signed(), refundedAmountMinor: try reader.signed(),
                    refundedCommissionVolume: try reader.signed(), refundedQualifyingVolume: try reader.signed(), paid: [])
                for _ in 0..<(try reader.count()) {
                    order.paid.append(
                        PastOrder.Paid(
                            memberId: try reader.id().text, bonus: try reader.text(), level: try reader.count(),
                            amountMinor: try reader.signed(), reversedMinor: try reader.signed(), periodPaidMinor: try reader.signed(),
                            periodBaseMinor: try reader.signed()))
                }
                append(order)
            }
        }
    }
}
