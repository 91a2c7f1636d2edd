import Chronology
import HTTPTypes
import Hummingbird
import Money
import Persistence
import Rules
import Web

/// What members and friends get that is no money: the list, one reward, and what a person may do with it.
enum RewardPages {
    static let rowsPerPage = 50

    static func add(to api: inout API, gate: PageGate) {
        api.page("/rewards", .commissionsRead, gate) { visit in try await list(visit) }
        api.page("/rewards/{id}", .commissionsRead, gate) { visit in try await show(visit) }
        api.form("/rewards/{id}/issuance", .commissionsWrite, gate) { visit, _ in try await decide(visit, "issued") { id, write in _ = try Reward.issue(id, in: write) } }
        api.form("/rewards/{id}/redemption", .commissionsWrite, gate) { visit, _ in
            try await decide(visit, "redeemed") { id, write in _ = try Reward.redeem(id, in: write) }
        }
        api.form("/rewards/{id}/refusal", .commissionsWrite, gate) { visit, fields in
            let reason = String((fields["reason"] ?? "").prefix(Reward.reasonLengthMax))
            return try await decide(visit, "refused") { id, write in _ = try Reward.refuse(id, reason: reason.isEmpty ? "byHand" : reason, in: write) }
        }
        api.form("/rewards/{id}/choice", .commissionsWrite, gate) { visit, fields in
            let choice = fields["choice"].flatMap { Int($0) } ?? -1
            return try await decide(visit, "chosen") { id, write in _ = try Reward.choose(id, choice, in: write) }
        }
    }

    private static func decide(_ visit: PageVisit, _ done: String, _ verb: @escaping @Sendable (RewardID, Write) throws -> Void) async throws -> Response {
        let id: RewardID = try visit.context.id()
        do {
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in try verb(id, write) }
        } catch let problem as Problem where problem.status == .conflict || problem.status == .unprocessableContent {
            return try await show(visit, isRefused: true)
        }
        return visit.seeOther("/rewards/\(id.text)?done=\(done)")
    }

    private static func list(_ visit: PageVisit) async throws -> Response {
        let (workspace, vault, language) = (visit.workspaceID, visit.installation.vault, visit.language)
        let before = try visit.query.id("startingAfter", RewardKind.self)
        let filter = RewardStore.Filter(
            program: try visit.query.id("programId", ProgramKind.self), member: try visit.query.id("memberId", MemberKind.self),
            state: try visit.query.word("state", Reward.State.self))
        let (rewards, names) = try await visit.installation.main.read { connection in
            let rewards = try RewardStore.newest(in: workspace, filter, before: before?.text, limit: rowsPerPage + 1, on: connection)
            return (
                rewards, try PersonNames.load(members: rewards.map(\.memberID), customers: rewards.compactMap(\.customerID), vault: vault, on: connection)
            )
        }
        let words = RewardWords(language: language)
        let shown = rewards.prefix(rowsPerPage)
        let rows = shown.map { reward in
            PageTable.Row(
                cells: [
                    .name(words.what(reward), url: "/rewards/\(reward.id.text)"), .person(words.receiver(reward, names), url: words.receiverURL(reward)),
                    words.badge(reward), .text(language("rewards.side.\(reward.side.rawValue)")), .time(reward.issuedAt ?? reward.occurredAt),
                ], isOff: reward.isOver && reward.state != .redeemed)
        }
        func say(_ key: String) -> String { language("rewards.\(key)") }
        let isFiltered = filter.state != nil || filter.member != nil || filter.program != nil
        var page = PageBlocks(heading: say("title"), lead: language.sentence(shown.isEmpty ? "rewards.lead.none" : "rewards.lead.some"))
        page.filters = PageForm(
            action: "/rewards", method: "get",
            fields: [
                FormField(
                    name: "state", label: say("column.state"),
                    control: .select(
                        [FormField.Choice(value: "", label: say("anyState"), isChosen: filter.state == nil)]
                            + Reward.State.allCases.map {
                                FormField.Choice(value: $0.rawValue, label: say("state.\($0.rawValue)"), isChosen: filter.state == $0)
                            }))
            ], buttons: [PageForm.Button(label: say("filter"), style: "btn-plain")], isInline: true, csrfToken: visit.csrfToken)
        if rows.isEmpty, !isFiltered {
            page.filters = nil
            page.empty = PageBlocks.Empty(
                heading: say("empty.heading"), text: say("empty.text"), link: PageBlocks.Link(url: "/programs", label: say("empty.button"), style: "btn-primary"))
        } else {
            page.blocks = [
                PageBlocks.Block(
                    heading: nil,
                    table: rows.isEmpty
                        ? nil
                        : PageTable(
                            label: say("title"),
                            columns: [
                                PageTable.Column(label: say("column.what")), PageTable.Column(label: say("column.who")),
                                PageTable.Column(label: say("column.state")), PageTable.Column(label: say("column.side"), isExtra: true),
                                PageTable.Column(label: say("column.at"), isExtra: true),
                            ], rows: Array(rows), language: language), empty: rows.isEmpty ? say("nothing") : nil, note: say("note"))
            ]
        }
        if rewards.count > rowsPerPage || before != nil {
            let state = filter.state.map { "&state=\($0.rawValue)" } ?? ""
            page.pager = [
                "label": .text(language("pager.label")), "summary": "",
                "previous": before == nil ? nil : ["url": .text("/rewards?" + state.dropFirst()), "label": .text(language("pager.first"))],
                "next": rewards.count > rowsPerPage
                    ? ["url": .text("/rewards?startingAfter=\(shown.last?.id.text ?? "")\(state)"), "label": .text(language("pager.next"))] : nil,
            ]
        }
        return try visit.blocks(page, current: "/rewards")
    }

    private static func show(_ visit: PageVisit, isRefused: Bool = false) async throws -> Response {
        let id: RewardID = try visit.context.id()
        let (workspace, vault, language) = (visit.workspaceID, visit.installation.vault, visit.language)
        let found = try await visit.installation.main.read { connection -> (Reward, PersonNames, Rule?, CouponCode?)? in
            guard let reward = try RewardStore.find(id, in: workspace, on: connection) else { return nil }
            return (
                reward,
                try PersonNames.load(members: [reward.memberID], customers: reward.customerID.map { [$0] } ?? [], vault: vault, on: connection),
                try RuleStore.version(reward.ruleID, reward.ruleVersion, on: connection),
                try reward.couponCodeID.flatMap { try CouponCodeStore.find($0, in: workspace, on: connection) }
            )
        }
        guard let (reward, names, rule, code) = found else { throw Problem.notFound() }
        let words = RewardWords(language: language)
        func say(_ key: String) -> String { language("rewards.\(key)") }
        var facts = [
            PageBlocks.Fact(label: say("column.state"), text: say("state.\(reward.state.rawValue)")),
            PageBlocks.Fact(label: say("receiver"), text: words.receiver(reward, names), url: words.receiverURL(reward)),
            PageBlocks.Fact(label: say("sharer"), text: names.member(reward.memberID, language), url: "/members/\(reward.memberID.text)"),
            PageBlocks.Fact(label: say("rule"), text: rule?.name ?? "–", url: "/rules/\(reward.ruleID.text)"),
            PageBlocks.Fact(label: say("cause"), text: say("cause.\(reward.cause.rawValue)"), url: reward.receiptURL),
            PageBlocks.Fact(label: say("occurred"), text: language.minute(reward.occurredAt)),
        ]
        if reward.state == .pending { facts.append(PageBlocks.Fact(label: say("holdUntil"), text: language.minute(reward.holdUntil))) }
        if let value = reward.valueMinor { facts.append(PageBlocks.Fact(label: say("value"), text: language.money(value, reward.unit))) }
        if let issued = reward.issuedAt { facts.append(PageBlocks.Fact(label: say("issuedAt"), text: language.minute(issued))) }
        if let ended = reward.endedAt { facts.append(PageBlocks.Fact(label: say("endedAt"), text: language.minute(ended))) }
        if let reason = reward.reason { facts.append(PageBlocks.Fact(label: say("reason"), text: words.reason(reason))) }
        if let code { facts.append(PageBlocks.Fact(label: say("code"), text: code.code, url: "/coupons/\(code.couponID.text)")) }
        var blocks = [PageBlocks.Block(heading: nil, facts: facts)]
        if visit.session.may(.commissionsWrite), let block = decisions(reward, words, visit) { blocks.append(block) }
        let page = PageBlocks(
            heading: words.what(reward), crumb: (url: "/rewards", label: say("title")),
            lead: language.sentence("rewards.show.\(reward.state.rawValue)", ["person": words.receiver(reward, names)]),
            refused: isRefused ? say("refusedNow") : nil, blocks: blocks)
        return try visit.blocks(
            page, current: "/rewards", isNarrow: true, notice: visit.done("rewards", ["issued", "redeemed", "refused", "chosen"]),
            status: isRefused ? .conflict : .ok)
    }

    private static func decisions(_ reward: Reward, _ words: RewardWords, _ visit: PageVisit) -> PageBlocks.Block? {
        func say(_ key: String) -> String { visit.language("rewards.\(key)") }
        func form(_ action: String, _ label: String, _ style: String, fields: [FormField] = []) -> PageForm {
            PageForm(
                action: "/rewards/\(reward.id.text)/\(action)", fields: fields, buttons: [PageForm.Button(label: say(label), style: style)],
                isInline: fields.isEmpty, csrfToken: visit.csrfToken)
        }
        var forms: [PageForm] = []
        switch reward.state {
        case .pending, .choosing, .checking, .held:
            let all = [reward.terms.value] + reward.choices.value.elements
            if reward.state == .choosing {
                let choices = all.enumerated().map { FormField.Choice(value: String($0), label: words.what($1), isChosen: $0 == 0) }
                forms.append(form("choice", "choose", "btn-primary", fields: [FormField(name: "choice", label: say("choice"), control: .radios(choices))]))
            } else {
                forms.append(form("issuance", "issue", "btn-primary"))
            }
            forms.append(
                form(
                    "refusal", "refuse", "btn-plain",
                    fields: [.line("reason", say("reason"), "", help: say("reasonHelp"), lengthMax: Reward.reasonLengthMax)]))
        case .issued: forms.append(form("redemption", "redeem", "btn-primary"))
        case .redeemed, .expired, .reversed, .refused: return nil
        }
        return PageBlocks.Block(heading: say("decide"), text: say("decideText.\(reward.state == .issued ? "issued" : "waiting")"), forms: forms)
    }
}

/// Rewards as people read them.
struct RewardWords {
    let language: PageLanguage

    func what(_ reward: Reward) -> String { what(reward.terms.value) }

    func what(_ terms: JSONValue) -> String {
        switch terms["kind"]?.string {
        case "gift"?, "custom"?: terms["description"]?.string ?? language("rewards.kind.other")
        case "credit"?, "points"?:
            (try? UnitCode(terms["unit"]?.string ?? terms["currency"]?.string.map { "credit:\($0)" } ?? "")).map { language.money(terms["amount"]?.int64 ?? 0, $0) }
                ?? language("rewards.kind.other")
        case "freeMonths"?: language.plural("rewards.kind.freeMonths", terms["months"]?.int64 ?? 1)
        case let kind? where ["coupon", "freeShipping"].contains(kind): language("rewards.kind.\(kind)")
        default: language("rewards.kind.other")
        }
    }

    func receiver(_ reward: Reward, _ names: PersonNames) -> String {
        if reward.side == .friend, let customer = reward.customerID { return names.customer(customer, language) }
        return names.member(reward.memberID, language)
    }

    func receiverURL(_ reward: Reward) -> String {
        if reward.side == .friend, let customer = reward.customerID { return "/customers/\(customer.text)" }
        return "/members/\(reward.memberID.text)"
    }

    /// Codes have words of their own; what a person wrote stands as it is.
    func reason(_ reason: String) -> String {
        let known = [
            "refunded", "byHand", "couponEnded", "codeWithdrawn", "codeExpired", "companyRefused", "companySilent", "receiverErased", "receiverNotActive",
        ]
        return known.contains(reason) ? language("rewards.reason.\(reason)") : reason
    }

    func badge(_ reward: Reward) -> PageTable.Cell {
        let label = language("rewards.state.\(reward.state.rawValue)")
        switch reward.state {
        case .pending, .choosing, .checking: return .badge(label, tone: "", icon: "clock")
        case .issued: return .badge(label, tone: "good", icon: "check")
        case .redeemed: return .badge(label, tone: "good", icon: "check")
        case .held: return .badge(label, tone: "warn", icon: "warning")
        case .expired, .reversed, .refused: return .badge(label, tone: "", icon: "none")
        }
    }
}
