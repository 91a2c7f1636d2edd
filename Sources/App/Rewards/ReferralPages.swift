import Chronology
import HTTPTypes
import Hummingbird
import Money
import Persistence
import Rules
import Web

/// "Refer a friend": both sides of a program set up in one place, with what it would have cost last month.
enum ReferralPages {
    static func add(to api: inout API, gate: PageGate) {
        ReferralReportPages.add(to: &api, gate: gate)
        api.page("/programs/{id}/refer-a-friend", .programsRead, gate) { visit in try await show(visit, nil) }
        api.form("/programs/{id}/refer-a-friend", .programsWrite, gate) { visit, fields in
            if fields["act"] == ReferralTermsDraft.act { return try await takeTerms(visit, ReferralTermsDraft(fields)) }
            return try await take(visit, ReferralDraft(fields), isSaving: fields["act"] == "save")
        }
    }

    private struct Place: Sendable {
        var program: Program
        var currency: Currency
        var rules: [Rule]
        var coupons: [Coupon]
        /// What is left of the budget in this period; nil where there is none.
        var left: Int64?
        var page: FriendPage
        /// A link of somebody's, to look at the friend's page with.
        var link: Link?

        /// Rules in force that pay the same sides for the same as the draft's, and would be paid besides.
        func alike(_ draft: ReferralDraft) -> [Rule] {
            rules.filter { $0.terms.level == 0 && $0.terms.event.isSale == draft.event.isSale && $0.terms.event != .click }
        }

        /// The coupon that friends have a code of at once.
        var welcome: Coupon? { coupons.first { $0.id == page.couponID } }
    }

    private static func place(_ visit: PageVisit) async throws -> Place {
        let id: ProgramID = try visit.context.id()
        let (workspace, now) = (visit.workspaceID, visit.now)
        let place = try await visit.installation.main.read { connection -> Place? in
            guard let program = try ProgramStore.find(id, in: workspace, at: now, on: connection), let currency = Currency(code: program.currency) else { return nil }
            let left = try program.settings.referral.budget.map { budget in
                budget.amountMinor - (try ProgramBudgetStore.used(id, program.zone.period(budget.period, of: now), on: connection))
            }
            return Place(
                program: program, currency: currency, rules: try RuleStore.inForce(id, at: now, on: connection),
                coupons: try CouponStore.list(in: workspace, program: id, limit: Coupon.listMax, on: connection).filter { $0.state == .active },
                left: left, page: try FriendPageStore.find(id, on: connection) ?? FriendPage(),
                link: try LinkStore.list(in: workspace, program: id, member: nil, after: nil, limit: 1, on: connection).first)
        }
        guard let place else { throw Problem.notFound() }
        return place
    }

    private static func take(_ visit: PageVisit, _ draft: ReferralDraft, isSaving: Bool) async throws -> Response {
        let place = try await place(visit)
        let (rules, welcome, errors) = written(draft, place, visit)
        guard errors.isEmpty else { return try await show(visit, draft, errors: errors.mapValues { visit.language("refer.error.\($0)") }) }
        guard isSaving else { return try await show(visit, draft, looked: (rules, welcome)) }
        let id = place.program.id
        do {
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                if draft.isReplacing { for rule in place.alike(draft) { try rule.end(in: write) } }
                for rule in rules { _ = try Rule.create(read(rule.document), program: id, in: write) }
                if welcome != nil || draft.isReplacing {
                    var page = place.page
                    page.couponID = try welcome.map { try Coupon.create($0, in: write).id }
                    if welcome != nil { page.isShared = true }
                    if page != place.page { _ = try FriendPage.set(page, for: id, in: write) }
                    if draft.isReplacing, let known = place.welcome { _ = try Coupon.end(known.id, in: write) }
                }
            }
        } catch let problem as Problem where problem.status == .unprocessableContent || problem.status == .conflict {
            return try await show(visit, draft, errors: ["memberKind": problem.detail])
        }
        return visit.seeOther("/programs/\(id.text)/refer-a-friend?done=saved")
    }

    private static func takeTerms(_ visit: PageVisit, _ draft: ReferralTermsDraft) async throws -> Response {
        let place = try await place(visit)
        let (terms, errors) = draft.terms(currency: place.currency, numbers: visit.language.numbers)
        guard errors.isEmpty else {
            return try await show(visit, nil, terms: draft, errors: errors.mapValues { visit.language("refer.error.\($0)") })
        }
        let id = place.program.id
        if terms != place.program.settings.referral {
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                _ = try Program.change(id, Program.Change(fields: [JSONMember("referral", terms.json)]), in: write)
            }
        }
        return visit.seeOther("/programs/\(id.text)/refer-a-friend?done=terms")
    }

    private static func written(
        _ draft: ReferralDraft, _ place: Place, _ visit: PageVisit
    ) -> (rules: [ReferralDraft.Written], welcome: NewCoupon?, errors: [String: String]) {
        let (language, numbers) = (visit.language, visit.language.numbers)
        let (rules, errors) = draft.documents(
            currency: place.currency, numbers: numbers, names: (member: language("refer.ruleName.member"), friend: language("refer.ruleName.friend")))
        var (welcome, more) = draft.welcome(place.program.id, name: "", currency: place.currency, numbers: numbers)
        if let gift = welcome.flatMap({ offer($0, [], place, visit).gift }) { welcome?.name = language("refer.couponName", ["gift": gift]) }
        return (rules, welcome, errors.merging(more) { known, _ in known })
    }

    private static func read(_ json: JSONValue) throws -> RuleDocument {
        let reader = try JSONReader(json)
        let document = RuleDocument.read(reader)
        try reader.finish()
        return document
    }

    // MARK: The page

    private static func show(
        _ visit: PageVisit, _ typed: ReferralDraft?, looked: (rules: [ReferralDraft.Written], welcome: NewCoupon?)? = nil, terms: ReferralTermsDraft? = nil,
        errors: [String: String] = [:]
    ) async throws -> Response {
        let place = try await place(visit)
        let language = visit.language
        func say(_ key: String) -> String { language("refer.\(key)") }
        let isSetUp = !place.rules.isEmpty || place.page.couponID != nil
        let known = ReferralDraft(place.rules, welcome: place.welcome, currency: place.currency, language.numbers)
        var draft = typed ?? known ?? (isSetUp ? ReferralDraft() : .usual(place.currency, language.numbers))
        // What the fields can't say is not ended by saving them, unless somebody asks for it.
        if typed == nil, isSetUp, known == nil { draft.isReplacing = false }
        var blocks: [PageBlocks.Block] = []
        if typed == nil, isSetUp { blocks.append(nextBlock(place, visit)) }
        if let looked { blocks.append(try await preview(draft, looked.rules, looked.welcome, place, visit)) }
        let path = "/programs/\(place.program.id.text)/refer-a-friend"
        let inForce = rulesBlock(place, visit)
        if isSetUp, typed == nil { blocks += inForce }
        if visit.session.may(.programsWrite) {
            blocks.append(
                PageBlocks.Block(
                    heading: say("form"), text: language("refer.formText", ["days": language.plural("coupons.days", place.program.settings.holdDays)]),
                    forms: [
                        draft.form(
                            action: path, coupons: place.coupons, known: isSetUp, errors: errors, csrfToken: visit.csrfToken, currency: place.currency, language)
                    ]))
        }
        // Who else counts is asked once there is something to count for.
        if isSetUp || terms != nil || place.program.settings.referral != ReferralTerms() {
            blocks.append(termsBlock(terms, place, action: path, errors: errors, visit))
        }
        if !isSetUp || typed != nil { blocks += inForce }
        let page = PageBlocks(
            heading: say("title"), crumb: (url: "/programs/\(place.program.id.text)", label: place.program.name), links: [PageBlocks.Link(url: "/programs/\(place.program.id.text)/referral-report", label: language("referReport.title"))], lead: language.sentence("refer.lead"),
            refused: errors.isEmpty ? nil : say("refused"), blocks: blocks)
        return try visit.blocks(
            page, current: "/programs", notice: visit.done("refer", ["saved", "terms"]), status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    /// What is left to do once both sides are set up.
    private static func nextBlock(_ place: Place, _ visit: PageVisit) -> PageBlocks.Block {
        let language = visit.language
        let id = place.program.id.text
        var links: [PageBlocks.Link] = []
        if visit.session.may(.membersWrite) {
            links.append(PageBlocks.Link(url: "/members/new?program=\(id)", label: language("refer.next.member"), style: place.link == nil ? "btn-primary" : "btn-plain"))
        }
        if let link = place.link {
            links.append(PageBlocks.Link(url: FriendDoor.path + LocalPath.encoded(link.code), label: language("refer.next.see"), style: "btn-primary"))
        }
        links.append(PageBlocks.Link(url: "/programs/\(id)/friend-page", label: language("refer.next.words")))
        return PageBlocks.Block(heading: language("refer.next"), text: language(place.link == nil ? "refer.next.noLink" : "refer.next.link"), links: links)
    }

    /// What holds now: the code that is good at once, and the rules.
    private static func rulesBlock(_ place: Place, _ visit: PageVisit) -> [PageBlocks.Block] {
        let language = visit.language
        func say(_ key: String) -> String { language("refer.\(key)") }
        var facts: [PageBlocks.Fact] = []
        if let coupon = place.welcome {
            let offer = FriendOffer(FriendOffer.Source(welcome: Welcome(coupon: coupon, code: "")), program: place.program, language: language)
            facts.append(PageBlocks.Fact(label: say("atOnce"), text: [offer.gift.map { $0 + "." }, offer.conditions, offer.when].compactMap(\.self).joined(separator: " ")))
        }
        let rows = place.rules.map { rule in
            PageTable.Row(cells: [
                .name(rule.name, url: "/rules/\(rule.id.text)"), .text(RuleSentence(rule: rule, currency: place.currency, language: language).text),
            ])
        }
        guard !rows.isEmpty || !facts.isEmpty else { return [] }
        return [
            PageBlocks.Block(
                heading: say("rules"), facts: facts,
                table: rows.isEmpty
                    ? nil
                    : PageTable(
                        label: say("rules"), columns: [PageTable.Column(label: say("column.rule")), PageTable.Column(label: say("column.sentence"))],
                        rows: rows, language: language), note: say("rulesNote"))
        ]
    }

    /// Who counts, the budget and what is left of it, and the fields to change them.
    private static func termsBlock(
        _ draft: ReferralTermsDraft?, _ place: Place, action: String, errors: [String: String], _ visit: PageVisit
    ) -> PageBlocks.Block {
        let language = visit.language
        let terms = place.program.settings.referral
        let words = terms.words(currency: place.currency, language)
        var facts = [PageBlocks.Fact(label: language("refer.terms.now"), text: words.isEmpty ? language("refer.term.none") : words.joined(separator: language("list.semicolon")))]
        if let left = place.left {
            facts.append(PageBlocks.Fact(label: language("refer.terms.left"), text: language.money(max(0, left), .currency(place.currency))))
        }
        let form = (draft ?? ReferralTermsDraft(terms, currency: place.currency, language)).form(
            action: action, errors: errors, currency: place.currency, csrfToken: visit.csrfToken, language)
        return PageBlocks.Block(
            heading: language("refer.terms.title"), text: language("refer.terms.text"), facts: facts,
            forms: visit.session.may(.programsWrite) ? [form] : [])
    }

    /// The rules as sentences, and what they would have cost last month.
    private static func preview(
        _ draft: ReferralDraft, _ rules: [ReferralDraft.Written], _ welcome: NewCoupon?, _ place: Place, _ visit: PageVisit
    ) async throws -> PageBlocks.Block {
        let language = visit.language
        var facts: [PageBlocks.Fact] = []
        var drafts: [Rule] = []
        for written in rules {
            let rule = try read(written.document).rule(id: RuleID(stored: "rule_draft"), program: place.program.id, version: 1, now: visit.now)
            let whose = language("rewards.side.\(written.side.rawValue)")
            facts.append(PageBlocks.Fact(label: whose, text: RuleSentence(rule: rule, currency: place.currency, language: language).text))
            let cost = try await estimate(rule, place, visit)
            facts.append(PageBlocks.Fact(label: language("refer.cost", ["side": whose]), text: cost))
            drafts.append(rule)
        }
        if welcome != nil, let friends = written(draft.asRules, place, visit).rules.first(where: { $0.side == .friend }) {
            let rule = try read(friends.document).rule(id: RuleID(stored: "rule_draft"), program: place.program.id, version: 1, now: visit.now)
            facts.append(
                PageBlocks.Fact(label: language("refer.cost", ["side": language("rewards.side.friend")]), text: try await estimate(rule, place, visit)))
        }
        let alike = place.alike(draft)
        if !alike.isEmpty || place.welcome != nil {
            let code = place.welcome.map { [FriendOffer(FriendOffer.Source(welcome: Welcome(coupon: $0, code: "")), program: place.program, language: language).gift ?? ""] } ?? []
            let sentences = alike.map { RuleSentence(rule: $0, currency: place.currency, language: language).text } + code
            facts.append(
                PageBlocks.Fact(label: language(draft.isReplacing ? "refer.ends" : "refer.besides"), text: sentences.joined(separator: language("list.semicolon"))))
        }
        facts += friendFacts(drafts, welcome, place, visit)
        return PageBlocks.Block(heading: language("refer.preview"), text: language("refer.previewText"), facts: facts, note: language("refer.previewNote"))
    }

    private static func offer(_ welcome: NewCoupon?, _ drafts: [Rule], _ place: Place, _ visit: PageVisit) -> FriendOffer {
        let at = welcome.map { Welcome(coupon: Coupon($0, id: CouponID(stored: "cpn_draft"), workspace: visit.workspaceID, currency: place.currency, at: visit.now), code: "") }
        let source = FriendOffer.Source(
            rules: drafts, coupons: Dictionary(place.coupons.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first }), welcome: at)
        return FriendOffer(source, program: place.program, language: visit.language)
    }

    /// What the friend's page would say of them.
    private static func friendFacts(_ drafts: [Rule], _ welcome: NewCoupon?, _ place: Place, _ visit: PageVisit) -> [PageBlocks.Fact] {
        let language = visit.language
        let offer = offer(welcome, drafts, place, visit)
        let company = ["company": visit.session.workspace.name]
        let headline = offer.gift.map { language("friendPage.headline", company.merging(["gift": $0]) { own, _ in own }) } ?? language("friendPage.headlineNone", company)
        let below = [offer.conditions, offer.when, offer.also].compactMap(\.self)
        return [PageBlocks.Fact(label: language("refer.friendReads"), text: headline)]
            + (below.isEmpty ? [] : [PageBlocks.Fact(label: language("refer.friendReadsBelow"), text: below.joined(separator: " "))])
    }

    /// Worked out by the engine on last month's facts, with a sum of money in the place of a thing that has a value.
    private static func estimate(_ rule: Rule, _ place: Place, _ visit: PageVisit) async throws -> String {
        let language = visit.language
        let terms = rule.terms
        let worth = worth(terms.reward, place)
        // A part of an order has no size where nothing is ordered.
        let known = terms.event.isSale || worth?.isPartOfAmount != true ? worth : nil
        let standIn = try CommissionRule(
            id: terms.id, version: terms.version, event: terms.event, reward: known ?? .flat(Amount(minor: 1), place.currency), recipient: .member,
            conditions: terms.conditions, cap: known == nil ? nil : terms.cap, effectiveFrom: terms.effectiveFrom)
        guard let effect = try await RuleEffect.reckon(standIn, replacing: nil, of: place.program, at: visit.now, in: visit.installation) else { return "–" }
        let times = language.plural("refer.times", effect.after.paidCount)
        guard known != nil else { return language("refer.costUnknown", ["times": times]) }
        return language("refer.costKnown", ["times": times, "amount": language.money(effect.after.totalMinor, effect.after.unit)])
    }

    private static func worth(_ reward: RewardTerms, _ place: Place) -> RewardTerms? {
        switch reward {
        case .flat, .percent, .credit, .points, .tiered: return reward
        case .gift(_, let value), .custom(_, let value): return value.flatMap { $0 > 0 ? .flat(Amount(minor: $0), place.currency) : nil }
        case .coupon(let id):
            guard let coupon = place.coupons.first(where: { $0.id.text == id }) else { return nil }
            if let rate = coupon.rate { return .percent(rate) }
            return coupon.amountMinor.map { .flat(Amount(minor: $0), place.currency) }
        case .freeMonths, .freeShipping: return nil
        }
    }
}
