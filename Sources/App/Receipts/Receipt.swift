import Chronology
import Money
import Persistence
import Rules
import Web

/// Why a sale paid what it paid, or nothing: everything that was decided, in the order in which people ask.
struct Receipt: Sendable {
    var sale: Sale
    var program: Program?
    var commissions: [Commission]
    /// What it gave that is no money.
    var rewards: [Reward]
    var rules: [RuleID: [Int: Rule]]
    var refunds: [Refund]
    /// What people changed about the commissions, in the order of time.
    var changes: [Adjustment]
    var transactions: [(purpose: String, cause: String, sequence: Int64)]

    static func of(sale id: SaleID, in workspace: WorkspaceID, on connection: any Connection) throws -> Receipt? {
        guard let sale = try SaleStore.find(id, in: workspace, on: connection) else { return nil }
        let commissions = beside(try CommissionStore.of(sale: id, on: connection))
        let rules = try ReceiptFacts.rules(of: commissions, on: connection)
        let refunds = try RefundStore.of(sale: id, on: connection)
        let changes = try AdjustmentStore.changes(of: commissions.map(\.id), on: connection)
        let causes = [id.text] + refunds.map(\.id.text) + commissions.map(\.id.text) + changes.map(\.id.text)
        return Receipt(
            sale: sale,
            program: try sale.programID.flatMap { try ProgramStore.find($0, in: workspace, at: sale.occurredAt, on: connection) },
            commissions: commissions, rewards: try RewardStore.of(sale: id, on: connection), rules: rules, refunds: refunds, changes: changes,
            transactions: try ReceiptStore.transactions(causes, in: workspace, on: connection))
    }

    /// Each commission, then its corrections.
    private static func beside(_ commissions: [Commission]) -> [Commission] {
        let corrections = Dictionary(grouping: commissions.filter { $0.correctsID != nil }) { $0.correctsID }
        return commissions.filter { $0.correctsID == nil }.flatMap { [$0] + (corrections[$0.id] ?? []) }
    }

    var totalMinor: Int64 { commissions.reduce(0) { $0 &+ $1.keptMinor } }

    var json: JSONValue {
        [
            "saleId": .text(sale.id.text), "answer": .text(answer), "sale": sale.json,
            "program": facts.programJSON,
            "attribution": sale.attribution.value,
            "lines": facts.lines, "rewards": .array(rewards.map { $0.json(code: nil) }), "refusals": sale.refusals.value,
            "refunds": .array(
                refunds.map {
                    [
                        "refundId": .text($0.refundID), "state": .text($0.state.rawValue), "appliedAmount": $0.appliedMinor.map { .integer($0) } ?? .null,
                        "occurredAt": .text($0.occurredAt.rfc3339), "reason": $0.reason.map { .text($0) } ?? .null,
                    ]
                }),
            "corrections": .array(changes.map(\.receiptJSON)),
            "journal": .array(
                transactions.map { ["sequence": .integer($0.sequence), "purpose": .text($0.purpose), "cause": .text($0.cause)] }),
        ]
    }

    var facts: ReceiptFacts {
        ReceiptFacts(
            event: .sale, attribution: sale.attribution.value, refusals: sale.refusals.value.elements, currency: sale.currency, program: program,
            commissions: commissions, rules: rules, rewards: rewards.count)
    }

    /// The answer in one sentence, in English, for programs; pages say it in the reader's language.
    private var answer: String { commissions.isEmpty && sale.amountMinor == 0 ? "Nobody is paid: the sale was for nothing." : facts.answer }
}

extension Adjustment {
    /// `worth` is what the commission was worth then, with all its corrections.
    var receiptJSON: JSONValue {
        [
            "id": .text(id.text), "kind": .text(kind.rawValue), "commissionId": .text((correctsID ?? commissionID).text), "amount": .integer(amountMinor),
            "currency": .text(unit.code), "worth": kind == .void ? .integer(0) : worthMinor.map { .integer($0) } ?? .null,
            "reason": reason.map { .text($0) } ?? .null, "author": .text(author), "madeAt": .text(madeAt.rfc3339),
        ]
    }
}

enum ReceiptStore {
    static func transactions(
        _ causes: [String], in workspace: WorkspaceID, on connection: any Connection
    ) throws -> [(purpose: String, cause: String, sequence: Int64)] {
        guard !causes.isEmpty else { return [] }
        return try connection.rows(
            """
            SELECT purpose, cause, sequence FROM journal_transaction
            WHERE workspace_id = \(workspace) AND cause IN \(list: causes) ORDER BY sequence
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1), try $0.get(at: 2)) }
    }
}
