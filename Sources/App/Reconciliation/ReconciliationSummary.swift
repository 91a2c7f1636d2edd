import Persistence
import Web

/// What taking a file in changes, or would change.
struct ReconciliationSummary: Sendable {
    /// Entries named; the others are counted.
    static let rowsMax = 200

    struct Row: Sendable {
        var entry: ReconciliationEntry
        var changes: [ReconciliationRun.Change]
    }

    var file: Reconciliation?
    /// This very file was taken in before.
    var isRepeated = false
    var known = 0
    var entries = 0
    var states: [ReconciliationEntry.State: Int] = [:]
    var results: [PayoutOutcome.Result: Int] = [:]
    /// Minor units by currency, of each result.
    var amounts: [PayoutOutcome.Result: [String: Int64]] = [:]
    /// Earlier differences that fit now.
    var resolved = 0
    var rows: [Row] = []
    /// Booked entries that the bank has not booked yet.
    var pending = 0
    var mistakes: [BankFile.Mistake] = []
    var mistakeCount = 0

    mutating func add(_ row: ReconciliationEntry, _ changes: [ReconciliationRun.Change], amounts: [(unit: String, minor: Int64)]) {
        entries += 1
        states[row.state, default: 0] += 1
        count(changes, amounts: amounts)
        if rows.count < Self.rowsMax, row.state != .ignored { rows.append(Row(entry: row, changes: changes)) }
    }

    mutating func count(_ changes: [ReconciliationRun.Change], amounts found: [(unit: String, minor: Int64)]) {
        for (change, amount) in zip(changes, found) {
            results[change.result, default: 0] += 1
            amounts[change.result, default: [:]][amount.unit, default: 0] &+= amount.minor
        }
    }

    mutating func add(_ other: ReconciliationSummary) {
        known += other.known
        entries += other.entries
        resolved += other.resolved
        states.merge(other.states) { $0 + $1 }
        results.merge(other.results) { $0 + $1 }
        amounts.merge(other.amounts) { $0.merging($1) { $0 &+ $1 } }
        rows += other.rows.prefix(max(0, Self.rowsMax - rows.count))
    }

    func json(isDryRun: Bool) -> JSONValue {
        func whole(_ number: Int) -> JSONValue { .integer(Int64(number)) }
        func members(_ result: PayoutOutcome.Result) -> JSONValue {
            [
                "count": whole(results[result] ?? 0),
                "amounts": .array((amounts[result] ?? [:]).sorted { $0.key < $1.key }.map { ["currency": .text($0.key), "amount": .integer($0.value)] }),
            ]
        }
        return [
            "id": isDryRun ? .null : file.map { .text($0.id.text) } ?? .null, "format": file.map { .text($0.format.rawValue) } ?? .null,
            "dryRun": .boolean(isDryRun), "repeated": .boolean(isRepeated), "written": .boolean(!isDryRun && mistakeCount == 0),
            "entries": whole(entries), "known": whole(known), "pending": whole(pending), "matched": whole(states[.matched] ?? 0),
            "noted": whole(states[.noted] ?? 0), "differences": whole(states[.difference] ?? 0), "unmatched": whole(states[.unmatched] ?? 0),
            "ignored": whole(states[.ignored] ?? 0), "resolved": whole(resolved), "paid": members(.paid), "failed": members(.failed),
            "returned": members(.returned),
            "rows": .array(
                rows.map { row in
                    [
                        "line": whole(row.entry.entry.line), "meaning": .text(row.entry.entry.meaning.rawValue), "state": .text(row.entry.state.rawValue),
                        "difference": row.entry.difference.map { .text($0.rawValue) } ?? .null, "payoutId": row.entry.payoutID.map { .text($0.text) } ?? .null,
                        "memberId": row.entry.memberID.map { .text($0.text) } ?? .null, "amount": row.entry.entry.amountMinor.map { .integer($0) } ?? .null,
                        "currency": row.entry.entry.currency.map { .text($0) } ?? .null, "changed": whole(row.changes.count),
                    ]
                }),
            "errorCount": whole(mistakeCount), "errors": .array(mistakes.map { ["line": whole($0.line), "message": .text($0.message)] }),
        ]
    }

    static let schema = APISchema.object([
        .required("id", .nullable(.text)), .required("format", .nullable(.enumeration(BankFile.Format.allCases.map(\.rawValue)))), .required("dryRun", .boolean),
        .required("repeated", .described(.boolean, description: "This very file was taken in before.")), .required("written", .boolean),
        .required("entries", .integer()), .required("known", .described(.integer(), description: "Entries that another file had told already.")),
        .required("pending", .integer()), .required("matched", .integer()), .required("noted", .integer()), .required("differences", .integer()),
        .required("unmatched", .integer()), .required("ignored", .integer()), .required("resolved", .integer()), .required("paid", part), .required("failed", part),
        .required("returned", part),
        .required(
            "rows",
            .array(
                .object([
                    .required("line", .integer()), .required("meaning", .enumeration(BankEntry.Meaning.allCases.map(\.rawValue))),
                    .required("state", .enumeration(ReconciliationEntry.State.allCases.map(\.rawValue))), .required("difference", .nullable(.text)),
                    .required("payoutId", .nullable(.text)), .required("memberId", .nullable(.text)), .required("amount", .nullable(.integer())),
                    .required("currency", .nullable(.text)), .required("changed", .integer()),
                ]))),
        .required("errorCount", .integer()), .required("errors", .array(.object([.required("line", .integer()), .required("message", .text)]))),
    ])

    private static let part = APISchema.object([
        .required("count", .integer()), .required("amounts", .array(.object([.required("currency", .text), .required("amount", .integer())]))),
    ])
}
