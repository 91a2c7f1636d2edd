import Chronology
import Money
import Web

/// Why somebody is credited, or why nobody is paid, as the second half of a receipt's first sentence.
struct ReceiptReasons {
    let facts: ReceiptFacts
    let context: ReceiptContext
    let buyer: String
    let at: Instant
    let language: PageLanguage

    /// Why nobody is paid.
    var nobody: String {
        switch facts.nothing {
        case .capReached(let refusal): return capReached(refusal)
        case .planCovers(let plan): return language("receipt.because.planCovers", ["plan": plan])
        case .barred(let bar): return language("receipt.because.\(bar.rawValue)")
        case .notEligible(let reason): return language("receipt.because.\(reason.rawValue)")
        case .budgetUsedUp: return language("receipt.because.budgetUsedUp")
        case .onlyRewards: return language("receipt.because.onlyRewards")
        case .noRule, nil: return language("receipt.because.noRule")
        case .nobodyCredited: break
        }
        if let coupon = facts.attribution["coupon"], coupon["state"]?.string == "refused", facts.attribution["reason"]?.string != "paidAd" {
            return language("receipt.because.couponRefused", ["why": ReceiptRefusals.coupon(coupon, language)])
        }
        switch facts.attribution["reason"]?.string {
        case "noProgram": return language("receipt.because.noProgram")
        case "paidAd": return language("receipt.because.paidAd")
        case "noneEligible": return language("receipt.because.allRejected")
        default: return language("receipt.because.noTouch")
        }
    }

    private func capReached(_ refusal: JSONValue) -> String {
        let rule = ["rule": refusal["rule"]?.string ?? ""]
        guard let cap = refusal["cap"], let per = cap["per"]?.string, let period = cap["period"]?.string else {
            return language("receipt.because.cap", rule)
        }
        var values = rule.merging(["per": language("rule.per.\(per)"), "period": language("rule.period.\(period)")]) { _, new in new }
        if let count = cap["count"]?.int64 { return language.plural("receipt.because.capCount", count, values) }
        let unit = refusal["unit"]?.string.flatMap { try? UnitCode($0) } ?? .currency(facts.currency)
        values["cap"] = language.money(cap["amount"]?.int64 ?? 0, unit)
        return language("receipt.because.capAmount", values)
    }

    /// Why this member is credited.
    func because(_ member: MemberID) -> String {
        let shares = facts.attribution["shares"]?.elements ?? []
        let share = shares.first { $0["memberId"]?.string == member.text } ?? shares.first
        let touch = facts.attribution["touches"]?.elements.first { $0["touchId"] == share?["touchId"] }
        let isCode = ["friendCode", "coupon"].contains(touch?["kind"]?.string ?? "")
        switch share?["reason"]?.string {
        case "boundCustomer":
            let since = context.binding?.boundAt ?? at
            return language("receipt.because.bound", ["buyer": buyer, "day": language.day(since)])
        case "assignedByHand":
            return language(
                "receipt.because.assigned", ["buyer": buyer, "author": context.bindingAuthor ?? language("audit.who.system")])
        case "orphanDefault": return language("receipt.because.orphan", ["buyer": buyer])
        case _ where touch?["kind"]?.string == "manual": return language("receipt.because.named")
        case "equalPart", "position", "timeDecay":
            return language("receipt.because.shared", ["count": language.integer(Int64(shares.count))])
        case _ where isCode: return language("receipt.because.code", ["buyer": buyer])
        case "firstTouch": return language("receipt.because.first")
        default: return language("receipt.because.last")
        }
    }
}
