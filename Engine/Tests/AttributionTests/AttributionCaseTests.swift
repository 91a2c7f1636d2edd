import Attribution
import Chronology
import Money
import Testing

private let dayMs: Int64 = 86_400_000
private let saleAt = Instant(millisecondsSince1970: 1_000 * 86_400_000)

private func touch(
    _ id: String, ageMs: Int64, _ kind: TouchKind = .link, _ memberID: String? = "amira", program: String = "prog",
    requiresReferral: Bool = false, own: Bool = false, discarded: DiscardReason? = nil, rate: Rate? = nil
) -> Touch {
    Touch(
        id: id, at: Instant(millisecondsSince1970: saleAt.millisecondsSince1970 - ageMs), kind: kind, memberID: memberID,
        programID: program, requiresReferral: requiresReferral, isOwnPurchase: own, discarded: discarded, rateOverride: rate)
}

private func decide(
    _ touches: [Touch], _ model: AttributionModel = .last, windowDays: Int64 = 30, halfLifeDays: Int64 = 7,
    order: [TouchKind] = AttributionPolicy.defaultConflictOrder, standDownMs: Int64 = 0
) throws -> AttributionDecision {
    let policy = try AttributionPolicy(
        model: model, windowMs: windowDays * dayMs, halfLifeMs: halfLifeDays * dayMs, conflictOrder: order,
        standDownMs: standDownMs)
    return attribute(touches, saleAt: saleAt, programID: "prog", policy: policy)
}

extension AttributionDecision {
    fileprivate var ppmByTouch: [String: Int] {
        Dictionary(uniqueKeysWithValues: shares.map { ($0.touchID, $0.share.ppm) })
    }

    fileprivate func reason(_ touchID: String) -> RejectionReason? {
        rejected.first { $0.touchID == touchID }?.reason
    }
}

@Suite struct AttributionCaseTests {
    /// The receipt of sale 20418 in the design.
    @Test func theReceiptOfTheDesign() throws {
        let decision = try decide([
            touch("mara", ageMs: 43 * dayMs, .link, "mara"),
            touch("amira", ageMs: 6 * dayMs, .link, "amira"),
            touch("ad", ageMs: 3 * dayMs, .paid, nil),
            touch("COFFEE10", ageMs: 0, .coupon, "blog", requiresReferral: true),
        ])
        #expect(decision.status == .attributed)
        #expect(decision.shares.map(\.memberID) == ["amira"])
        #expect(decision.shares.map(\.share) == [.whole])
        #expect(decision.shares.map(\.reason) == [.onlyTouch])
        #expect(decision.reason("mara") == .tooOld(ageMs: 43 * dayMs, windowMs: 30 * dayMs))
        #expect(decision.reason("ad") == .outranked(by: .link, touchID: "amira"))
        #expect(decision.reason("COFFEE10") == .codeNeedsReferral)
    }

    @Test func theWindowIsHalfOpen() throws {
        #expect(try decide([touch("a", ageMs: 30 * dayMs)]).reason("a") == .tooOld(ageMs: 30 * dayMs, windowMs: 30 * dayMs))
        #expect(try decide([touch("a", ageMs: 30 * dayMs - 1)]).status == .attributed)
        #expect(try decide([touch("a", ageMs: 0)]).status == .attributed)
        #expect(try decide([touch("a", ageMs: -1)]).reason("a") == .afterSale(byMs: 1))
    }

    @Test func touchesThatCountForNothing() throws {
        let decision = try decide([
            touch("bot", ageMs: 5, discarded: .crawler), touch("own", ageMs: 4, own: true),
            touch("other", ageMs: 3, program: "else"), touch("nobody", ageMs: 2, .link, nil),
        ])
        #expect(decision.status == .unattributed(.noneEligible))
        #expect(decision.reason("bot") == .discarded(.crawler))
        #expect(decision.reason("own") == .ownPurchase)
        #expect(decision.reason("other") == .otherProgram(programID: "else"))
        #expect(decision.reason("nobody") == .noMember)
        #expect(try decide([]).status == .unattributed(.noTouches))
    }

    @Test(arguments: [
        (AttributionModel.last, ["c": 1_000_000]), (.first, ["a": 1_000_000]),
        (.linear, ["a": 333_334, "b": 333_333, "c": 333_333]), (.position, ["a": 400_000, "b": 200_000, "c": 400_000]),
        // Ages 14, 7 and 0 days at a half-life of 7: 1 : 2 : 4.
        (.timeDecay, ["a": 142_857, "b": 285_714, "c": 571_429]),
    ])
    func modelsDivide(model: AttributionModel, expected: [String: Int]) throws {
        let touches = [
            touch("a", ageMs: 14 * dayMs, .link, "x"), touch("b", ageMs: 7 * dayMs, .link, "y"),
            touch("c", ageMs: 0, .link, "x"),
        ]
        let decision = try decide(touches, model)
        #expect(decision.ppmByTouch == expected)
        if model == .last { #expect(decision.reason("a") == .notLast(touchID: "c")) }
        if model == .first { #expect(decision.reason("c") == .notFirst(touchID: "a")) }
    }

    @Test func positionByNumberOfTouches() throws {
        func ppm(_ count: Int64) throws -> [Int] {
            try decide((0..<count).map { touch("t\($0)", ageMs: 1_000 - $0) }, .position).shares.map(\.share.ppm)
        }
        #expect(try ppm(1) == [1_000_000])
        #expect(try ppm(2) == [500_000, 500_000])
        #expect(try ppm(4) == [400_000, 100_000, 100_000, 400_000])
        #expect(try ppm(5) == [400_000, 66_667, 66_667, 66_666, 400_000])
        let thousand = try ppm(1_000)
        #expect(thousand.reduce(0, +) == 1_000_000)
        #expect(thousand.first == 400_000 && thousand.last == 400_000)
    }

    @Test func strongerKindsOutrank() throws {
        let touches = [
            touch("friend", ageMs: 9, .friendCode, "f"), touch("coupon", ageMs: 8, .coupon, "c"),
            touch("link", ageMs: 7, .link, "l"), touch("ad", ageMs: 6, .paid, nil),
        ]
        #expect(try decide(touches).shares.map(\.memberID) == ["f"])
        #expect(try decide(touches).reason("coupon") == .outranked(by: .friendCode, touchID: "friend"))
        #expect(try decide(touches, order: [.coupon, .link]).shares.map(\.memberID) == ["c"])
        let byHand = touches + [touch("hand", ageMs: 20, .manual, "h")]
        #expect(try decide(byHand).shares.map(\.memberID) == ["h"])
        #expect(try decide(byHand, order: [.link, .manual]).shares.map(\.memberID) == ["l"])
    }

    @Test func aPaidAdRankedFirstTakesTheCreditAway() throws {
        let touches = [touch("link", ageMs: 9), touch("ad", ageMs: 20, .paid, nil)]
        let decision = try decide(touches, order: [.paid, .link])
        #expect(decision.status == .unattributed(.paidAd(touchID: "ad")))
        #expect(decision.shares.isEmpty)
        #expect(decision.reason("ad") == .paidAdHasNoMember)
        #expect(decision.reason("link") == .outranked(by: .paid, touchID: "ad"))
        #expect(try decide([touch("ad", ageMs: 20, .paid, nil)]).status == .unattributed(.paidAd(touchID: "ad")))
        let bidding = [touch("mine", ageMs: 9, .paid, "agency"), touch("ad", ageMs: 2, .paid, nil)]
        #expect(try decide(bidding).shares.map(\.memberID) == ["agency"])
    }

    @Test func couponsAndAdsStandDown() throws {
        func coupon(after ms: Int64, of member: String = "amira", by: String = "blog") throws -> AttributionDecision {
            try decide(
                [touch("link", ageMs: 5_000_000, .link, member), touch("code", ageMs: 5_000_000 - ms, .coupon, by)],
                standDownMs: 1_800_000)
        }
        #expect(try coupon(after: 1_799_999).shares.map(\.memberID) == ["amira"])
        #expect(try coupon(after: 1_799_999).reason("code") == .standDown(seconds: 1_800, touchID: "link"))
        #expect(try coupon(after: 0).reason("code") == .standDown(seconds: 1_800, touchID: "link"))
        #expect(try coupon(after: 1_800_000).shares.map(\.memberID) == ["blog"])
        #expect(try coupon(after: -1).shares.map(\.memberID) == ["blog"])
        #expect(try coupon(after: 5, of: "blog").shares.map(\.touchID) == ["code"])
        let ad = try decide(
            [touch("link", ageMs: 100), touch("ad", ageMs: 50, .paid, nil)], order: [.paid, .link], standDownMs: 60_000)
        #expect(ad.shares.map(\.memberID) == ["amira"])
        // A later link of the code's own member does not hide the other member's.
        let hidden = try decide(
            [
                touch("theirs", ageMs: 300, .link, "amira"), touch("own", ageMs: 200, .link, "blog"),
                touch("code", ageMs: 100, .coupon, "blog"),
            ], standDownMs: 60_000)
        #expect(hidden.reason("code") == .standDown(seconds: 60, touchID: "theirs"))
    }

    @Test func codesForReferredVisitorsOnly() throws {
        let rate = try Rate("0.2")
        let code = touch("code", ageMs: 10, .coupon, "blog", requiresReferral: true, rate: rate)
        #expect(try decide([code]).reason("code") == .codeNeedsReferral)
        #expect(try decide([code, touch("link", ageMs: 9, .link, "blog")]).reason("code") == .codeNeedsReferral)
        let referred = try decide([code, touch("link", ageMs: 10, .link, "blog")])
        #expect(referred.shares.map(\.touchID) == ["code"])
        #expect(referred.shares.first?.rateOverride == rate)
        #expect(try decide([code, touch("old", ageMs: 31 * dayMs, .link, "blog")]).reason("code") == .codeNeedsReferral)
    }

    @Test func tooManyTouchesKeepTheLatest() throws {
        let touches = (0..<1_500).map { touch("t\($0)", ageMs: 1_500 - Int64($0)) }
        let decision = try decide(touches, .linear)
        #expect(decision.shares.count == 1_000)
        #expect(decision.reason("t499") == .tooManyTouches(limit: 1_000))
        #expect(decision.reason("t500") == nil)
        // Junk does not push real touches out.
        let junk = (0..<5_000).map { touch("j\($0)", ageMs: 1, discarded: .crawler) }
        #expect(try decide(junk + [touch("real", ageMs: 9)]).shares.map(\.touchID) == ["real"])
    }

    /// A quadratic gate would take minutes here.
    @Test func manyTouchesAreSortedOnce() throws {
        let kinds: [TouchKind] = [.link, .coupon, .paid, .friendCode]
        let touches = (0..<50_000).map { number in
            touch("t\(number)", ageMs: Int64(number), kinds[number % 4], "m\(number % 7)", requiresReferral: number % 8 == 1)
        }
        let decision = try decide(touches, .linear, standDownMs: 3)
        #expect(decision.shares.count + decision.rejected.count == 50_000)
    }

    @Test func decayedTouchesAreNamed() throws {
        let decision = try decide(
            [touch("old", ageMs: 3_600 * dayMs), touch("new", ageMs: 0)], .timeDecay, windowDays: 3_650, halfLifeDays: 1)
        #expect(decision.ppmByTouch == ["new": 1_000_000])
        #expect(decision.reason("old") == .decayed(ageMs: 3_600 * dayMs, halfLifeMs: dayMs))
        let ancient = try decide([touch("old", ageMs: 3_600 * dayMs)], .timeDecay, windowDays: 3_650, halfLifeDays: 1)
        #expect(ancient.ppmByTouch == ["old": 1_000_000])
    }

    @Test func hostileTimesAndIds() throws {
        let least = Touch(id: "min", at: Instant(millisecondsSince1970: .min), kind: .link, memberID: "a", programID: "prog")
        let most = Touch(id: "max", at: Instant(millisecondsSince1970: .max), kind: .paid, memberID: nil, programID: "prog")
        let decision = try decide([least, most, touch("same", ageMs: 1), touch("same", ageMs: 2)], standDownMs: 1)
        #expect(decision.reason("min")?.code == "tooOld")
        #expect(decision.reason("max")?.code == "afterSale")
        #expect(decision.reason("same") == .repeatedTouch)
        #expect(decision.shares.count == 1)
    }

    @Test func policiesThatMakeNoSense() {
        #expect(throws: AttributionPolicyFailure.windowOutOfRange) { try AttributionPolicy(model: .last, windowMs: 0) }
        #expect(throws: AttributionPolicyFailure.windowOutOfRange) { try AttributionPolicy(model: .last, windowMs: .max) }
        #expect(throws: AttributionPolicyFailure.halfLifeOutOfRange) {
            try AttributionPolicy(model: .last, windowMs: 1, halfLifeMs: 0)
        }
        #expect(throws: AttributionPolicyFailure.standDownOutOfRange) {
            try AttributionPolicy(model: .last, windowMs: 1, standDownMs: -1)
        }
        #expect(throws: AttributionPolicyFailure.repeatedKind(.link)) {
            try AttributionPolicy(model: .last, windowMs: 1, conflictOrder: [.link, .link])
        }
    }
}
