import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web
@testable import App

/// Where members stand: dated moves, no circles, one member in a place, and the holding tank.
struct OrganisationTests {
    @Test(arguments: Engine.allCases)
    func aCircleIsRefusedAtAnyTimeAndAPlaceHoldsOne(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let anna = try await app.member(program, "anna")
            let berta = try await app.member(program, "berta", enroller: anna)
            let carla = try await app.member(program, "carla", enroller: berta)
            let dora = try await app.member(program, "dora", enroller: anna)
            func place(_ member: String, _ parent: String, _ slot: Int64?, _ at: String) async throws -> Reply {
                var body: JSONValue = ["parentId": .text(parent), "effectiveAt": .text(at)]
                if let slot { body = body.adding("slot", .integer(slot)) }
                return try await app.api(.post, "/members/\(member)/placements", body)
            }
            #expect(try await place(anna, carla, 1, "2026-01-02T00:00:00Z").code == "placement_cycle", "without places they stand below their enrollers")
            #expect(try await place(berta, anna, 1, "2026-01-02T00:00:00Z").status == 201)
            #expect(try await place(dora, anna, 1, "2026-01-05T00:00:00Z").code == "slot_taken")
            #expect(try await place(dora, anna, 2, "2026-01-05T00:00:00Z").status == 201)
            // Berta goes below Dora in March; so Dora can't go below Berta after that, but may before.
            #expect(try await place(berta, dora, 1, "2026-03-01T00:00:00Z").status == 201)
            #expect(try await place(dora, berta, 1, "2026-03-02T00:00:00Z").code == "placement_cycle")
            #expect(try await place(dora, berta, 2, "2026-02-01T00:00:00Z").code == "placement_cycle", "it would still hold in March")
            #expect(try await app.api(.post, "/members/\(carla)/placements", ["tree": "enroller", "parentId": .text(anna)]).status == 422)
            #expect(try await app.get("/members/\(carla)")["enrollerId"].text == berta, "who introduced whom never changes")
        }
    }

    @Test(arguments: Engine.allCases)
    func whoWaitsInTheTankIsPlacedByTheRuleInTheOrderOfEnrolment(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            try await app.put("/programs/\(program)/trees/placement", ["width": 2, "rule": "firstEmpty", "tank": "after", "afterHours": 24])
            let root = try await app.member(program, "root")
            var members: [String] = []
            for number in 0..<5 {
                members.append(try await app.member(program, "m\(number)", enroller: root))
                app.clock.advance(ms: 1_000)
            }
            #expect(try await app.get("/programs/\(program)/holding-tank")["data"].list.count == 5)
            #expect(try await app.get("/members/\(root)/tree?tree=placement")["members"].list.isEmpty)
            // The enroller decides for one; the others are placed when their time is up.
            try await app.post("/members/\(members[4])/placements", ["parentId": .text(root), "slot": 2])
            try await app.moveClock(days: 2)
            let tree = try await app.get("/members/\(root)/tree?tree=placement&depth=5")["members"].list
            let places = Dictionary(
                tree.map { ($0["memberId"].text, "\($0["parentId"].text) \($0["slot"].integer ?? 0)") }, uniquingKeysWith: { first, _ in first })
            #expect(places[members[4]] == "\(root) 2")
            #expect(places[members[0]] == "\(root) 1")
            #expect(places[members[1]] == "\(members[0]) 1")
            #expect(places[members[2]] == "\(members[0]) 2")
            #expect(places[members[3]] == "\(members[4]) 1")
            #expect(try await app.get("/programs/\(program)/holding-tank")["data"].list.isEmpty)
        }
    }
}
