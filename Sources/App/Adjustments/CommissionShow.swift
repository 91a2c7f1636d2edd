import Chronology
import Hummingbird
import Money
import Persistence
import Web

/// One commission: what it is, what it is for, and what people changed about it.
enum CommissionShow {
    static let decisionsMax = 50

    static func page(_ visit: PageVisit) async throws -> Response {
        let id: CommissionID = try visit.context.id()
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let language = visit.language
        let mayWrite = visit.session.may(.commissionsWrite)
        let named = CommissionDecisionPages.named(visit)
        let read = try await visit.installation.main.read { connection -> (PageObject, CommissionDecision?)? in
            guard let commission = try CommissionStore.find(id, in: workspace, on: connection) else { return nil }
            let worth = try CommissionWorth.of(commission, on: connection)
            var changes = try AdjustmentStore.changes(of: [id], on: connection)
            if commission.cause == .manual, !changes.contains(where: { $0.id.text == commission.causeID }),
                let made = try AdjustmentStore.find(AdjustmentID(stored: commission.causeID), in: workspace, on: connection)
            {
                changes.insert(made, at: 0)
            }
            let names = try PersonNames.load(members: [commission.memberID], vault: vault, on: connection)
            let decisions = try CommissionDecisionStore.of(id, limit: decisionsMax, on: connection)
            let people = try OperatorNames.load(
                changes.map(\.author) + decisions.map(\.author) + decisions.compactMap(\.undoneBy), in: workspace, vault: vault, on: connection)
            let sale = try commission.saleID.flatMap { try SaleStore.find($0, in: workspace, on: connection) }
            let rule = try RuleStore.version(commission.ruleID, commission.ruleVersion, on: connection)
            let program = try ProgramStore.find(commission.programID, in: workspace, at: visit.now, on: connection)
            let isHeld = try worth.parts.contains { try AdjustmentStore.isInPayout($0.id, on: connection) }
            let mayDecide = mayWrite && !isHeld && commission.keptMinor > 0 && commission.state.isTakeable
            let mayChange = mayWrite && !isHeld && commission.state.isTakeable && commission.correctsID == nil
            let name = names.member(commission.memberID, language)
            func money(_ minor: Int64) -> String { language.money(minor, commission.unit) }
            let page: PageObject = [
                "id": .text(id.text), "name": .text(name), "memberURL": .text("/members/\(commission.memberID.text)"),
                "state": commission.state.badge(language),
                "lead": language.sentence(
                    worth.keptMinor == 0 ? "commission.lead.nothing" : "commission.lead.gets", ["name": name, "amount": money(worth.keptMinor)]),
                "given": .text(money(commission.amountMinor)),
                "corrected": worth.corrections.isEmpty ? nil : .text(money(worth.keptMinor - commission.keptMinor)),
                "correctsURL": commission.correctsID.map { .text("/commissions/\($0.text)") } ?? nil,
                "takenBack": commission.reversedMinor > 0 ? .text(money(commission.reversedMinor)) : nil,
                "program": .text(program?.name ?? commission.programID.text), "programURL": .text("/programs/\(commission.programID.text)"),
                "cause": .text(sale?.invoiceID ?? language("commission.cause.\(commission.cause.rawValue)")),
                "causeURL": sale.map { .text("/sales/\($0.id.text)/receipt") } ?? nil, "rule": PageValue(rule?.name),
                "occurredAt": language.time(commission.occurredAt), "holdUntil": language.time(commission.holdUntil),
                "correctURL": mayChange ? .text("/commissions/\(id.text)/correction") : nil,
                "voidURL": mayChange && worth.keptMinor > 0 ? .text("/commissions/\(id.text)/void") : nil,
                "whyNot": mayWrite && isHeld ? .text(language("commission.inPayout")) : nil, "hasChanges": .flag(!changes.isEmpty || !decisions.isEmpty),
                "decide": mayDecide && commission.state != .paid
                    ? [
                        "csrfToken": .text(visit.csrfToken), "back": .text("/commissions/\(id.text)"),
                        "buttons": CommissionDecisionPages.buttons(language, for: commission.state),
                    ] : nil,
                "changes": PageValue(
                    decisions.flatMap { decided($0, people, language) } + changes.map { change -> PageObject in
                        [
                            "what": .text(what(change, language)),
                            "who": .text(people.name(change.author, language)), "at": language.time(change.madeAt),
                            "reason": PageValue(change.reason),
                        ]
                    }),
            ]
            return (page, try named.flatMap { try CommissionDecisionStore.find($0, in: workspace, on: connection) })
        }
        guard let read else { throw Problem.notFound() }
        return try visit.page(
            "commission-show", title: language("commission.title"), current: "/commissions", isNarrow: true,
            notice: CommissionDecisionPages.notice(visit, read.1, back: "/commissions/\(id.text)"), read.0)
    }

    private static func what(_ change: Adjustment, _ language: PageLanguage) -> String {
        let amount = language.money(change.amountMinor, change.unit)
        guard let worth = change.worthMinor else { return language("commission.change.\(change.kind.rawValue)", ["amount": amount]) }
        return language("commission.change.worth", ["amount": amount, "worth": language.money(worth, change.unit)])
    }

    /// A decision, and that it was taken back.
    private static func decided(_ decision: CommissionDecision, _ people: OperatorNames, _ language: PageLanguage) -> [PageObject] {
        var lines: [PageObject] = [
            [
                "what": .text(language("commission.decision.\(decision.action.rawValue)")), "who": .text(people.name(decision.author, language)),
                "at": language.time(decision.decidedAt), "reason": PageValue(decision.reason),
            ]
        ]
        if let by = decision.undoneBy, let at = decision.undoneAt {
            lines.append([
                "what": .text(language("commission.decision.undo")), "who": .text(people.name(by, language)), "at": language.time(at), "reason": nil,
            ])
        }
        return lines
    }
}
