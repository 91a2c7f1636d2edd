import Ledger
import Money
import Persistence
import TestSupport
import Testing

@Suite struct TamperingTests {
    @Test(
        arguments: Engine.allCases,
        [
            ("UPDATE journal_entry SET amount = amount + 1 WHERE sequence = 3 AND position = 0", Finding.Kind.unbalanced),
            ("UPDATE journal_entry SET amount = amount * 2 WHERE sequence = 3", .chainBroken),
            ("UPDATE journal_entry SET balance_after = 7 WHERE sequence = 3 AND position = 0", .runningBalanceWrong),
            ("DELETE FROM journal_entry WHERE sequence = 5; DELETE FROM journal_transaction WHERE sequence = 5", .headWrong),
            ("DELETE FROM journal_entry WHERE sequence = 3; DELETE FROM journal_transaction WHERE sequence = 3", .gap),
            ("DELETE FROM journal_entry WHERE sequence = 3 AND position = 1", .tooFewEntries),
            ("UPDATE journal_transaction SET hash = (SELECT hash FROM journal_transaction t WHERE t.sequence = 1) WHERE sequence = 3", .chainBroken),
            ("UPDATE journal_transaction SET cause = 'other' WHERE sequence = 3", .chainBroken),
            ("UPDATE journal_transaction SET effective_at = 0 WHERE sequence = 3", .chainBroken),
            ("UPDATE account SET balance = balance - 1 WHERE name = 'liabilities:payable:pending:mem_1'", .balanceWrong),
            ("UPDATE account SET name = 'liabilities:payable:pending:mem_9' WHERE name = 'liabilities:payable:pending:mem_1'", .chainBroken),
            ("UPDATE journal_head SET entry_count = 9", .countWrong), ("UPDATE journal_head SET transaction_count = 4", .countWrong),
            ("UPDATE journal_total SET debit_total = 1", .totalWrong), ("DELETE FROM journal_total", .totalWrong), ("DELETE FROM journal_head", .headWrong),
        ])
    func isNamed(_ engine: Engine, _ change: (String, Finding.Kind)) async throws {
        try await withBooks(engine) { database in
            let postings = try (1...5).map { try earning("sale_\($0)", Int64($0) * 100) }
            try await database.write { _ = try Journal.post(postings, recordedAt: noon, on: $0) }
            let clean = try await findings(database)
            #expect(clean == [])
            try await database.write { try $0.executeScript(change.0) }
            let found = try await findings(database)
            #expect(found.contains(change.1), "\(found)")
        }
    }

    @Test(
        arguments: Engine.allCases,
        [
            ("UPDATE audit_entry SET actor = 'someone' WHERE sequence = 2", Finding.Kind.auditChainBroken), ("DELETE FROM audit_entry WHERE sequence = 2", .auditGap),
            ("DELETE FROM audit_entry WHERE sequence = 3", .auditHeadWrong), ("DELETE FROM audit_head", .auditHeadWrong),
        ])
    func ofTheAuditChainIsNamed(_ engine: Engine, _ change: (String, Finding.Kind)) async throws {
        try await withBooks(engine) { database in
            try await database.write { connection in
                for number in 1...3 {
                    try AuditChain.append(workspace: "ws_a", at: noon, actor: "usr_1", action: "link.created", subject: "lnk_\(number)", detail: "{}", on: connection)
                }
            }
            let clean = try await database.read { try AuditChain.verify(workspace: "ws_a", on: $0) }
            #expect(clean.isEmpty)
            let newest = try await database.read { try AuditChain.entries(workspace: "ws_a", limit: 2, on: $0).map(\.subject) }
            #expect(newest == ["lnk_3", "lnk_2"])
            try await database.write { try $0.executeScript(change.0) }
            let found = try await database.read { try AuditChain.verify(workspace: "ws_a", on: $0).map(\.kind) }
            #expect(found.contains(change.1))
        }
    }
}
