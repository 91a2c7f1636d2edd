import Chronology
import Money
import Persistence
import Web

/// How the buyer came, as the member may know it: what led to the sale, when, and what did not count and why. Neither the buyer nor other
/// members are named, and what a buyer typed is not repeated.
struct PortalReceiptPath {
    /// Touches that are shown; the latest count most often.
    static let touchesMax = 50

    var commission: Commission
    var facts: ReceiptFacts
    /// Codes of the member's own links.
    var codes: [LinkID: String]
    var endAt: Instant
    var language: PageLanguage

    private var attribution: JSONValue { facts.attribution }
    private var touches: [JSONValue] { attribution["touches"]?.elements ?? [] }
    private var shares: [JSONValue] { attribution["shares"]?.elements ?? [] }

    /// Why the sale counts for them, in a sentence.
    var because: String? {
        guard commission.level == 0 else {
            return language("portalReceipt.because.team", ["level": language.integer(Int64(commission.level))])
        }
        guard let share = shares.first(where: { $0["memberId"]?.string == commission.memberID.text }) else { return nil }
        let touch = touches.first { $0["touchId"] == share["touchId"] }
        switch share["reason"]?.string {
        case "boundCustomer": return language("portalReceipt.because.bound")
        case "assignedByHand": return language("portalReceipt.because.assigned")
        case "orphanDefault": return language("portalReceipt.because.orphan")
        case _ where touch?["kind"]?.string == "manual": return language("portalReceipt.because.named")
        case "equalPart", "position", "timeDecay": return language.plural("portalReceipt.because.shared", Int64(shares.count))
        case _ where ["friendCode", "coupon"].contains(touch?["kind"]?.string ?? ""): return language("portalReceipt.because.code")
        case "firstTouch": return language("portalReceipt.because.first")
        default: return language("portalReceipt.because.last")
        }
    }

    /// In order of time, with what they led to at the end.
    var steps: [PageObject] {
        guard !touches.isEmpty else { return [] }
        let rejections = attribution["rejected"]?.elements ?? []
        let rows = touches.suffix(Self.touchesMax).map { touch -> PageObject in
            let share = shares.first { $0["touchId"] == touch["touchId"] }
            let rejection = rejections.first { $0["touchId"] == touch["touchId"] }
            return [
                "title": .text(title(touch)), "won": .flag(share != nil),
                "at": touch["at"]?.string.flatMap { try? Instant(rfc3339: $0) }.map { language.time($0) } ?? .nothing,
                "why": .text(share.map(takes) ?? rejection.map { language.rejection($0) } ?? language("receipt.touch.notNeeded")),
            ]
        }
        return rows + [["title": .text(language("portalReceipt.touch.\(facts.event.rawValue)")), "won": .flag(true), "at": language.time(endAt), "why": ""]]
    }

    /// What was named and is unknown, and rules that gave them nothing or less.
    var rejected: [PageObject] {
        var rows: [PageObject] = []
        func add(_ what: String, _ why: String) { rows.append(["what": .text(what), "why": .text(why)]) }
        if attribution["unknownClick"] != nil { add(language("portalReceipt.touch.unknownClick"), language("receipt.rejected.unknownClick")) }
        if attribution["unknownCode"] != nil { add(language("portalReceipt.touch.unknownCode"), language("receipt.rejected.unknownCode")) }
        for refusal in facts.refusals where refusal["memberId"]?.string == commission.memberID.text {
            let rule = language("receipt.refusal.rule", ["rule": refusal["rule"]?.string ?? ""])
            // Conditions look at the buyer, whose facts are theirs.
            let isAboutBuyer = refusal["reason"]?.string == "conditionFailed"
            let words = ReceiptRefusals(facts: facts, names: .none, language: language)
            add(rule, isAboutBuyer ? language("portalReceipt.refusal.conditions") : words.why(refusal))
        }
        return rows
    }

    private func title(_ touch: JSONValue) -> String {
        let isCode = ["friendCode", "coupon"].contains(touch["kind"]?.string ?? "")
        switch touch["kind"]?.string {
        case "paid": return language("receipt.touch.paid")
        case "manual": return language("portalReceipt.touch.named")
        default: break
        }
        guard let member = touch["memberId"]?.string else { return language(isCode ? "portalReceipt.touch.companyCode" : "portalReceipt.touch.companyLink") }
        guard member == commission.memberID.text else {
            let isTeam = commission.level > 0 && shares.contains { $0["memberId"]?.string == member }
            return language("portalReceipt.touch.\(isTeam ? "team" : "other")\(isCode ? "Code" : "Link")")
        }
        let code = touch["linkId"]?.string.flatMap { LinkID($0) }.flatMap { codes[$0] } ?? ""
        return language(isCode ? "portalReceipt.touch.ownCode" : "portalReceipt.touch.ownLink", ["code": code.uppercased()])
    }

    private func takes(_ share: JSONValue) -> String {
        let ppm = share["sharePpm"]?.int64 ?? 0
        if ppm == 1_000_000 { return language(facts.event == .lead ? "receipt.touch.takesLead" : "receipt.touch.takesAll") }
        return language("receipt.touch.takesShare", ["percent": language.percent(ppm: ppm, decimals: 2)])
    }
}
