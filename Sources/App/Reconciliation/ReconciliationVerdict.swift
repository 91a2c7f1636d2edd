import Money

/// What an entry means for the payments that it is about. A function of what is known alone, so that it can be asked again when more is.
enum ReconciliationVerdict: Sendable, Equatable {
    /// It is evidence of these payments; nil where it only confirms what is known.
    case matched([Effect])
    case noted
    case difference(ReconciliationEntry.Difference)

    struct Effect: Sendable, Equatable {
        var memberID: MemberID
        var result: PayoutOutcome.Result?
    }

    /// `told`: what other entries said of this payment.
    static func ofLine(_ entry: BankEntry, _ item: Payout.Item, _ payout: Payout, told: Set<BankEntry.Meaning>) -> ReconciliationVerdict {
        if let difference = amountDifference(entry, item.amountMinor, payout) { return .difference(difference) }
        if entry.meaning == .accepted || entry.meaning == .other { return .noted }
        switch item.state {
        case .waiting: return .difference(.notSent)
        case .canceled: return entry.meaning == .rejected ? .noted : .difference(.leftOut)
        case .sent, .paid, .failed, .returned, .unknown: break
        }
        let isOpen = item.state == .sent || item.state == .unknown
        func matched(_ result: PayoutOutcome.Result?) -> ReconciliationVerdict { .matched([Effect(memberID: item.memberID, result: result)]) }
        switch entry.meaning {
        case .booked where told.contains(.booked): return .difference(.bookedTwice)
        case .settled, .booked:
            if isOpen { return matched(.paid) }
            // A payment that came back had left before.
            return item.state == .failed && !told.contains(.returned) ? .difference(.paidAfterFailed) : matched(nil)
        case .rejected:
            if isOpen { return matched(.failed) }
            return item.state == .paid ? .difference(.rejectedAfterPaid) : matched(nil)
        case .returned where told.contains(.returned): return .difference(.returnedTwice)
        case .returned: return isOpen || item.state == .paid ? matched(.returned) : matched(nil)
        case .accepted, .other: return .noted
        }
    }

    /// What is said of a whole batch holds for those of its payments that nothing was said of.
    static func ofBatch(_ entry: BankEntry, _ payout: Payout, told: [MemberID: Set<BankEntry.Meaning>]) -> ReconciliationVerdict {
        if let currency = entry.currency, currency != payout.unit.code { return .difference(.currencyDiffers) }
        if entry.meaning == .accepted || entry.meaning == .other { return .noted }
        if payout.state == .draft || payout.state == .approved { return .difference(.notSent) }
        if payout.state == .canceled { return entry.meaning == .rejected ? .noted : .difference(.leftOut) }
        let live = payout.items.filter { $0.state != .canceled }
        func effects(_ items: [Payout.Item], _ result: PayoutOutcome.Result, from states: Set<Payout.Item.State>) -> ReconciliationVerdict {
            .matched(items.map { Effect(memberID: $0.memberID, result: states.contains($0.state) ? result : nil) })
        }
        switch entry.meaning {
        case .settled: return effects(live.filter { $0.state != .failed }, .paid, from: [.sent, .unknown])
        case .rejected:
            if live.contains(where: { $0.state == .paid }) { return .difference(.rejectedAfterPaid) }
            return effects(live, .failed, from: [.sent, .unknown])
        case .booked, .returned:
            let isReturn = entry.meaning == .returned
            // Rejected ones were never charged; others may have been charged alone.
            let meant = live.filter { item in
                let said = told[item.memberID] ?? []
                if said.contains(entry.meaning) { return false }
                return item.state != .failed || said.contains(.returned)
            }
            if meant.isEmpty { return .difference(isReturn ? .returnedTwice : live.isEmpty || live.allSatisfy({ $0.state == .failed }) ? .paidAfterFailed : .bookedTwice) }
            guard let amount = entry.amountMinor else { return .difference(.amountMissing) }
            guard (try? Amount.sum(meant.map { Amount(minor: $0.amountMinor) }).minor) == amount else { return .difference(.batchAmountDiffers) }
            return effects(meant, isReturn ? .returned : .paid, from: isReturn ? [.sent, .unknown, .paid] : [.sent, .unknown])
        case .accepted, .other: return .noted
        }
    }

    /// Money is matched to the cent and in its currency. Reports may leave the amount out; accounts never do.
    private static func amountDifference(_ entry: BankEntry, _ amountMinor: Int64, _ payout: Payout) -> ReconciliationEntry.Difference? {
        if let currency = entry.currency, currency != payout.unit.code { return .currencyDiffers }
        guard let amount = entry.amountMinor else { return entry.meaning == .booked || entry.meaning == .returned ? .amountMissing : nil }
        return amount == amountMinor ? nil : .amountDiffers
    }
}
