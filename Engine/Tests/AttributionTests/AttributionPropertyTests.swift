@testable import Attribution
import Chronology
import Foundation
import Money
import SeededRandom
import Testing

@Suite struct AttributionPropertyTests {
    private let saleAt = Instant(millisecondsSince1970: 100_000)

    private func randomTouches(_ random: inout SplitMix64) -> [Touch] {
        (0..<Int.random(in: 0...12, using: &random)).map { number in
            let kind = TouchKind.allCases[Int.random(in: 0..<5, using: &random)]
            let hasMember = kind == .paid ? Int.random(in: 0..<4, using: &random) == 0 : Int.random(in: 0..<8, using: &random) != 0
            let isDiscarded = Int.random(in: 0..<10, using: &random) == 0
            return Touch(
                id: "t\(number)", at: Instant(millisecondsSince1970: Int64.random(in: 0...101_000, using: &random) / 500 * 500),
                kind: kind, memberID: hasMember ? ["a", "b", "c"][Int.random(in: 0..<3, using: &random)] : nil,
                programID: Int.random(in: 0..<10, using: &random) == 0 ? "other" : "prog",
                requiresReferral: Int.random(in: 0..<4, using: &random) == 0 && (kind == .coupon || kind == .friendCode),
                isOwnPurchase: Int.random(in: 0..<10, using: &random) == 0, discarded: isDiscarded ? .crawler : nil)
        }
    }

    private func randomPolicy(_ random: inout SplitMix64) throws -> AttributionPolicy {
        let order = Array([TouchKind.friendCode, .coupon, .link, .paid].shuffled(using: &random).prefix(Int.random(in: 0...4, using: &random)))
        return try AttributionPolicy(
            model: AttributionModel.allCases[Int.random(in: 0..<5, using: &random)],
            windowMs: Int64.random(in: 1...120, using: &random) * 1_000,
            halfLifeMs: Int64.random(in: 1...50_000, using: &random), conflictOrder: order,
            standDownMs: Int64.random(in: 0...20, using: &random) * 1_000)
    }

    @Test func agreesWithTheSlowReferenceInAnyOrder() throws {
        let seed: UInt64 = 7
        var random = SplitMix64(seed: seed)
        var attributedCount = 0
        for round in 0..<4_000 {
            let touches = randomTouches(&random)
            let policy = try randomPolicy(&random)
            let decision = attribute(touches, saleAt: saleAt, programID: "prog", policy: policy)
            let reference = slowAttribution(touches, saleAt: saleAt, policy: policy)
            let codes = Dictionary(uniqueKeysWithValues: decision.rejected.map { ($0.touchID, $0.reason.code) })
            let ppm = Dictionary(uniqueKeysWithValues: decision.shares.map { ($0.touchID, $0.share.ppm) })
            #expect(codes == reference.codes, "seed \(seed) round \(round)")
            #expect(Set(ppm.keys) == Set(reference.weights.keys), "seed \(seed) round \(round)")
            let weightSum = reference.weights.values.reduce(0, +)
            for (id, weight) in reference.weights {
                #expect(abs(Double(ppm[id] ?? 0) - weight / weightSum * 1_000_000) < 1.01, "seed \(seed) round \(round) \(id)")
            }

            // A2, and each touch has exactly one place.
            let sum = decision.shares.reduce(0) { $0 + $1.share.ppm }
            #expect(sum == (decision.status == .attributed ? 1_000_000 : 0), "seed \(seed) round \(round)")
            #expect(decision.shares.count + decision.rejected.count == touches.count, "seed \(seed) round \(round)")
            if decision.status == .attributed { attributedCount += 1 }

            let shuffled = attribute(touches.shuffled(using: &random), saleAt: saleAt, programID: "prog", policy: policy)
            #expect(shuffled == decision, "seed \(seed) round \(round)")

            // A3: what is late or discarded changes nothing for the others.
            let useful = touches.filter { $0.at <= saleAt && $0.discarded == nil }
            let without = attribute(useful, saleAt: saleAt, programID: "prog", policy: policy)
            #expect(without.shares == decision.shares, "seed \(seed) round \(round)")
        }
        #expect(attributedCount > 1_000)
    }

    /// Every gate by looking at all pairs; weights in floating point, which only tests may use.
    private func slowAttribution(
        _ touches: [Touch], saleAt: Instant, policy: AttributionPolicy
    ) -> (weights: [String: Double], codes: [String: String]) {
        let saleMs = saleAt.millisecondsSince1970
        var codes: [String: String] = [:]
        func left() -> [Touch] {
            touches.filter { codes[$0.id] == nil }.sorted { ($0.at, $0.id) < ($1.at, $1.id) }
        }
        for touch in touches {
            let ageMs = saleMs - touch.at.millisecondsSince1970
            if touch.discarded != nil { codes[touch.id] = "discarded" }
            else if touch.programID != "prog" { codes[touch.id] = "otherProgram" }
            else if ageMs < 0 { codes[touch.id] = "afterSale" }
            else if ageMs >= policy.windowMs { codes[touch.id] = "tooOld" }
            else if touch.isOwnPurchase { codes[touch.id] = "ownPurchase" }
            else if touch.kind != .paid && touch.memberID == nil { codes[touch.id] = "noMember" }
        }
        let afterBasics = left()
        for touch in afterBasics where touch.requiresReferral {
            let isReferred = afterBasics.contains { $0.kind == .link && $0.memberID == touch.memberID && $0.at <= touch.at }
            if !isReferred { codes[touch.id] = "codeNeedsReferral" }
        }
        let beforeStandDown = left()
        for touch in beforeStandDown where touch.kind == .coupon || touch.kind == .paid {
            let standsDown = beforeStandDown.contains { other in
                let afterMs = touch.at.millisecondsSince1970 - other.at.millisecondsSince1970
                return (other.kind == .link || other.kind == .friendCode) && other.memberID != touch.memberID
                    && afterMs >= 0 && afterMs < policy.standDownMs
            }
            if standsDown { codes[touch.id] = "standDown" }
        }
        func rank(_ kind: TouchKind) -> Int {
            policy.conflictOrder.firstIndex(of: kind) ?? (kind == .manual ? -1 : 99)
        }
        let best = left().map { rank($0.kind) }.min() ?? 0
        for touch in left() where rank(touch.kind) > best { codes[touch.id] = "outranked" }
        for touch in left() where touch.memberID == nil { codes[touch.id] = "paidAdHasNoMember" }
        let winners = left()
        guard !winners.isEmpty else { return ([:], codes) }
        var weights: [String: Double] = [:]
        for (position, touch) in winners.enumerated() {
            let isEnd = position == 0 || position == winners.count - 1
            switch policy.model {
            case .last:
                if position == winners.count - 1 { weights[touch.id] = 1 } else { codes[touch.id] = "notLast" }
            case .first:
                if position == 0 { weights[touch.id] = 1 } else { codes[touch.id] = "notFirst" }
            case .linear: weights[touch.id] = 1
            case .position:
                weights[touch.id] = winners.count <= 2 ? 1 : isEnd ? 0.4 : 0.2 / Double(winners.count - 2)
            case .timeDecay:
                let ageMs = Double(winners[winners.count - 1].at.millisecondsSince1970 - touch.at.millisecondsSince1970)
                weights[touch.id] = exp2(-ageMs / Double(policy.halfLifeMs))
            }
        }
        if policy.model == .timeDecay {
            let ppm = (try? SharePPM.split(weights: winners.map { Int64((weights[$0.id] ?? 0) * 0x1p62) })) ?? []
            for (touch, share) in zip(winners, ppm) where share == .zero {
                codes[touch.id] = "decayed"
                weights[touch.id] = nil
            }
        }
        return (weights, codes)
    }

    @Test func decayWeightsAreTwoToTheMinusAge() {
        let seed: UInt64 = 8
        var random = SplitMix64(seed: seed)
        for _ in 0..<5_000 {
            let halfLifeMs = Int64.random(in: 1...AttributionPolicy.longestWindowMs, using: &random)
            let elapsedMs = Int64.random(in: 0...halfLifeMs * 20 / 19 * 18, using: &random)
            let exact = exp2(-Double(elapsedMs) / Double(halfLifeMs))
            let weight = Double(decayWeight(elapsedMs: elapsedMs, halfLifeMs: halfLifeMs)) / 0x1p62
            #expect(abs(weight / exact - 1) < 1e-9, "seed \(seed) \(elapsedMs) \(halfLifeMs)")
        }
        #expect(decayWeight(elapsedMs: 0, halfLifeMs: 1) == 1 << 62)
        #expect(decayWeight(elapsedMs: 61, halfLifeMs: 1) == 2)
        #expect(decayWeight(elapsedMs: 62, halfLifeMs: 1) == 0)
        #expect(decayWeight(elapsedMs: .max, halfLifeMs: 1) == 0)
        #expect(decayWeight(elapsedMs: .max, halfLifeMs: .max) == 1 << 61)
        // The bits themselves, so that no machine and no compiler changes them unseen.
        #expect(decayWeight(elapsedMs: 1, halfLifeMs: 2) == 3_260_954_456_333_195_553)
        #expect(decayWeight(elapsedMs: 1, halfLifeMs: 3) == 3_660_297_618_696_243_259)
    }
}
