import Ledger
import Persistence

extension Write {
    /// Does something and takes it back: answers what it would have said and posted.
    func rehearse<T: Sendable>(_ body: () throws -> T) throws -> (answer: T, transactions: [RecordedTransaction]) {
        let before = try LedgerPageStore.head(workspace.id, on: connection)?.sequence ?? 0
        do {
            return try connection.savepoint {
                let answer = try body()
                throw Rehearsed(
                    answer: answer,
                    transactions: try Journal.transactions(
                        workspace: workspace.id.text, after: before, limit: Journal.pageLimit, on: connection))
            }
        } catch let rehearsed as Rehearsed<T> {
            return (rehearsed.answer, rehearsed.transactions)
        }
    }
}

private struct Rehearsed<T: Sendable>: Error {
    var answer: T
    var transactions: [RecordedTransaction]
}
