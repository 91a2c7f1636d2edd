import Persistence
import TestSupport
import Testing
import Web

@testable import App

/// Tiers from sale to refund: what a member keeps of a month is what the table gives for the month.
@Suite struct TierTests {
    @Test(arguments: Engine.allCases) func volumeBelowTheFirstTierCounts(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            for (mode, expected) in [("retroactive", [[], [6_000, 6_000], [6_000]]), ("marginal", [[], [2_000], [6_000]])] as [(String, [[Int64]])] {
                let program = try await app.program(["name": .text(mode)])
                try await app.tiers(program, mode, [(100_000, "0.10")])
                let anna = try await app.member(program, "anna-\(mode)")
                try await app.link(program, anna, code: mode)
                for (number, pays) in expected.enumerated() {
                    let sale = try await app.sale("\(mode)-\(number)", "c-\(number)", 60_000, ["code": .text(mode)])
                    #expect(AppHarness.amounts(sale) == pays, "\(mode) \(number)")
                }
            }
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases) func aTrueUpGoesWithTheTier(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            try await app.tiers(program, "retroactive", [(0, "0.10"), (150_000, "0.20")])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            #expect(AppHarness.amounts(try await app.sale("inv-0", "c-0", 100_000, ["code": "anna"])) == [10_000])
            for round in 1...3 {
                let sale = try await app.sale("inv-\(round)", "c-\(round)", 100_000, ["code": "anna"])
                #expect(AppHarness.amounts(sale) == [20_000, 10_000], "round \(round)")
                #expect(try await app.balance(anna)[0] == 40_000)
                let refund = try await app.refund("inv-\(round)", "r-\(round)")
                #expect(refund["reversals"].list.map { $0["state"].text } == ["reversed", "reversed"])
                #expect(try await app.balance(anna)[0] == 10_000)
            }
            // The sale that is refunded is not the one that reached the tier: its true-up goes, and what its own rate was above.
            try await app.sale("inv-4", "c-4", 100_000, ["code": "anna"])
            #expect(try await app.balance(anna)[0] == 40_000)
            try await app.refund("inv-0", "r-0")
            #expect(try await app.balance(anna)[0] == 10_000)
            try await app.refund("inv-4", "r-4")
            #expect(try await app.balance(anna)[0] == 0)
            try await app.proveAll()
        }
    }

    /// Random months with refunds and voids, beside a model that knows the table alone.
    @Test(arguments: Engine.allCases) func aMonthIsWorthItsTable(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            for seed in UInt64(1)...3 {
                var random = SeededGenerator(state: seed)
                for mode in ["retroactive", "marginal"] {
                    let name = "\(mode)-\(seed)"
                    let program = try await app.program(["name": .text(name)])
                    try await app.tiers(program, mode, [(500, "0.05"), (2_000, "0.10"), (5_000, "0.25")])
                    let anna = try await app.member(program, name)
                    try await app.link(program, anna, code: name)
                    var sales: [(amount: Int64, refunded: Int64, isVoided: Bool)] = []
                    var isVoided = false
                    for step in 0..<18 {
                        if step > 11, let number = sales.indices.randomElement(using: &random), !sales[number].isVoided, Bool.random(using: &random) {
                            // The last steps take commissions away, too.
                            let all = try await app.get("/commissions?memberId=\(anna)&limit=100")["data"].list
                            let invoices = try await app.get("/sales?programId=\(program)&limit=100")["data"].list
                            let sale = invoices.first { $0["invoiceId"].text == "\(name)-\(number)" }?["id"].text ?? ""
                            let own = all.first { $0["saleId"].text == sale && $0["base"].integer == sales[number].amount }
                            guard let own, own["amount"].integer != own["reversedAmount"].integer else { continue }
                            try await app.post("/commissions/\(own["id"].text)/cancellation", ["reason": "Void"])
                            sales[number].isVoided = true
                            isVoided = true
                        } else if let number = sales.indices.randomElement(using: &random), Bool.random(using: &random), sales[number].refunded < sales[number].amount {
                            let part = Int64.random(in: 1...(sales[number].amount - sales[number].refunded), using: &random)
                            try await app.refund("\(name)-\(number)", "\(name)-r\(step)", part)
                            sales[number].refunded += part
                        } else {
                            let amount = Int64.random(in: 1...2_500, using: &random)
                            try await app.sale("\(name)-\(sales.count)", "\(name)-c\(sales.count)", amount, ["code": .text(name)])
                            sales.append((amount, 0, false))
                        }
                        let volume = sales.reduce(0) { $0 + ($1.isVoided ? 0 : $1.amount - $1.refunded) }
                        let worth = Self.worth(volume, isRetroactive: mode == "retroactive")
                        let pending = try await app.balance(anna)[0]
                        // A voided commission may have had more than its part of the month: that goes, and nobody else gets it.
                        #expect(isVoided ? pending <= worth : pending == worth, "seed \(seed) \(mode) step \(step) volume \(volume)")
                    }
                }
            }
            try await app.proveAll()
        }
    }

    /// In thousandths of a cent, half to even.
    private static func worth(_ volume: Int64, isRetroactive: Bool) -> Int64 {
        let tiers: [(from: Int64, thousandths: Int64)] = [(0, 0), (500, 50), (2_000, 100), (5_000, 250)]
        var exact: Int64 = 0
        if isRetroactive {
            exact = volume * (tiers.last { $0.from <= volume }?.thousandths ?? 0)
        } else {
            for (position, tier) in tiers.enumerated() where tier.from < volume {
                let end = position + 1 < tiers.count ? min(volume, tiers[position + 1].from) : volume
                exact += (end - tier.from) * tier.thousandths
            }
        }
        let (whole, rest) = exact.quotientAndRemainder(dividingBy: 1_000)
        return rest > 500 || (rest == 500 && whole % 2 == 1) ? whole + 1 : whole
    }

    /// A voided commission's sale counts no longer: neither a later true-up nor the tier it helped to reach pays it.
    @Test(arguments: Engine.allCases) func whatIsVoidedLeavesTheTiers(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            try await app.tiers(program, "retroactive", [(0, "0.10"), (150_000, "0.20")])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            func void(_ sale: JSONValue) async throws -> JSONValue {
                let id = sale["commissions"].list.first { $0["level"].integer == 0 }?["id"].text ?? ""
                return try await app.post("/commissions/\(id)/cancellation", ["reason": "Was a test order"])
            }
            let first = try await app.sale("inv-0", "c-0", 100_000, ["code": "anna"])
            _ = try await void(first)
            #expect(try await app.balance(anna)[0] == 0)
            let second = try await app.sale("inv-1", "c-1", 100_000, ["code": "anna"])
            #expect(AppHarness.amounts(second) == [10_000], "the voided sale brings nobody to the next tier")
            let third = try await app.sale("inv-2", "c-2", 100_000, ["code": "anna"])
            #expect(AppHarness.amounts(third) == [20_000, 10_000], "and the true-up is for the second sale alone")
            let gone = try await void(second)
            #expect(gone["transactions"].list.isEmpty)
            #expect(try await app.balance(anna)[0] == 10_000, "100,000 are worth 10,000")
            // The voided sale comes back too: nothing is taken twice.
            try await app.refund("inv-0", "r-0", 40_000)
            try await app.refund("inv-1", "r-1")
            #expect(try await app.balance(anna)[0] == 10_000)
            try await app.refund("inv-2", "r-2")
            #expect(try await app.balance(anna)[0] == 0)
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases) func whatIsVoidedFreesItsCap(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let cap: JSONValue = ["count": 1, "per": "member", "period": "lifetime"]
            _ = try await app.rule(program, ["reward": ["kind": "percent", "rate": "0.10"], "cap": cap])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            let first = try await app.sale("inv-0", "c-0", 1_000, ["code": "anna"])
            #expect(AppHarness.amounts(try await app.sale("inv-1", "c-1", 1_000, ["code": "anna"])) == [])
            try await app.post("/commissions/\(first["commissions"].list[0]["id"].text)/cancellation", ["reason": "Was a test order"])
            #expect(AppHarness.amounts(try await app.sale("inv-2", "c-2", 1_000, ["code": "anna"])) == [100])
            try await app.proveAll()
        }
    }

    /// One order's sale and refunds in any order end the same, true-up and parked refunds included.
    @Test(arguments: Engine.allCases) func theOrderOfArrivalDoesNotMatter(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            var ends: Set<[Int64]> = []
            for (number, order) in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [2, 0, 1], [1, 2, 0], [2, 1, 0]].enumerated() {
                let name = "order\(number)"
                let program = try await app.program(["name": .text(name)])
                try await app.tiers(program, "retroactive", [(0, "0.033"), (1_500, "0.07")])
                let anna = try await app.member(program, name)
                try await app.link(program, anna, code: name)
                try await app.sale("\(name)-before", "\(name)-c", 999, ["code": .text(name)])
                for event in order {
                    switch event {
                    case 0: try await app.sale(name, "\(name)-c2", 777, ["code": .text(name)])
                    case 1: try await app.refund(name, "\(name)-r1", 101)
                    default: try await app.refund(name, "\(name)-r2", 303)
                    }
                }
                var end = try await app.balance(anna)
                for sale in [name, "\(name)-before"] {
                    let id = try await app.get("/sales?programId=\(program)")["data"].list.first { $0["invoiceId"].text == sale }?["id"].text ?? ""
                    end += try await app.get("/commissions?saleId=\(id)")["data"].list.filter { $0["saleId"].text == id }.reduce(0) {
                        $0 + ($1["amount"].integer ?? 0) - ($1["reversedAmount"].integer ?? 0)
                    }.asList
                }
                ends.insert(end)
            }
            #expect(ends.count == 1, "\(ends)")
            try await app.proveAll()
        }
    }

    @Test(arguments: Engine.allCases) func tiersAreInTheProgramsCurrency(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            try await app.tiers(program, "retroactive", [(0, "0.10"), (150_000, "0.20")])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            let yen = try await app.sale("inv-1", "c-1", 140_000, ["code": "anna", "currency": "JPY"])
            #expect(AppHarness.amounts(yen) == [])
            #expect(try await app.get("/sales/\(yen["saleId"].text)/receipt")["refusals"].list.map { $0["reason"].text } == ["saleInOtherCurrency"])
            #expect(AppHarness.amounts(try await app.sale("inv-2", "c-2", 20_000, ["code": "anna"])) == [2_000])
        }
    }

    /// Each version of a rule pays on from what the month has counted before it.
    @Test(arguments: Engine.allCases) func aNewVersionGoesOn(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            let program = try await app.program()
            let rule = try await app.tiers(program, "retroactive", [(0, "0.10")])
            let anna = try await app.member(program, "anna")
            try await app.link(program, anna, code: "anna")
            #expect(AppHarness.amounts(try await app.sale("inv-1", "c-1", 10_000, ["code": "anna"])) == [1_000])
            try await app.put(
                "/rules/\(rule)",
                ["name": "Rule", "event": "sale", "reward": ["kind": "tiered", "mode": "retroactive", "tiers": [["from": 0, "rate": "0.20"]]]])
            #expect(AppHarness.amounts(try await app.sale("inv-2", "c-2", 10_000, ["code": "anna"])) == [2_000])
            try await app.refund("inv-2", "r-2")
            #expect(try await app.balance(anna)[0] == 1_000)
            try await app.refund("inv-1", "r-1")
            #expect(try await app.balance(anna)[0] == 0)
            try await app.proveAll()
        }
    }
}

extension Int64 {
    fileprivate var asList: [Int64] { [self] }
}

extension AppHarness {
    @discardableResult
    func tiers(_ program: String, _ mode: String, _ tiers: [(from: Int64, rate: String)]) async throws -> String {
        let list = JSONValue.array(tiers.map { ["from": .integer($0.from), "rate": .text($0.rate)] })
        return try await rule(program, ["reward": ["kind": "tiered", "mode": .text(mode), "tiers": list]])
    }

    /// `kith verify` finds nothing.
    func proveAll(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let verification = try await Verification.run(main: installation.main, clicks: installation.clicks, keys: installation.keys)
        #expect(verification.findings.map { "\($0)" } == [], sourceLocation: sourceLocation)
    }
}
