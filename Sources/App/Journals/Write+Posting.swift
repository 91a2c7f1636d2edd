import Chronology
import Ledger
import Money
import Web

extension Write {
    /// Posts to the workspace's journal. What the ledger refuses becomes a problem, and the request leaves nothing behind.
    @discardableResult
    func post(cause: String, purpose: String, effectiveAt: Instant, corrects: Posting.Correction? = nil, lots: LotChange = .usual(program: nil, cause: nil), _ entries: [Entry]) throws -> PostedTransaction {
        do {
            let posted = try Journal.post(
                Posting(
                    workspace: workspace.id.text, cause: cause, purpose: purpose, effectiveAt: effectiveAt, entries: entries, corrects: corrects),
                recordedAt: now, on: connection)
            try followLots(entries, posted: cause, lots)
            return posted
        } catch let refusal as PostingRefusal {
            throw refusal.problem
        }
    }
}

extension PostingRefusal {
    var problem: Problem {
        .unprocessable(code: "ledger_refused", detail: "The ledger refused this: \(self).")
    }
}
