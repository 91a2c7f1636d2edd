import Chronology
import Ledger
import Money
import Persistence
import TestSupport
import Testing

@Suite struct JournalTests {
    @Test(arguments: Engine.allCases) func aPostingMovesBalancesAndStandsInTheJournal(_ engine: Engine) async throws {
        try await withBooks(engine) { database in
            let posting = try earning("sale_1", 1_250)
            let posted = try await database.write { try Journal.post(posting, recordedAt: noon, on: $0) }
            #expect(posted.sequence == 1 && posted.id == posting.id)
            let (balances, page) = try await database.read {
                (try Journal.balances(workspace: "ws_a", member: "mem_1", on: $0), try Journal.transactions(workspace: "ws_a", after: 0, limit: 10, on: $0))
            }
            #expect(balances.map(\.pending.minor) == [1_250])
            #expect(page.count == 1 && page[0].hash == posted.hash)
            #expect(page[0].entries.map(\.account) == ["expenses:commissions:prog_1", "liabilities:payable:pending:mem_1"])
            #expect(page[0].entries.map(\.amount.minor) == [1_250, -1_250])
            let found = try await findings(database)
            #expect(found == [])
        }
    }

    @Test(arguments: Engine.allCases) func oneCallWritesSoManyPostingsAndNoMore(_ engine: Engine) async throws {
        try await withBooks(engine) { database in
            let postings = try (0...Journal.postingsLimit).map { try earning("sale_\($0)", 100, member: "mem_\($0 % 10)") }
            await #expect(throws: PostingRefusal.tooManyPostings(limit: Journal.postingsLimit)) {
                try await database.write { _ = try Journal.post(postings, recordedAt: noon, on: $0) }
            }
            let none = try await database.read { try Journal.transactions(workspace: "ws_a", after: 0, limit: 10, on: $0) }
            #expect(none.isEmpty)
            let posted = try await database.write { try Journal.post(Array(postings.dropLast()), recordedAt: noon, on: $0) }
            #expect(posted.count == Journal.postingsLimit)
            let found = try await findings(database)
            #expect(found == [])
        }
    }

    @Test(arguments: Engine.allCases) func oneCauseHasOneTransactionPerPurpose(_ engine: Engine) async throws {
        try await withBooks(engine) { database in
            let posting = try earning("sale_1", 100)
            let first = try await database.write { try Journal.post(posting, recordedAt: noon, on: $0) }
            await #expect(throws: PostingRefusal.alreadyPosted(first)) { try await database.write { try Journal.post(posting, recordedAt: noon, on: $0) } }
            let elsewhere = try earning("sale_1", 100, workspace: "ws_b")
            let second = try await database.write { try Journal.post(elsewhere, recordedAt: noon, on: $0) }
            #expect(second.sequence == 1)
        }
    }

    @Test(arguments: Engine.allCases) func twentyTasksWithTheSameCauses(_ engine: Engine) async throws {
        try await withBooks(engine) { database in
            // Whoever reads meanwhile finds every unit in balance.
            let reading = Task {
                var uneven = 0
                while !Task.isCancelled {
                    let sum = try await database.read { try $0.value("SELECT sum(balance) FROM account", as: Int64.self) }
                    if (sum ?? 0) != 0 { uneven += 1 }
                }
                return uneven
            }
            let accepted = try await withThrowingTaskGroup(of: Int.self) { group in
                for task in 0..<20 {
                    group.addTask {
                        var accepted = 0
                        for number in 0..<10 {
                            // Members in an order that differs by task, so that locks would cross if they could.
                            let member = "mem_\((number * 7 + task) % 5)"
                            let posting = try earning("sale_\(number)", 100, member: member)
                            do {
                                try await database.write { _ = try Journal.post(posting, recordedAt: noon, on: $0) }
                                accepted += 1
                            } catch let refusal as PostingRefusal {
                                guard case .alreadyPosted = refusal else { throw refusal }
                            }
                        }
                        return accepted
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(accepted == 10)
            reading.cancel()
            let unevenSnapshots = try await reading.value
            #expect(unevenSnapshots == 0)
            let found = try await findings(database)
            #expect(found == [])
        }
    }

    @Test(arguments: Engine.allCases) func refusalsLeaveEverythingAsItWas(_ engine: Engine) async throws {
        try await withBooks(engine) { database in
            let eur = try unit("EUR")
            func refusal(_ entries: [Entry], _ corrects: Posting.Correction? = nil) async throws -> PostingRefusal? {
                let posting = Posting(workspace: "ws_a", cause: "x", purpose: "y", effectiveAt: noon, entries: entries, corrects: corrects)
                do { try await database.write { _ = try Journal.post(posting, recordedAt: noon, on: $0) } } catch let refusal as PostingRefusal { return refusal }
                return nil
            }
            let huge = try earning("sale_0", Int64.max)
            try await database.write { _ = try Journal.post(huge, recordedAt: noon, on: $0) }
            let before = try await database.read { try Journal.balances(workspace: "ws_a", member: "mem_1", on: $0) }
            let one = Amount(minor: 1), minusOne = Amount(minor: -1)
            #expect(try await refusal([]) == .fewerThanTwoEntries)
            #expect(try await refusal([Entry(.bank("p"), eur, one), Entry(.bank("p"), eur, .zero)]) == .fewerThanTwoEntries)
            #expect(try await refusal([Entry(.bank("p"), eur, one), Entry(.bank("q"), eur, one)]) == .unbalanced(unit: eur))
            let usd = try unit("USD")
            #expect(try await refusal([Entry(.bank("p"), eur, one), Entry(.bank("q"), usd, minusOne)]) == .unbalanced(unit: eur))
            #expect(try await refusal([Entry(.expense("prog_1"), eur, one), Entry(.pending("mem_2"), eur, minusOne)]) == .overflow(account: .expense("prog_1")))
            #expect(
                try await refusal([Entry(.available("mem_1"), eur, one), Entry(.bank("p"), eur, minusOne)])
                    == .wouldGoNegative(account: .available("mem_1"), unit: eur, balance: .zero, amount: one))
            #expect(try await refusal([Entry(.bank("p"), eur, one), Entry(.bank("q"), eur, minusOne)], .whole(of: "jtx_none")) == .unknownTransaction(id: "jtx_none"))
            let after = try await database.read { try Journal.balances(workspace: "ws_a", member: "mem_1", on: $0) }
            #expect(before == after)
            let found = try await findings(database)
            #expect(found == [])
        }
    }

    @Test(arguments: Engine.allCases) func aTransactionIsReversedOnce(_ engine: Engine) async throws {
        try await withBooks(engine) { database in
            let original = try earning("sale_1", 100)
            var reversal = original
            reversal.entries = try original.entries.map { Entry($0.account, $0.unit, try $0.amount.negated()) }
            reversal.purpose = "reversal"
            reversal.corrects = .whole(of: original.id)
            var again = reversal
            again.cause = "refund_2"
            let (first, second) = (reversal, again)
            try await database.write { _ = try Journal.post([original, first], recordedAt: noon, on: $0) }
            await #expect(throws: PostingRefusal.alreadyReversed(id: original.id)) {
                try await database.write { _ = try Journal.post(second, recordedAt: noon, on: $0) }
            }
            let balances = try await database.read { try Journal.balances(workspace: "ws_a", member: "mem_1", on: $0) }
            #expect(balances.map(\.pending) == [.zero])
            let found = try await findings(database)
            #expect(found == [])
        }
    }

    @Test(arguments: Engine.allCases) func nothingIsLostOrMadeOverAllCurrencies(_ engine: Engine) async throws {
        let seed = UInt64.random(in: 0...999_999)
        print("seed \(seed)")
        try await withBooks(engine) { database in
            var random = Seeded(state: seed)
            for round in 0..<10 {
                var postings: [Posting] = []
                for (number, currency) in Currency.all.enumerated() {
                    let member = "mem_\(Int.random(in: 0..<3, using: &random))"
                    let minor = Int64.random(in: 1...1_000_000_000, using: &random)
                    postings.append(try earning("sale_\(round)_\(number)", minor, member: member, unit: currency.code))
                    if Bool.random(using: &random) {
                        let amount = Amount(minor: Int64.random(in: 0...minor, using: &random))
                        let code = UnitCode.currency(currency)
                        postings.append(Posting(
                            workspace: "ws_a", cause: "sale_\(round)_\(number)", purpose: "release", effectiveAt: noon,
                            entries: [Entry(.pending(member), code, amount), Entry(.available(member), code, try amount.negated())]))
                    }
                }
                let batch = postings.filter { $0.entries[0].amount != .zero }
                try await database.write { _ = try Journal.post(batch, recordedAt: noon, on: $0) }
            }
            let sums = try await database.read { try $0.rows("SELECT unit, sum(balance) AS s FROM account GROUP BY unit").map { try $0.get("s", as: Int64.self) } }
            #expect(sums == Array(repeating: 0, count: 165))
            let found = try await findings(database)
            #expect(found == [], "seed \(seed)")
        }
    }
}
