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
    /// What comes on top of what is theirs at once.
    var also: String?
    /// What takes it off at the checkout; nil where nothing is theirs at once.
    var code: String?

    /// What an offer is made of.
    struct Source: Sendable {
        /// Those that can pay for what a member shares.
        var rules: [Rule] = []
        var coupons: [CouponID: Coupon] = [:]
        var welcome: Welcome?
    }

    init(_ source: Source, program: Program, language: PageLanguage) {
        guard let currency = Currency(code: program.currency) else { return }
        let (rules, coupons) = (source.rules, source.coupons)
        let friends = rules.first { $0.terms.recipient == .friend }
        let members = rules.filter { $0.terms.recipient == .member && $0.terms.level == 0 }
        func words(_ rule: Rule) -> String {
            if case .coupon(let id) = rule.terms.reward, let coupon = CouponID(id).flatMap({ coupons[$0] }) { return Self.words(coupon, language) }
            return RuleSentence(rule: rule, currency: currency, language: language).what
        }
        // Every rule that holds pays: whoever is paid for a friend says all of it, of the kind of event that comes first.
        let event = members.first?.terms.event
        thanks = members.isEmpty ? nil : members.filter { $0.terms.event == event }.map(words).listed(language)
        if let friends { take(friends, words(friends), program: program, currency: currency, language) }
        if let welcome = source.welcome { take(welcome, currency: currency, language) }
    }

    /// What a rule gives for what the friend does.
    private mutating func take(_ friends: Rule, _ words: String, program: Program, currency: Currency, _ language: PageLanguage) {
        gift = words
        let circumstances = RuleCircumstances(friends.terms)
        let isFirst = circumstances.isFirstOnly || circumstances.buyer == .new
        let place = circumstances.countries.isEmpty
            ? "" : language("friendPage.where", ["countries": circumstances.countries.map { language.country($0) }.alternatives(language)])
        let least = circumstances.saidLeastMinor.map { language("friendPage.least", ["amount": language.money($0, .currency(currency))]) } ?? ""
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

    /// What a code takes off at once stands first; what a rule gives comes after it.
    private mutating func take(_ welcome: Welcome, currency: Currency, _ language: PageLanguage) {
        also = gift.map { [language("friendPage.also", ["gift": $0]), conditions, when].compactMap(\.self).joined(separator: " ") }
        gift = Self.words(welcome.coupon, language)
        code = welcome.code
        let least = welcome.coupon.minimumMinor > 0 ? language("friendPage.least", ["amount": language.money(welcome.coupon.minimumMinor, .currency(currency))]) : ""
        let isFirst = welcome.coupon.newCustomersOnly
        conditions = least.isEmpty ? nil : language(isFirst ? "friendPage.firstOrders" : "friendPage.orders", ["where": "", "least": least])
        when = language(isFirst ? "friendPage.atCheckoutFirst" : "friendPage.atCheckout")
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
    /// The rules that an offer is made of, with the coupons that they give and the code that is good at once: those in force that can pay for what this member shares, by their
    /// group, their tier and what experiments give them.
    static func source(
        _ program: Program, sharedBy member: MemberID?, at now: Instant, on connection: any Connection
    ) throws -> Source {
        let inForce = Array(try RuleStore.inForce(program.id, at: now, on: connection).prefix(FriendDoor.rulesMax))
        let wanted = MemberFacts.Wanted(inForce.map(\.terms.conditions))
        let facts = try MemberFacts.load(wanted, of: member.map { [$0] } ?? [], in: program.id, at: now, on: connection)
        let rules = inForce.filter { facts.allow($0.terms.conditions, member: member) }
        var coupons: [CouponID: Coupon] = [:]
        for rule in rules {
            guard case .coupon(couponID: let text) = rule.terms.reward, let id = CouponID(text), coupons[id] == nil else { continue }
            coupons[id] = try CouponStore.find(id, in: program.workspaceID, on: connection)
        }
        return Source(
            rules: rules, coupons: coupons, welcome: try Welcome.find(program.id, in: program.workspaceID, sharedBy: member, on: connection))
    }
}
