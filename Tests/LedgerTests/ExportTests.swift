import Chronology
import Foundation
import Ledger
import Money
import Persistence
import TestSupport
import Testing

@Suite struct ExportTests {
    @Test(arguments: Engine.allCases) func hledgerAgreesToTheCent(_ engine: Engine) async throws {
        try await withBooks(engine) { database in
            let units = ["EUR", "JPY", "KWD", "CLF", "points", "credit:EUR", "gold-2"]
            let postings = try units.enumerated().flatMap { offset, code in
                try (1...3).map { try earning("sale; \"\(code)\" | \($0)\n", Int64($0) * 1_005 + Int64(offset), member: "mem a:\($0)", unit: code) }
            }
            try await database.write { _ = try Journal.post(postings, recordedAt: noon, on: $0) }
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("kith-\(UUID().uuidString).journal")
            defer { try? FileManager.default.removeItem(at: file) }
            let (text, lines, accounts) = try await database.read { connection in
                var (text, lines) = ("", "")
                try JournalExport.hledger(workspace: "ws_a", on: connection) { text += $0 }
                try JournalExport.jsonLines(workspace: "ws_a", on: connection) { lines += $0 }
                let accounts = try connection.rows("SELECT name, unit, balance FROM account WHERE balance <> 0").map {
                    let unit = try UnitCode($0.get("unit", as: String.self))
                    let amount = Amount(minor: try $0.get("balance", as: Int64.self)).decimalText(exponent: unit.exponent)
                    return "\(try $0.get("name", as: String.self)) \(amount) \(unit.code)"
                }
                return (text, lines, accounts.sorted())
            }
            try text.write(to: file, atomically: true, encoding: .utf8)
            let check = try run("hledger", ["-f", file.path, "check"])
            #expect(check.status == 0, "\(check.output)")
            let balance = try run("hledger", ["-f", file.path, "balance", "--flat", "--no-total", "--layout=bare", "-O", "csv"])
            let theirs = balance.output.split(separator: "\n").dropFirst().map { line in
                let parts = line.split(separator: ",").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: "\"")) }
                return "\(parts[0]) \(parts[2]) \(parts[1])"
            }
            #expect(theirs.sorted() == accounts)
            let objects = try lines.split(separator: "\n").map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
            #expect(objects.count == postings.count)
            #expect(objects.first??["cause"] as? String == postings[0].cause)
        }
    }
}

extension ExportTests {
    /// The programme printed in docs/ledger-format.md, run on a real export.
    @Test func aStrangerCanVerifyTheChain() async throws {
        try await withBooks(.sqlite) { database in
            let original = try earning("sale_\"é\n1", 100)
            var refund = original
            refund.purpose = "refund"
            refund.effectiveAt = try noon.adding(milliseconds: 1)
            refund.entries = try original.entries.map { Entry($0.account, $0.unit, try $0.amount.negated()) }
            refund.corrects = .partial(of: original.id)
            let postings = [original, refund]
            let lines = try await database.write { connection in
                try Journal.post(postings, recordedAt: noon, on: connection)
                var lines = ""
                try JournalExport.jsonLines(workspace: "ws_a", on: connection) { lines += $0 }
                return lines
            }
            let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            let page = try String(contentsOf: root.appendingPathComponent("docs/ledger-format.md"), encoding: .utf8)
            let program = try #require(page.components(separatedBy: "```python\n").last?.components(separatedBy: "```").first)
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("kith-\(UUID().uuidString).jsonl")
            defer { try? FileManager.default.removeItem(at: file) }
            try lines.write(to: file, atomically: true, encoding: .utf8)
            let script = "import sys; sys.stdin = open(sys.argv[2], encoding='utf-8')\n" + program
            let whole = try run("python3", ["-c", script, "ws_a", file.path])
            #expect(whole.status == 0 && whole.output.hasPrefix("whole:"), "\(whole.output)")
            try lines.replacingOccurrences(of: "-100", with: "-101").write(to: file, atomically: true, encoding: .utf8)
            let changed = try run("python3", ["-c", script, "ws_a", file.path])
            #expect(changed.status != 0)
        }
    }
}

private func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(["LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"]) { _, new in new }
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
}
