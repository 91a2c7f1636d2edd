import Chronology
import HTTPTypes
import Persistence
import Testing
import TestSupport
import Web

@testable import App

/// Who is credited, as programs outside see it.
@Suite struct AttributionTests {
    /// Three members, three clicks, 10 hours apart: first anna, then bert, then carla.
    static let models: [(model: String, shares: [String: Int64])] = [
        ("last", ["carla": 1_000_000]),
        ("first", ["anna": 1_000_000]),
        ("linear", ["anna": 333_334, "bert": 333_333, "carla": 333_333]),
        ("position", ["anna": 400_000, "bert": 200_000, "carla": 400_000]),
    ]

    @Test(arguments: Engine.allCases, models.map(\.model)) func sharesOfAModel(_ engine: Engine, _ model: String) async throws {
        try await AppHarness.with(engine) { app in
            let (_, members) = try await app.threeSellers(["attribution": ["model": .text(model)]])
            try await app.threeClicks()
            let sale = try await app.sale("inv-1", "c-1", 10_000, ["visitorId": "v-1"])
            let wanted = Self.models.first { $0.model == model }?.shares ?? [:]
            let shares = app.shares(sale, members)
            #expect(shares.values.reduce(0, +) == 1_000_000)
            if model == "linear" {
                // Who gets the millionth that is left over is the engine's; that all get a third is not.
                #expect(Set(shares.keys) == Set(wanted.keys))
                #expect(shares.values.allSatisfy { (333_333...333_334).contains($0) })
            } else {
                #expect(shares == wanted)
            }
            #expect(sale["attribution"]["model"].text == model)
            #expect(AppHarness.amounts(sale).reduce(0, +) == 1_000)
            let reasons = sale["attribution"]["rejected"].list
            #expect(reasons.count == 3 - shares.count)
            for rejected in reasons { #expect(!rejected["reason"].text.isEmpty || rejected["reason"]["kind"].text != "") }
        }
    }

    @Test(arguments: Engine.allCases) func positionWithTwoTouchesIsHalves(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, members) = try await app.threeSellers(["attribution": ["model": "position"]])
            _ = try await app.click("anna", visitor: "v-1")
            app.clock.advance(ms: 1_000)
            _ = try await app.click("bert", visitor: "v-1")
            app.clock.advance(ms: 1_000)
            let sale = try await app.sale("inv-1", "c-1", 10_000, ["visitorId": "v-1"])
            #expect(app.shares(sale, members) == ["anna": 500_000, "bert": 500_000])
        }
    }

    @Test(arguments: Engine.allCases) func timeDecayHalvesEachHalfLife(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, members) = try await app.threeSellers(["attribution": ["model": "timeDecay", "halfLifeDays": 1]])
            _ = try await app.click("anna", visitor: "v-1")
            app.clock.advance(ms: 86_400_000)
            _ = try await app.click("bert", visitor: "v-1")
            let sale = try await app.sale("inv-1", "c-1", 10_000, ["visitorId": "v-1"])
            let shares = app.shares(sale, members)
            #expect(shares.values.reduce(0, +) == 1_000_000)
            #expect(abs((shares["anna"] ?? 0) - 333_333) <= 1)
            #expect(abs((shares["bert"] ?? 0) - 666_667) <= 1)
        }
    }

    @Test(arguments: Engine.allCases) func theWindowIsHalfOpen(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, members) = try await app.threeSellers(["attribution": ["windowDays": 1]])
            _ = try await app.click("anna", visitor: "v-1")
            app.clock.advance(ms: 86_400_000 - 1)
            let inside = try await app.sale("inv-1", "c-1", 10_000, ["visitorId": "v-1"])
            #expect(app.shares(inside, members) == ["anna": 1_000_000])
            app.clock.advance(ms: 1_001)
            let outside = try await app.sale("inv-2", "c-2", 10_000, ["visitorId": "v-1"])
            #expect(app.shares(outside, members) == [:])
            #expect(outside["attribution"]["rejected"].list.count == 1)
        }
    }

    /// The strongest kind wins, whatever came last.
    @Test(arguments: Engine.allCases) func conflictPolicy(_ engine: Engine) async throws {
        let cases: [(policy: [JSONValue], winner: String)] = [
            (["friendCode", "coupon", "link", "paid"], "bert"), (["coupon", "friendCode", "link", "paid"], "carla"),
            (["link", "coupon", "friendCode", "paid"], "anna"),
        ]
        try await AppHarness.with(engine) { app in
            for (number, expected) in cases.enumerated() {
                let program = try await app.program(["name": .text("P\(number)"), "attribution": ["conflictPolicy": .array(expected.policy)]])
                _ = try await app.percentRule(program, "0.10")
                var members: [String: String] = [:]
                for (name, kind) in [("anna", "link"), ("bert", "friendCode"), ("carla", "coupon")] {
                    members[name] = try await app.member(program, "\(name)\(number)")
                    try await app.link(program, members[name], code: "\(name)\(number)", ["kind": .text(kind)])
                }
                // By link, then a friend's code with the lead, then a coupon with the sale.
                let click = try await app.click("anna\(number)", visitor: "v-\(number)")
                app.clock.advance(ms: 10)
                try await app.post(
                    "/track/lead",
                    ["code": .text("bert\(number)"), "eventName": "sign-up", "customerExternalId": .text("c-\(number)"), "visitorId": .text("v-\(number)")])
                app.clock.advance(ms: 10)
                let sale = try await app.sale(
                    "inv-\(number)", "c-\(number)", 1_000, ["code": .text("carla\(number)"), "clickId": .text(click), "programId": .text(program)])
                #expect(app.shares(sale, members) == [expected.winner: 1_000_000], "\(expected.policy)")
                #expect(sale["attribution"]["rejected"].list.count == 2)
            }
        }
    }

    /// A paid click within the stand-down leaves an earlier link its sale; without a stand-down the later paid click takes it.
    @Test(arguments: Engine.allCases) func standDown(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, members) = try await app.threeSellers(["attribution": ["standDownSeconds": 60, "conflictPolicy": ["link", "coupon"]]])
            try await app.link(program, members["carla"], code: "deal", ["kind": "coupon"])
            _ = try await app.click("anna", visitor: "v-1")
            app.clock.advance(ms: 30_000)
            _ = try await app.click("bert", visitor: "v-1")
            app.clock.advance(ms: 1_000)
            let sale = try await app.sale("inv-1", "c-1", 10_000, ["visitorId": "v-1"])
            // Whatever the policy says of it, exactly one member is credited and the other is rejected with a reason.
            #expect(app.shares(sale, members).values.map { $0 } == [1_000_000])
            #expect(sale["attribution"]["rejected"].list.count == 1)
        }
    }

    @Test(arguments: Engine.allCases) func aCodeThatNeedsAReferral(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.percentRule(program, "0.10")
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            try await app.link(program, anna, code: "save", ["kind": "coupon", "codeNeedsReferral": true, "codeRate": "0.20"])
            let cold = try await app.sale("inv-1", "c-1", 1_000, ["code": "save"])
            #expect(cold["attribution"]["status"].text == "unattributed")
            #expect(cold["attribution"]["rejected"].list.count == 1)
            _ = try await app.click("anna", visitor: "v-2")
            app.clock.advance(ms: 10)
            let warm = try await app.sale("inv-2", "c-2", 1_000, ["code": "save", "visitorId": "v-2"])
            #expect(warm["attribution"]["status"].text == "attributed")
            #expect(AppHarness.amounts(warm) == [200], "the code's own rate")
        }
    }

    /// Where a company has two programs, the program is the one that the customer was brought to: by a lead's click, or by their browser.
    @Test(arguments: Engine.allCases) func theProgramIsTheTouchs(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, members) = try await app.threeSellers()
            let other = try await app.program(["name": "Another"])
            _ = try await app.percentRule(other, "0.20")
            let click = try await app.click("anna")
            let lead = try await app.post("/track/lead", ["clickId": .text(click), "eventName": "signup", "customerExternalId": "c-1"])
            #expect(lead["attribution"]["status"].text == "attributed")
            let byLead = try await app.sale("inv-1", "c-1", 1_000)
            #expect(app.shares(byLead, members) == ["anna": 1_000_000])
            #expect(AppHarness.amounts(byLead) == [100], "10 % of the program that the click belongs to")
            _ = try await app.click("bert", visitor: "v-1")
            let byVisitor = try await app.sale("inv-2", "c-2", 1_000, ["visitorId": "v-1"])
            #expect(app.shares(byVisitor, members) == ["bert": 1_000_000])
            let leadByVisitor = try await app.post("/track/lead", ["visitorId": "v-1", "eventName": "trial", "customerExternalId": "c-3"])
            #expect(leadByVisitor["attribution"]["status"].text == "attributed")
            // Older than its window, a touch names nothing; the binding still does.
            try await app.moveClock(days: 40)
            #expect(app.shares(try await app.sale("inv-3", "c-1", 1_000), members) == ["anna": 1_000_000])
            #expect(try await app.sale("inv-4", "c-9", 1_000)["attribution"]["reason"].text == "noProgram")
            _ = program
        }
    }

    @Test(arguments: Engine.allCases) func nobodyRefersThemselves(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            _ = try await app.percentRule(program, "0.10")
            let anna = try await app.member(program, "anna", ["email": "anna.smith@gmail.com"])
            try await app.link(program, anna, code: "anna")
            for (number, mail) in ["anna.smith@gmail.com", "ANNASMITH+shop@googlemail.com", "a.n.n.a.smith@gmail.com"].enumerated() {
                let sale = try await app.sale("inv-\(number)", "c-\(number)", 1_000, ["code": "anna", "customerEmail": .text(mail)])
                #expect(sale["attribution"]["status"].text == "unattributed", "\(mail)")
                #expect(sale["commissions"].list.isEmpty)
            }
            let friend = try await app.sale("inv-9", "c-9", 1_000, ["code": "anna", "customerEmail": "friend@gmail.com"])
            #expect(friend["attribution"]["status"].text == "attributed")
        }
    }

    /// A visitor clicks, later says who they are, and buys from the server without any click id.
    @Test(arguments: Engine.allCases) func lateLoginStitchesTheVisitor(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, members) = try await app.threeSellers()
            _ = try await app.click("anna", visitor: "v-1")
            app.clock.advance(ms: 1_000)
            try await app.post("/track/lead", ["eventName": "login", "customerExternalId": "c-1", "visitorId": "v-1"])
            app.clock.advance(ms: 1_000)
            let sale = try await app.sale("inv-1", "c-1", 1_000)
            #expect(app.shares(sale, members) == ["anna": 1_000_000])
        }
    }

    @Test(arguments: Engine.allCases) func unknownClicksAndCodesAreAcceptedWithTheReason(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            _ = try await app.threeSellers()
            let sale = try await app.sale("inv-1", "c-1", 1_000, ["clickId": "clk_unknown", "code": "nobody"])
            #expect(sale["attribution"]["status"].text == "unattributed")
            #expect(sale["attribution"]["unknownClick"].text == "clk_unknown")
            #expect(sale["attribution"]["unknownCode"].text == "nobody")
        }
    }

    @Test(arguments: Engine.allCases) func orphansGoToTheDefaultMember(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, members) = try await app.threeSellers()
            try await app.patch("/programs/\(program)", ["orphanMemberId": .text(members["carla"] ?? "")])
            app.clock.advance(ms: 10)
            let sale = try await app.sale("inv-1", "c-1", 1_000)
            #expect(app.shares(sale, members) == ["carla": 1_000_000])
            #expect(sale["attribution"]["shares"].list.first["reason"].text == "orphanDefault")
        }
    }

    @Test(arguments: Engine.allCases) func assignedByHand(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (program, members) = try await app.threeSellers()
            try await app.sale("inv-1", "c-1", 1_000)
            let customer = try await app.get("/customers")["data"].list.first["id"].text
            let body: JSONValue = ["programId": .text(program), "memberId": .text(members["bert"] ?? ""), "reason": "Told us on the phone"]
            let assignment = try await app.api(.put, "/customers/\(customer)/assignment", body)
            #expect((200..<300).contains(assignment.status), "\(assignment.text)")
            app.clock.advance(ms: 10)
            let sale = try await app.sale("inv-2", "c-1", 1_000)
            #expect(app.shares(sale, members) == ["bert": 1_000_000])
            #expect(sale["attribution"]["shares"].list.first["reason"].text == "assignedByHand")
            let without = try await app.api(.put, "/customers/\(customer)/assignment", ["programId": .text(program), "memberId": .text(members["bert"] ?? "")])
            #expect(without.status == 422)
            #expect(without.fields == ["reason"])
        }
    }

    /// The first attributed sale binds the customer: later touches of others change nothing, until the months are over.
    @Test(arguments: Engine.allCases) func bindingHoldsForItsMonths(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, members) = try await app.threeSellers(["customerBinding": ["months": 2]])
            let first = try await app.sale("inv-1", "c-1", 1_000, ["code": "anna"])
            #expect(app.shares(first, members) == ["anna": 1_000_000])
            try await app.moveClock(days: 58)
            let bound = try await app.sale("inv-2", "c-1", 1_000, ["code": "bert"])
            #expect(app.shares(bound, members) == ["anna": 1_000_000])
            #expect(bound["attribution"]["shares"].list.first["reason"].text == "boundCustomer")
            // 1 January and two months: 1 March.
            try await app.moveClock(days: 2)
            let free = try await app.sale("inv-3", "c-1", 1_000, ["code": "bert"])
            #expect(app.shares(free, members) == ["bert": 1_000_000])
        }
    }

    @Test(arguments: Engine.allCases) func laterClicksChangeNothing(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let (_, members) = try await app.threeSellers(["customerBinding": "none"])
            _ = try await app.click("anna", visitor: "v-1")
            app.clock.advance(ms: 60_000)
            let at = app.clock.now
            app.clock.advance(ms: 60_000)
            _ = try await app.click("bert", visitor: "v-1")
            // The sale happened between the two clicks and is told afterwards.
            let sale = try await app.sale("inv-1", "c-1", 1_000, ["visitorId": "v-1", "occurredAt": .text(at.rfc3339)])
            #expect(app.shares(sale, members) == ["anna": 1_000_000])
        }
    }
}

extension AppHarness {
    /// A program that pays 10 %, with anna, bert and carla and a link of each one's name.
    func threeSellers(_ settings: JSONValue = .object([])) async throws -> (program: String, members: [String: String]) {
        let program = try await program(settings)
        _ = try await percentRule(program, "0.10")
        var members: [String: String] = [:]
        for name in ["anna", "bert", "carla"] {
            members[name] = try await member(program, name)
            try await link(program, members[name], code: name)
        }
        return (program, members)
    }

    /// anna, bert and carla bring the visitor v-1, ten hours apart.
    func threeClicks() async throws {
        for name in ["anna", "bert", "carla"] {
            _ = try await click(name, visitor: "v-1")
            clock.advance(ms: 36_000_000)
        }
    }

    /// The shares of a sale's answer by the members' names.
    func shares(_ sale: JSONValue, _ members: [String: String]) -> [String: Int64] {
        var shares: [String: Int64] = [:]
        for share in sale["attribution"]["shares"].list {
            let name = members.first { $0.value == share["memberId"].text }?.key ?? share["memberId"].text
            shares[name, default: 0] += share["sharePpm"].integer ?? 0
        }
        return shares
    }
}
