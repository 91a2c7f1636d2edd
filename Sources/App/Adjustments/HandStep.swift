import Chronology
import Ledger
import Money
import Persistence
import Web

/// One thing that a person of the team may do by hand, with a reason.
struct HandStep: Sendable {
    var key: String
    var path: String
    var right: Right
    var current: String
    /// Names of the form's fields, in their order.
    var fields: [String]
    var subject: @Sendable (String?, WorkspaceID, Vault, PageLanguage, any Connection) throws -> HandSubject
    var verb: @Sendable (HandInput, Write) throws -> HandOutcome

    static let all = [give, correct, void, refund, assign]

    private static let give = HandStep(
        key: "give", path: "/commissions/new", right: .commissionsWrite, current: "/commissions", fields: ["program", "member", "amount", "reason"],
        subject: { _, _, _, language, _ in HandSubject(name: language("commissions.title"), url: "/commissions") },
        verb: { input, write in
            guard let id = input.typed["program"].flatMap({ ProgramID($0) }),
                let program = try ProgramStore.find(id, in: write.workspace.id, at: write.now, on: write.connection)
            else { throw Refusal.field("program", "Must be one.", code: "program_unknown") }
            let member = try input.member(in: write)
            let unit = try UnitCode(program.currency)
            let made = try Adjustment.give(
                input.key, amountMinor: try input.amount(unit), to: member, in: program, reason: input.reason, write)
            return HandOutcome(
                words: ["amount": input.language.money(made.amountMinor, unit), "name": try input.name(of: member.id, in: write)],
                url: "/commissions/\(made.commissionID.text)")
        })

    private static let correct = HandStep(
        key: "correct", path: "/commissions/{id}/correction", right: .commissionsWrite, current: "/commissions", fields: ["amount", "reason"],
        subject: ofCommission,
        verb: { input, write in
            let commission = try Commission.known(try commissionID(input.id), in: write)
            let wanted = try input.amount(commission.unit)
            let before = try CommissionWorth.of(commission, on: write.connection).keptMinor
            let shown = input.typed["worth"].flatMap { Int64($0) }
            guard try Adjustment.correct(input.key, commission, toMinor: wanted, shownMinor: shown, reason: input.reason, write) != nil else {
                throw Refusal.field("amount", "Is what the commission is worth already.", code: "nothing_to_correct")
            }
            return HandOutcome(
                words: [
                    "amount": input.language.money(wanted, commission.unit), "before": input.language.money(before, commission.unit),
                    "name": try input.name(of: commission.memberID, in: write),
                ], url: "/commissions/\(commission.id.text)")
        })

    private static let void = HandStep(
        key: "void", path: "/commissions/{id}/void", right: .commissionsWrite, current: "/commissions", fields: ["reason"], subject: ofCommission,
        verb: { input, write in
            let commission = try Commission.known(try commissionID(input.id), in: write)
            let before = try CommissionWorth.of(commission, on: write.connection).keptMinor
            _ = try Adjustment.void(input.key, commission, reason: input.reason, write)
            return HandOutcome(
                words: [
                    "amount": input.language.money(before, commission.unit),
                    "name": try input.name(of: commission.memberID, in: write),
                ], url: "/commissions/\(commission.id.text)")
        })

    private static let refund = HandStep(
        key: "refund", path: "/sales/{id}/refund", right: .commissionsWrite, current: "/sales", fields: ["amount", "reason"],
        subject: { id, workspace, _, language, connection in
            let sale = try known(id, workspace, connection)
            let unit = try UnitCode(sale.currency.code)
            return HandSubject(
                name: sale.invoiceID, url: "/sales/\(sale.id.text)/receipt", words: ["order": sale.invoiceID],
                help: ["amount": language("hand.refund.left", ["amount": language.money(sale.keptMinor, unit)])])
        },
        verb: { input, write in
            let sale = try known(input.id, write.workspace.id, write.connection)
            let unit = try UnitCode(sale.currency.code)
            let amount = (input.typed["amount"] ?? "").isEmpty ? nil : try input.amount(unit)
            if amount == 0 { throw Refusal.field("amount", "Must be above zero.", code: "amount_unreadable") }
            let refundID = "by-hand-\(input.key.text)"
            let (made, isRepeated) = try Refund.record(
                NewRefund(
                    invoiceID: sale.invoiceID, refundID: refundID, amountMinor: amount, reason: input.reason, occurredAt: nil,
                    factsHash: FactsHash.of([sale.invoiceID, amount.map(String.init) ?? "", input.reason])), in: write)
            if !isRepeated { try write.audit("refund.by_hand", subject: sale.id.text, JSONText(["refundId": .text(made.id.text)])) }
            return HandOutcome(
                words: ["amount": input.language.money(made.appliedMinor ?? 0, unit), "order": sale.invoiceID],
                url: "/sales/\(sale.id.text)/receipt")
        })

    private static let assign = HandStep(
        key: "assign", path: "/customers/{id}/assignment", right: .customersAssign, current: "/customers", fields: ["program", "member", "reason"],
        subject: { id, workspace, vault, language, connection in
            let customer = try knownCustomer(id, workspace, connection)
            let name = try PersonNames.load(customers: [customer.id], vault: vault, on: connection).customer(customer.id, language)
            return HandSubject(name: name, url: "/customers/\(customer.id.text)", words: ["name": name])
        },
        verb: { input, write in
            let customer = try knownCustomer(input.id, write.workspace.id, write.connection)
            guard let id = input.typed["program"].flatMap({ ProgramID($0) }),
                let program = try ProgramStore.find(id, in: write.workspace.id, at: write.now, on: write.connection)
            else { throw Refusal.field("program", "Must be one.", code: "program_unknown") }
            let member = try input.member(in: write)
            let before = try BindingStore.latest(at: write.now, program: id, customer: customer.id, on: write.connection)
            // Sent twice: it is so already.
            if before?.source != .assignment || before?.shares.map(\.memberID) != [member.id] || before?.reason != input.reason {
                _ = try CustomerBinding.assign(customer, to: member, program: program, reason: input.reason, in: write)
            }
            let buyer = try PersonNames.load(customers: [customer.id], vault: write.vault, on: write.connection)
            return HandOutcome(
                words: ["name": try input.name(of: member.id, in: write), "customer": buyer.customer(customer.id, input.language), "program": program.name],
                url: "/customers/\(customer.id.text)")
        })

    // MARK: What the forms are about

    private static let ofCommission: @Sendable (String?, WorkspaceID, Vault, PageLanguage, any Connection) throws -> HandSubject = {
        id, workspace, vault, language, connection in
        guard let commission = try CommissionStore.find(try commissionID(id), in: workspace, on: connection) else { throw Problem.notFound() }
        let name = try PersonNames.load(members: [commission.memberID], vault: vault, on: connection).member(commission.memberID, language)
        let worth = try CommissionWorth.of(commission, on: connection).keptMinor
        let amount = ["amount": language.money(worth, commission.unit)]
        return HandSubject(
            name: language("commission.title"), url: "/commissions/\(commission.id.text)", words: amount.merging(["name": name]) { $1 },
            help: ["amount": language("hand.correct.help", amount)], worthMinor: worth)
    }

    private static func commissionID(_ text: String?) throws -> CommissionID {
        guard let id = text.flatMap({ CommissionID($0) }) else { throw Problem.notFound() }
        return id
    }

    private static func known(_ id: String?, _ workspace: WorkspaceID, _ connection: any Connection) throws -> Sale {
        guard let id = id.flatMap({ SaleID($0) }), let sale = try SaleStore.find(id, in: workspace, on: connection) else { throw Problem.notFound() }
        return sale
    }

    private static func knownCustomer(_ id: String?, _ workspace: WorkspaceID, _ connection: any Connection) throws -> Customer {
        guard let id = id.flatMap({ CustomerID($0) }), let customer = try CustomerStore.find(id, in: workspace, on: connection) else {
            throw Problem.notFound()
        }
        return customer
    }
}
