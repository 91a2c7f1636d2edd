import Chronology
import Foundation
import Persistence
import Synchronization
import TestSupport
import Testing
import Web

@testable import App

/// The whole application against a seeded company, with storage that fails. `KITH_SIMULATION_SEED` is the first seed,
/// `KITH_SIMULATION_SEEDS` how many (`bin/simulate`), `KITH_SIMULATION_STEPS` how much each of them does.
struct SimulationTests {
    static let first = number("KITH_SIMULATION_SEED") ?? 1
    static let seeds = first..<(first + (number("KITH_SIMULATION_SEEDS") ?? 20))
    static let steps = Int(number("KITH_SIMULATION_STEPS") ?? 70)
    /// PostgreSQL is slower to set up, and the story is the same.
    static let everyOnPostgres: UInt64 = 7

    @Test(arguments: seeds)
    func faultsLeaveNoTraceInTheBooks(_ seed: UInt64) async throws {
        let engines: [Engine] = (seed - Self.first) % Self.everyOnPostgres == 0 ? [.sqlite, .postgres] : [.sqlite]
        let calm = try await Self.story(seed, on: .sqlite, faults: false)
        for engine in engines {
            let faulty = try await Self.story(seed, on: engine, faults: true)
            #expect(faulty.journal == calm.journal, "seed \(seed) on \(engine): \(Self.firstDifference(faulty.journal, calm.journal))")
            print("simulation seed \(seed) on \(engine): \(faulty.journal.count) transactions, \(faulty.faults) faults, \(faulty.retries) calls told again, answers \(faulty.answers)")
            #expect(faulty.faults > 0, "seed \(seed): no fault was drawn, so nothing was shown")
        }
    }

    private struct Outcome: Sendable {
        var journal: [String]
        var retries: Int
        var faults: Int
        /// How many calls were answered with each status.
        var answers: [Int: Int]
    }

    private static func story(_ seed: UInt64, on engine: Engine, faults isFaulty: Bool) async throws -> Outcome {
        let faults = StorageFaults(seed: seed)
        let outcome = Mutex<Outcome?>(nil)
        try await AppHarness.with(engine, seed: seed, storage: { FaultyDatabase(base: $0, faults: faults) }) { app in
            var company = SimulatedCompany(app, seed: seed)
            try await company.open()
            faults.turn(on: isFaulty)
            var before: [JSONValue] = []
            for step in 0..<steps {
                try await company.step()
                guard step % 20 == 19 else { continue }
                let after = try await app.transactions()
                #expect(Array(after.prefix(before.count)) == before, "seed \(seed): an earlier journal is the beginning of a later one (L3)")
                before = after
            }
            faults.turn(on: false)
            let found = try await Verification.run(main: app.installation.main, clicks: app.installation.clicks, keys: app.installation.keys).findings
            #expect(found.isEmpty, "seed \(seed) on \(engine): \(found.prefix(3).map { "\($0.kind) \($0.subject) \($0.detail)" })")
            try await holdsWhatWasAcknowledged(company, app, seed)
            try await nobodyIsBelowZero(app, seed)
            let journal = named(try await app.transactions(), company.names)
            let answers = Dictionary(company.told.map { ($0.reply.status, 1) }, uniquingKeysWith: +)
            let ended = Outcome(
                journal: journal, retries: company.retries, faults: faults.counts.values.reduce(0, +), answers: answers)
            outcome.withLock { $0 = ended }
        }
        guard let outcome = outcome.withLock({ $0 }) else { throw Unexpected(description: "seed \(seed): the story did not end") }
        return outcome
    }

    /// Each invoice and each refund that was answered is there once, with the facts that were told first (E1, E3).
    private static func holdsWhatWasAcknowledged(_ company: borrowing SimulatedCompany, _ app: AppHarness, _ seed: UInt64) async throws {
        let rows = try await app.installation.main.read { connection in
            (
                try connection.rows("SELECT invoice_id, amount FROM sale ORDER BY invoice_id").map { (try $0.get(at: 0, as: String.self), try $0.get(at: 1, as: Int64.self)) },
                try connection.rows("SELECT refund_id FROM refund ORDER BY refund_id").map { try $0.get(at: 0, as: String.self) }
            )
        }
        let sold = company.sold.map { ($0.invoice, $0.amount) }.sorted { $0.0 < $1.0 }
        #expect(rows.0.map { "\($0.0) \($0.1)" } == sold.map { "\($0.0) \($0.1)" }, "seed \(seed): sales")
        #expect(rows.1 == company.refunded.sorted(), "seed \(seed): refunds")
    }

    /// L6: what stands to a member is never negative; what was paid too much is a debt.
    private static func nobodyIsBelowZero(_ app: AppHarness, _ seed: UInt64) async throws {
        for member in try await app.get("/members?limit=100")["data"].list {
            for row in try await app.get("/members/\(member["id"].text)/balances").elements {
                for part in ["pending", "held", "available", "inPayout", "paid", "debt"] {
                    #expect((row[part].integer ?? -1) >= 0, "seed \(seed): \(part) of \(member["externalId"].text)")
                }
            }
        }
    }

    /// The journal in words that two runs share: ids by what they stand for in the story, entries and transactions in an order of their
    /// own. Approvals of one moment are one, because chance says which of them meets the debt first.
    private static func named(_ transactions: [JSONValue], _ names: [String: String]) -> [String] {
        func name(_ text: String) -> String {
            text.split(whereSeparator: { ":/- ".contains($0) }).map { part in
                names[String(part)] ?? (part.contains("_") ? String(part.prefix { $0 != "_" }) : String(part))
            }.joined(separator: ":")
        }
        var approvals: [String: [String: Int64]] = [:]
        var lines: [String] = []
        for transaction in transactions {
            let (at, purpose) = (transaction["effectiveAt"].text, transaction["purpose"].text)
            let entries = transaction["entries"].list.map { (place: "\(name($0["account"].text)) \($0["unit"].text)", amount: $0["amount"].integer ?? .min) }
            if purpose == "approval" {
                for entry in entries { approvals[at, default: [:]][entry.place, default: 0] += entry.amount }
            } else {
                let told = entries.map { "\($0.place) \($0.amount)" }.sorted().joined(separator: ", ")
                lines.append("\(at) \(name(transaction["cause"].text)) \(name(purpose)): \(told)")
            }
        }
        for (at, entries) in approvals {
            lines.append("\(at) approvals: \(entries.filter { $0.value != 0 }.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", "))")
        }
        return lines.sorted()
    }

    private static func firstDifference(_ one: [String], _ other: [String]) -> String {
        let pair = zip(one, other).first { $0 != $1 }
        return pair.map { "\($0)\ninstead of\n\($1)" } ?? "\(one.count) transactions instead of \(other.count)"
    }

    private static func number(_ name: String) -> UInt64? { ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } }
}

extension AppHarness {
    /// The whole journal of the test twin, in order.
    func transactions() async throws -> [JSONValue] {
        var all: [JSONValue] = []
        var cursor = ""
        while true {
            let page = try await get("/ledger/transactions?limit=100\(cursor)")
            all += page["data"].list
            guard page["hasMore"] == .boolean(true) else { return all }
            cursor = "&startingAfter=\(page["nextCursor"].text)"
        }
    }
}
