import Chronology
import Foundation
import HTTPTypes
import Hummingbird
import Ledger
import Money
import Persistence
import Web

/// One member's points and credit for the team: what there is, what lapses when, what moved, and giving or taking with a reason.
enum WalletPages {
    static let movementsMax = 100

    static func add(to api: inout API, gate: PageGate) {
        api.page("/members/{id}/wallet", .membersRead, gate) { visit in try await show(visit) }
        api.form("/members/{id}/wallet", .commissionsWrite, gate) { visit, fields in try await adjust(visit, fields) }
    }

    private static func adjust(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let id: MemberID = try visit.context.id()
        let language = visit.language
        func say(_ key: String) -> String { language("wallet.error.\(key)") }
        var errors: [String: String] = [:]
        let unit = Wallet.unit((fields["unit"] ?? "").trimmingCharacters(in: .whitespaces))
        if unit == nil { errors["unit"] = say("unit") }
        let amount = unit.flatMap { language.typedAmount(fields["amount"] ?? "", exponent: $0.exponent) } ?? 0
        if unit != nil, !(1...Wallet.amountMax).contains(amount) { errors["amount"] = say("amount") }
        let reason = String((fields["reason"] ?? "").prefix(Wallet.reasonLengthMax)).trimmingCharacters(in: .whitespaces)
        if reason.isEmpty { errors["reason"] = say("reason") }
        guard errors.isEmpty, let unit else { return try await show(visit, typed: fields, errors: errors) }
        let isTaking = fields["direction"] == "take"
        let order = Wallet.Order(unit: unit, amountMinor: isTaking ? -amount : amount, reason: reason)
        do {
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                guard let member = try MemberStore.find(id, in: write.workspace.id, on: write.connection) else { throw Problem.notFound() }
                _ = try Wallet.adjust(member, order, in: write)
            }
        } catch let problem as Problem where problem.code == "insufficient_balance" {
            return try await show(visit, typed: fields, errors: ["amount": say("over")])
        } catch let problem as Problem where problem.status == .unprocessableContent {
            return try await show(visit, typed: fields, errors: ["amount": say("member")])
        }
        return visit.seeOther("/members/\(id.text)/wallet?done=\(isTaking ? "taken" : "given")")
    }

    private static func show(_ visit: PageVisit, typed: FormFields? = nil, errors: [String: String] = [:]) async throws -> Response {
        let id: MemberID = try visit.context.id()
        let (workspace, vault, language) = (visit.workspaceID, visit.installation.vault, visit.language)
        func say(_ key: String, _ values: [String: String] = [:]) -> String { language("wallet.\(key)", values) }
        let read = try await visit.installation.main.read { connection -> (name: String, wallet: WalletSummary, movements: [WalletMovement])? in
            guard try MemberStore.find(id, in: workspace, on: connection) != nil else { return nil }
            let names = try PersonNames.load(members: [id], vault: vault, on: connection)
            return (
                names.member(id, language), try WalletSummary.load(id, in: workspace, on: connection),
                try WalletMovementStore.of(id, before: nil, limit: movementsMax, on: connection)
            )
        }
        guard let read else { throw Problem.notFound() }
        var blocks = read.wallet.parts.map { part -> PageBlocks.Block in
            let unit = part.balance.unit
            var facts = [PageBlocks.Fact(label: say("available"), text: language.money(part.balance.available.minor, unit))]
            for (key, amount) in [("pending", part.balance.pending), ("held", part.balance.held), ("spent", part.balance.paid), ("debt", part.balance.debt)]
            where amount > .zero {
                facts.append(PageBlocks.Fact(label: say(key), text: language.money(amount.minor, unit)))
            }
            facts += part.lapses.prefix(5).map {
                PageBlocks.Fact(label: say("lapses", ["day": language.day($0.at)]), text: language.money($0.amountMinor, unit))
            }
            return PageBlocks.Block(heading: unit.code, facts: facts)
        }
        if visit.session.may(.commissionsWrite) { blocks.append(PageBlocks.Block(heading: say("change"), forms: [form(visit, id, typed, errors)])) }
        let table = PageTable(
            label: say("moved"),
            columns: [
                PageTable.Column(label: say("column.what")), PageTable.Column(label: say("column.at"), isExtra: true),
                PageTable.Column(label: say("column.amount"), isNumber: true),
            ],
            rows: read.movements.map { movement in
                PageTable.Row(cells: [
                    .lines(say("kind.\(movement.kind.rawValue)"), movement.reason ?? ""), .time(movement.madeAt),
                    .number(language.money(movement.amountMinor, movement.unit)),
                ])
            }, language: language)
        blocks.append(
            PageBlocks.Block(
                heading: say("moved"), table: read.movements.isEmpty ? nil : table, empty: read.movements.isEmpty ? say("nothingMoved") : nil,
                note: say("note")))
        let page = PageBlocks(
            heading: say("title", ["name": read.name]), crumb: ("/members/\(id.text)", read.name),
            lead: language.sentence(read.wallet.parts.isEmpty ? "wallet.lead.none" : "wallet.lead.some", count: Int64(read.wallet.parts.count)),
            refused: errors.isEmpty ? nil : say("refused"), blocks: blocks)
        return try visit.blocks(
            page, current: "/members", notice: visit.done("wallet", ["given", "taken"]), status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    private static func form(_ visit: PageVisit, _ id: MemberID, _ typed: FormFields?, _ errors: [String: String]) -> PageForm {
        func say(_ key: String) -> String { visit.language("wallet.\(key)") }
        let direction = typed?["direction"] ?? "give"
        return PageForm(
            action: "/members/\(id.text)/wallet",
            fields: [
                FormField(
                    name: "direction", label: say("field.direction"),
                    control: .radios(["give", "take"].map { FormField.Choice(value: $0, label: say("field.\($0)"), isChosen: $0 == direction) })),
                .line(
                    "unit", say("field.unit"), typed?["unit"] ?? UnitCode.points.code, help: say("field.unitHelp"), error: errors["unit"], isRequired: true,
                    isMono: true, lengthMax: Wallet.unitLengthMax),
                .line("amount", say("field.amount"), typed?["amount"] ?? "", error: errors["amount"], isRequired: true, lengthMax: 20),
                .line(
                    "reason", say("field.reason"), typed?["reason"] ?? "", help: say("field.reasonHelp"), error: errors["reason"], isRequired: true,
                    lengthMax: Wallet.reasonLengthMax),
            ], buttons: [PageForm.Button(label: say("save"))], csrfToken: visit.csrfToken)
    }
}
