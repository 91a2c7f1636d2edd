import Chronology
import Money
import Rules
import Web

/// A rule as contract.md writes it, read field by field. The engine's own types do the deciding.
struct RuleDocument: Sendable {
    var name: String
    var event: RuleEvent
    var reward: RewardTerms
    var recipient: RuleRecipient
    var level: Int
    var conditions: Condition
    var months: RecurringMonths
    var isPerItem: Bool
    var cap: Cap?
    var effectiveFrom: Instant?
    var effectiveUntil: Instant?
    /// Kinds of reward that its receiver may have instead.
    var choices: [RewardTerms] = []
    /// Whether the company is asked before a reward is given.
    var isChecked = false
    var source: [JSONMember]

    static let tiersMax = TierTable.tiersLimit
    static let choicesMax = 9

    static func read(_ body: JSONReader) -> RuleDocument {
        if !body.has("reward") || body.isNull("reward") { body.note("reward", "Is required.") }
        let reward = body.optionalObject("reward", RewardTerms.read) ?? nil
        return RuleDocument(
            name: body.name("name", maximumLength: 200),
            event: body.custom("event", standIn: .sale) { value in read(value, RuleEvent.self) },
            reward: reward ?? .freeShipping,
            recipient: body.optionalOneOf("for", RuleRecipient.self) ?? .member,
            level: Int(body.optionalInteger("level", in: 0...Int64(CommissionRule.levelLimit)) ?? 0),
            conditions: body.optionalCustom("conditions", Condition.read) ?? .always,
            months: body.optionalCustom("months", readMonths) ?? .none,
            isPerItem: body.optionalBoolean("perItem") ?? false,
            cap: body.optionalObject("cap", Cap.read) ?? nil,
            effectiveFrom: body.optionalCustom("effectiveFrom", Instant.read),
            effectiveUntil: body.optionalCustom("effectiveUntil", Instant.read),
            choices: body.array("choices", count: 0...choicesMax, RewardTerms.read).compactMap { $0 },
            isChecked: body.optionalBoolean("check") ?? false,
            source: ["name", "event", "reward", "choices", "check", "for", "level", "conditions", "months", "perItem", "cap", "effectiveUntil"].compactMap { field in
                body.raw(field).map { JSONMember(field, $0) }
            })
    }

    /// The rule with an id and a version. Throws a problem naming the field that makes no sense.
    func rule(id: RuleID, program: ProgramID, version: Int, now: Instant) throws -> Rule {
        let from = effectiveFrom ?? now
        do throws(RuleFailure) {
            let terms = try CommissionRule(
                id: id.text, version: version, event: event, reward: reward, recipient: recipient, level: level, conditions: conditions,
                months: months, isPerItem: isPerItem, cap: cap, effectiveFrom: from, effectiveUntil: effectiveUntil)
            return Rule(
                id: id, programID: program, name: name, terms: terms,
                document: .object(source + [JSONMember("effectiveFrom", .text(from.rfc3339))]))
        } catch {
            throw error.problem
        }
    }

    /// What a rule of this program may not say. Rules written before stay as they are.
    func check(for program: Program) throws {
        if !choices.isEmpty, !reward.isGivenApart || !choices.allSatisfy({ $0.mayBeChosen(in: program.currency) }) {
            throw Refusal.field(
                "choices",
                "May hold coupons, gifts, free months, free shipping, rewards of your own, points, and store credit in \(program.currency), beside a reward that is a thing.")
        }
        if isChecked, !reward.isGivenApart {
            throw Refusal.field("check", "Is for coupons, gifts, free months, free shipping and rewards of your own. Money is held by the program's hold.")
        }
        switch reward {
        case .flat(_, let currency) where currency.code != program.currency:
            throw Refusal.field("reward.currency", "Must be \(program.currency), the program's currency.")
        case .percent(let rate) where rate > .whole:
            throw Refusal.field("reward.rate", "Must be at most \"1\", which is 100 %.")
        case .tiered(let table) where table.tiers.contains { $0.rate > .whole }:
            throw Refusal.field("reward.tiers", "Must have rates of at most \"1\", which is 100 %.")
        default: break
        }
    }

    /// Every coupon that is new in it must be one of the program that is in force; one that a rule has given so far may have ended since.
    func checkCoupons(of program: ProgramID, besides known: [RewardTerms] = [], in write: Write) throws {
        for (terms, field) in [(reward, "reward.couponId")] + choices.enumerated().map({ ($1, "choices[\($0)].couponId") }) {
            guard case .coupon(let text) = terms, !known.contains(terms) else { continue }
            let coupon = try CouponID(text).flatMap { try CouponStore.find($0, in: write.workspace.id, on: write.connection) }
            guard let coupon, coupon.programID == program, coupon.state == .active else {
                throw Refusal.field(field, "Must be a coupon of the program that has not ended.", code: "unknown_coupon")
            }
        }
    }

    private static func read<Choice: RawRepresentable & CaseIterable>(_ value: JSONValue, _ type: Choice.Type) -> JSONReader.Reading<Choice>
    where Choice.RawValue == String {
        if case .text(let text) = value, let choice = Choice(rawValue: text) { return .accepted(choice) }
        return .refused("Must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", ")).")
    }

    private static func readMonths(_ value: JSONValue) -> JSONReader.Reading<RecurringMonths> {
        if value == .text("lifetime") { return .accepted(.lifetime) }
        if case .number(let number) = value, let months = number.integer, (1...RecurringMonths.limit).contains(months) {
            return .accepted(.count(months))
        }
        return .refused("Must be a whole number of months from 1 to \(RecurringMonths.limit), or \"lifetime\".")
    }
}

extension RewardTerms {
    /// Nil when the kind is unknown; the mistake is noted then.
    static func read(_ part: JSONReader) -> RewardTerms? {
        func amount() -> Amount { Amount(minor: part.integer("amount", in: 1...Int64.max)) }
        func currency() -> Currency? {
            part.custom("currency", standIn: nil) { Currency.read($0).map { Optional($0) } }
        }
        switch part.text("kind", maximumLength: 40) {
        case "flat":
            let amount = amount()
            return currency().map { .flat(amount, $0) }
        case "percent":
            return .percent(part.custom("rate", standIn: .zero, Rate.read))
        case "tiered":
            let mode = part.custom("mode", standIn: TierMode.marginal) { value -> JSONReader.Reading<TierMode> in
                if case .text(let text) = value, let mode = TierMode(rawValue: text) { return .accepted(mode) }
                return .refused("Must be marginal or retroactive.")
            }
            let tiers = part.array("tiers", count: 1...TierTable.tiersLimit) { tier in
                Tier(
                    from: Amount(minor: tier.integer("from", in: 0...Int64.max)), rate: tier.custom("rate", standIn: .zero, Rate.read))
            }
            guard !tiers.isEmpty else { return nil }
            guard let table = try? TierTable(mode: mode, tiers: tiers) else {
                part.note("tiers", "Must rise from tier to tier.")
                return nil
            }
            return .tiered(table)
        case "points":
            let amount = amount()
            let unit = part.custom("unit", standIn: UnitCode.points) { value -> JSONReader.Reading<UnitCode> in
                if case .text(let code) = value, let unit = try? UnitCode(code), case .points = unit.kind { return .accepted(unit) }
                return .refused("Must be a unit of points such as \"points\".")
            }
            return .points(amount, unit)
        case "credit":
            let amount = amount()
            return currency().map { .credit(amount, $0) }
        case "coupon": return .coupon(couponID: part.text("couponId", maximumLength: 100))
        case "gift":
            return .gift(description: part.text("description", maximumLength: 500), valueMinor: part.optionalInteger("value", in: 0...Int64.max))
        case "freeMonths": return .freeMonths(Int(part.integer("months", in: 1...RecurringMonths.limit)))
        case "freeShipping": return .freeShipping
        case "custom":
            return .custom(
                description: part.text("description", maximumLength: 500), valueMinor: part.optionalInteger("value", in: 0...Int64.max))
        default:
            part.note("kind", "Must be one of flat, percent, tiered, points, credit, coupon, gift, freeMonths, freeShipping, custom.")
            return nil
        }
    }
}

extension Cap {
    static func read(_ part: JSONReader) -> Cap? {
        let amount = part.optionalInteger("amount", in: 0...Int64.max)
        let count = part.optionalInteger("count", in: 0...Int64.max)
        let scope = part.optionalCustom("per") { value -> JSONReader.Reading<Scope> in
            if case .text(let text) = value, let scope = Scope(rawValue: text) { return .accepted(scope) }
            return .refused("Must be customer, member or program.")
        }
        let period = part.optionalCustom("period") { value -> JSONReader.Reading<CapPeriod> in
            if case .text(let text) = value, let period = CapPeriod(rawValue: text) { return .accepted(period) }
            return .refused("Must be day, week, month, year or lifetime.")
        }
        guard (amount == nil) != (count == nil) else {
            part.note("amount", "Must be given, or else count, but not both.")
            return nil
        }
        let limit: Limit = amount.map { .amount(Amount(minor: $0)) } ?? .count(count ?? 0)
        return try? Cap(limit, per: scope ?? .member, period: period ?? .lifetime)
    }
}

extension Instant {
    static func read(_ value: JSONValue) -> JSONReader.Reading<Instant> {
        guard case .text(let text) = value, let instant = try? Instant(rfc3339: text) else {
            return .refused("Must be a time such as 2026-11-22T10:15:30Z (RFC 3339).")
        }
        return .accepted(instant)
    }
}

extension RuleFailure {
    /// Which field of a rule makes no sense, and what would.
    var problem: Problem {
        switch self {
        case .tiersEmpty, .tooManyTiers, .tiersNotRising:
            Refusal.field("reward.tiers", "Must be 1 to \(TierTable.tiersLimit) tiers that rise.")
        case .levelOutOfRange: Refusal.field("level", "Must be 0 to \(CommissionRule.levelLimit).")
        case .levelNeedsSale: Refusal.field("level", "Must be 0 for clicks and leads: they pay the sharing member alone.")
        case .friendHasNoLevel: Refusal.field("level", "Must be 0 when the reward is for the friend.")
        case .friendHasNoTiers: Refusal.field("reward.kind", "Tiers look at a member's volume: use flat or percent for the friend.")
        case .rewardNeedsSale: Refusal.field("reward.kind", "A part of an amount needs a sale: use flat, points or credit for clicks and leads.")
        case .itemsNeedSale: Refusal.field("perItem", "Needs event sale or recurring.")
        case .monthsNeedSale: Refusal.field("months", "Needs event sale or recurring.")
        case .monthsOutOfRange: Refusal.field("months", "Must be 1 to \(RecurringMonths.limit).")
        case .rewardOutOfRange: Refusal.field("reward", "Must give more than nothing, in a unit of its kind.")
        case .capOutOfRange: Refusal.field("cap", "Must not be negative.")
        case .neverInForce: Refusal.field("effectiveUntil", "Must be later than effectiveFrom.")
        case .versionOutOfRange: Refusal.field("version", "Must be at least 1.")
        }
    }
}
