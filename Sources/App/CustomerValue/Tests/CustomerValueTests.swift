import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// The forecast of a workspace's own customers, by API and on its page.
struct CustomerValueTests {
    @Test(arguments: Engine.allCases) func saysWhatIsNeeded(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let none = try await app.get("/insights/customer-value")
            #expect(none["problem"]["code"].text == "noCustomers" && none["currency"] == .null && none["data"].list.isEmpty)
            _ = try await app.program()
            try await app.moveClock(days: 10)
            try await app.sale("one", "c-1", 1_000)
            let few = try await app.get("/insights/customer-value?weeks=4")
            #expect(few["problem"]["code"].text == "tooFewCustomers" && few["problem"]["detail"].text.contains("20"))
            #expect(few["currency"].text == "EUR" && few["totals"] == .null && few["until"].text == "2026-01-11")
        }
    }

    @Test(arguments: Engine.allCases) func forecasts(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            try await app.moveClock(days: 200)
            try await Self.shop(app, program)
            let whole = try await app.get("/insights/customer-value?weeks=26&limit=100")
            #expect(whole["problem"] == .null && whole["currency"].text == "EUR")
            #expect(whole["currencies"].list.map(\.textValue) == ["EUR", "USD"], "never added")
            #expect(whole["totals"]["customers"] == 40)
            let rows = whole["data"].list
            #expect(rows.count == 40 && rows.map { $0["customerId"].text } == rows.map { $0["customerId"].text }.sorted())
            for row in rows {
                let alive = try #require(Self.number(row["probabilityAlive"]))
                let expected = try #require(Self.number(row["expectedPurchases"]))
                #expect((0...1).contains(alive) && expected >= 0)
                #expect(try #require(Self.number(row["expectedValueMinor"])) >= 0)
            }
            // The same in pages, by the program, and again from memory.
            let first = try await app.get("/insights/customer-value?weeks=26&limit=30&programId=\(program)")
            #expect(first["hasMore"] == true)
            let second = try await app.get("/insights/customer-value?weeks=26&limit=30&programId=\(program)&startingAfter=\(first["nextCursor"].text)")
            #expect(second["hasMore"] == false && first["data"].list + second["data"].list == rows)
            // A refund takes a whole purchase away, and what is foretold changes at once.
            let before = rows.reduce(0) { $0 + (Self.number($1["frequency"]) ?? 0) }
            try await app.refund("c1-1", "back")
            let after = try await app.get("/insights/customer-value?weeks=26&limit=100")["data"].list
            #expect(after.reduce(0) { $0 + (Self.number($1["frequency"]) ?? 0) } == before - 1)
        }
    }

    @Test(arguments: Engine.allCases) func wrongQuestions(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            for query in ["weeks=0", "weeks=521", "weeks=x", "currency=XYZ", "programId=nobody", "programId=prog_00000000000000000000000000"] {
                let status = try await app.api(.get, "/insights/customer-value?\(query)").status
                #expect(status == 422 || status == 404, "\(query)")
            }
        }
    }

    @Test(arguments: Engine.allCases) func page(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            try await app.setOwnerPassword()
            let visitor = PageVisitor(app)
            try await visitor.signIn(AppHarness.ownerEmail, AppHarness.ownerPassword)
            let empty = try await visitor.get("/insights/customer-value")
            #expect(empty.status == 200 && empty.text.contains("20"))
            #expect(try await visitor.get("/insights/customer-value?currency=XYZ").status == 404)
        }
    }

    /// 40 customers who bought one to four times at distances of their own, and one who paid in dollars.
    private static func shop(_ app: AppHarness, _ program: String) async throws {
        for number in 0..<40 {
            for again in 0...(number % 4) {
                let day = 1 + number % 20 + again * (5 + number % 23)
                let at = try AppHarness.start.adding(milliseconds: Int64(day) * 86_400_000 + 36_000_000)
                try await app.sale("c\(number)-\(again)", "c-\(number)", Int64(1_000 + number * 37 + again * 210), ["programId": .text(program), "occurredAt": .text(at.rfc3339)])
            }
        }
        try await app.sale("usd", "c-usd", 9_900, ["currency": "USD", "programId": .text(program)])
    }

    private static func number(_ value: JSONValue?) -> Double? { if case .number(let number) = value { Double(number.token) } else { nil } }
}
