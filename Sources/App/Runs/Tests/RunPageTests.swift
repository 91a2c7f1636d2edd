import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web
@testable import App

/// What people see of runs.
struct RunPageTests {
    @Test(arguments: Engine.allCases)
    func twoPeopleBringARunFromItsPlanToAReceipt(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let line = try await Upline.make(in: app)
            try await line.sell("inv-1", "cus-1", 10_000, in: app)
            try await app.moveClock(days: 40)
            let maker = try await TeamPerson.make("maker", .admin, in: app).enter(app)
            let checker = try await TeamPerson.make("checker", .finance, in: app).enter(app)
            let plans = try await maker.get("/plans")
            #expect(plans.status == 200 && plans.text.contains("Three levels"))
            let bad = try await maker.submit("/plans", from: "/plans", ["programId": line.program, "name": "Bad", "document": "plan: x\nunit: EUR\nbonuses: 3"])
            #expect(bad.status == 422 && bad.text.contains("line 3"))
            let made = try await maker.submit("/runs", from: "/runs", ["planId": line.plan, "periodStart": "2026-01-01"])
            let path = made.headers[.location] ?? ""
            #expect(made.status == 303 && path.hasPrefix("/runs/run_"))
            #expect(try await maker.submit("\(path)/preview", from: path).status == 303)
            let shown = try await maker.get(path)
            #expect(shown.text.contains("€18.00") && !shown.text.contains("\(path)/acceptance"), "who made it can't accept it")
            let seen = try await checker.get(path)
            #expect(seen.text.contains("\(path)/acceptance"))
            app.clock.advance(ms: Confirmation.freshMs + 1)
            let asked = try await checker.submit("\(path)/acceptance", from: path)
            #expect(asked.headers[.location]?.hasPrefix("/confirm") == true, "proof first, when the sign-in is a while ago")
            _ = try await checker.submit("/confirm", from: "/confirm", ["password": TeamPerson.password, "next": path])
            #expect(try await checker.submit("\(path)/acceptance", from: path).headers[.location] == path)
            #expect(try await checker.get(path).text.contains("\(path)/funding"))
            let member = try await checker.get("\(path)/members/\(line.berta)")
            #expect(member.status == 200 && member.text.contains("inv-1"))
            let lines = try await checker.get("\(path)/lines")
            #expect(lines.status == 200)
            let number = try #require(lines.text.range(of: "\(path)/lines/")).upperBound
            let receipt = try await checker.get("\(path)/lines/\(lines.text[number...].prefix { $0.isNumber })")
            #expect(receipt.status == 200 && receipt.text.contains("inv-1") && receipt.text.contains("carla"))
            #expect(try await checker.get("\(path)/disclosure").status == 200)
            #expect(try await checker.get("\(path)/members/\(line.anna)?sale=\(try await app.get("/sales")["data"].list[0]["id"].text)").status == 200)
        }
    }
}
