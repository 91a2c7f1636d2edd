import Chronology
import Ledger
import Money
import Persistence
import Web

enum LedgerRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/ledger/transactions", id: "listTransactions", "The journal, in order", tag: "Ledger", access: .right(.ledgerRead),
            parameters: APIParameter.page, answer: .page(.reference("Transaction"))
        ) { request, _, caller in
            let page = try PageRequest.from(request)
            guard let after = Int64(page.startingAfter ?? "0"), after >= 0 else {
                throw Refusal.field("startingAfter", "Must be the sequence of the last transaction you have.")
            }
            let transactions = try await installation.main.read { connection in
                try Journal.transactions(workspace: caller.workspaceID.text, after: after, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(transactions, page, cursor: { String($0.sequence) }, json: \.json)
        }
    }
}

extension RecordedTransaction {
    var json: JSONValue {
        [
            "sequence": .integer(sequence), "id": .text(id), "recordedAt": .text(recordedAt.rfc3339), "effectiveAt": .text(effectiveAt.rfc3339),
            "cause": .text(cause), "purpose": .text(purpose), "hash": .text(Hexadecimal.text(hash)),
            "entries": .array(
                entries.map { ["account": .text($0.account), "unit": .text($0.unit), "amount": .integer($0.amount.minor)] }),
        ]
    }
}

enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
