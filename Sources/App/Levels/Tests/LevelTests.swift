import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Levels of a network, against plain loops over the rows that are exported.
@Suite struct LevelTests {
    private struct Dice {
        var state: UInt64
        mutating func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
    }

    private static func time(_ day: Int64) -> JSONValue {
        .text(Instant(millisecondsSince1970: AppHarness.start.millisecondsSince1970 + day * 86_400_000).rfc3339)
    }

    private static func network(_ app: AppHarness, _ dice: inout Dice) async throws -> String {
        let program = try await app.program(["holdDays": 0])
        _ = try await app.percentRule(program, "0.10")
        _ = try await app.percentRule(program, "0.05", level: 1)
        var members: [String] = []
        for place in 0..<14 {
            let enroller = place < 2 ? nil : members[dice.below(place)]
            members.append(try await app.member(program, "m\(place)", enroller: enroller, ["kind": "promoter", "externalId": .text("own-\(place)")]))
            try await app.link(program, members[place], code: "CODE\(place)")
        }
        for number in 0..<40 {
            var more: JSONValue = ["occurredAt": time(-Int64(dice.below(6)))]
            if dice.below(4) > 0 { more = more.adding("code", .text("CODE\(dice.below(8))")) }
            let customer = dice.below(4) == 0 ? "own-\(dice.below(14))" : "c\(number)"
            var body = AppHarness.saleBody("i\(number)", customer, Int64(dice.below(9_000)) + 1, more)
            if dice.below(3) == 0 { body = body.without(["currency"]).adding("currency", "USD") }
            _ = try await app.api(.post, "/track/sale", body)
        }
        for place in [3, 9, 13] { _ = try await app.api(.post, "/members/\(members[place])/shares", ["channel": "mail"]) }
        return program
    }

    @Test(arguments: Engine.allCases)
    func figuresEqualPlainLoops(_ engine: Engine) async throws {
        let seed = UInt64.random(in: 1...UInt64.max / 2)
        try await AppHarness.with(engine) { app in
            var dice = Dice(state: seed)
            let program = try await Self.network(app, &dice)
            for (from, to) in [("2025-12-20", "2026-01-01"), ("2025-12-30", "2025-12-30"), ("2026-01-01", "2026-01-01")] {
                let plain = try await PlainLevels.load(app, from: from, to: to)
                for query in ["from=\(from)&to=\(to)", "from=\(from)&to=\(to)&programId=\(program)"] {
                    let said = try await app.get("/insights/levels?\(query)")
                    try plain.check(said, "\(query), seed \(seed)")
                }
            }
        }
    }

    @Test(arguments: Engine.allCases)
    func aLevelThatLagsIsNamedAndNotExplained(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            for place in 0..<35 {
                let above = try await app.member(program, "a\(place)", ["kind": "promoter"])
                _ = try await app.member(program, "b\(place)", enroller: above)
                _ = try await app.post("/members/\(above)/shares", ["channel": "mail"])
            }
            let said = try await app.get("/insights/levels")
            #expect(said["levelsCompared"].integer == 2 && said["findings"].list.count == 1)
            let finding = said["findings"].list[0]
            #expect(finding["depth"].integer == 2 && finding["suggestion"].text == "welcome")
            #expect(finding["sentence"].text.contains("0 of 35") && finding["sentence"].text.contains("association, not a cause"))
            #expect(said["levels"].list.map { $0["isUnderPerforming"] } == [.boolean(false), .boolean(true)])
            let page = try await app.page("/insights/levels")
            #expect(page.status == 200 && page.text.contains("Level 2 is less active") && page.text.contains("bonus for the first sale"))
            let rows = try await app.page("/insights/levels/members?level=2")
            #expect(rows.status == 200 && rows.text.contains("b7") && !rows.text.contains("a7"))
        }
    }

    @Test(arguments: Engine.allCases)
    func anEmptyNetworkAndBadInput(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let said = try await app.get("/insights/levels")
            #expect(said["levels"].list.isEmpty && said["findings"].list.isEmpty)
            #expect(said["health"]["recruitsMean"]["value"] == .null && said["health"]["recruitsMean"]["reason"] != .null)
            #expect(try await app.page("/insights/levels").status == 200)
            #expect(try await app.page("/insights/levels/members").status == 200)
            for query in ["from=x", "from=2026-02-01&to=2026-01-01", "programId=prog_none", "from=2001-01-01&to=2026-01-01"] {
                #expect(try await app.api(.get, "/insights/levels?\(query)").status == 422, "\(query)")
            }
        }
    }

    @Test func medians() {
        #expect(NetworkHealth.median([]) == nil)
        #expect(NetworkHealth.median([(1, 1)]) == 1)
        #expect(NetworkHealth.median([(1, 2), (4, 2)]) == 2.5)
        #expect(NetworkHealth.median([(1, 1), (2, 1), (9, 3)]) == 9)
    }

    /// Members and sales are found by an index: other workspaces' rows are not read.
    @Test func levelsSearchAnIndex() async throws {
        try await AppHarness.with(.sqlite) { app in
            let id = app.twinID
            let steps = try await app.installation.main.read { connection -> [String] in
                let plans = ExplainingConnection(connection)
                let workspace = try #require(try WorkspaceStore.find(id, on: connection))
                let day = try LocalDay(iso8601: "2026-01-01")
                for program in [nil, ProgramID(stored: "prog_x")] {
                    let scope = LevelStore.Scope(workspace, day...day, program: program)
                    _ = try LevelStore.levels(scope, on: plans)
                    _ = try LevelStore.widths(scope, on: plans)
                    _ = try LevelStore.amounts(scope, on: plans)
                    _ = try LevelStore.retail(scope, on: plans)
                    _ = try LevelStore.members(of: 2, scope, after: "", limit: 10, on: plans)
                }
                return plans.steps
            }
            let derived: Set<Substring> = ["t", "p", "w", "f", "a", "b", "r", "tree", "people", "seller", "active", "recruiter", "fact", "CONSTANT", "(subquery"]
            let scans = steps.filter { $0.hasPrefix("SCAN") && !derived.contains($0.split(separator: " ").dropFirst().first ?? "") }
            #expect(scans == [])
        }
    }
}

/// The same by plain loops: parents are followed one by one.
private struct PlainLevels {
    struct Level {
        var members: Set<String> = []
        var active: Set<String> = []
        var sellers: Set<String> = []
        var sales: Set<String> = []
        var revenue: [String: Int64] = [:]
        var cost: [String: Int64] = [:]
    }

    var levels: [Int: Level] = [:]
    var brought: [String: [String: Int64]] = [:]
    var all: [String: Int64] = [:]
    var retail: [String: Int64] = [:]
    var recruits: [String: Int] = [:]

    static func load(_ app: AppHarness, from: String, to: String) async throws -> PlainLevels {
        try await app.installation.main.read { connection in
            func isIn(_ at: Int64) -> Bool {
                let day = Zone.utc.day(of: Instant(millisecondsSince1970: at)).iso8601
                return day >= from && day <= to
            }
            var plain = PlainLevels()
            var parents: [String: String?] = [:]
            var joined: [String: Int64] = [:]
            for row in try connection.rows("SELECT id, enroller_id, joined_at FROM member") {
                parents[try row.get(at: 0)] = .some(try row.get(at: 1))
                joined[try row.get(at: 0)] = try row.get(at: 2)
            }
            func depth(_ member: String) -> Int {
                var (depth, next) = (1, parents[member].flatMap { $0 })
                while let above = next { (depth, next) = (depth + 1, parents[above].flatMap { $0 }) }
                return depth
            }
            func counts(_ member: String) -> Bool { Zone.utc.day(of: Instant(millisecondsSince1970: joined[member] ?? 0)).iso8601 <= to }
            for (member, parent) in parents where counts(member) {
                plain.levels[depth(member), default: Level()].members.insert(member)
                if let parent { plain.recruits[parent, default: 0] += 1 }
            }
            let owners = Set(try connection.rows("SELECT customer_id FROM customer_member").map { try $0.get(at: 0) as String })
            var sales: [String: (Int64, String)] = [:]
            for row in try connection.rows("SELECT id, amount, currency, customer_id, occurred_at FROM sale") {
                guard isIn(try row.get(at: 4)) else { continue }
                let (amount, currency, customer): (Int64, String, String) = (try row.get(at: 1), try row.get(at: 2), try row.get(at: 3))
                sales[try row.get(at: 0)] = (amount, currency)
                plain.all[currency, default: 0] += amount
                if !owners.contains(customer) { plain.retail[currency, default: 0] += amount }
            }
            for row in try connection.rows("SELECT sale_id, member_id, share_ppm FROM sale_credit") {
                let (id, member, share): (String, String, Int64) = (try row.get(at: 0), try row.get(at: 1), try row.get(at: 2))
                guard let (amount, currency) = sales[id] else { continue }
                let level = depth(member)
                plain.levels[level, default: Level()].sales.insert(id)
                plain.levels[level, default: Level()].sellers.insert(member)
                plain.levels[level, default: Level()].active.insert(member)
                plain.levels[level, default: Level()].revenue[currency, default: 0] += amount * share / 1_000_000
                plain.brought[currency, default: [:]][member, default: 0] += amount * share / 1_000_000
            }
            for row in try connection.rows("SELECT member_id, day FROM share_day") {
                let (member, day): (String, String) = (try row.get(at: 0), try row.get(at: 1))
                if day >= from, day <= to { plain.levels[depth(member), default: Level()].active.insert(member) }
            }
            for row in try connection.rows("SELECT member_id, unit, amount - reversed_amount, occurred_at FROM commission") {
                let (member, unit, amount): (String, String, Int64) = (try row.get(at: 0), try row.get(at: 1), try row.get(at: 2))
                if isIn(try row.get(at: 3)) { plain.levels[depth(member), default: Level()].cost[unit, default: 0] += amount }
            }
            return plain
        }
    }

    func check(_ said: JSONValue, _ place: String) throws {
        func close(_ value: JSONValue?, _ wanted: Double) -> Bool {
            guard case .number(let number) = value, let double = Double(number.token) else { return false }
            return abs(double - wanted) < 1e-9
        }
        func sums(_ money: JSONValue?) -> [String: Int64] {
            Dictionary(money["amounts"].list.map { ($0["currency"].text, $0["value"].integer ?? -1) }, uniquingKeysWith: +)
        }
        let shown = levels.filter { !$0.value.members.isEmpty || !$0.value.sales.isEmpty || !$0.value.cost.isEmpty }
        #expect(said["levels"].list.map { Int($0["depth"].integer ?? 0) } == shown.keys.sorted(), "\(place)")
        for json in said["levels"].list {
            let level = try #require(levels[Int(json["depth"].integer ?? 0)])
            #expect(json["members"]["value"].integer == Int64(level.members.count), "\(place)")
            #expect(json["activeShare"]["numerator"].integer == Int64(level.active.intersection(level.members).count), "\(place)")
            #expect(json["activeShare"]["denominator"].integer == Int64(level.members.count), "\(place)")
            #expect(json["sellerShare"]["numerator"].integer == Int64(level.sellers.intersection(level.members).count), "\(place)")
            #expect(json["sales"]["value"].integer == Int64(level.sales.count), "\(place)")
            #expect(sums(json["revenue"]) == level.revenue, "\(place)")
            #expect(sums(json["commissionCost"]) == level.cost, "\(place)")
            #expect(!json["sales"]["definition"].text.isEmpty)
        }
        let health = said["health"]
        #expect(health["recruitsMean"]["numerator"].integer == Int64(recruits.values.reduce(0, +)), "\(place)")
        #expect(health["recruitsMean"]["denominator"].integer == Int64(recruits.count), "\(place)")
        #expect(health["membersDeeper"]["value"].integer == 0, "\(place)")
        if let deepest = levels.filter({ !$0.value.members.isEmpty }).keys.max() { #expect(health["deepestLevel"]["numerator"].integer == Int64(deepest), "\(place)") }
        #expect(health["byCurrency"].list.map { $0["currency"].text } == all.keys.sorted(), "\(place)")
        for json in health["byCurrency"].list {
            let currency = json["currency"].text
            #expect(json["retailShare"]["numerator"].integer == retail[currency] ?? 0 && json["retailShare"]["denominator"].integer == all[currency], "\(place)")
            let amounts = (brought[currency] ?? [:]).values.map { Double($0) }
            let total = amounts.reduce(0, +)
            guard total > 0 else {
                #expect(json["gini"]["value"] == .null, "\(place)")
                continue
            }
            var differences = 0.0
            for one in amounts { for other in amounts { differences += abs(one - other) } }
            #expect(close(json["gini"]["value"], differences / (2 * Double(amounts.count) * total)), "\(place)")
            #expect(close(json["largestTenShare"]["value"], amounts.sorted(by: >).prefix(10).reduce(0, +) / total), "\(place)")
        }
    }
}
