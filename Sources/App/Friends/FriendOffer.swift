import Chronology
import Money
import Persistence
import Rules
import Web

/// What a program offers a friend, in words: made of its rules, so that it says what will happen.
struct FriendOffer: Sendable {
    /// In a few words: "€5", "10 % off", "a free month". Nil when friends get nothing.
    var gift: String?
    /// What the member who shares gets.
    var thanks: String?
    /// For whom and from what on.
    var conditions: String?
    /// When it is theirs.
    var when: String?

    init(_ rules: [Rule], program: Program, coupons: [CouponID: Coupon], language: PageLanguage) {
        guard let currency = Currency(code: program.currency) else { return }
        let friends = rules.first { $0.terms.recipient == .friend }
        let members = rules.first { $0.terms.recipient == .member && $0.terms.level == 0 }
        func words(_ rule: Rule) -> String {
            if case .coupon(let id) = rule.terms.reward, let coupon = CouponID(id).flatMap({ coupons[$0] }) { return Self.words(coupon, language) }
            return RuleSentence(rule: rule, currency: currency, language: language).what
        }
        gift = friends.map(words)
        thanks = members.map(words)
        guard let friends else { return }
        let circumstances = RuleCircumstances(friends.terms)
        let isFirst = circumstances.isFirstOnly || circumstances.buyer == .new
        let place = circumstances.countries.isEmpty
            ? "" : language("friendPage.where", ["countries": circumstances.countries.map { language.country($0) }.alternatives(language)])
        let least = circumstances.leastMinor.map { language("friendPage.least", ["amount": language.money($0, .currency(currency))]) } ?? ""
        if friends.terms.event.isSale, isFirst || !place.isEmpty || !least.isEmpty {
            conditions = language(isFirst ? "friendPage.firstOrders" : "friendPage.orders", ["where": place, "least": least])
        }
        let days = program.settings.holdDays
        switch friends.terms.event {
        case .lead: when = language("friendPage.afterSignUp")
        case .click: when = nil
        case .sale, .recurring: when = days > 0 ? language.plural("friendPage.afterHold", days) : language("friendPage.afterOrder")
        }
    }

    private static func words(_ coupon: Coupon, _ language: PageLanguage) -> String {
        switch coupon.kind {
        case .percent: language("friendPage.off", ["what": language.percent(ppm: (coupon.rate ?? .zero).billionths / 1000, decimals: 4)])
        case .fixed: language("friendPage.off", ["what": language.money(coupon.amountMinor ?? 0, .currency(coupon.currency))])
        case .storeCredit: language.money(coupon.amountMinor ?? 0, .credit(coupon.currency))
        case .freeShipping: language("rule.reward.freeShipping")
        }
    }
}

extension FriendOffer {
    /// The rules that an offer is made of, with the coupons that they give: those in force that can pay for what this member shares, by their
    /// group, their tier and what experiments give them.
    static func source(
        _ program: Program, sharedBy member: MemberID?, at now: Instant, on connection: any Connection
    ) throws -> ([Rule], [CouponID: Coupon]) {
        let inForce = Array(try RuleStore.inForce(program.id, at: now, on: connection).prefix(FriendDoor.rulesMax))
        let wanted = MemberFacts.Wanted(inForce.map(\.terms.conditions))
        let facts = try MemberFacts.load(wanted, of: member.map { [$0] } ?? [], in: program.id, at: now, on: connection)
        let rules = inForce.filter { facts.allow($0.terms.conditions, member: member) }
        var coupons: [CouponID: Coupon] = [:]
        for rule in rules {
            guard case .coupon(couponID: let text) = rule.terms.reward, let id = CouponID(text), coupons[id] == nil else { continue }
            coupons[id] = try CouponStore.find(id, in: program.workspaceID, on: connection)
        }
        return (rules, coupons)
    }
}
