import Compensation
import CompensationOracle
import SeededRandom

/// One period for the engine and the oracle alike.
struct OracleCase {
    var plan: Plan
    var facts: OracleFacts
    var widths: [Int?]
    var carryIn = Carry()
    var overrides: [Override] = []
    var history: [PastOrder] = []

    struct Outcome {
        /// Nil where the engine refused.
        var result: RunResult?
        var differences: [String] = []
        /// Why the documents say nothing about the case.
        var isUndefined = false
    }

    func outcome(threads: Int = 1) async throws -> Outcome {
        var engine: RunResult?
        var refusal = ""
        do {
            engine = try await run(
                plan, facts: try engineFacts(), carryIn: carryIn, overrides: overrides, history: history,
                options: RunOptions(threads: threads))
        } catch let failure as RunFailure { refusal = "\(failure)" } catch let failure as FactsFailure { refusal = "\(failure)" }
        do {
            let oracle = try oracleRun(plan, facts: facts, carryIn: carryIn, overrides: overrides, history: history)
            guard let engine else { return Outcome(differences: ["the engine refuses: \(refusal)"]) }
            return Outcome(result: engine, differences: differences(engine, oracle))
        } catch let failure as OracleFailure {
            if case .undefined = failure { return Outcome(result: engine, isUndefined: true) }
            return Outcome(differences: engine == nil ? [] : ["the oracle refuses: \(failure)"])
        }
    }

    /// The same case with several threads, shuffled rows, and without lines; nil where nothing shows.
    func differencesOfOtherWays(_ expected: RunResult, seed: UInt64) async throws -> String? {
        var random = SplitMix64(seed: seed)
        var other = self
        other.facts.members.shuffle(using: &random)
        other.facts.orders.shuffle(using: &random)
        other.facts.moves.shuffle(using: &random)
        other.overrides.shuffle(using: &random)
        for threads in [2, 3] {
            let result = try await run(
                plan, facts: try other.engineFacts(), carryIn: carryIn, overrides: other.overrides, history: history,
                options: RunOptions(threads: threads, keepsLines: threads == 2))
            if threads == 2, result.lines != expected.lines {
                let place = zip(result.lines, expected.lines).enumerated().first { $0.element.0 != $0.element.1 }
                return "lines differ with shuffled rows and \(threads) threads: \(place.map { "\($0.element)" } ?? "")"
            }
            for member in 0..<expected.facts.memberCount
            where result.facts.memberId(member) != expected.facts.memberId(member) || result.statement(of: member) != expected.statement(of: member) {
                return "the statement of \(expected.facts.memberId(member)) differs with shuffled rows and \(threads) threads"
            }
            if result.carryOut != expected.carryOut || result.breakage != expected.breakage { return "carry or breakage differ with \(threads) threads" }
        }
        return nil
    }

    func engineFacts() throws -> Facts {
        var builder = FactsBuilder(
            calendar: facts.calendar, placementTrees: zip(facts.placementTrees, widths).map { (tree: $0, width: $1) },
            attributeNames: facts.attributeNames)
        for member in facts.members { try builder.add(member) }
        for order in facts.orders { try builder.add(order) }
        for move in facts.moves { builder.add(move) }
        return try builder.build(period: facts.period)
    }

    /// What the engine says beside what the oracle says, where they are not the same.
    func differences(_ engine: RunResult, _ oracle: OracleResult) -> [String] {
        var found: [String] = []
        func compare<Value: Equatable>(_ what: @autoclosure () -> String, _ one: Value, _ other: Value) {
            if one != other { found.append("\(what()): engine \(one), oracle \(other)") }
        }
        let known = engine.facts
        for member in 0..<known.memberCount where known.isPromoter(member) {
            let id = known.memberId(member)
            let mine = engine.statement(of: member)
            guard let theirs = oracle.statements[id] else { continue }
            compare("rank, paid-as, highest of \(id)", [mine.rank, mine.paidRank, mine.highestRank], [theirs.rank, theirs.paidRank, theirs.highestRank])
            compare("activity of \(id)", mine.isActive, theirs.isActive)
            compare("personal, group volume of \(id)", [mine.personalVolume, mine.groupVolume], [theirs.personalVolume, theirs.groupVolume])
            compare("amount, debt, payable, new debt of \(id)", [mine.amountMinor, mine.debtInMinor, mine.payableMinor, mine.debtOutMinor],
                [theirs.amountMinor, theirs.debtInMinor, theirs.payableMinor, theirs.debtOutMinor])
        }
        compareLines(engine, oracle, &found)
        for (number, breakage) in engine.breakage.enumerated() {
            let other = oracle.breakage[number]
            let billionth = Fraction(1, over: 1_000_000_000)
            compare("breakage of \(breakage.bonus), nobody", Fraction(breakage.nobodyExact, over: 1) * billionth, other.nobody)
            compare("breakage of \(breakage.bonus), unqualified", Fraction(breakage.unqualifiedExact, over: 1) * billionth, other.unqualified)
            compare("caps of \(breakage.bonus)", [breakage.capBonusMinor, breakage.capSoldOrUsedMinor, breakage.capPersonMinor, breakage.capPlanMinor],
                [Int128(other.capBonusMinor), Int128(other.capSoldOrUsedMinor), Int128(other.capPersonMinor), Int128(other.capPlanMinor)])
        }
        for statement in engine.binary {
            guard let number = plan.bonuses.firstIndex(where: { $0.code == statement.bonus }) else { continue }
            let id = known.memberId(statement.member)
            guard let legs = oracle.binary[number]?[id] else { continue }
            for (side, mine, theirs) in [("left", statement.left, legs.left), ("right", statement.right, legs.right)] {
                compare(
                    "\(side) of \(id) in \(statement.bonus): in, new, flushed, matched, expired, out",
                    [mine.carriedIn, mine.new, mine.flushed, mine.matched, mine.expired, mine.carriedOut],
                    [theirs.carriedIn, theirs.new, theirs.flushed, theirs.matched, theirs.expired, theirs.carriedOut])
            }
        }
        compareCarry(engine.carryOut, oracle.carryOut, &found)
        for order in engine.pastOrders(ids: Set(facts.orders.map(\.id))) {
            func sorted(_ paid: [PastOrder.Paid]) -> [String] { paid.map { "\($0)" }.sorted() }
            compare("paid on \(order.orderId)", sorted(order.paid), sorted(oracle.paidOrders[order.orderId] ?? []))
        }
        compare("refunded orders", engine.refundedOrders, oracle.refundedOrders)
        return found
    }

    private func compareLines(_ engine: RunResult, _ oracle: OracleResult, _ found: inout [String]) {
        let known = engine.facts
        var counts: [String: Int] = [:]
        for line in engine.lines where line.amountMinor != 0 {
            let order = line.order < 0 ? "-" : known.orderId(Int(line.order))
            let source = line.source < 0 ? "-" : known.memberId(Int(line.source))
            counts[text(known.memberId(Int(line.member)), Int(line.bonus), order, source, Int(line.level), line.reason,
                line.baseMinor, Fraction(Int128(line.rateBillionths), over: 1_000_000_000), line.amountMinor, line.cutMinor), default: 0] += 1
        }
        for line in oracle.lines {
            counts[text(line.memberId, line.bonus, line.orderId ?? "-", line.sourceId ?? "-", line.level, line.reason, line.baseMinor,
                line.rate, line.amountMinor, line.cutMinor), default: 0] -= 1
        }
        for (text, count) in counts.sorted(by: { $0.key < $1.key }) where count != 0 {
            found.append("line only of the \(count > 0 ? "engine" : "oracle"): \(text)")
        }
    }

    private func text(
        _ member: String, _ bonus: Int, _ order: String, _ source: String, _ level: Int, _ reason: LineReason, _ base: Int64,
        _ rate: Fraction, _ amount: Int64, _ cut: Int64
    ) -> String {
        "\(member) \(plan.bonuses[bonus].code) order \(order) source \(source) level \(level) \(reason.code) base \(base) rate \(rate.numerator)/\(rate.denominator) amount \(amount) cut \(cut)"
    }

    private func compareCarry(_ engine: Carry, _ oracle: Carry, _ found: inout [String]) {
        func difference<Entry: Hashable>(_ what: String, _ mine: [Entry], _ theirs: [Entry]) {
            for entry in Set(mine).subtracting(theirs) { found.append("\(what) only of the engine: \(entry)") }
            for entry in Set(theirs).subtracting(mine) { found.append("\(what) only of the oracle: \(entry)") }
        }
        // Entries that say nothing may stand or not.
        func says(_ entry: Carry.Member) -> Bool { entry != Carry.Member(id: entry.id, trackers: entry.trackers.map { _ in 0 }) }
        difference("carry", engine.members.filter(says), oracle.members.filter(says))
        let codes = Set(plan.bonuses.map(\.code))
        difference("leg", engine.legs.filter { $0.volume != 0 }, oracle.legs.filter { codes.contains($0.bonus) })
        difference("banked", engine.banked.filter { $0.amountMinor != 0 }, oracle.banked.filter { codes.contains($0.bonus) })
        difference("tier", engine.tiers.filter { $0.baseMinor != 0 || $0.companyExact != 0 },
            oracle.tiers.filter { codes.contains($0.bonus) && ($0.baseMinor != 0 || $0.companyExact != 0) })
        difference("award", engine.awards, oracle.awards.filter { codes.contains($0.bonus) })
    }
}
