import Chronology
import Money
import Persistence
import Rules
import Web

/// Why a lead paid what it paid, or nothing.
struct LeadReceipt: Sendable {
    var lead: Lead
    var facts: ReceiptFacts
    var transactions: [(purpose: String, cause: String, sequence: Int64)]

    static func of(lead id: LeadID, in workspace: WorkspaceID, on connection: any Connection) throws -> LeadReceipt? {
        guard let lead = try LeadStore.find(id, in: workspace, on: connection) else { return nil }
        let commissions = try CommissionStore.of(cause: id.text, on: connection)
        let program = try lead.programID.flatMap { try ProgramStore.find($0, in: workspace, at: lead.occurredAt, on: connection) }
        let facts = ReceiptFacts(
            event: .lead, attribution: lead.attribution.value, refusals: lead.refusals.value.elements, currency: program.currency, program: program,
            commissions: commissions, rules: try ReceiptFacts.rules(of: commissions, on: connection), rewards: try RewardStore.of(cause: id.text, on: connection).count)
        return LeadReceipt(
            lead: lead, facts: facts,
            transactions: try ReceiptStore.transactions([id.text] + commissions.map(\.id.text), in: workspace, on: connection))
    }

    var isDeferred: Bool { lead.countedAt == nil }

    var json: JSONValue {
        [
            "leadId": .text(lead.id.text), "answer": .text(answer), "lead": lead.json, "program": facts.programJSON, "attribution": facts.attribution,
            "lines": facts.lines, "refusals": .array(facts.refusals),
            "journal": .array(transactions.map { ["sequence": .integer($0.sequence), "purpose": .text($0.purpose), "cause": .text($0.cause)] }),
        ]
    }

    private var answer: String {
        isDeferred ? "Nobody is paid yet: the lead is deferred, and counts when the customer is named again." : facts.answer
    }
}

extension Program? {
    /// The currency of a program; where there is none nothing is paid, and any will do.
    fileprivate var currency: Currency { flatMap { Currency(code: $0.currency) } ?? Currency.all[0] }
}
