import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What browsers and sharers said with their clicks goes with the person, whenever the click came.
@Suite struct ClickBlankingTests {
    private static let agent = "agent-of-a-browser"

    /// Each step finds its clicks by an index: a click file may hold hundreds of millions.
    @Test func everyStepSearches() async throws {
        try await AppHarness.with(.sqlite) { app in
            let scans = try await app.installation.clicks.write { connection -> [String] in
                let plans = ExplainingConnection(connection)
                for kind in [ClickBlankStore.Subject.link, .visitor, .click] {
                    let note = ClickBlankStore.Note(workspaceID: app.twinID, kind: kind, subject: "x", erasedAt: AppHarness.start)
                    _ = try plans.rows(ClickBlankStore.clicks(note, "url IS NOT NULL", after: 0, limit: 10))
                    _ = try ClickBlankStore.blank(note, after: 0, limit: 10, on: plans)
                }
                _ = try plans.rows("UPDATE click SET url = NULL WHERE sequence IN \(list: [Int64(1), 2]) RETURNING sequence")
                return plans.scans
            }
            #expect(scans == [])
        }
    }

    /// Many clicks of one link and of one browser, more than go into one step, some at the same time.
    @Test(arguments: Engine.allCases) func manyClicksGoInSteps(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            _ = try await app.shopWithAnna()
            for number in 0..<25 {
                if number.isMultiple(of: 3) { app.clock.advance(ms: 1) }
                _ = try await app.click("anna", visitor: "v", ["referrer": "https://blog.test/\(number)", "userAgent": .text(Self.agent)])
            }
            for kind in [ClickBlankStore.Subject.link, .visitor] {
                let link = try await app.get("/links")["data"].list.first["id"].text
                let note = ClickBlankStore.Note(workspaceID: app.twinID, kind: kind, subject: kind == .link ? link : "v", erasedAt: AppHarness.start)
                let (steps, changed) = try await app.installation.clicks.write { connection -> (Int, Int) in
                    var position = ClickBlankStore.Position.start
                    var (steps, changed) = (0, 0)
                    while let next = position.next {
                        let step = try ClickBlankStore.blank(note, after: next, limit: 4, on: connection)
                        (position, steps, changed) = (step.position, steps + 1, changed + step.changed)
                    }
                    return (steps, changed)
                }
                #expect(steps >= 7 && changed == 25, "\(kind)")
            }
            #expect(try await app.saidByClicks() == 0)
        }
    }

    /// The erasing transaction itself notes what to blank. Whatever dies after it is done by the next start.
    @Test(arguments: Engine.allCases) func whatWasCutShortIsDoneLater(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let customer = try await Self.customer(app, visitors: ["v1"])
            guard let (person, workspace) = try await app.installation.person(named: customer) else { throw Unexpected(description: "no person") }
            // A second browser is stitched to them at the last moment.
            _ = try await Self.lead(app, visitor: "v2", event: "again")
            _ = try await app.installation.write(workspace, actor: .command) { write in try ErasureStore.erase(person, at: write.world.now(), in: write) }
            #expect(try await app.saidByClicks() == 2)
            try await app.installation.finishErasures()
            #expect(try await app.saidByClicks() == 0)
        }
    }

    /// A click without a cookie, which the customer named by its id.
    @Test(arguments: Engine.allCases) func aNamedClickWithoutABrowserIsBlankedToo(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program(["cookieless": true])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            let click = try await app.click("anna", ["userAgent": .text(Self.agent)])
            let lead = try await app.post("/track/lead", ["clickId": .text(click), "eventName": "sign-up", "customerExternalId": "c"])
            #expect(try await app.saidByClicks() == 1)
            try await app.eraseCustomer(lead["customerId"].text)
            #expect(try await app.saidByClicks() == 0)
        }
    }

    /// A click that another server had in its hands when the person was erased comes to the file a moment later.
    @Test(arguments: Engine.allCases) func aClickThatComesAfterIsBlankedToo(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let customer = try await Self.customer(app, visitors: ["v1"])
            let late = try #require(try await app.installation.clicks.read { connection in try ClickStore.after(0, limit: 1, on: connection) }.first)
            try await app.eraseCustomer(customer)
            #expect(try await app.saidByClicks() == 0)
            var copy = late
            copy.id = app.installation.world.newID()
            try await app.installation.clickLog.append(copy)
            #expect(try await app.saidByClicks() == 1)
            try await app.installation.doDueWork()
            #expect(try await app.saidByClicks() == 1, "more may come")
            app.clock.advance(ms: Installation.blankAgainMs)
            try await app.installation.doDueWork()
            #expect(try await app.saidByClicks() == 0)
            // And what leads to the clicks is forgotten.
            #expect(try await app.rowCounts()["click_to_blank"] == 0)
        }
    }

    /// Leads that stitch browsers to a customer while they are erased: whoever belongs to the erased customer says nothing any more.
    @Test(arguments: Engine.allCases) func aBrowserStitchedMeanwhileIsBlanked(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            for round in 0..<12 {
                let first = try await Self.lead(app, visitor: "v\(round)-0", event: "first", customer: "c\(round)")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await app.eraseCustomer(first) }
                    for number in 1...6 {
                        group.addTask { _ = try await Self.lead(app, visitor: "v\(round)-\(number)", event: "e\(number)", customer: "c\(round)") }
                    }
                    try await group.waitForAll()
                }
                let clicks = try await app.installation.main.read { connection in
                    try connection.rows("SELECT click_id FROM lead WHERE customer_id = \(first)").map { try $0.get(at: 0, as: String.self) }
                }
                let said = try await app.installation.clicks.read { connection in
                    try connection.value("SELECT count(*) FROM click WHERE user_agent IS NOT NULL AND id IN \(list: clicks)", as: Int.self)
                }
                #expect(said == 0, "round \(round), \(clicks.count) clicks of the erased customer")
            }
        }
    }

    private static func customer(_ app: AppHarness, visitors: [String]) async throws -> String {
        let program = try await app.program()
        let anna = try await app.member(program, "anna")
        try await app.link(program, anna, code: "anna")
        var customer = ""
        for (number, visitor) in visitors.enumerated() { customer = try await lead(app, visitor: visitor, event: "e\(number)") }
        return customer
    }

    private static func lead(_ app: AppHarness, visitor: String, event: String, customer: String = "c") async throws -> String {
        let click = try await app.click("anna", visitor: visitor, ["userAgent": .text(agent)])
        return try await app.post(
            "/track/lead", ["clickId": .text(click), "eventName": .text(event), "customerExternalId": .text(customer)])["customerId"].text
    }
}

extension AppHarness {
    /// Clicks in which a browser or a sharer still says something.
    fileprivate func saidByClicks() async throws -> Int {
        try await installation.clicks.read { connection in
            try connection.value(
                "SELECT count(*) FROM click WHERE user_agent IS NOT NULL OR referrer IS NOT NULL OR url IS NOT NULL OR address_hash IS NOT NULL", as: Int.self) ?? 0
        }
    }
}
