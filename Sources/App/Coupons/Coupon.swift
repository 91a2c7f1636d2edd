import Chronology
import Money
import Persistence
import Web

enum CouponKind: Identified { static let prefix = "cpn_" }
enum CouponCodeKind: Identified { static let prefix = "cpc_" }
typealias CouponID = Identifier<CouponKind>
typealias CouponCodeID = Identifier<CouponCodeKind>

/// What a code of a program takes off, and for whom it is good.
struct Coupon: Sendable {
    enum Kind: String, Sendable, CaseIterable { case percent, fixed, freeShipping, storeCredit }
    enum State: String, Sendable, CaseIterable { case active, ended }

    static let couponsMax = 1_000
    static let nameLengthMax = 100
    static let usesMax: Int64 = 1_000_000_000
    static let validDaysMax: Int64 = 3_650
    /// Codes that are given out in one call.
    static let codesAtOnceMax = 1_000
    /// Codes of one coupon.
    static let codesMax = 1_000_000
    static let listMax = 100

    var id: CouponID
    var workspaceID: WorkspaceID
    var programID: ProgramID
    var name: String
    var kind: Kind
    var rate: Rate?
    var amountMinor: Int64?
    var currency: Currency
    var minimumMinor: Int64 = 0
    var validDays: Int64?
    var usesPerCode: Int64 = 1
    var usesLimit: Int64?
    var budgetMinor: Int64?
    var needsReferral = false
    var newCustomersOnly = false
    var watchedUses: Int64 = 0
    var uses: Int64 = 0
    var spentMinor: Int64 = 0
    var state = State.active
    var createdAt: Instant

    /// The first uses have happened: a person should look whether it leaked.
    var wantsALook: Bool { watchedUses > 0 && uses >= watchedUses && state == .active }

    /// What it takes off an order; `left` is what a code's store credit still holds.
    func discount(on orderMinor: Int64, left: Int64) throws -> Int64 {
        switch kind {
        case .percent: min(orderMinor, try (rate ?? .zero).applied(to: Amount(minor: orderMinor)).minor)
        case .fixed: min(orderMinor, amountMinor ?? 0)
        case .storeCredit: min(orderMinor, left)
        case .freeShipping: 0
        }
    }

    /// What it took off an order of which so much was paid; nil where that cannot be told from what was paid.
    func taken(off paidMinor: Int64) -> Int64? {
        switch kind {
        case .percent:
            let most = amountBeforeDiscount(paidMinor)
            guard most != .max else { return nil }
            // Of the two amounts around it the one whose discount leaves what was paid.
            let before = [most - 1, most].first { before in (try? discount(on: before, left: 0)).map { before - $0 == paidMinor } ?? false }
            return (before ?? most) - paidMinor
        case .fixed: return amountMinor
        case .storeCredit, .freeShipping: return nil
        }
    }

    /// The most that an order can have come to before this coupon, of what was paid for it.
    func amountBeforeDiscount(_ paidMinor: Int64) -> Int64 {
        switch kind {
        case .percent:
            let left = Rate.whole.billionths - (rate ?? .zero).billionths
            guard left > 0 else { return .max }
            let (product, isTooLarge) = paidMinor.multipliedReportingOverflow(by: Rate.whole.billionths)
            return isTooLarge ? .max : (product + left - 1) / left
        case .fixed: return paidMinor.addingReportingOverflow(amountMinor ?? 0).partialValue
        case .storeCredit, .freeShipping: return paidMinor
        }
    }
}

extension Coupon {
    init(_ input: NewCoupon, id: CouponID, workspace: WorkspaceID, currency: Currency, at now: Instant) {
        self.init(
            id: id, workspaceID: workspace, programID: input.programID, name: input.name, kind: input.kind, rate: input.rate, amountMinor: input.amountMinor,
            currency: currency, minimumMinor: input.minimumMinor, validDays: input.validDays, usesPerCode: input.usesPerCode, usesLimit: input.usesLimit,
            budgetMinor: input.budgetMinor, needsReferral: input.needsReferral, newCustomersOnly: input.newCustomersOnly, watchedUses: input.watchedUses,
            createdAt: now)
    }
}

struct NewCoupon: Sendable {
    var programID: ProgramID
    var name: String
    var kind: Coupon.Kind
    var rate: Rate?
    var amountMinor: Int64?
    var currency: Currency?
    var minimumMinor: Int64 = 0
    var validDays: Int64?
    var usesPerCode: Int64 = 1
    var usesLimit: Int64?
    var budgetMinor: Int64?
    var needsReferral = false
    var newCustomersOnly = false
    var watchedUses: Int64 = 0
}

extension Coupon {
    static func create(_ input: NewCoupon, in write: Write) throws -> Coupon {
        guard let program = try ProgramStore.find(input.programID, in: write.workspace.id, at: write.now, on: write.connection) else {
            throw Refusal.unknown("program", field: "programId")
        }
        switch input.kind {
        case .percent:
            guard let rate = input.rate, rate > .zero, rate <= .whole else { throw Refusal.field("rate", "Must be more than 0 and at most \"1\", which is 100 %.") }
            guard input.amountMinor == nil else { throw Refusal.field("amount", "Belongs to a fixed discount, not to a percentage.") }
        case .fixed, .storeCredit:
            guard let amount = input.amountMinor, amount > 0 else { throw Refusal.field("amount", "Must be more than 0.") }
            guard input.rate == nil else { throw Refusal.field("rate", "Belongs to a percentage, not to an amount.") }
        case .freeShipping:
            guard input.amountMinor == nil, input.rate == nil else { throw Refusal.field("amount", "Free shipping has neither amount nor rate.") }
        }
        if let currency = input.currency, currency.code != program.currency {
            throw Refusal.field("currency", "Must be \(program.currency), the program's currency.")
        }
        guard let currency = Currency(code: program.currency) else { throw Refusal.field("programId", "Has no known currency.") }
        guard try CouponStore.count(in: write.workspace.id, on: write.connection) < couponsMax else {
            throw Problem.conflict(code: "too_many_coupons", detail: "A workspace has at most \(couponsMax) coupons.")
        }
        let coupon = Coupon(input, id: write.world.newID(), workspace: write.workspace.id, currency: currency, at: write.now)
        try CouponStore.insert(coupon, on: write.connection)
        try write.audit("coupon.create", subject: coupon.id.text)
        return coupon
    }

    /// No code of it is good any more.
    static func end(_ id: CouponID, in write: Write) throws -> Coupon {
        var coupon = try find(id, in: write)
        guard coupon.state == .active else { return coupon }
        coupon.state = .ended
        try CouponStore.setState(coupon, on: write.connection)
        try write.audit("coupon.end", subject: id.text)
        return coupon
    }

    static func find(_ id: CouponID, in write: Write) throws -> Coupon {
        guard let coupon = try CouponStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("coupon") }
        return coupon
    }
}

extension Coupon {
    var json: JSONValue {
        func number(_ value: Int64?) -> JSONValue { value.map { .integer($0) } ?? .null }
        return [
            "id": .text(id.text), "programId": .text(programID.text), "name": .text(name), "kind": .text(kind.rawValue),
            "rate": rate.map { .text($0.text) } ?? .null, "amount": number(amountMinor), "currency": .text(currency.code),
            "minimumAmount": .integer(minimumMinor), "validDays": number(validDays), "usesPerCode": .integer(usesPerCode), "maxUses": number(usesLimit),
            "budget": number(budgetMinor), "needsReferral": .boolean(needsReferral), "newCustomersOnly": .boolean(newCustomersOnly),
            "watchedUses": .integer(watchedUses), "uses": .integer(uses), "discounted": .integer(spentMinor), "state": .text(state.rawValue),
            "createdAt": .text(createdAt.rfc3339),
        ]
    }

    static let schema = APISchema.object([
        .required("id", .text), .required("programId", .text), .required("name", .text), .required("kind", .enumeration(Kind.allCases.map(\.rawValue))),
        .required("rate", .nullable(.text)), .required("amount", .nullable(.integer())), .required("currency", .text), .required("minimumAmount", .integer()),
        .required("validDays", .nullable(.integer())), .required("usesPerCode", .integer()), .required("maxUses", .nullable(.integer())),
        .required("budget", .nullable(.integer())), .required("needsReferral", .boolean), .required("newCustomersOnly", .boolean),
        .required("watchedUses", .integer()), .required("uses", .integer()),
        .required("discounted", .described(.integer(), description: "What all uses together took off.")),
        .required("state", .enumeration(State.allCases.map(\.rawValue))), .required("createdAt", .dateTime),
    ])
}
