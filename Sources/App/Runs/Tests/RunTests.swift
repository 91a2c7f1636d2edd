import Chronology
import HTTPTypes
import Persistence
import Synchronization
import TestSupport
import Testing
import Web

@testable import App

/// A run from its draft to the payout, and every way back.
struct RunTests {
    @Test(arguments: Engine.allCases)
    func aRunIsPreviewedAcceptedByAnotherFundedAndPaid(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let line = try await Upline.make(in: app)
            try await line.sell("inv-1", "cus-1", 10_000, in: app)
            try await line.sell("inv-2", "cus-1", 5_000, in: app)
            try await app.moveClock(days: 40)
            let run = try await line.preview(in: app)
            let id = run["id"].text
            #expect(run["state"].text == "previewed")
            #expect(run["total"].integer == 2_700, "10 % + 5 % + 3 % of 150.00")
            #expect(run["periodStart"].text == "2026-01-01" && run["periodEnd"].text == "2026-02-01")
            #expect(run["summary"]?["payees"].integer == 3)

            let lines = try await app.get("/runs/\(id)/lines")["data"].list
            #expect(lines.map { $0["amount"].integer ?? 0 }.sorted() == [150, 250, 300, 500, 500, 1_000])
            let seller = try await app.get("/runs/\(id)/lines?memberId=\(line.carla)")["data"].list
            #expect(seller.map { $0["level"].integer } == [1, 1])

            #expect(try await app.api(.post, "/runs/\(id)/acceptance").code == "same_person")
            #expect(try await app.api(.post, "/runs/\(id)/funding", nil, as: line.secondKey).code == "wrong_state")
            let accepted = try await app.api(.post, "/runs/\(id)/acceptance", nil, as: line.secondKey).success("acceptance")
            #expect(accepted["state"].text == "accepted")
            #expect(try await app.balance(line.carla) == [1_500, 0, 0, 0, 0, 0])
            #expect(try await app.balance(line.anna) == [450, 0, 0, 0, 0, 0])
            #expect(try await app.api(.post, "/runs/\(id)/preview").code == "wrong_state", "an accepted run never changes")

            let funded = try await app.api(.post, "/runs/\(id)/funding", nil, as: line.secondKey).success("funding")
            #expect(funded["state"].text == "funded")
            #expect(try await app.balance(line.carla) == [0, 0, 1_500, 0, 0, 0])
            #expect(try await app.api(.post, "/runs/\(id)/reopening", nil, as: line.secondKey).code == "wrong_state")

            try await app.put("/members/\(line.carla)/payout-account", ["kind": "iban", "iban": "DE89370400440532013000"])
            try await app.moveClock(days: 8)
            // A request takes what the run gave, gives it back, and another is paid by the batch once.
            let asked = try await app.post("/members/\(line.carla)/payout-requests", .object([]))
            #expect(asked["amount"].integer == 1_500)
            #expect(try await app.balance(line.carla) == [0, 0, 0, 1_500, 0, 0])
            #expect(try await app.api(.post, "/members/\(line.carla)/payout-requests", .object([])).code == "request_waiting")
            try await app.api(.post, "/payout-requests/\(asked["id"].text)/cancellation").success("cancellation")
            #expect(try await app.balance(line.carla) == [0, 0, 1_500, 0, 0, 0])
            let twenty = try await withThrowingTaskGroup(of: Reply.self) { group in
                for _ in 0..<20 { group.addTask { try await app.api(.post, "/members/\(line.carla)/payout-requests", .object([])) } }
                return try await group.reduce(into: [Reply]()) { $0.append($1) }
            }
            #expect(twenty.filter { $0.status == 201 }.count == 1)
            #expect(try await app.balance(line.carla) == [0, 0, 0, 1_500, 0, 0])
            try await app.proveAll()
            let cutoff = try await app.get("/workspace")["now"].text
            let payout = try await app.post("/payouts", ["programId": .text(line.program), "cutoff": .text(cutoff)])
            #expect(payout["total"].integer == 1_500)
            #expect(try await app.balance(line.carla) == [0, 0, 0, 1_500, 0, 0])
            #expect(try await app.api(.post, "/payouts", ["programId": .text(line.program), "cutoff": .text(cutoff)]).code == "nothing_due", "paid once")
            // Its payment fails: what the run gave is due again.
            let batch = payout["id"].text
            try await app.api(.post, "/payouts/\(batch)/approval", nil, as: line.secondKey).success("approval")
            try await app.api(.post, "/payouts/\(batch)/dispatch").success("dispatch")
            try await app.post("/payouts/\(batch)/outcomes", ["memberId": .text(line.carla), "outcome": "failed", "reference": "bank-1"])
            #expect(try await app.balance(line.carla) == [0, 0, 1_500, 0, 0, 0])
            #expect(try await app.post("/payouts", ["programId": .text(line.program), "cutoff": .text(cutoff)])["total"].integer == 1_500)
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases)
    func aLineIsExplainedDownToTheOrderAndSoIsNothing(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let line = try await Upline.make(in: app)
            let outsider = try await app.member(line.program, "outsider")
            let sale = try await line.sell("inv-1", "cus-1", 10_000, in: app)
            try await app.moveClock(days: 40)
            let id = try await line.preview(in: app)["id"].text
            let berta = try await app.get("/runs/\(id)/lines?memberId=\(line.berta)")["data"].list
            let receipt = try await app.get("/runs/\(id)/lines/\(berta[0]["number"].integer ?? -1)/receipt")
            #expect(receipt["bonus"].text == "level")
            #expect(receipt["order"]?["saleId"].text == sale)
            #expect(receipt["arithmetic"]?["base"].integer == 10_000)
            #expect(receipt["arithmetic"]?["rate"].text == "0.05")
            #expect(receipt["amount"].integer == 500)
            let path = receipt["path"].list
            #expect(path.dropFirst().map { $0["memberId"].text } == [line.carla, line.berta, line.anna])
            #expect(path.map { $0["level"].integer } == [0, 1, 2, 3])
            #expect(path.map { $0["amount"].integer } == [nil, 1_000, 500, 300])
            #expect(path.first?["isPromoter"] == .boolean(false))

            let nothing = try await app.get("/runs/\(id)/explanation?memberId=\(outsider)&saleId=\(sale)")["bonuses"].list
            #expect(nothing.map { $0["nothing"].text } == ["notInTheUpline"])
            let something = try await app.get("/runs/\(id)/explanation?memberId=\(line.anna)&saleId=\(sale)")["bonuses"].list
            #expect(something.map { $0["amount"].integer } == [300])
            #expect(try await app.api(.get, "/runs/\(id)/lines/99/receipt").status == 404)
        }
    }

    @Test(arguments: Engine.allCases)
    func reopeningTakesEverythingBackAndThePeriodIsOpenAgain(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let line = try await Upline.make(in: app)
            try await line.sell("inv-1", "cus-1", 10_000, in: app)
            try await app.moveClock(days: 40)
            let first = try await line.accept(in: app)
            #expect(try await app.api(.post, "/runs", line.newRun()).code == "run_exists")
            let reopened = try await app.api(.post, "/runs/\(first)/reopening", nil, as: line.secondKey).success("reopening")
            #expect(reopened["state"].text == "superseded")
            #expect(try await app.balance(line.carla) == [0, 0, 0, 0, 0, 0])
            let again = try await line.accept(in: app)
            #expect(again != first)
            #expect(try await app.balance(line.carla) == [1_000, 0, 0, 0, 0, 0])
            let hashes = try await [first, again].asyncMap { try await app.get("/runs/\($0)")["hash"].text }
            #expect(hashes[0] == hashes[1], "the same facts give the same bytes")
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases)
    func aRefundInTheNextPeriodTakesBackWhatWasPaidOnTheOrder(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let line = try await Upline.make(in: app)
            try await line.sell("inv-1", "cus-1", 10_000, in: app)
            try await line.sell("inv-2", "cus-2", 2_000, in: app)
            try await app.moveClock(days: 40)
            let first = try await line.accept(in: app)
            try await app.api(.post, "/runs/\(first)/funding", nil, as: line.secondKey).success("funding")
            #expect(try await app.balance(line.carla) == [0, 0, 1_200, 0, 0, 0])
            try await app.refund("inv-1", "back-1", 4_000)
            try await app.moveClock(days: 30)
            #expect(try await app.api(.post, "/runs", ["planId": .text(line.plan), "periodStart": "2026-02-15"]).status == 422)
            let second = try await line.accept("2026-02-01", in: app)
            let lines = try await app.get("/runs/\(second)/lines?memberId=\(line.carla)")["data"].list
            #expect(lines.map { $0["reason"].text } == ["refund"])
            #expect(lines.map { $0["amount"].integer } == [-400])
            #expect(try await app.balance(line.carla) == [0, 0, 1_200, 0, 0, 400], "below nothing is a debt")
            #expect(try await app.api(.post, "/runs/\(first)/reopening", nil, as: line.secondKey).status == 409)
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases)
    func acceptanceThatStoppedInTheMiddleGoesOnAndPostsEachChunkOnce(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let line = try await Upline.make(in: app)
            for number in 0..<3 { try await line.sell("inv-\(number)", "cus-\(number)", 10_000, in: app) }
            try await app.moveClock(days: 40)
            let id = RunID(stored: try await line.preview(in: app)["id"].text)
            let twin = app.twinID
            let second = line.second
            // The process dies after the decision and before the first chunk.
            _ = try await app.installation.write(twin, actor: .operator_(second)) { write in
                try Run.beginAcceptance(RunDecision(runID: id, overrideReason: nil), in: write)
            }
            #expect(try await app.get("/runs/\(id.text)")["state"].text == "accepting")
            #expect(try await app.balance(line.carla) == [0, 0, 0, 0, 0, 0])
            try await app.installation.resumeRuns()
            await app.installation.runs.wait(for: id, atMostMs: 20_000)
            #expect(try await app.get("/runs/\(id.text)")["state"].text == "accepted")
            #expect(try await app.balance(line.carla) == [3_000, 0, 0, 0, 0, 0])
            // A late look at work that is done does nothing.
            try await app.installation.resumeRuns()
            let chunks = try await app.installation.main.read { connection in
                try connection.value("SELECT count(*) FROM journal_transaction WHERE cause = \(id)", as: Int64.self)
            }
            #expect(chunks == 1)
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases)
    func overridesHaveAnAuthorAndAReasonAndStandOnReceipts(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let line = try await Upline.make(in: app)
            try await line.sell("inv-1", "cus-1", 10_000, in: app)
            try await app.moveClock(days: 40)
            let id = try await line.preview(in: app)["id"].text
            let wrong = try await app.api(
                .post, "/runs/\(id)/overrides", ["memberId": .text(line.anna), "kind": "adjustment", "bonus": "nope", "value": 5, "reason": "x"])
            #expect(wrong.status == 422 && wrong.fields == ["bonus"])
            let rank: JSONValue = ["memberId": .text(line.anna), "kind": "forcedRank", "value": 0, "reason": "demoted"]
            let forced = try await app.post("/runs/\(id)/overrides", rank)
            #expect(try await app.api(.post, "/runs/\(id)/overrides", rank).fields == ["kind"], "one rank by hand for each member")
            try await app.api(.delete, "/runs/\(id)/overrides/\(forced["id"].text)").success("removal")
            let override = try await app.post(
                "/runs/\(id)/overrides",
                ["memberId": .text(line.anna), "kind": "adjustment", "bonus": "level", "value": 77, "reason": "promised at the event"])
            #expect(try await app.get("/runs/\(id)")["state"].text == "draft", "what was previewed is out of date")
            #expect(try await app.api(.post, "/runs/\(id)/acceptance", nil, as: line.secondKey).code == "wrong_state")
            let again = try await app.post("/runs/\(id)/preview", .object([]))
            #expect(again["total"].integer == 1_877)
            let lines = try await app.get("/runs/\(id)/lines?memberId=\(line.anna)")["data"].list
            let adjusted = try #require(lines.first { $0["reason"].text == "adjustment" })
            let receipt = try await app.get("/runs/\(id)/lines/\(adjusted["number"].integer ?? -1)/receipt")
            #expect(receipt["overrides"].list.map { $0["reason"].text } == ["promised at the event"])
            try await app.api(.delete, "/runs/\(id)/overrides/\(override["id"].text)").success("removal")
            #expect(try await app.post("/runs/\(id)/preview", .object([]))["total"].integer == 1_800)
        }
    }

    @Test(arguments: Engine.allCases)
    func theAuditBlocksAcceptanceUnlessSomebodySaysWhy(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let line = try await Upline.make(in: app)
            // Anna's team buys for itself: all revenue is from participants.
            try await app.sale("inv-1", "carlas-own", 90_000, ["programId": .text(line.program), "customerEmail": "carla@members.test"])
            try await app.moveClock(days: 40)
            let run = try await line.preview(in: app)
            let id = run["id"].text
            #expect((run["audit"]?["blocking"].integer ?? 0) > 0)
            let refused = try await app.api(.post, "/runs/\(id)/acceptance", nil, as: line.secondKey)
            #expect(refused.code == "audit_blocks")
            let audit = try await app.get("/runs/\(id)/audit")
            #expect(audit["checks"].list.contains { $0["check"].text == "endUserShare" && $0["failures"].integer == 1 })
            let accepted = try await app.api(
                .post, "/runs/\(id)/acceptance", ["overrideReason": "Launch month, checked by counsel."], as: line.secondKey
            ).success("acceptance")
            #expect(accepted["overrideReason"].text == "Launch month, checked by counsel.")
        }
    }

    @Test func bothEnginesGiveTheSameBytes() async throws {
        let hashes = Mutex<[String]>([])
        for engine in Engine.allCases {
            try await AppHarness.with(engine, seed: 7) { app in
                let line = try await Upline.make(in: app)
                for number in 0..<5 { try await line.sell("inv-\(number)", "cus-\(number % 2)", Int64(1_000 + number * 333), in: app) }
                try await app.moveClock(days: 40)
                let run = try await line.preview(in: app)
                hashes.withLock { $0.append(run["hash"].text + run["factsHash"].text) }
                let id = RunID(stored: run["id"].text)
                let archived = try await app.installation.archive.result(of: id, in: app.twinID, app.installation)
                #expect(try archived.isSame, "computed again from what is stored")
            }
        }
        let all = hashes.withLock { $0 }
        #expect(all.count == Engine.allCases.count && Set(all).count == 1)
    }
}

/// Three promoters in a line, a plan of three levels, and a second person who accepts.
struct Upline: Sendable {
    var program: String
    var plan: String
    var anna: String
    var berta: String
    var carla: String
    var secondKey: String
    var second: OperatorID

    static let document = """
        plan: three-levels
        unit: EUR
        bonuses:
          - bonus: level
            type: unilevel
            rates: [10%, 5%, 3%]
        """

    static func make(in app: AppHarness, document: String = Upline.document, _ settings: JSONValue = .object([])) async throws -> Upline {
        let program = try await app.program(settings)
        let anna = try await app.member(program, "anna")
        let berta = try await app.member(program, "berta", enroller: anna)
        let carla = try await app.member(program, "carla", enroller: berta)
        try await app.link(program, carla, code: "carla")
        let plan = try await app.post("/plans", ["programId": .text(program), "name": "Three levels", "document": .text(document)])
        let key = try await app.secondPersonsKey()
        let second = try await app.installation.main.read { connection in
            try connection.value("SELECT t.operator_id FROM team_member t WHERE t.role = 'finance'", as: OperatorID.self)
        }
        return Upline(
            program: program, plan: plan["id"].text, anna: anna, berta: berta, carla: carla, secondKey: key,
            second: try #require(second))
    }

    func newRun(_ start: String = "2026-01-01") -> JSONValue { ["planId": .text(plan), "periodStart": .text(start)] }

    @discardableResult
    func sell(_ invoice: String, _ customer: String, _ amount: Int64, in app: AppHarness) async throws -> String {
        try await app.sale(invoice, customer, amount, ["code": "carla"])["saleId"].text
    }

    func preview(_ start: String = "2026-01-01", in app: AppHarness) async throws -> JSONValue {
        let id = try await app.post("/runs", newRun(start))["id"].text
        let run = try await app.post("/runs/\(id)/preview", .object([]))
        #expect(run["progress"]?["failure"] == .null)
        return run
    }

    func accept(_ start: String = "2026-01-01", in app: AppHarness) async throws -> String {
        let id = try await preview(start, in: app)["id"].text
        try await app.api(.post, "/runs/\(id)/acceptance", nil, as: secondKey).success("acceptance")
        return id
    }
}

extension Array {
    func asyncMap<T>(_ transform: (Element) async throws -> T) async rethrows -> [T] {
        var result: [T] = []
        for element in self { result.append(try await transform(element)) }
        return result
    }
}
