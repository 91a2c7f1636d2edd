import Chronology
import Compensation
import Foundation
import PlanFiles
import Testing

@Suite struct FactFileTests {
    static let members = """
        id,kind,enroller_id,placement_parent_id,placement_slot,joined_at,status
        a,promoter,,,,2025-11-03T09:00:00Z,active
        b,promoter,a,a,1,2025-11-03T09:00:00Z,active
        k,customer,b,,,2025-11-03T09:00:00Z,active

        """
    static let orders = """
        id,buyer_id,occurred_at,amount,currency,commission_volume,qualifying_volume,sku,refund_of
        o1,k,2026-01-05T10:00:00Z,10000,EUR,,,,
        o2,k,2026-01-06T10:00:00Z,500,EUR,400,300,x,

        """
    static let plan = "plan: p\nunit: EUR\nbonuses: [{bonus: s, type: unilevel, rates: [10%, 5%]}]\n"

    struct Bad: CustomTestStringConvertible, Sendable {
        let file: String
        let find: String
        let replace: String
        let line: Int
        let column: String
        let says: String
        var testDescription: String { "\(file) \(replace.prefix(60))" }
    }

    @Test(
        "A bad row is named by file, line and column, and nothing is written",
        arguments: [
            Bad(file: "orders", find: "10000", replace: "100.00", line: 2, column: "amount", says: "whole number"),
            Bad(file: "orders", find: "10000", replace: "", line: 2, column: "amount", says: "whole number"),
            Bad(file: "orders", find: "10000", replace: "1e4", line: 2, column: "amount", says: "whole number"),
            Bad(file: "orders", find: "10000", replace: "99999999999999999999", line: 2, column: "amount", says: "whole number"),
            Bad(file: "orders", find: "10000", replace: "1000000000000001", line: 2, column: "amount", says: "volume"),
            Bad(file: "orders", find: "400,300", replace: "400,x", line: 3, column: "qualifying_volume", says: "whole number"),
            Bad(file: "orders", find: "2026-01-06T10:00:00Z", replace: "2026-01-36T10:00:00Z", line: 3, column: "occurred_at", says: "time"),
            Bad(file: "orders", find: "2026-01-06T10:00:00Z", replace: "6 January", line: 3, column: "occurred_at", says: "time"),
            Bad(file: "orders", find: "2026-01-06T10:00:00Z", replace: "2026-02-06T10:00:00Z", line: 3, column: "occurred_at", says: "all periods"),
            Bad(file: "orders", find: "o2,k", replace: "o2,nobody", line: 3, column: "buyer_id", says: "no such member"),
            Bad(file: "orders", find: "o2,k", replace: "o1,k", line: 3, column: "id", says: "twice"),
            Bad(file: "orders", find: "o2,k", replace: ",k", line: 3, column: "id", says: "empty"),
            Bad(file: "orders", find: "500,EUR", replace: "500,USD", line: 3, column: "currency", says: "USD"),
            Bad(file: "orders", find: "500,EUR", replace: "500", line: 3, column: "", says: "8 cells"),
            Bad(file: "orders", find: "x,\n", replace: "x,o1\n", line: 3, column: "amount", says: "below"),
            Bad(file: "orders", find: "500,EUR,400,300,x,\n", replace: "-20000,EUR,,,,o1\n", line: 3, column: "amount", says: "more is refunded"),
            Bad(file: "orders", find: "500,EUR,400,300,x,\n", replace: "500,EUR,400,300,\"x,\n", line: 3, column: "", says: "quote"),
            Bad(file: "orders", find: "500,EUR,400,300,x,\n", replace: "500,EUR,400,300,\"x\"y,\n", line: 3, column: "", says: "quoted"),
            Bad(file: "orders", find: "currency,", replace: "curency,", line: 1, column: "currency", says: "missing"),
            Bad(file: "orders", find: "commission_volume", replace: "comission_volume", line: 1, column: "comission_volume", says: "no such column"),
            Bad(file: "orders", find: "sku,", replace: "id,", line: 1, column: "id", says: "twice"),
            Bad(file: "members", find: "k,customer", replace: "k,costumer", line: 4, column: "kind", says: "customer or promoter"),
            Bad(file: "members", find: "b,promoter,a,a,1", replace: "b,promoter,z,a,1", line: 3, column: "enroller_id", says: "no such member"),
            Bad(file: "members", find: "a,promoter,,", replace: "a,promoter,b,", line: 2, column: "enroller_id", says: "leads back"),
            Bad(file: "members", find: "b,promoter,a,a,1", replace: "b,promoter,a,a,left", line: 3, column: "placement_slot", says: "whole number"),
            Bad(file: "members", find: "b,promoter,a,a,1", replace: "b,promoter,a,,1", line: 3, column: "placement_slot", says: "parent"),
            Bad(file: "members", find: "b,promoter,a,a,1", replace: "a,promoter,,a,1", line: 3, column: "id", says: "twice"),
            Bad(file: "members", find: "k,customer,b,,,2025-11-03T09:00:00Z,active", replace: "k,customer,b,,,2025-11-03T09:00:00Z,asleep", line: 4, column: "status", says: "inactive"),
            Bad(file: "members", find: "k,customer,b,,,2025-11-03T09:00:00Z", replace: "k,customer,b,,,", line: 4, column: "joined_at", says: "time"),
        ])
    func badRows(bad: Bad) async throws {
        let folder = try Folder()
        func text(_ file: String, _ text: String) -> String {
            guard file == bad.file else { return text }
            let changed = text.replacing(bad.find, with: bad.replace, maxReplacements: 1)
            return changed
        }
        let files = FactFiles(members: try folder.write("members.csv", text("members", Self.members)), orders: try folder.write("orders.csv", text("orders", Self.orders)))
        let plan = try folder.write("plan.yaml", Self.plan)
        let before = folder.names
        let failure = await #expect(throws: PlanCommandFailure.self) {
            try await PlanComputation(planPath: plan, files: files, periods: .one(start: LocalDay(year: 2026, month: 1, day: 1)), outputPath: folder.path + "/out").run()
        }
        guard case .file(let problem)? = failure else {
            Issue.record("\(failure?.sentence ?? "taken")")
            return
        }
        #expect(problem.line == bad.line && problem.column == bad.column && problem.message.contains(bad.says), "\(problem)")
        #expect(problem.path.hasSuffix("\(bad.file).csv"))
        #expect(folder.names == before)
    }

    @Test("Quotes, line ends inside of quotes, a byte order mark and \\r\\n are read as they are meant")
    func shapesOfCSV() async throws {
        let folder = try Folder()
        let odd = "k,\"1\"\"\n2"
        let quoted = "\"" + odd.replacing("\"", with: "\"\"") + "\""
        let files = FactFiles(
            members: try folder.write("members.csv", "\u{feff}" + Self.members.replacing("k,customer", with: quoted + ",customer").replacing("\n", with: "\r\n")),
            orders: try folder.write("orders.csv", Self.orders.replacing("o1,k", with: "o1," + quoted).replacing("o2,k", with: "\"o,2\"," + quoted)))
        // \r\n inside of the quotes belongs to the text, so that the members' file has another id than the orders'.
        let plan = try folder.write("plan.yaml", Self.plan)
        let lines = try folder.write("members-2.csv", "\u{feff}" + Self.members.replacing("k,customer", with: quoted + ",customer"))
        await #expect(throws: PlanCommandFailure.self) {
            try await PlanComputation(planPath: plan, files: files, periods: .one(start: nil), outputPath: folder.path + "/out").run()
        }
        let summaries = try await PlanComputation(
            planPath: plan, files: FactFiles(members: lines, orders: files.orders), periods: .one(start: nil), outputPath: folder.path + "/out").run()
        #expect(summaries.first?.totalMinor == 1_560)
        #expect(try Gallery.text(folder.path + "/out/lines.csv").contains("b,s,\"o,2\",1,400,0.1,40,EUR,earned"))
    }

    @Test("Cells longer than a chunk of the reader and many rows are read whole")
    func longFiles() async throws {
        let folder = try Folder()
        var orders = "id,buyer_id,occurred_at,amount,currency,sku\n"
        for number in 0..<60_000 { orders += "order-\(number),k,2026-01-05T10:00:00Z,100,EUR,\(number % 7 == 0 ? "\"a,\(String(repeating: "x", count: 300))\"" : "plain")\n" }
        let files = FactFiles(members: try folder.write("members.csv", Self.members), orders: try folder.write("orders.csv", orders))
        let plan = try folder.write("plan.yaml", Self.plan)
        let summaries = try await PlanComputation(planPath: plan, files: files, periods: .one(start: nil), writesLines: false, outputPath: folder.path + "/out").run()
        #expect(summaries.first?.totalMinor == 60_000 * 15 && summaries.first?.orderCount == 60_000)
        let endless = try folder.write("endless.csv", "id,buyer_id,occurred_at,amount,currency\n\"" + String(repeating: "x", count: 3 << 20))
        await #expect(throws: PlanCommandFailure.self) {
            try await PlanComputation(planPath: plan, files: FactFiles(members: files.members, orders: endless), periods: .one(start: nil), outputPath: folder.path + "/no").run()
        }
    }

    @Test("Overrides change what they say, with author and reason, and only in their period")
    func overrides() async throws {
        let folder = try Folder()
        let plan = try folder.write("plan.yaml", "plan: p\nunit: EUR\nranks: [{rank: gold, condition: never}]\nbonuses: [{bonus: s, type: unilevel, rates: [{fromRank: gold, levels: [10%]}]}]\n")
        let members = try folder.write("members.csv", Self.members)
        let orders = try folder.write("orders.csv", Self.orders)
        func total(_ overrides: String) async throws -> Int128? {
            let file = try folder.write("overrides.csv", "member_id,kind,value,author,reason,period_start\n" + overrides)
            return try await PlanComputation(
                planPath: plan, files: FactFiles(members: members, orders: orders, overrides: file), periods: .one(start: nil), outputPath: folder.path + "/out"
            ).run().first?.totalMinor
        }
        #expect(try await total("") == 0)
        #expect(try await total("b,forcedRank,gold,eve,because,\n") == 1_040)
        #expect(try await total("b,forcedRank,gold,eve,because,2026-02-01\n") == 0)
        #expect(try await total("b,forcedRank,gold,eve,because,2026-01-01\na,adjustment,s:-50,eve,overpaid,\n") == 990)
        for bad in ["b,forcedRank,silver,eve,because,\n", "b,forcedRank,gold,,because,\n", "b,forcedRank,gold,eve,,\n", "b,adjustment,s,eve,x,\n", "b,adjustment,t:5,eve,x,\n", "b,promote,gold,eve,x,\n", "z,activityWaiver,,eve,x,\n"] {
            await #expect(throws: PlanCommandFailure.self, "\(bad)") { try await total(bad) }
        }
    }

    @Test("A refund of an order that nobody knows says what to give")
    func unknownRefund() async throws {
        let folder = try Folder()
        let plan = try folder.write("plan.yaml", Self.plan)
        let orders = Self.orders + "o3,k,2026-01-09T10:00:00Z,-100,EUR,,,,older\n"
        let files = FactFiles(members: try folder.write("members.csv", Self.members), orders: try folder.write("orders.csv", orders))
        let failure = await #expect(throws: PlanCommandFailure.self) {
            try await PlanComputation(planPath: plan, files: files, periods: .one(start: nil), outputPath: folder.path + "/out").run()
        }
        #expect(failure?.sentence.contains("--carry") == true && failure?.sentence.contains("older") == true)
    }

    @Test("Who joins later is not there yet")
    func laterMembers() async throws {
        let folder = try Folder()
        let plan = try folder.write("plan.yaml", "plan: p\nunit: EUR\nbonuses: [{bonus: m, type: milestone, amountMinor: 7, condition: {metric: enrolledActive, atLeast: 2}}]\n")
        let members = Self.members + "c,promoter,a,,,2026-02-10T09:00:00Z,active\nd,promoter,c,,,2026-02-11T09:00:00Z,active\n"
        let orders = Self.orders + "o3,k,2026-02-09T10:00:00Z,100,EUR,,,,\n"
        let files = FactFiles(members: try folder.write("members.csv", members), orders: try folder.write("orders.csv", orders))
        let summaries = try await PlanComputation(planPath: plan, files: files, periods: .all, outputPath: folder.path + "/out").run()
        #expect(summaries.map(\.totalMinor) == [0, 7])
        #expect(summaries.map(\.memberCount) == [3, 5])
    }
}
