import Chronology
import Money
import Persistence
import Web

/// Why a code cannot be used, and what would help.
enum CouponRefusal: String, Sendable, CaseIterable {
    case unknown, void, expired, used, reserved, ended, overBudget, usesUp, otherCurrency, belowMinimum, ownCode, notReferred, notNew, otherCustomer

    /// For programs; pages say it in the reader's language (`receipt.refusal.coupon.…`).
    var detail: String {
        switch self {
        case .unknown: "There is no such code. Check its spelling."
        case .void: "The code was withdrawn. Ask whoever gave it for another one."
        case .expired: "The code has expired. Ask whoever gave it for another one."
        case .used: "The code was used already. Each code is good for one order, or as often as its coupon says."
        case .reserved: "Another order keeps the code for a few minutes. Try again when that order is finished or given up."
        case .ended: "The offer behind the code has ended."
        case .overBudget: "The budget of the offer is used up."
        case .usesUp: "The offer was used as often as it may be."
        case .otherCurrency: "The code is good for orders in the program's currency alone."
        case .belowMinimum: "The order is below the least amount of the offer. Add something to it."
        case .ownCode: "The code belongs to the buyer: it is for friends. Give it to somebody."
        case .notReferred: "The code is good only for those who came by a member's link or code. Open the link first."
        case .notNew: "The code is for new customers, and the buyer is one already."
        case .otherCustomer: "The code was given to another customer."
        }
    }

    var problem: Problem { Problem.conflict(code: "coupon_\(rawValue)", detail: detail) }
}

/// An order that wants to use a code.
struct CouponOrder: Sendable {
    var invoiceID: String?
    var customer: Customer?
    /// Members whom the buyer is, by the mail address or the company's own id that came with the order.
    var buyers: [MemberID] = []
    var amountMinor: Int64
    var currency: Currency
    /// What brought the buyer, as far as the caller knows more than what is kept of them.
    var isReferred = false
    var newCustomer: Bool?
    /// Somebody with the mail address that came with the order has bought before.
    var isKnownMailbox = false
    /// A sale that has happened: it may be the one that a vendor told of already.
    var isSale = false
}

extension CouponCode {
    struct Judged: Sendable {
        var code: CouponCode
        var coupon: Coupon
        var discountMinor: Int64
        var refusal: CouponRefusal?
        /// This order has used it before: nothing is counted again.
        var isRepeated = false
        /// The use that a vendor told of before this sale came.
        var told: CouponUse?
    }

    /// Whether an order may use the code, and what it takes off.
    func judge(_ order: CouponOrder, in write: Write) throws -> Judged {
        guard let coupon = try CouponStore.find(couponID, in: workspaceID, on: write.connection) else { throw Refusal.unknown("coupon") }
        if let invoice = order.invoiceID, let use = try CouponCodeStore.use(of: id, invoice: invoice, on: write.connection) {
            return Judged(code: self, coupon: coupon, discountMinor: use.discountMinor, isRepeated: true)
        }
        if order.isSale, let told = try CouponCodeStore.told(of: id, on: write.connection) {
            let discount = coupon.kind == .percent ? coupon.taken(off: order.amountMinor) ?? 0 : told.discountMinor
            return Judged(code: self, coupon: coupon, discountMinor: discount, isRepeated: true, told: told)
        }
        // What other orders keep is promised to them.
        let kept = try CouponReservationStore.others(of: id, besides: order.invoiceID, at: write.now, on: write.connection)
        let credit = coupon.kind == .storeCredit ? max(0, (coupon.amountMinor ?? 0) - (try CouponCodeStore.spent(by: id, on: write.connection))) : 0
        let discount = try (order.isSale ? coupon.taken(off: order.amountMinor) : nil)
            ?? coupon.discount(on: order.amountMinor, left: max(0, credit - kept.discountMinor))
        let isKept = coupon.kind == .storeCredit ? credit > 0 && kept.discountMinor >= credit : kept.count > 0 && uses + kept.count >= coupon.usesPerCode
        return Judged(
            code: self, coupon: coupon, discountMinor: discount, refusal: try refusal(order, coupon, discount: discount, isKept: isKept, in: write))
    }

    private func refusal(_ order: CouponOrder, _ coupon: Coupon, discount: Int64, isKept: Bool, in write: Write) throws -> CouponRefusal? {
        switch state {
        case .void: return .void
        case .expired: return .expired
        case .redeemed: return .used
        // Uses that are kept for some leave the others to others.
        case .reserved, .issued: if isKept { return .reserved }
        }
        if let expiresAt, expiresAt <= write.now { return .expired }
        if coupon.state == .ended { return .ended }
        if order.currency != coupon.currency { return .otherCurrency }
        // A sale that has happened is told after the discount; what the buyer was promised was judged before it.
        if (order.isSale ? coupon.amountBeforeDiscount(order.amountMinor) : order.amountMinor) < coupon.minimumMinor { return .belowMinimum }
        if let customerID, order.customer?.id != customerID { return .otherCustomer }
        if let memberID, !order.buyers.isEmpty {
            let selves = try MemberMergeStore.selves([memberID], on: write.connection)
            if order.buyers.contains(where: { selves[$0] != nil }) { return .ownCode }
        }
        if coupon.newCustomersOnly, order.newCustomer == false || order.isKnownMailbox { return .notNew }
        if let customer = order.customer {
            if let memberID, try !MemberStore.buyers(behind: customer.id, among: [memberID], on: write.connection).isEmpty { return .ownCode }
            if let memberID, try CustomerMemberStore.member(of: customer.id, on: write.connection) == memberID { return .ownCode }
            if coupon.newCustomersOnly, try SaleStore.hasKept(of: customer.id, on: write.connection) { return .notNew }
        }
        if coupon.needsReferral, memberID == nil, !order.isReferred {
            guard let customer = order.customer, try CouponReferral.isReferred(customer, program: coupon.programID, at: write.now, in: write) else {
                return .notReferred
            }
        }
        guard coupon.usesLimit != nil || coupon.budgetMinor != nil else { return nil }
        let kept = try CouponReservationStore.others(of: coupon.id, besides: order.invoiceID.map { (id, $0) }, at: write.now, on: write.connection)
        if let most = coupon.usesLimit, coupon.uses + kept.count >= most { return .usesUp }
        if let budget = coupon.budgetMinor, budget - coupon.spentMinor - kept.discountMinor < discount { return .overBudget }
        return nil
    }

    /// Keeps the code for an order while its buyer pays.
    static func reserve(_ text: String, for order: CouponOrder, invoice: String, in write: Write) throws -> Judged {
        guard let code = try find(text, in: write) else { throw CouponRefusal.unknown.problem }
        var judged = try code.judge(order, in: write)
        if let refusal = judged.refusal { throw refusal.problem }
        guard !judged.isRepeated else { return judged }
        judged.code.state = .reserved
        let until = try write.now.adding(milliseconds: reservationMs)
        (judged.code.reservedUntil, judged.code.reservedBy) = (until, invoice)
        try CouponReservationStore.deletePast(of: code.id, at: write.now, on: write.connection)
        try CouponReservationStore.put(
            CouponReservation(codeID: code.id, couponID: code.couponID, invoiceID: invoice, discountMinor: judged.discountMinor, until: until),
            on: write.connection)
        try CouponCodeStore.update(judged.code, on: write.connection)
        return judged
    }

    /// Gives a reserved code free again. Of another order's reservation nothing is changed.
    static func release(_ text: String, invoice: String, in write: Write) throws -> CouponCode {
        guard var code = try find(text, in: write) else { throw CouponRefusal.unknown.problem }
        guard try CouponReservationStore.delete(code.id, invoice: invoice, on: write.connection), code.state == .reserved else { return code }
        try code.freeUnlessKept(in: write)
        try CouponCodeStore.update(code, on: write.connection)
        return code
    }

    /// Reserved as long as an order keeps it, and free after that.
    fileprivate mutating func freeUnlessKept(in write: Write) throws {
        if let last = try CouponReservationStore.last(of: id, at: write.now, on: write.connection) {
            (state, reservedUntil, reservedBy) = (.reserved, last.until, last.invoiceID)
        } else {
            (state, reservedUntil, reservedBy) = (.issued, nil, nil)
        }
    }

    /// Uses it for an order, once: the same order again changes nothing.
    static func redeem(_ text: String, for order: CouponOrder, invoice: String, in write: Write) throws -> Judged {
        guard let code = try find(text, in: write) else { throw CouponRefusal.unknown.problem }
        let judged = try code.judge(order, in: write)
        if let refusal = judged.refusal { throw refusal.problem }
        return try judged.redeem(invoice: invoice, sale: nil, customer: order.customer?.id, in: write)
    }
}

extension CouponCode.Judged {
    /// Counts the use; all limits were looked at in the same transaction.
    func redeem(invoice: String, sale: SaleID?, customer: CustomerID?, in write: Write) throws -> Self {
        var used = self
        guard !isRepeated else {
            if let told {
                let more = max(0, min(discountMinor - told.discountMinor, coupon.budgetMinor.map { max(0, $0 - coupon.spentMinor) } ?? Int64.max))
                try CouponCodeStore.claim(told, more: more, sale: sale, invoice: invoice, customer: customer, on: write.connection)
                try CouponStore.addSpent(coupon.id, more, on: write.connection)
                return self
            }
            if let sale { try CouponCodeStore.setSale(sale, of: code.id, invoice: invoice, on: write.connection) }
            return self
        }
        try CouponCodeStore.insertUse(
            CouponUse(codeID: code.id, invoiceID: invoice, saleID: sale, customerID: customer, discountMinor: discountMinor, usedAt: write.now),
            on: write.connection)
        try CouponStore.addUse(coupon.id, discount: discountMinor, on: write.connection)
        used.code.uses += 1
        _ = try CouponReservationStore.delete(code.id, invoice: invoice, on: write.connection)
        (used.code.reservedUntil, used.code.reservedBy) = (nil, nil)
        let isUsedUp =
            coupon.kind == .storeCredit
            ? try CouponCodeStore.spent(by: code.id, on: write.connection) >= coupon.amountMinor ?? 0 : used.code.uses >= coupon.usesPerCode
        if isUsedUp { used.code.state = .redeemed } else { try used.code.freeUnlessKept(in: write) }
        try CouponCodeStore.update(used.code, on: write.connection)
        if isUsedUp, let reward = try RewardStore.of(code: code.id, on: write.connection), reward.state == .issued {
            _ = try reward.redeemed(in: write)
        }
        return used
    }

    var json: JSONValue {
        [
            "valid": .boolean(refusal == nil), "discount": .integer(refusal == nil ? discountMinor : 0), "currency": .text(coupon.currency.code),
            "freeShipping": .boolean(refusal == nil && coupon.kind == .freeShipping), "reason": refusal.map { .text($0.rawValue) } ?? .null,
            "detail": refusal.map { .text($0.detail) } ?? .null, "code": code.json, "coupon": coupon.json,
        ]
    }

    /// On the sale that named it, and so on its receipt.
    var noteJSON: JSONValue {
        [
            "codeId": .text(code.id.text), "couponId": .text(coupon.id.text), "state": .text(refusal == nil ? "redeemed" : "refused"),
            "reason": refusal.map { .text($0.rawValue) } ?? .null, "discount": .integer(refusal == nil ? discountMinor : 0), "name": .text(coupon.name), "currency": .text(coupon.currency.code),
        ]
    }

    /// The refusal as receipts list it.
    var refusalJSON: JSONValue? {
        refusal.map {
            [
                "ruleId": .null, "version": .null, "rule": .text(coupon.name), "memberId": .null, "reason": .text("coupon.\($0.rawValue)"),
                "detail": .text($0.detail), "currency": .text(coupon.currency.code),
            ]
        }
    }
}

enum CouponReferral {
    /// Whether a member brought the customer to the program: a link or code they used, or a binding that holds.
    static func isReferred(_ customer: Customer, program: ProgramID, at now: Instant, in write: Write) throws -> Bool {
        if try TouchStore.of(customer.id, on: write.connection).contains(where: { $0.programID == program && $0.memberID != nil }) { return true }
        return try BindingStore.latest(at: now, program: program, customer: customer.id, on: write.connection)?.holds(at: now) ?? false
    }
}
