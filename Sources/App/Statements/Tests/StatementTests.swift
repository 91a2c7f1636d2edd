import Chronology
import HTTPTypes
import Ledger
import Money
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// A statement begins where the one before ended and ends where the ledger stands, to the cent.
struct StatementTests {
    @Test(arguments: Engine.allCases, [UInt64(3), 17])
    func statementsOfAnyPeriodsAgreeWithTheLedger(_ engine: Engine, _ seed: UInt64) async throws {
        try await AppHarness.with(engine) { app in
            var random = SeededGenerator(state: seed)
            let story = try await Story.tell(in: app, using: &random)
            let workspace = app.twinID
            for member in story.members {
                // Cuts anywhere, on transactions' own instants too.
                var cuts = [story.start, story.end]
                for _ in 0..<6 { cuts.append(story.instants.randomElement(using: &random) ?? story.start) }
                cuts = Array(Set(cuts)).sorted()
                var closing: [UnitCode: Int64] = [:]
                var lines = 0
                for (from, until) in zip(cuts, cuts.dropFirst()) {
                    let statement = try await app.installation.main.read { connection in
                        try Statement.make(of: member, from: from, until: until, in: workspace, on: connection)
                    }
                    for part in statement.parts {
                        #expect(part.openingMinor == closing[part.unit] ?? 0, "seed \(seed)")
                        #expect(part.openingMinor + part.lines.reduce(0) { $0 + $1.amountMinor } == part.closingMinor, "seed \(seed)")
                        #expect(try part.closing.owedMinor() == part.closingMinor)
                        #expect(part.lines.allSatisfy { $0.recordedAt >= from && $0.recordedAt < until && $0.amountMinor != 0 })
                        closing[part.unit] = part.closingMinor
                        lines += part.lines.count
                    }
                }
                let ledger = try await app.installation.main.read { connection in
                    try Journal.balances(workspace: workspace.text, member: member.text, on: connection)
                }
                #expect(lines > 0)
                for balance in ledger { #expect(try balance.owedMinor() == closing[balance.unit] ?? 0, "seed \(seed)") }
            }
        }
    }

    @Test(arguments: Engine.allCases)
    func thePageAndThePDFSayTheSame(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let shop = try await Payees.make(in: app)
            let person = try await TeamPerson.make("fin", .owner, in: app).enter(app)
            let company = ["name": "Morgenröte GmbH", "address": "Hafenstraße 4\n20457 Hamburg", "number": "DE 811", "contact": "pay@x.test"]
            #expect(try await person.submit("/settings/company", from: "/settings/company", company).status == 303)
            let path = "/members/\(shop.members[0])/statement"
            let page = try await person.get(path + "?from=2026-01-01&until=2026-12-31").text
            #expect(page.contains("Morgenröte GmbH") && page.contains("20457 Hamburg") && page.contains("3.00") && page.contains("/receipt"))
            let pdf = try await person.get("/members/\(shop.members[0])/statement.pdf?from=2026-01-01&until=2026-12-31")
            #expect(pdf.status == 200)
            #expect(String(decoding: pdf.body.prefix(5), as: UTF8.self) == "%PDF-")
            #expect(pdf.body.count > 2_000)
            let api = try await app.get("/members/\(shop.members[0])/statement?from=2026-01-01T00:00:00Z&until=2027-01-01T00:00:00Z")
            #expect(api["units"].list.first["closing"].integer == 300)
            let wrong = ["from=2026-12-31&until=2026-01-01", "from=0001-01-01&until=9999-12-31", "from=2026-02-30", "until=x", "from=1990-01-01"]
            for days in wrong {
                let shown = try await person.get("\(path)?\(days)")
                #expect(shown.status == 200 && shown.text.contains("of ten years at most"), "\(days)")
                #expect(try await person.get("/members/\(shop.members[0])/statement.pdf?\(days)").status == 303, "\(days)")
            }
            #expect(try await person.get("/members/mem_00000000000000000000000000/statement").status == 404)
        }
    }

    /// A statement of several pages, with names that no font has.
    @Test func longStatementsGoOnOverPages() throws {
        let site = try AppHarness.site.get()
        let language = PageLanguage(messages: site.catalogue.messages(for: "en"), zone: .utc)
        let lines = (0..<200).map { number in
            StatementSheet.Line(
                at: AppHarness.start, day: "1 Jan 2026", what: "Earned: Order \(number) " + String(repeating: "long ", count: 30), url: nil, amount: "1.00")
        }
        let sheet = StatementSheet(
            memberID: MemberID(stored: "mem_x"), company: Company(name: "山田 & 👩‍🌾 <GmbH>", address: "\u{0}"), recipient: "محمد", recipientDetails: "",
            period: "2026", parts: [StatementSheet.Part(unit: "EUR", opening: "0.00", lines: lines, closing: "200.00", made: [])], language: language)
        let text = String(decoding: try StatementPDF.make(sheet), as: UTF8.self)
        #expect(text.hasPrefix("%PDF-"))
        #expect(text.matches(of: #/\/Type \/Page\b(?!s)/#).count >= 4)
    }
}

/// A random but repeatable history of two members: sales, returns, payouts that arrive or come back, pay by hand, voids.
private struct Story: Sendable {
    var members: [MemberID]
    var start: Instant
    var end: Instant
    /// When something was written.
    var instants: [Instant]

    static func tell(in app: AppHarness, using random: inout SeededGenerator) async throws -> Story {
        let program = try await app.program(["holdDays": 2])
        _ = try await app.percentRule(program, "0.10")
        let second = try await app.secondPersonsKey()
        var members: [String] = []
        for number in 0..<2 {
            let member = try await app.member(program, "teller\(number)")
            try await app.link(program, member, code: "T\(number)")
            try await app.put("/members/\(member)/payout-account", ["kind": "iban", "iban": "DE89370400440532013000"])
            members.append(member)
        }
        for step in 0..<14 {
            let who = Int.random(in: 0..<2, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1, 2:
                try await app.sale("t-\(step)", "tb-\(step)", Int64.random(in: 1...99_999, using: &random), ["code": .text("T\(who)")])
            case 3:
                let back = Int.random(in: 0...step, using: &random)
                _ = try await app.api(.post, "/track/refund", ["invoiceId": .text("t-\(back)"), "refundId": .text("r-\(step)")])
            case 4:
                _ = try await app.api(
                    .post, "/commissions",
                    ["programId": .text(program), "memberId": .text(members[who]), "amount": .integer(Int64.random(in: 1...500, using: &random)), "reason": "x"])
            default: try await pay(program, members, second, step, app)
            }
            try await app.moveClock(days: Int64.random(in: 0...3, using: &random))
        }
        try await app.moveClock(days: 3)
        let start = AppHarness.start
        let end = try (try await app.get("/workspace")["now"].instant()).adding(milliseconds: 1)
        let instants = try await app.installation.main.read { connection in
            try connection.rows("SELECT recorded_at FROM journal_transaction ORDER BY recorded_at").map { try $0.get(at: 0, as: Instant.self) }
        }
        return Story(members: members.map { MemberID(stored: $0) }, start: start, end: end, instants: instants)
    }

    private static func pay(_ program: String, _ members: [String], _ second: String, _ step: Int, _ app: AppHarness) async throws {
        let now = try await app.get("/workspace")["now"].text
        let made = try await app.api(.post, "/payouts", ["programId": .text(program), "cutoff": .text(now)])
        guard made.status == 201 else { return }
        let id = made.json["id"].text
        try await app.api(.post, "/payouts/\(id)/approval", nil, as: second).success("approval")
        try await app.api(.post, "/payouts/\(id)/dispatch").success("dispatch")
        for (number, item) in made.json["items"].list.enumerated() {
            let outcome = (step + number) % 3 == 0 ? "failed" : "paid"
            try await app.post("/payouts/\(id)/outcomes", ["memberId": .text(item["memberId"].text), "outcome": .text(outcome), "reference": .text("b-\(step)-\(number)")])
        }
    }
}
