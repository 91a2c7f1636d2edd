import Chronology
import Money
import Persistence
import Web

/// What hosts of a program's parties get, and for how long orders count.
struct PartyPlan: Sendable {
    static let orderDaysMax: Int64 = 90
    static let returnDaysMax: Int64 = 180
    static let tiersMax = 20

    var programID: ProgramID
    /// Whole days after the party's on which orders still count.
    var orderDays: Int64
    /// Whole days after those that wait for returns.
    var returnDays: Int64
    var membersMayHost: Bool
    var tiers: [PartyTier]

    static func set(_ plan: PartyPlan, in write: Write) throws -> PartyPlan {
        guard try ProgramStore.exists(plan.programID, in: write.workspace.id, on: write.connection) else { throw Refusal.unknownProgram() }
        for (index, tier) in plan.tiers.enumerated().dropFirst() where tier.from <= plan.tiers[index - 1].from {
            throw Refusal.field("tiers[\(index)].from", "Must be above that of the tier before.")
        }
        try PartyPlanStore.put(plan, in: write.workspace.id, at: write.now, on: write.connection)
        try write.audit(
            "party_plan.change", subject: plan.programID.text,
            JSONText(["orderDays": .integer(plan.orderDays), "returnDays": .integer(plan.returnDays), "tiers": .array(plan.tiers.map(\.json))]))
        return plan
    }

    var json: JSONValue {
        [
            "programId": .text(programID.text), "orderDays": .integer(orderDays), "returnDays": .integer(returnDays), "membersMayHost": .boolean(membersMayHost),
            "tiers": .array(tiers.map(\.json)),
        ]
    }

    static let schema = APISchema.object([
        .required("programId", .text), .required("orderDays", .described(.integer(0...orderDaysMax), description: "Whole days after the party's on which orders still count.")),
        .required("returnDays", .described(.integer(0...returnDaysMax), description: "Whole days after those that wait for returns; then the host is rewarded.")),
        .required("membersMayHost", .boolean), .required("tiers", .array(PartyTier.schema)),
    ])
}

/// What a host gets from a turnover on.
struct PartyTier: Sendable, Equatable {
    enum Gift: Sendable, Equatable {
        /// A part of the turnover, as store credit of its currency.
        case share(Rate)
        case amount(UnitCode, Int64)
    }

    /// In minor units of the program's currency.
    var from: Int64
    var gift: Gift

    /// What a turnover brings: that of the highest tier reached.
    static func reward(_ tiers: [PartyTier], turnover: Int64, currency: String) throws -> (unit: UnitCode, minor: Int64)? {
        guard turnover > 0, let tier = tiers.last(where: { $0.from <= turnover }) else { return nil }
        switch tier.gift {
        case .share(let rate):
            let minor = try rate.applied(to: Amount(minor: turnover)).minor
            return minor > 0 ? (try UnitCode("credit:\(currency)"), minor) : nil
        case .amount(let unit, let minor): return (unit, minor)
        }
    }

    var json: JSONValue {
        switch gift {
        case .share(let rate): ["from": .integer(from), "rate": .text(rate.text), "unit": .null, "amount": .null]
        case .amount(let unit, let minor): ["from": .integer(from), "rate": .null, "unit": .text(unit.code), "amount": .integer(minor)]
        }
    }

    /// As it was kept.
    init?(_ json: JSONValue) {
        guard let from = json["from"]?.int64 else { return nil }
        self.from = from
        if let rate = json["rate"]?.string.flatMap({ try? Rate($0) }) {
            gift = .share(rate)
        } else if let unit = json["unit"]?.string.flatMap({ Wallet.unit($0) }), let amount = json["amount"]?.int64 {
            gift = .amount(unit, amount)
        } else {
            return nil
        }
    }

    init(from: Int64, gift: Gift) {
        self.from = from
        self.gift = gift
    }

    static let schema = APISchema.object([
        .required("from", .described(.integer(), description: "The turnover, in minor units of the program's currency.")),
        .required("rate", .described(.nullable(.text), description: "A part of the turnover, given as store credit.")),
        .required("unit", .nullable(.text)), .required("amount", .nullable(.integer())),
    ])
}
