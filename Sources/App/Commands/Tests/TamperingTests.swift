import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A row that somebody changed or took away beside the program, past every constraint, is named by `kith verify`.
@Suite struct TamperingTests {
    /// Tables, and the columns a change of which must be named; DELETE takes the row away.
    static let tamperings: [(table: String, columns: String)] = [
        ("workspace", "DELETE id live_id"),
        ("person", "DELETE id workspace_id key_id erased_at"),
        ("program", "DELETE id workspace_id"),
        ("program_version", "DELETE program_id version effective_from recorded_at author settings time_zone row_hash"),
        ("rule", "DELETE id workspace_id program_id"),
        ("rule_version", "DELETE rule_id version effective_from effective_until recorded_at author document row_hash"),
        ("member", "DELETE id workspace_id person_id enroller_id joined_at created_at"),
        ("enrollment", "program_id member_id"),
        ("stage_move", "workspace_id member_id"),
        ("link", "DELETE id workspace_id program_id member_id clicks clicks_logged"),
        ("customer", "DELETE id workspace_id person_id"),
        ("touch", "id workspace_id customer_id program_id kind link_id click_id member_id cause_id at row_hash"),
        ("customer_binding", "program_id customer_id workspace_id shares"),
        ("lead", "DELETE id workspace_id customer_id event_name mode occurred_at recorded_at attribution refusals row_hash"),
        (
            "sale",
            """
            DELETE id workspace_id program_id program_version customer_id invoice_id amount currency sale_number event_name country coupon_used items \
            facts_hash refunded_amount attribution refusals occurred_at recorded_at came_by link_id row_hash
            """
        ),
        ("refund", "DELETE id workspace_id invoice_id refund_id sale_id amount applied_amount state facts_hash occurred_at recorded_at row_hash"),
        ("sale_credit", "DELETE sale_id member_id share_ppm"),
        (
            "commission",
            """
            DELETE id workspace_id program_id cause_kind cause_id sale_id member_id rule_id rule_version line purpose level base rate share_ppm unit \
            amount reversed_amount state explanation occurred_at recorded_at row_hash
            """
        ),
        ("adjustment", "DELETE id workspace_id member_id commission_id unit amount corrects_id"),
        ("correction_part", "DELETE commission_id position adjustment_id kept refunded row_hash"),
        ("cap_usage", "DELETE rule_id scope period unit used_count used_amount"),
        ("payout", "DELETE id workspace_id program_id unit cutoff total created_by created_at approved_by row_hash"),
        ("payout_item", "DELETE payout_id member_id amount state"),
        ("payout_commission", "DELETE commission_id payout_id member_id"),
        ("payout_account", "workspace_id member_id"),
        ("account", "DELETE id workspace_id name unit side may_go_negative balance"),
        ("journal_transaction", "DELETE workspace_id sequence id recorded_at effective_at cause purpose corrects hash"),
        ("journal_entry", "DELETE workspace_id sequence position account_id amount balance_after"),
        ("journal_head", "DELETE workspace_id sequence hash transaction_count entry_count"),
        ("journal_total", "DELETE workspace_id unit debit_total"),
        ("audit_entry", "DELETE workspace_id sequence at actor action subject detail hash"),
        ("audit_head", "DELETE workspace_id sequence hash"),
        ("outbox", "workspace_id data"),
    ]

    @Test(arguments: Engine.allCases)
    func eachIsNamed(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            try await app.historyToTamperWith()
            #expect(try await app.verified() == [], "nothing is wrong before")
            var unseen: [String] = []
            var refused = 0
            for (table, columns) in Self.tamperings {
                for column in columns.split(separator: " ").map(String.init) {
                    let row = try await app.row(of: table, column)
                    guard let plan = Tampering(row, table: table, column: column, engine) else {
                        Issue.record("\(table) has no row to tamper with")
                        continue
                    }
                    guard try await app.tamper(plan.plant) else {
                        refused += 1
                        continue
                    }
                    if try await app.verified().isEmpty { unseen.append("\(table).\(column)") }
                    #expect(try await app.tamper(plan.mend), "\(table).\(column) is put back")
                }
                let left = try await app.verified()
                #expect(left == [], "\(table) is as it was")
                guard left.isEmpty else { return }
            }
            #expect(unseen == [])
            // PostgreSQL holds to CHECK and UNIQUE itself, whoever asks.
            #expect(engine == .postgres ? refused < 40 : refused <= 12)
        }
    }

    /// A broken document names its table and row, and the rest is looked at all the same.
    @Test(arguments: Engine.allCases)
    func aBrokenDocumentStopsNothing(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            try await app.historyToTamperWith()
            for (table, column) in SchemaVerifyStore.documents {
                let count = try await app.installation.main.read { connection in
                    try connection.value("SELECT count(*) FROM \(raw: table) WHERE \(raw: column) IS NOT NULL", as: Int64.self) ?? 0
                }
                guard count > 0 else { continue }
                for (plant, mend) in [("x' || \(column)", "substr(\(column), 2)"), ("[1,{' || \(column)", "substr(\(column), 5)")] {
                    try await app.installation.main.write { connection in
                        try connection.execute("UPDATE \(raw: table) SET \(raw: column) = '\(raw: plant)")
                        try connection.execute("UPDATE journal_head SET entry_count = entry_count + 1")
                    }
                    let findings = try await app.verified()
                    #expect(findings.contains { $0.hasPrefix("documentUnreadable \(table) ") && $0.contains(column) }, "\(table).\(column)")
                    #expect(findings.contains { $0.hasPrefix("countWrong") }, "\(table).\(column): the books are looked at as well")
                    try await app.installation.main.write { connection in
                        try connection.execute("UPDATE \(raw: table) SET \(raw: column) = \(raw: mend)")
                        try connection.execute("UPDATE journal_head SET entry_count = entry_count - 1")
                    }
                }
            }
            #expect(try await app.verified() == [])
        }
    }

    /// Whoever changes a row and makes its hash fit is found by what follows from it.
    @Test(arguments: Engine.allCases)
    func aHashThatIsMadeToFitHelpsNobody(_ engine: Engine) async throws {
        let changes: [(table: HashedTable, change: SQL, back: SQL, kind: String)] = [
            (.sale, "amount = amount + 1", "amount = amount - 1", "factChanged"), (.sale, "currency = 'USD'", "currency = 'EUR'", "factChanged"),
            (.sale, "occurred_at = occurred_at + 1", "occurred_at = occurred_at - 1", "causeWrong"),
            (.sale, "invoice_id = 'Z' || invoice_id", "invoice_id = substr(invoice_id, 2)", "factChanged"),
            (.commission, "base = base + 1", "base = base - 1", "baseWrong"), (.commission, "rate = '0.30'", "rate = '0.1'", "rateWrong"),
            (.commission, "level = level + 1", "level = level - 1", "ruleWrong"),
            (.commission, "share_ppm = share_ppm - 1", "share_ppm = share_ppm + 1", "shareWrong"),
            (
                .commission, "explanation = replace(explanation, '\"amount\":', '\"amount\":1')", "explanation = replace(explanation, '\"amount\":1', '\"amount\":')",
                "amountWrong"
            ),
            (.refund, "amount = amount + 1", "amount = amount - 1", "refundWrong"),
        ]
        try await AppHarness.with(engine) { app in
            try await app.historyToTamperWith()
            for (table, change, back, kind) in changes {
                let condition: SQL = table.name == "commission" ? "rate = '0.1' AND level = 0 AND share_ppm = 1000000" : "1 = 1"
                let id = try await app.installation.main.read { connection in
                    try connection.value("SELECT min(id) FROM \(raw: table.name) WHERE \(sql: condition)", as: String.self) ?? ""
                }
                func set(_ what: SQL) async throws {
                    try await app.installation.main.write { connection in
                        try connection.execute("UPDATE \(raw: table.name) SET \(sql: what) WHERE id = \(id)")
                        try RowHashStore.renew(table, id, on: connection)
                    }
                }
                try await set(change)
                let findings = try await app.verified()
                #expect(findings.contains { $0.hasPrefix(kind) }, "\(table.name) \(change.text): \(findings)")
                #expect(!findings.contains { $0.hasPrefix("rowChanged") })
                try await set(back)
            }
            #expect(try await app.verified() == [])
        }
    }

    /// Books without their workspace are looked at, and named.
    @Test(arguments: Engine.allCases)
    func aWorkspaceThatIsGoneIsNamed(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            try await app.historyToTamperWith()
            let row = try await app.row(of: "workspace", "id")
            let plan = try #require(Tampering(row, table: "workspace", column: "DELETE", engine))
            #expect(try await app.tamper(plan.plant))
            let findings = try await app.verified()
            #expect(findings.contains { $0.hasPrefix("workspaceMissing \(app.twinID.text)") })
            #expect(findings.contains { $0.hasPrefix("referenceMissing sale ") })
            #expect(try await app.tamper(plan.mend))
        }
    }

    /// Enrollers that go round are named, however long the way.
    @Test(arguments: Engine.allCases)
    func aCycleOfEnrollersIsNamed(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            var members: [String] = []
            for number in 0..<4 { members.append(try await app.member(program, "m\(number)", enroller: members.last)) }
            let line = members
            try await app.installation.main.write { connection in
                try connection.execute("UPDATE member SET enroller_id = \(line[3]) WHERE id = \(line[1])")
                try RowHashStore.renew(.member, line[1], on: connection)
            }
            let named = try await app.verified().filter { $0.hasPrefix("enrollerLineBroken") }
            #expect(named.count == 3)
        }
    }
}

/// One change beside the program, and the way back.
struct Tampering {
    var plant: String
    var mend: String

    init?(_ row: Row?, table: String, column: String, _ engine: Engine) {
        guard let row else { return nil }
        let columns = row.columns.names
        func literal(_ value: Value) -> String {
            switch value {
            case .null: "NULL"
            case .integer(let number): String(number)
            case .text(let text): "'\(text.replacingOccurrences(of: "'", with: "''"))'"
            case .blob(let bytes): "\(engine == .postgres ? "'\\x" : "x'")\(bytes.map { String(format: "%02x", $0) }.joined())'"
            case .real(let number): String(number)
            }
        }
        func place(_ values: [Value]) -> String {
            zip(columns, values).map { $1 == .null ? "\($0) IS NULL" : "\($0) = \(literal($1))" }.joined(separator: " AND ")
        }
        if column == "DELETE" {
            plant = "DELETE FROM \(table) WHERE \(place(row.values))"
            mend = "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES (\(row.values.map(literal).joined(separator: ", ")))"
            return
        }
        guard let position = columns.firstIndex(of: column) else { return nil }
        let old = row.values[position]
        var changed = row.values
        changed[position] =
            switch old {
            case .null: column.hasSuffix("_at") || column == "effective_until" ? .integer(1) : column == "row_hash" ? .blob([1]) : .text("x")
            case .integer(let number): .integer(column == "coupon_used" || column == "may_go_negative" ? 1 - number : number + 1)
            case .text(let text): .text(text.isEmpty ? "x" : text.dropLast() + (text.hasSuffix("0") ? "1" : "0"))
            case .blob(let bytes): .blob(bytes.dropLast() + [(bytes.last ?? 0) ^ 1])
            case .real(let number): .real(number + 1)
            }
        plant = "UPDATE \(table) SET \(column) = \(literal(changed[position])) WHERE \(place(row.values))"
        mend = "UPDATE \(table) SET \(column) = \(literal(old)) WHERE \(place(changed))"
    }
}

extension AppHarness {
    /// Sales by link and by code on three levels, a refund, a lead, a cap, an assignment, and a payout that arrived in part.
    func historyToTamperWith() async throws {
        _ = try await someHistory()
        let shop = try await Payees.make(in: self)
        let payout = try await post("/payouts", shop.batch())["id"].text
        try await api(.post, "/payouts/\(payout)/approval", nil, as: shop.secondKey).success("approval")
        try await api(.post, "/payouts/\(payout)/dispatch").success("dispatch")
        try await post("/payouts/\(payout)/outcomes", shop.outcome(0, "paid", "bank-1"))
        try await post("/payouts/\(payout)/outcomes", shop.outcome(1, "failed", "bank-2"))
        // Somebody is paid more by hand, in a sale of which a part comes back later.
        let raised = try await get("/commissions?memberId=\(shop.members[2])")["data"].list[0]["id"].text
        try await post("/commissions/\(raised)/corrections", ["amount": 90, "reason": "Agreed"])
        try await refund("i2-0", "part", 50)
        try await installation.applyClicks()
    }

    /// What verify says, a line each.
    func verified() async throws -> [String] {
        try await Verification.run(main: installation.main, clicks: installation.clicks, keys: installation.keys).findings.map {
            "\($0.kind) \($0.subject): \($0.detail)"
        }
    }

    /// A row to tamper with: of the test twin, with something in the column where there is one, the first of a payout's that arrived.
    func row(of table: String, _ column: String) async throws -> Row? {
        let twin = twinID.text
        return try await installation.main.read { connection in
            guard let declared = try connection.declaredTables().first(where: { $0.name == table }) else { return nil }
            var sql: SQL = "SELECT * FROM \(raw: table)"
            if declared.has("workspace_id") { sql = "\(sql: sql) WHERE workspace_id = \(twin)" }
            if table == "workspace" { sql = "\(sql: sql) WHERE id = \(twin)" }
            let keys = declared.key.map { "\($0) DESC" }.joined(separator: ", ")
            let filled = declared.has(column) ? "CASE WHEN \(column) IS NULL THEN 1 ELSE 0 END, " : ""
            let paid = ["payout_item": "CASE state WHEN 'paid' THEN 0 ELSE 1 END, ", "outbox": "CASE type WHEN 'sale.created' THEN 0 ELSE 1 END, "]
            let used = table == "link" ? "clicks DESC, " : ""
            return try connection.row("\(sql: sql) ORDER BY \(raw: filled)\(raw: paid[table] ?? "")\(raw: used)\(raw: keys) LIMIT 1")
        }
    }

    /// Changes a row past every constraint; false when the database itself refuses.
    func tamper(_ statement: String) async throws -> Bool {
        switch engine {
        case .postgres:
            do {
                return try await installation.main.write { connection in
                    try connection.execute("SET LOCAL session_replication_role = replica")
                    return try connection.execute("\(raw: statement)") == 1
                }
            } catch let failure as DatabaseFailure where [.check, .unique, .notNull, .other].contains(failure.kind) {
                return false
            }
        case .sqlite:
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/sqlite3")
            process.arguments = [location]
            let (input, output) = (Pipe(), Pipe())
            process.standardInput = input
            process.standardOutput = output
            process.standardError = output
            try process.run()
            try input.fileHandleForWriting.write(
                contentsOf: Data(".timeout 5000\nPRAGMA foreign_keys = OFF;\nPRAGMA ignore_check_constraints = ON;\n\(statement);\nSELECT 'changed', changes();\n".utf8))
            try input.fileHandleForWriting.close()
            let answer = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return answer.contains("changed|1") && !answer.contains("Error")
        }
    }
}
