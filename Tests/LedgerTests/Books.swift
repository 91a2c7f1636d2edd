import Chronology
import Ledger
import Money
import Foundation
import Persistence
import TestSupport

/// An empty set of books with two workspaces, on a database of the test's own.
func withBooks<T: Sendable>(_ engine: Engine, connections: Int = 8, _ body: (any Database) async throws -> T) async throws -> T {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let schema = try String(contentsOf: root.appendingPathComponent("Sources/App/Schema/0002-ledger.sql"), encoding: .utf8)
    let workspaces = "CREATE TABLE workspace (id TEXT NOT NULL PRIMARY KEY) STRICT; INSERT INTO workspace VALUES ('ws_a'); INSERT INTO workspace VALUES ('ws_b');"
    let migrations = [Migration(number: 1, name: "workspaces", text: workspaces), Migration(number: 2, name: "ledger", text: schema)]
    return try await TestDatabase.with(engine, connections: connections, migrations: migrations) { try await body($0.database) }
}

let noon = Instant(millisecondsSince1970: 1_790_000_000_000)

func unit(_ code: String) throws -> UnitCode { try UnitCode(code) }

/// A commission: the program's cost, the member's claim.
func earning(_ cause: String, _ minor: Int64, member: String = "mem_1", unit code: String = "EUR", workspace: String = "ws_a") throws -> Posting {
    let unit = try unit(code)
    return Posting(
        workspace: workspace, cause: cause, purpose: "commission", effectiveAt: noon,
        entries: [
            Entry(.expense("prog_1"), unit, Amount(minor: minor)),
            Entry(.pending(member), unit, try Amount(minor: minor).negated()),
        ])
}

func findings(_ database: any Database, _ workspace: String = "ws_a") async throws -> [Finding.Kind] {
    try await database.read { try Journal.verify(workspace: workspace, on: $0).map(\.kind) }
}

/// A repeatable source of numbers: SplitMix64.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
