import Chronology
import Money
import Web

/// How the buyer came, who stands above, and which touches were rejected, each with its reason.
struct ReceiptPath {
    let facts: ReceiptFacts
    /// What the touches led to, in words.
    let end: PageValue
    let endAt: Instant
    let context: ReceiptContext
    let language: PageLanguage

    private var attribution: JSONValue { facts.attribution }
    private var shares: [JSONValue] { attribution["shares"]?.elements ?? [] }
    private var rejections: [JSONValue] { attribution["rejected"]?.elements ?? [] }

    /// The touches in order of time, then the sale.
    var touches: [PageObject] {
        let all = attribution["touches"]?.elements ?? []
        guard !all.isEmpty else { return [] }
        let rows = all.map { touch -> PageObject in
            let id = touch["touchId"]?.string ?? ""
            let share = shares.first { $0["touchId"]?.string == id }
            let rejection = rejections.first { $0["touchId"]?.string == id }
            return [
                "kind": .text(share == nil ? "out" : "won"), "title": title(touch, isStrong: share != nil), "at": time(touch),
                "reason": .text(share.map { takes($0) } ?? rejection.map { language.rejection($0) } ?? language("receipt.touch.notNeeded")),
            ]
        }
        return rows + [["kind": "won", "title": end, "at": language.time(endAt), "reason": ""]]
    }

    var upline: [PageObject] {
        guard !context.upline.isEmpty, let sharer = shares.first?["memberId"]?.string.flatMap({ MemberID($0) }) else { return [] }
        return ([sharer] + context.upline).enumerated().map { level, member in
            let earned = facts.commissions.filter { $0.memberID == member && $0.level == level }
            let name = context.names.member(member, language)
            let role = level == 0 ? language("receipt.role.sharer") : language("receipt.role.level", ["level": language.integer(Int64(level))])
            let rate = earned.first?.rate.flatMap { try? Rate($0) }.map { language.percent(ppm: $0.billionths / 1000, decimals: 4) }
            return [
                "kind": .text(earned.isEmpty ? "out" : "won"), "title": [["strong": .text(name)], ["plain": .text(", " + role)]],
                "share": .text(earned.isEmpty ? "–" : rate ?? language("receipt.arithmetic.fixed")),
                "reason": .text(
                    earned.isEmpty
                        ? language("receipt.upline.nothing")
                        : language("receipt.upline.gets", ["amount": earned.map { language.money($0.keptMinor, $0.unit) }.listed(language)])),
            ]
        }
    }

    /// Touches that do not count, and names that nobody knows.
    var rejected: [PageObject] {
        let all = attribution["touches"]?.elements ?? []
        var rows = rejections.map { rejection -> PageObject in
            let touch = all.first { $0["touchId"] == rejection["touchId"] }
            return [
                "what": .text(touch.map { plainTitle($0) } ?? rejection["touchId"]?.string ?? ""), "why": [["plain": .text(language.rejection(rejection))]],
            ]
        }
        if let click = attribution["unknownClick"]?.string {
            rows.append([
                "what": .text(language("receipt.touch.unknown", ["id": click])), "why": [["plain": .text(language("receipt.rejected.unknownClick"))]],
            ])
        }
        if let code = attribution["unknownCode"]?.string {
            rows.append([
                "what": .text(language("receipt.touch.unknownCode", ["code": code])), "why": [["plain": .text(language("receipt.rejected.unknownCode"))]],
            ])
        }
        return rows
    }

    private func title(_ touch: JSONValue, isStrong: Bool) -> PageValue {
        let text = plainTitle(touch)
        return [[isStrong ? "strong" : "plain": .text(text)]]
    }

    private func plainTitle(_ touch: JSONValue) -> String {
        let person = touch["memberId"]?.string.flatMap { MemberID($0) }.map { context.names.member($0, language) }
        let code = touch["linkId"]?.string.flatMap { LinkID($0) }.flatMap { context.codes[$0] } ?? ""
        let values = ["person": person ?? "", "code": code]
        switch touch["kind"]?.string {
        case "friendCode", "coupon": return language(person == nil ? "receipt.touch.companyCode" : "receipt.touch.code", values)
        case "paid": return language("receipt.touch.paid")
        case "manual": return language("receipt.touch.manual", values)
        default: return language(person == nil ? "receipt.touch.companyLink" : "receipt.touch.link", values)
        }
    }

    private func time(_ touch: JSONValue) -> PageValue {
        touch["at"]?.string.flatMap { try? Instant(rfc3339: $0) }.map { language.time($0) } ?? .nothing
    }

    private func takes(_ share: JSONValue) -> String {
        let ppm = share["sharePpm"]?.int64 ?? 0
        if ppm == 1_000_000 { return language(facts.event == .lead ? "receipt.touch.takesLead" : "receipt.touch.takesAll") }
        return language("receipt.touch.takesShare", ["percent": language.percent(ppm: ppm, decimals: 2)])
    }
}

extension PageLanguage {
    /// The reason of a rejection in words.
    func rejection(_ rejection: JSONValue) -> String {
        func days(_ name: String) -> Int64 { (rejection[name]?.int64 ?? 0) / 86_400_000 }
        switch rejection["reason"]?.string {
        case "tooOld":
            return plural(
                "receipt.rejected.tooOld", days("ageMs"), ["window": integer(days("windowMs"))])
        case "standDown": return self("receipt.rejected.standDown", ["seconds": integer(rejection["seconds"]?.int64 ?? 0)])
        case "outranked":
            let winner = rejection["by"]?.string ?? "link"
            return self("receipt.rejected.outranked", ["winner": self("receipt.kind.\(winner)")])
        case "discarded": return self("receipt.discarded.\(rejection["because"]?.string ?? "fraud")")
        case "tooManyTouches": return self("receipt.rejected.tooManyTouches", ["limit": integer(rejection["limit"]?.int64 ?? 0)])
        case "decayed": return self("receipt.rejected.decayed", ["days": integer(days("ageMs"))])
        case let code?: return self("receipt.rejected.\(code)")
        case nil: return ""
        }
    }
}
