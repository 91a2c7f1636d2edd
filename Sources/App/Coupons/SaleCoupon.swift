import Money
import Persistence
import Web

/// The coupon code that a sale names: judged before its sale is credited, used in the same transaction. A code that cannot be used stops no
/// sale, which has happened: the receipt says why it counted for nothing.
struct SaleCoupon {
    var judged: CouponCode.Judged?
    /// A code that there is none of.
    var isUnknown = false

    static func judge(_ input: NewSale, _ customer: Customer, named: inout Named, evidence: Evidence, notes: inout [JSONMember], in write: Write) throws -> SaleCoupon {
        guard let text = input.couponCode ?? (named.code == nil ? input.code : nil) else { return SaleCoupon() }
        guard let code = try CouponCode.find(text, in: write) else { return SaleCoupon(isUnknown: input.couponCode != nil) }
        if input.couponCode == nil { notes.removeAll { $0.name == "unknownCode" } }
        let isReferred = named.code?.memberID != nil || named.member != nil || evidence.namedClick?.memberID != nil
            || evidence.visitorClicks.contains { $0.memberID != nil }
        let order = CouponOrder(
            invoiceID: input.invoiceID, customer: customer, amountMinor: input.amountMinor, currency: input.currency, isReferred: isReferred,
            newCustomer: input.newCustomer, isSale: true)
        let judged = try code.judge(order, in: write)
        if judged.refusal == nil { named.coupon = (program: judged.coupon.programID, member: code.memberID) }
        return SaleCoupon(judged: judged)
    }

    /// Uses the code for the sale, which is written by now.
    func redeem(for sale: Sale, in write: Write) throws {
        guard let judged, judged.refusal == nil else { return }
        _ = try judged.redeem(invoice: sale.invoiceID, sale: sale.id, customer: sale.customerID, in: write)
    }

    /// A sale that came back as a whole gives its code's use and what it took of the budget back. A code that was used up by it is good again,
    /// unless its time is over.
    static func giveBack(for sale: Sale, in write: Write) throws {
        guard sale.refundedMinor == sale.amountMinor else { return }
        for use in try CouponCodeStore.uses(of: sale.id, on: write.connection) {
            guard var code = try CouponCodeStore.find(use.codeID, in: write.workspace.id, on: write.connection) else { continue }
            try CouponCodeStore.deleteUse(use, on: write.connection)
            try CouponStore.takeUse(code.couponID, discount: use.discountMinor, on: write.connection)
            code.uses -= 1
            code.returnedUses += 1
            if code.state == .redeemed {
                code.state = .issued
                if var reward = try RewardStore.of(code: code.id, on: write.connection), reward.state == .redeemed, reward.saleID != sale.id {
                    reward.state = .issued
                    reward.endedAt = nil
                    try RewardStore.update(reward, on: write.connection)
                }
            }
            try CouponCodeStore.update(code, on: write.connection)
        }
    }

    /// What the sale keeps of it.
    var note: [JSONMember] {
        if let judged { return [JSONMember("coupon", judged.noteJSON)] }
        return isUnknown
            ? [JSONMember("coupon", ["codeId": .null, "couponId": .null, "state": "refused", "reason": "unknown", "discount": 0])] : []
    }

    var refusals: [JSONValue] {
        if isUnknown {
            return [
                ["ruleId": .null, "version": .null, "rule": "", "memberId": .null, "reason": "coupon.unknown", "detail": .text(CouponRefusal.unknown.detail)]
            ]
        }
        return judged?.refusalJSON.map { [$0] } ?? []
    }
}
