import Chronology
import Foundation
import PlanFiles
import Testing

/// Files that somebody made to break `kith plan compute`.
@Suite struct HostileFileTests {
    static let plan = """
        plan: p
        unit: EUR
        ranks: [{rank: gold, condition: always}]
        bonuses:
          - {bonus: s, type: unilevel, rates: [10%]}
          - {bonus: bin, type: binary, tree: placement, match: {kind: percentOfWeaker, rates: 10%}}
          - {bonus: tier, type: tiered, scope: lifetime, tiers: [{fromMinor: 0, rate: 0%}]}
          - {bonus: up, type: rankAdvancement, amounts: [{rank: gold, amountMinor: 500}], payments: 3}

        """
    static let members = "id,kind,enroller_id,joined_at,status\na,promoter,,2025-11-03,\nb,promoter,a,2025-11-03,\nk,customer,b,2025-11-03,\n"
    static let orders = "id,buyer_id,occurred_at,amount,currency,refund_of\no1,k,2026-01-05,1000,EUR,\n"

    /// The files that are not given are those above.
    private func compute(
        _ folder: Folder, members: String = members, orders: String = orders, moves: String? = nil, overrides: String? = nil, carry: String? = nil,
        plan: String = plan, periods: PeriodChoice = .one(start: nil)
    ) async throws -> [RunSummary] {
        var files = FactFiles(members: try folder.write("members.csv", members), orders: try folder.write("orders.csv", orders))
        files.moves = try moves.map { try folder.write("moves.csv", $0) }
        files.overrides = try overrides.map { try folder.write("overrides.csv", $0) }
        return try await PlanComputation(
            planPath: try folder.write("plan.yaml", plan), files: files, periods: periods, carryPath: try carry.map { try folder.write("carry-in.json", $0) },
            outputPath: folder.path + "/out").run()
    }

    private func failure(_ work: () async throws -> [RunSummary]) async -> FileFailure? {
        do { _ = try await work() } catch PlanCommandFailure.file(let failure) { return failure } catch {}
        return nil
    }

    struct Entry: CustomTestStringConvertible, Sendable {
        let list: String
        let entry: String
        let says: String
        var testDescription: String { entry }
    }

    @Test(
        "A carry that no run has written is refused, and says what is wrong",
        arguments: [
            Entry(list: "members", entry: #"{"id":"a","debt":-1000}"#, says: "debt"), Entry(list: "members", entry: #"{"id":"a"},{"id":"a"}"#, says: "twice"),
            Entry(list: "members", entry: #"{"id":"a","highestRank":-1}"#, says: "rank"), Entry(list: "members", entry: #"{"id":"a","missedPeriods":9223372036854775807}"#, says: "missedPeriods"),
            Entry(list: "legs", entry: #"{"bonus":"bin","id":"a","slot":3,"bornOn":"2025-12-01","agePeriods":0,"volume":5}"#, says: "slot"),
            Entry(list: "legs", entry: #"{"bonus":"bin","id":"a","slot":1,"bornOn":"2025-12-01","agePeriods":9223372036854775807,"volume":5}"#, says: "agePeriods"),
            Entry(list: "legs", entry: #"{"bonus":"bin","id":"a","slot":1,"bornOn":"2025-12-01","agePeriods":0,"volume":9223372036854775807}"#, says: "volume"),
            Entry(list: "banked", entry: #"{"bonus":"bin","id":"a","amount":-5}"#, says: "amount"),
            Entry(list: "tiers", entry: #"{"bonus":"tier","id":"b","year":0,"base":5,"companyExact":"170141183460469231731687303715884105727"}"#, says: "tier"),
            Entry(list: "awards", entry: #"{"bonus":"up","id":"a","rank":-3,"agePeriods":0,"paymentsMade":1,"paid":100,"isClawedBack":false}"#, says: "rank"),
            Entry(list: "awards", entry: #"{"bonus":"up","id":"a","rank":1,"agePeriods":0,"paymentsMade":-1,"paid":100,"isClawedBack":false}"#, says: "award"),
            Entry(list: "orders", entry: #"{"id":"x","amount":1,"commissionVolume":1,"qualifyingVolume":1,"refundedAmount":0,"refundedCommissionVolume":9223372036854775807,"refundedQualifyingVolume":0,"paid":[]}"#, says: "range"),
            Entry(list: "orders", entry: #"{"id":"x","amount":1,"commissionVolume":1,"qualifyingVolume":1,"refundedAmount":0,"refundedCommissionVolume":0,"refundedQualifyingVolume":0,"paid":[{"member":"a","bonus":"s","level":99999,"amount":1,"reversed":0,"periodPaid":1,"periodBase":1}]}"#, says: "paid to"),
        ])
    func carries(given: Entry) async throws {
        let folder = try Folder()
        let lists = ["members", "legs", "banked", "tiers", "awards", "orders"].map { "\"\($0)\":[\($0 == given.list ? given.entry : "")]" }
        let carry = "{\"format\":1,\"plan\":\"p\",\"nextPeriodStart\":\"2026-01-01\",\(lists.joined(separator: ","))}"
        let found = await failure { try await compute(folder, carry: carry) }
        #expect(found?.message.contains(given.says) == true && found?.path.hasSuffix("carry-in.json") == true, "\(found?.description ?? "taken")")
        #expect(!folder.names.contains("out"))
        #expect(await failure { try await compute(folder, carry: carry.replacing(given.entry, with: "")) } == nil, "an empty one is fine")
    }

    @Test("Ids are their bytes: é in one character and in two are two customers, with the carry as in one command")
    func ids() async throws {
        let (one, two) = ("\u{e9}", "e\u{301}")
        let plan = "plan: p\nunit: EUR\nbonuses: [{bonus: s, type: direct, terms: [{percent: 10%, orders: {turn: first}}]}]\n"
        let members = Self.members + "\(one),customer,a,2025-11-03,\n\(two),customer,a,2025-11-03,\n"
        let (january, february) = ("o1,\(one),2026-01-05,1000,EUR,\n", "o2,\(two),2026-02-05,1000,EUR,\n")
        let header = "id,buyer_id,occurred_at,amount,currency,refund_of\n"
        let folder = try Folder()
        #expect(try await compute(folder, members: members, orders: header + january + february, plan: plan, periods: .all).map(\.totalMinor) == [100, 100])
        _ = try await compute(folder, members: members, orders: header + january, plan: plan)
        let carry = try Gallery.text(folder.path + "/out/carry.json")
        #expect(try await compute(folder, members: members, orders: header + february, carry: carry, plan: plan).first?.totalMinor == 100)
        // An order that the carry knows already is no new one.
        let again = await failure { try await compute(folder, members: members, orders: header + february.replacing("o2", with: "o1"), carry: carry, plan: plan) }
        #expect(again?.line == 2 && again?.column == "id" && again?.message.contains("carry") == true)
    }

    @Test("What is no UTF-8, and a row that is too long, are named by their line", arguments: [false, true])
    func bytes(quoted: Bool) async throws {
        let folder = try Folder()
        let members = try folder.write("members.csv", Self.members)
        let plan = try folder.write("plan.yaml", Self.plan)
        for (cell, says) in [(Data([0x6f, 0xff]), "UTF-8"), (Data(repeating: 0x78, count: CSVReader.lineBytesLimit + 1), "longer")] {
            let mark = Data(quoted ? "\"".utf8 : "".utf8)
            let orders = folder.path + "/orders.csv"
            try (Data(Self.orders.utf8) + mark + cell + mark + Data(",k,2026-01-05,1000,EUR,\n".utf8)).write(to: URL(fileURLWithPath: orders))
            let found = await failure {
                try await PlanComputation(planPath: plan, files: FactFiles(members: members, orders: orders), periods: .one(start: nil), outputPath: folder.path + "/out").run()
            }
            #expect(found?.line == 3 && found?.message.contains(says) == true, "\(found?.description ?? "taken")")
        }
    }

    @Test("Decisions that contradict each other or are about nobody are named by their line; those about who joins later wait")
    func decisions() async throws {
        let folder = try Folder()
        func refusal(_ rows: String) async -> FileFailure? {
            await failure { try await compute(folder, overrides: "member_id,kind,value,author,reason,period_start\n" + rows) }
        }
        for (second, line) in [("a,forcedRank,none,eve,no,\n", 3), ("a,forcedRank,gold,eve,twice,2026-01-01\n", 3)] {
            let found = await refusal("a,forcedRank,gold,eve,yes,\n" + second)
            #expect(found?.line == line && found?.column == "kind", "\(second)")
        }
        #expect(await refusal("a,forcedRank,gold,eve,yes,2026-01-01\na,forcedRank,none,eve,later,2026-02-01\n") == nil)
        #expect(await refusal("z,activityWaiver,,eve,because,\n")?.line == 2)
        let later = Self.members + "c,promoter,a,2026-02-10,\n"
        let both = Self.orders + "o2,k,2026-02-20,1000,EUR,\n"
        let summaries = try await compute(
            folder, members: later, orders: both, overrides: "member_id,kind,value,author,reason\nc,adjustment,s:7,eve,because\n", periods: .all)
        #expect(summaries.map { $0.bonuses[0].amountMinor } == [100, 107])
    }

    @Test("More adjustments than 64 bits hold are refused, not wrapped")
    func manyAdjustments() async throws {
        let folder = try Folder()
        let rows = (0..<9_300).map { "a,adjustment,s:1000000000000000,eve,r\($0)\n" }.joined()
        await #expect(throws: PlanCommandFailure.self) { try await compute(folder, overrides: "member_id,kind,value,author,reason\n" + rows) }
        #expect(!folder.names.contains("out"))
    }

    @Test("Two moves of a member at one instant are named, whichever stands first")
    func moves() async throws {
        let folder = try Folder()
        let rows = ["k,placement,a,1,2026-01-02\n", "k,placement,b,1,2026-01-02\n"]
        for rows in [rows, rows.reversed()] {
            let found = await failure { try await compute(folder, moves: "member_id,tree,parent_id,slot,effective_at\n" + rows.joined()) }
            #expect(found?.line == 3 && found?.message.contains("same instant") == true)
        }
    }
}
