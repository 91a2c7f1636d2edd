import Chronology
import Compensation
import Money
import Web

/// Why a line is what it is, or why there is none: the facts, the path up the tree with everybody's state, the rule and its version, the
/// arithmetic with its units, the cap.
struct RunReceipt: Sendable {
    struct Person: Sendable {
        var memberID: String
        var isPromoter: Bool
        var isActive: Bool
        var isEligible: Bool
        var rank: String?
        var level: Int
        /// What the bonus paid this person on the order.
        var amountMinor: Int64?
    }

    struct Order: Sendable {
        var id: String
        var saleID: String
        var buyerID: String
        var occurredMs: Int64
        var amountMinor: Int64
        var commissionVolume: Int64
        var qualifyingVolume: Int64
        var product: String?
        var isRefund: Bool
    }

    var run: Run
    var memberID: String
    var bonus: String
    var rule: String
    var tree: String
    var number: Int?
    var line: Line?
    var sourceID: String?
    var order: Order?
    var path: [Person]
    var isPathCut: Bool
    var nothing: String?
    /// What the nothing is about: level and rank.
    var nothingLevel: Int?
    var nothingRank: String?
    /// What the bonus paid the member in the period, after all caps.
    var bonusTotalMinor: Int64
    /// What the plan's 70 % rule compared, where the member is below its share.
    var soldOrUsed: SoldOrUsedShortfall?
    var overrides: [Override]
    var roundingScope: String
    var rounding: String
}

extension RunReceipt {
    /// The receipt of a stored line; nil when there is no such line.
    init?(_ archived: RunArchive.Archived, line number: Int) throws {
        guard archived.placeOfLine.indices.contains(number) else { return nil }
        let place = Int(archived.placeOfLine[number])
        self.init(archived, try archived.result.explain(line: place), number: number)
    }

    /// One receipt for each bonus of what a member got on a sale, or why nothing; nil when either is not among the facts.
    static func all(_ archived: RunArchive.Archived, member id: MemberID, sale: SaleID) throws -> [RunReceipt]? {
        let result = archived.result
        guard let member = result.facts.member(id: id.text), let packed = PackedID(sale.text) else { return nil }
        let orders = archived.calculation.facts.orders.filter { $0.id.wholeText == packed.wholeText }
        guard !orders.isEmpty else { return nil }
        var numberOfPlace: [Int: Int] = [:]
        for (number, place) in archived.placeOfLine.enumerated() where Int(result.lines[Int(place)].member) == member {
            numberOfPlace[Int(place)] = number
        }
        var receipts: [RunReceipt] = []
        for stored in orders {
            guard let order = result.facts.order(id: stored.id.text) else { continue }
            for place in numberOfPlace.keys.sorted() where Int(result.lines[place].order) == order {
                receipts.append(RunReceipt(archived, try result.explain(line: place), number: numberOfPlace[place]))
            }
            for explanation in try result.explainNothing(member: member, order: order) {
                receipts.append(RunReceipt(archived, explanation, number: nil))
            }
        }
        return receipts
    }

    private init(_ archived: RunArchive.Archived, _ explanation: Explanation, number: Int?) {
        let result = archived.result
        let facts = archived.calculation.facts
        let bonus = result.plan.bonuses[explanation.bonus]
        func rank(_ number: Int) -> String? { number > 0 && number <= result.plan.ranks.count ? result.plan.ranks[number - 1].code : nil }
        run = archived.run
        memberID = result.facts.memberId(explanation.member)
        self.bonus = bonus.code
        rule = bonus.rule.code
        tree = bonus.tree.code
        self.number = number
        line = explanation.line
        sourceID = explanation.line.flatMap { $0.source < 0 ? nil : result.facts.memberId(Int($0.source)) }
        order = explanation.order.flatMap { order in
            let id = result.facts.orderId(order)
            guard let packed = PackedID(id), let row = facts.row(ofOrder: packed) else { return nil }
            let stored = facts.orders[row]
            return Order(
                id: id, saleID: (stored.refundOf ?? stored.id).wholeText, buyerID: facts.members[Int(stored.buyer)].id.text,
                occurredMs: stored.occurredMs, amountMinor: stored.amountMinor, commissionVolume: stored.commissionVolume,
                qualifyingVolume: stored.qualifyingVolume, product: stored.product < 0 ? nil : facts.products[Int(stored.product)],
                isRefund: stored.refundOf != nil)
        }
        path = explanation.path.map { ancestor in
            Person(
                memberID: result.facts.memberId(ancestor.member), isPromoter: ancestor.isPromoter, isActive: ancestor.isActive,
                isEligible: ancestor.isEligible, rank: rank(ancestor.rank), level: ancestor.level,
                amountMinor: ancestor.line.map { result.lines[$0].amountMinor })
        }
        isPathCut = explanation.isPathCut
        bonusTotalMinor = result.amountMinor(of: explanation.member, bonus: explanation.bonus)
        soldOrUsed = result.shortfall(of: explanation.member)
        let own = memberID
        overrides = result.overrides.filter { $0.memberId == own }
        roundingScope = bonus.roundingScope.code
        rounding = bonus.rounding.code
        switch explanation.nothing {
        case nil: break
        case .rateIsZero(let level, let number):
            nothing = "rateIsZero"
            nothingLevel = level
            nothingRank = rank(number)
        case let other?: nothing = String(describing: other)
        }
    }

    var json: JSONValue {
        func text(_ value: String?) -> JSONValue { value.map { .text($0) } ?? .null }
        return [
            "runId": .text(run.id.text), "periodStart": .text(run.periodStart.iso8601), "planId": .text(run.planID.text),
            "planVersion": .integer(Int64(run.planVersion)), "memberId": .text(memberID), "bonus": .text(bonus), "rule": .text(rule),
            "tree": .text(tree), "number": number.map { .integer(Int64($0)) } ?? .null, "amount": .integer(line?.amountMinor ?? 0),
            "currency": .text(run.unit.code), "reason": text(line?.reason.code), "nothing": text(nothing),
            "nothingLevel": nothingLevel.map { .integer(Int64($0)) } ?? .null, "nothingRank": text(nothingRank), "sourceMemberId": text(sourceID),
            "arithmetic": line.map { line in
                [
                    "base": .integer(line.baseMinor), "rate": .text(NamedRunLine.rate(line.rateBillionths)), "level": .integer(Int64(line.level)),
                    "amount": .integer(line.amountMinor), "cut": .integer(line.cutMinor), "rounding": .text(rounding),
                    "roundingScope": .text(roundingScope), "bonusTotal": .integer(bonusTotalMinor),
                ]
            } ?? .null,
            "soldOrUsed": soldOrUsed.map { found in
                [
                    "soldOrUsed": .integer(found.soldOrUsedMinor), "bought": .integer(found.boughtMinor), "earned": .integer(found.earnedMinor),
                    "paid": .integer(found.paidMinor),
                ]
            } ?? .null,
            "order": order.map { order in
                [
                    "id": .text(order.id), "saleId": .text(order.saleID), "buyerId": .text(order.buyerID), "amount": .integer(order.amountMinor),
                    "commissionVolume": .integer(order.commissionVolume), "qualifyingVolume": .integer(order.qualifyingVolume),
                    "product": text(order.product), "isRefund": .boolean(order.isRefund),
                ]
            } ?? .null,
            "path": .array(
                path.map { person in
                    [
                        "memberId": .text(person.memberID), "isPromoter": .boolean(person.isPromoter), "isActive": .boolean(person.isActive),
                        "isEligible": .boolean(person.isEligible), "rank": text(person.rank), "level": .integer(Int64(person.level)),
                        "amount": person.amountMinor.map { .integer($0) } ?? .null,
                    ]
                }), "isPathCut": .boolean(isPathCut),
            "overrides": .array(
                overrides.map { ["kind": .text($0.kind.code), "author": .text($0.author), "reason": .text($0.reason)] }),
            "hash": text(run.hash.map(Hexadecimal.text)),
        ]
    }
}
