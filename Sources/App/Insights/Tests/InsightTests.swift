import Chronology
import Foundation
import HTTPTypes
import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// What is counted, against plain loops over the rows that are exported.
@Suite struct InsightTests {
    /// A small generator whose seed is printed when something differs.
    private struct Dice {
        var state: UInt64
        mutating func below(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
    }

    private static func time(_ day: Int64, _ ms: Int64 = 0) -> JSONValue {
        .text(Instant(millisecondsSince1970: AppHarness.start.millisecondsSince1970 + day * 86_400_000 + ms).rfc3339)
    }

    private static func tables(_ app: AppHarness) async throws -> [String] {
        try await app.installation.main.read { connection in
            let days = try connection.rows(
                """
                SELECT workspace_id, day, measure, program_id, came_by, channel, device, country, currency, value FROM insight_day
                ORDER BY workspace_id, measure, day, program_id, came_by, channel, device, country, currency
                """
            ).map { row in "\(try (0..<9).map { try row.get(at: $0, as: String.self) }) \(try row.get(at: 9, as: Int64.self))" }
            let stages = try connection.rows("SELECT fan_id, step, from_stage, stage, cause, at, until_at FROM fan_stage ORDER BY fan_id, step").map { row in
                "\(try row.get(at: 0, as: String.self)) \(try row.get(at: 1, as: Int64.self)) \(try row.get(at: 2, as: String?.self) ?? "-") \(try row.get(at: 3, as: String.self)) \(try row.get(at: 4, as: String.self)) \(try row.get(at: 5, as: Int64.self)) \(try row.get(at: 6, as: Int64?.self) ?? -1)"
            }
            let origins = try connection.rows(
                "SELECT fan_id, program_id, came_by, channel, device, country, language, content, share_channel, share_content FROM fan ORDER BY fan_id"
            ).map { row in "\(try (0..<10).map { try row.get(at: $0, as: String.self) })" }
            return days + stages + origins
        }
    }

    private static func count(_ app: AppHarness) async throws {
        try await app.installation.applyClicks()
        try await app.installation.countInsights(in: app.twinID)
    }

    /// A shop with members, clicks, leads, sales in two currencies, late ones, and refunds of which some come first.
    private static func history(_ app: AppHarness, _ seed: UInt64, _ steps: Int) async throws -> String {
        var dice = Dice(state: seed)
        let program = try await app.program(["holdDays": 0, "marginRate": "0.5"])
        _ = try await app.percentRule(program, "0.10")
        _ = try await app.patch("/workspace", ["timezone": "America/New_York"])
        var members: [String] = []
        for name in ["anna", "bert"] {
            members.append(try await app.member(program, name, ["kind": "customer"]))
            try await app.link(program, members.last, code: name.uppercased())
        }
        _ = try await app.post("/costs", ["programId": .text(program), "channel": "paid", "date": "2025-12-20", "amount": 5_000, "currency": "EUR"])
        for step in 0..<steps {
            let day = -Int64(dice.below(40)) - 1
            let ms = Int64(dice.below(86_400_000))
            let customer = "c\(dice.below(12))"
            switch dice.below(8) {
            case 0: _ = try await app.click(dice.below(2) == 0 ? "ANNA" : "BERT", visitor: "v\(step)", ["country": "DE", "metadata": ["channel": "mail", "device": "phone"]])
            case 1:
                _ = try await app.api(
                    .post, "/track/lead", ["eventName": "signup", "customerExternalId": .text(customer), "code": "ANNA", "occurredAt": time(day, ms), "metadata": ["channel": "mail"]])
            case 2, 3:
                let invoice = "i\(dice.below(UInt64(steps)))"
                var body: JSONValue = ["invoiceId": .text(invoice), "refundId": .text("r\(step)"), "occurredAt": time(day, ms)]
                if dice.below(2) == 0 { body = body.adding("amount", .integer(Int64(dice.below(500)) + 1)) }
                _ = try await app.api(.post, "/track/refund", body)
            case 4: _ = try await app.api(.post, "/members/\(members[0])/shares", ["channel": "mail"])
            default:
                var more: JSONValue = ["occurredAt": time(day, ms), "country": dice.below(2) == 0 ? "DE" : "US"]
                if dice.below(3) > 0 { more = more.adding("code", .text(dice.below(2) == 0 ? "ANNA" : "BERT")) }
                if dice.below(2) == 0 { more = more.adding("metadata", ["channel": "Story", "device": "phone"]) }
                var body = AppHarness.saleBody("i\(step)", customer, Int64(dice.below(9_000)) + 1_000, more)
                if dice.below(5) == 0 { body = body.without(["currency"]).adding("currency", "USD") }
                _ = try await app.api(.post, "/track/sale", body)
            }
            if dice.below(6) == 0 { try await count(app) }
        }
        try await count(app)
        return program
    }

    @Test(arguments: Engine.allCases)
    func aRebuildGivesTheSame(_ engine: Engine) async throws {
        let seed = UInt64.random(in: 1...UInt64.max / 2)
        try await AppHarness.with(engine) { app in
            _ = try await Self.history(app, seed, 70)
            let kept = try await Self.tables(app)
            _ = try await app.installation.rebuildInsights()
            let rebuilt = try await Self.tables(app)
            #expect(kept == rebuilt, "seed \(seed)")
            #expect(kept.count > 20, "seed \(seed)")
            _ = try await app.patch("/workspace", ["timezone": "Asia/Tokyo"])
            try await Self.count(app)
            #expect(try await Self.tables(app) != rebuilt, "other days, counted anew")
        }
    }

    /// A rebuild goes in parts: sales come in between, a part that was done stays done when the process ends, and it comes to the same.
    @Test(arguments: Engine.allCases)
    func salesComeBetweenTheParts(_ engine: Engine) async throws {
        let seed = UInt64.random(in: 1...UInt64.max / 2)
        try await AppHarness.with(engine) { app in
            _ = try await Self.history(app, seed, 30)
            let workspace = app.twinID
            let extent = try await app.installation.main.read { connection in try InsightFacts.Extent.load(workspace, on: connection) }
            try await app.installation.write(workspace, actor: .command) { write in try InsightFacts.begin(extent, in: write) }
            #expect(try await app.get("/insights/kpis?from=2025-12-10&to=2025-12-25")["freshness"]["partsBehind"].integer ?? 0 > 0)
            var parts = 0
            while case .more = try await app.installation.write(workspace, actor: .command, { write in try InsightFacts.step(in: write) }) {
                parts += 1
                if parts <= 6 {
                    try await app.sale("between-\(parts)", "c\(parts)", 4_000, ["code": "ANNA", "occurredAt": Self.time(-Int64(parts), 0)])
                    if parts % 2 == 0 { _ = try await app.refund("between-\(parts - 1)", "back-\(parts)", 1_000) }
                }
            }
            #expect(parts > 10, "one day a part, seed \(seed)")
            try await Self.count(app)
            let kept = try await Self.tables(app)
            _ = try await app.installation.rebuildInsights()
            #expect(try await Self.tables(app) == kept, "seed \(seed)")
            #expect(try await app.get("/insights/kpis?from=2025-12-10&to=2025-12-25")["freshness"]["partsBehind"].integer == 0)
        }
    }

    @Test(arguments: Engine.allCases)
    func figuresEqualPlainLoops(_ engine: Engine) async throws {
        let seed = UInt64.random(in: 1...UInt64.max / 2)
        try await AppHarness.with(engine) { app in
            _ = try await Self.history(app, seed, 60)
            let (from, to) = ("2025-12-10", "2025-12-25")
            let said = try await app.get("/insights/kpis?from=\(from)&to=\(to)")
            let plain = try await PlainFigures.load(app, from: from, to: to, zone: "America/New_York")
            let currency = said["currency"].text
            func check(_ name: String, _ numerator: Int64, _ denominator: Int64? = nil) {
                let figure = said["kpis"][name]
                #expect(figure["numerator"].integer == numerator, "\(name), seed \(seed)")
                if let denominator { #expect(figure["denominator"].integer == denominator, "\(name), seed \(seed)") }
                if denominator == 0 { #expect(figure["value"] == .null && figure["reason"] != .null, "\(name), seed \(seed)") }
                #expect(!figure["definition"].text.isEmpty)
            }
            check("sales", plain.sales)
            check("affiliateSales", plain.brought)
            check("referralRate", plain.brought, plain.sales)
            check("leads", plain.leads)
            check("newCustomers", plain.newCustomers)
            check("repeatPurchaseRate", plain.again, plain.known)
            check("revenue", plain.revenue[currency] ?? 0)
            check("refunds", plain.refunds[currency] ?? 0)
            check("commissionCost", plain.commission[currency] ?? 0)
            check("averageOrderValue", plain.revenue[currency] ?? 0, plain.sales)
            check("customerLifetimeValue", plain.everMinor[currency] ?? 0, plain.known)
            check("payoutShare", plain.commission[currency] ?? 0, plain.revenue[currency] ?? 0)
            let costs: Int64 = currency == "EUR" ? 5_000 : 0
            check("costPerAcquisition", costs + (plain.commission[currency] ?? 0), plain.newCustomers)
            #expect(said["freshness"]["eventsBehind"].integer == 0)
            for (other, minor) in plain.revenue where other != currency {
                #expect(said["otherCurrencies"][other]["revenue"]["numerator"].integer == minor, "never added, seed \(seed)")
            }
            let days = try await app.get("/insights/query?measures=sales&dimensions=day,cameBy&from=\(from)&to=\(to)")
            var perDay: Int64 = 0
            for row in days["rows"].list {
                perDay += row.elements.last.integer ?? 0
            }
            #expect(perDay == plain.sales)
            let clicks = try await app.get("/insights/query?measures=clicks,conversionRate&dimensions=channel&filters=country:DE&from=2026-01-01&to=2026-01-31")
            #expect(clicks["columns"].list.map { $0["name"].text } == ["channel", "clicks", "conversionRate"])
            let progression = try await app.get("/insights/progression?from=2025-11-01&to=2026-01-31")
            let people = progression["stages"].list.map { $0["people"]["value"].integer ?? 0 }
            #expect(people.reduce(0, +) == plain.people, "seed \(seed)")
            let retention = try await app.get("/insights/retention?months=3")
            let cohorts = retention["cohorts"].list
            #expect(cohorts.count == 3 && cohorts.map { $0["customers"].integer ?? 0 }.reduce(0, +) == plain.ever, "seed \(seed)")
            _ = try await app.get("/insights/funnel?by=channel,device")
        }
    }

    @Test(arguments: Engine.allCases)
    func whatCanNotBeAskedIsRefusedWithWhatCan(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            for (query, word) in [
                ("", "required"), ("measures=happiness", "clicks"), ("measures=sales,sales", "once"), ("measures=stageCount&dimensions=country", "stage"),
                ("measures=sales&from=2026-02-01&to=2026-01-01", "before"), ("measures=sales&from=2010-01-01&to=2026-01-01", "days"),
                ("measures=sales&filters=country", "value"), ("measures=clicks&filters=cameBy:link", "channel"), ("measures=sales&from=x", "day"),
            ] {
                let reply = try await app.api(.get, "/insights/query?\(query)")
                #expect(reply.status == 422 && reply.text.contains(word), "\(query): \(reply.text)")
            }
            let nothing = try await app.get("/insights/kpis")
            #expect(nothing["kpis"]["conversionRate"]["value"] == .null && nothing["kpis"]["sales"]["value"].integer == 0)
            #expect(try await app.page("/insights").status == 200)
        }
    }

    @Test(arguments: Engine.allCases)
    func thePageAndTheFile(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "ANNA")
            try await app.sale("i1", "c1", 12_000, ["code": "ANNA"])
            try await Self.count(app)
            let page = try await app.page("/insights?period=year")
            #expect(page.status == 200 && page.text.contains("120.00") && page.text.contains("100%"))
            let file = try await app.page("/insights.csv?period=year")
            #expect(file.text.contains("revenue,EUR,12000,12000,,"))
        }
    }

    @Test func thePageOfMeaningsIsWhatTheCodeSays() throws {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../../docs/metrics.md").standardized
        if ProcessInfo.processInfo.environment["KITH_WRITE_DOCS"] == "1" {
            try InsightMetricsPage.markdown.write(to: page, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: page, encoding: .utf8) == InsightMetricsPage.markdown)
    }
}

/// The same figures by plain loops over the rows of the export.
private struct PlainFigures {
    var sales: Int64 = 0
    var brought: Int64 = 0
    var leads: Int64 = 0
    var newCustomers: Int64 = 0
    var known: Int64 = 0
    var again: Int64 = 0
    var ever: Int64 = 0
    var people: Int64 = 0
    var revenue: [String: Int64] = [:]
    var refunds: [String: Int64] = [:]
    var commission: [String: Int64] = [:]
    var everMinor: [String: Int64] = [:]

    static func load(_ app: AppHarness, from: String, to: String, zone name: String) async throws -> PlainFigures {
        let zone = Zone(name) ?? .utc
        return try await app.installation.main.read { connection in
            func day(_ ms: Int64) -> String { zone.day(of: Instant(millisecondsSince1970: ms)).iso8601 }
            func isIn(_ ms: Int64) -> Bool { day(ms) >= from && day(ms) <= to }
            var plain = PlainFigures()
            var currencies: [String: String] = [:]
            var times: [String: [Int64]] = [:]
            for row in try connection.rows("SELECT id, customer_id, amount, currency, occurred_at, came_by FROM sale") {
                let (id, customer, amount): (String, String, Int64) = (try row.get(at: 0), try row.get(at: 1), try row.get(at: 2))
                let (currency, at, cameBy): (String, Int64, String) = (try row.get(at: 3), try row.get(at: 4), try row.get(at: 5))
                currencies[id] = currency
                times[customer, default: []].append(at)
                if day(at) <= to { plain.everMinor[currency, default: 0] += amount }
                guard isIn(at) else { continue }
                plain.sales += 1
                if ["link", "code", "bound"].contains(cameBy) { plain.brought += 1 }
                plain.revenue[currency, default: 0] += amount
            }
            for sold in times.values.map({ $0.sorted() }) {
                plain.ever += 1
                if isIn(sold[0]) { plain.newCustomers += 1 }
                if day(sold[0]) <= to { plain.known += 1 }
                if sold.count > 1, day(sold[1]) <= to { plain.again += 1 }
            }
            for row in try connection.rows("SELECT sale_id, applied_amount, occurred_at FROM refund WHERE state = 'applied'") {
                let (sale, amount, at): (String, Int64, Int64) = (try row.get(at: 0), try row.get(at: 1), try row.get(at: 2))
                let currency = currencies[sale] ?? ""
                if day(at) <= to { plain.everMinor[currency, default: 0] -= amount }
                if isIn(at) { plain.refunds[currency, default: 0] += amount }
            }
            for row in try connection.rows("SELECT occurred_at FROM lead WHERE counted_at IS NOT NULL") {
                let at: Int64 = try row.get(at: 0)
                if isIn(at) { plain.leads += 1 }
            }
            for row in try connection.rows("SELECT unit, amount - reversed_amount, occurred_at FROM commission") {
                let (unit, amount, at): (String, Int64, Int64) = (try row.get(at: 0), try row.get(at: 1), try row.get(at: 2))
                if isIn(at) { plain.commission[unit, default: 0] += amount }
            }
            let members: Int64 = try connection.value("SELECT count(*) FROM member") ?? 0
            let others: Int64 = try connection.value("SELECT count(*) FROM customer WHERE id NOT IN (SELECT customer_id FROM customer_member)") ?? 0
            plain.people = members + others
            return plain
        }
    }
}
