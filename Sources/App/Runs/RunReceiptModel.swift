import Chronology
import Compensation
import Money
import Persistence
import Web

/// A page of a run's lines.
struct RunLinesModel: PageModel, Sendable {
    var run: Run
    var lines: [NamedRunLine]
    var hasMore: Bool
    var isFirstPage: Bool
    var sale: SaleID?
    var names: PersonNames
    var language: PageLanguage

    var heading: String { language("runLines.title", ["period": RunPeriod.text(run, language)]) }

    var page: PageObject {
        let base = "/runs/\(run.id.text)"
        let filter = sale.map { "sale=\($0.text)&" } ?? ""
        return [
            "heading": .text(heading), "runUrl": .text(base), "runName": .text(RunPeriod.text(run, language)), "unit": .text(run.unit.code),
            "lines": PageValue(lines.map(row)), "isEmpty": .flag(lines.isEmpty),
            "pager": hasMore || !isFirstPage
                ? [
                    "label": .text(language("pager.label")), "summary": "", "previous": nil,
                    "next": hasMore
                        ? ["url": .text("\(base)/lines?\(filter)startingAfter=\(lines.last?.number ?? 0)"), "label": .text(language("pager.next"))] : nil,
                ] : .nothing,
        ]
    }

    private func row(_ line: NamedRunLine) -> PageObject {
        let name = names.member(MemberID(stored: line.memberID), language)
        return [
            "name": .text(name), "initials": .text(Initials.of(name)), "bonus": .text(line.bonus),
            "level": line.line.level > 0 ? .text(language.integer(Int64(line.line.level))) : nil,
            "base": .text(language.amount(line.line.baseMinor, run.unit)), "rate": .text(RunReceiptModel.rate(line.line.rateBillionths, language)),
            "amount": .text(language.amount(line.line.amountMinor, run.unit)), "url": .text("/runs/\(run.id.text)/lines/\(line.number)"),
            "reason": .text(language("runReason.\(line.line.reason.word)")),
            "label": .text(language("runLines.open", ["name": name, "amount": language.money(line.line.amountMinor, run.unit)])),
        ]
    }
}

extension LineReason {
    /// A word that a key of the catalogue may hold.
    var word: String {
        switch self {
        case .capBonus: "capBonus"
        case .capPerson: "capPerson"
        case .capPlan: "capPlan"
        case .capSoldOrUsed: "capSoldOrUsed"
        default: code
        }
    }
}

/// The receipt of a line, or of nothing, down to the order.
struct RunReceiptModel: PageModel, Sendable {
    var receipt: RunReceipt
    /// What the other bonuses did on the same order.
    var others: [RunReceipt]
    var names: PersonNames
    var invoice: String?
    var saleURL: String?
    var plan: ProgramPlan?
    var authors: OperatorNames
    var language: PageLanguage

    private var run: Run { receipt.run }
    private var member: String { names.member(MemberID(stored: receipt.memberID), language) }

    var heading: String {
        receipt.line == nil
            ? language("runLine.titleNothing", ["name": member])
            : language("runLine.title", ["amount": language.money(receipt.line?.amountMinor ?? 0, run.unit), "name": member])
    }

    static func load(_ receipt: RunReceipt, others: [RunReceipt], _ visit: PageVisit) async throws -> RunReceiptModel {
        let vault = visit.installation.vault
        let language = visit.language
        return try await visit.installation.main.read { connection in
            let people = (receipt.path.map(\.memberID) + [receipt.memberID] + [receipt.sourceID].compactMap { $0 }).filter { $0.hasPrefix("mem_") }
            let sale = try receipt.order.flatMap { try SaleStore.find(SaleID(stored: $0.saleID), in: receipt.run.workspaceID, on: connection) }
            return RunReceiptModel(
                receipt: receipt, others: others, names: try PersonNames.load(members: people.map { MemberID(stored: $0) }, vault: vault, on: connection),
                invoice: sale?.invoiceID, saleURL: sale.map { "/sales/\($0.id.text)/receipt" },
                plan: try PlanStore.find(receipt.run.planID, version: receipt.run.planVersion, in: receipt.run.workspaceID, on: connection),
                authors: try OperatorNames.load(
                    receipt.overrides.map(\.author).filter { $0.hasPrefix(OperatorKind.prefix) }, in: receipt.run.workspaceID, vault: vault, on: connection),
                language: language)
        }
    }

    static func rate(_ billionths: Int64, _ language: PageLanguage) -> String {
        billionths == 0 ? "–" : language.percent(ppm: billionths / 1_000, decimals: 4)
    }

    var page: PageObject {
        [
            "heading": .text(heading), "runUrl": .text("/runs/\(run.id.text)"), "runName": .text(RunPeriod.text(run, language)),
            "jsonUrl": receipt.number.map { .text("/api/v1/runs/\(run.id.text)/lines/\($0)/receipt") } ?? nil,
            "memberUrl": .text("/runs/\(run.id.text)/members/\(receipt.memberID)"), "member": .text(member), "lead": lead, "unit": .text(run.unit.code),
            "bonus": .text(receipt.bonus), "rule": .text(language("runRule.\(receipt.rule)")),
            "plan": .text(plan?.name ?? ""), "planUrl": .text("/plans/\(run.planID.text)"),
            "planVersion": .text(language("run.version", ["version": language.integer(Int64(run.planVersion))])), "tree": .text(receipt.tree),
            "hasLine": .flag(receipt.line != nil), "arithmetic": arithmetic, "order": order, "hasPath": .flag(!receipt.path.isEmpty),
            "path": PageValue(receipt.path.map(step)), "isPathCut": .flag(receipt.isPathCut), "hasOthers": .flag(!others.isEmpty),
            "others": PageValue(others.map(other)), "hasOverrides": .flag(!receipt.overrides.isEmpty),
            "overrides": PageValue(
                receipt.overrides.map {
                    [
                        "kind": .text(language("runOverride.\($0.kind.code)")), "reason": .text($0.reason),
                        "author": .text($0.author == RunDifference.author ? language("run.byRun") : authors.name($0.author, language)),
                    ] as PageObject
                }), "hash": PageValue(run.hash.map { RunModel.shortHash($0) }),
        ]
    }

    private var lead: PageValue {
        guard let line = receipt.line else { return language.sentence("runNothing.\(receipt.nothing ?? "passedOver")", nothingValues) }
        var values = [
            "name": member, "amount": language.money(line.amountMinor, run.unit), "bonus": receipt.bonus,
            "rate": Self.rate(line.rateBillionths, language), "base": language.money(line.baseMinor, run.unit),
            "level": language.integer(Int64(line.level)), "order": invoice ?? receipt.order?.saleID ?? "",
        ]
        values["part"] = language.money(receipt.soldOrUsed?.soldOrUsedMinor ?? 0, run.unit)
        values["whole"] = language.money(receipt.soldOrUsed?.boughtMinor ?? 0, run.unit)
        values["source"] = receipt.sourceID.map { person($0) } ?? ""
        let key: String =
            switch line.reason {
            case .earned where line.order >= 0 && line.rateBillionths > 0 && line.level > 0: "runWhy.level"
            case .earned where line.order >= 0 && line.rateBillionths > 0: "runWhy.order"
            case .earned where line.source >= 0: "runWhy.source"
            case .earned: "runWhy.period"
            default: "runWhy.\(line.reason.word)"
            }
        return language.sentence(key, values)
    }

    private var nothingValues: [String: String] {
        [
            "name": member, "bonus": receipt.bonus, "order": invoice ?? receipt.order?.saleID ?? "",
            "level": language.integer(Int64(receipt.nothingLevel ?? 0)), "rank": receipt.nothingRank ?? language("run.noRank"),
        ]
    }

    private func person(_ id: String) -> String { id.hasPrefix("mem_") ? names.member(MemberID(stored: id), language) : language("runLine.customer") }

    private var arithmetic: PageValue {
        guard let line = receipt.line else { return .nothing }
        return [
            "base": .text(language.amount(line.baseMinor, run.unit)), "rate": .text(Self.rate(line.rateBillionths, language)),
            "amount": .text(language.amount(line.amountMinor, run.unit)),
            "cut": line.cutMinor == 0 ? nil : .text(language.amount(-line.cutMinor, run.unit)),
            "kept": .text(language.amount(line.amountMinor - line.cutMinor, run.unit)),
            "rounding": .text(language("runRounding.\(receipt.rounding)")), "scope": .text(language("runScope.\(receipt.roundingScope)")),
            "total": .text(language.money(receipt.bonusTotalMinor, run.unit)),
        ]
    }

    private var order: PageValue {
        guard let order = receipt.order else { return .nothing }
        return [
            "invoice": .text(invoice ?? order.saleID), "url": PageValue(saleURL), "at": language.time(Instant(millisecondsSince1970: order.occurredMs)),
            "buyer": .text(person(order.buyerID)), "amount": .text(language.money(order.amountMinor, run.unit)),
            "commissionVolume": .text(language.amount(order.commissionVolume, run.unit)),
            "qualifyingVolume": .text(language.amount(order.qualifyingVolume, run.unit)), "product": PageValue(order.product),
            "refund": .flag(order.isRefund),
        ]
    }

    private func step(_ person: RunReceipt.Person) -> PageObject {
        let name = self.person(person.memberID)
        let isPayee = person.memberID == receipt.memberID
        return [
            "kind": .text(isPayee ? "won" : person.amountMinor != nil ? "" : "out"), "name": .text(name),
            "level": person.level > 0 ? .text(language("runLine.level", ["level": language.integer(Int64(person.level))])) : .text(language("runLine.buyer")),
            "state": .text(
                language(
                    !person.isPromoter ? "runLine.state.customer"
                        : !person.isActive ? "runLine.state.inactive" : !person.isEligible ? "runLine.state.notEligible" : "runLine.state.eligible")),
            "rank": PageValue(person.rank), "amount": person.amountMinor.map { .text(language.money($0, run.unit)) } ?? nil,
        ]
    }

    private func other(_ receipt: RunReceipt) -> PageObject {
        let values = [
            "name": member, "bonus": receipt.bonus, "order": invoice ?? "", "level": language.integer(Int64(receipt.nothingLevel ?? 0)),
            "rank": receipt.nothingRank ?? language("run.noRank"),
        ]
        return [
            "bonus": .text(receipt.bonus),
            "why": receipt.line.map { line in language.sentence("runLine.alsoPaid", ["amount": language.money(line.amountMinor, run.unit)]) }
                ?? language.sentence("runNothing.\(receipt.nothing ?? "passedOver")", values),
            "url": receipt.number.map { .text("/runs/\(run.id.text)/lines/\($0)") } ?? nil,
        ]
    }
}
