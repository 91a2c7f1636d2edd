import Chronology
import Money
import Web

extension Run.State {
    func badge(_ language: PageLanguage) -> PageValue {
        let (tone, icon): (String, String) =
            switch self {
            case .draft: ("", "clock")
            case .previewed: ("accent", "clock")
            case .accepting: ("accent", "clock")
            case .accepted: ("good", "check")
            case .funded: ("good", "money")
            case .superseded: ("", "back")
            }
        return ["tone": .text(tone), "icon": .text(icon), "label": .text(language("run.state.\(rawValue)"))]
    }
}

/// A period as people say it: its first and last day.
enum RunPeriod {
    static func text(_ run: Run, _ language: PageLanguage) -> String {
        let last = (try? run.periodEnd.adding(days: -1)) ?? run.periodEnd
        return language("run.period", ["from": language.shortDay(run.periodStart), "to": language.shortDay(last), "year": String(last.year)])
    }
}

struct RunListModel: PageModel, Sendable {
    var runs: [Run]
    var hasMore: Bool
    var isFirstPage: Bool
    var plans: [ProgramPlan]
    var next: [PlanID: LocalDay]
    /// What was written as a first day and can't be one.
    var typed: [PlanID: String]
    var mayWrite: Bool
    var csrfToken: String
    var language: PageLanguage

    var page: PageObject {
        let names = Dictionary(plans.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        return [
            "csrfToken": .text(csrfToken), "hasRuns": .flag(!runs.isEmpty),
            "lead": runs.isEmpty ? language.sentence("runs.lead.none") : language.sentence("runs.lead", count: Int64(runs.count)),
            "isEmpty": .flag(runs.isEmpty && plans.isEmpty), "hasPlans": .flag(!plans.isEmpty && mayWrite),
            "plans": PageValue(
                plans.map { plan -> PageObject in
                    [
                        "id": .text(plan.id.text), "name": .text(plan.name), "start": .text(typed[plan.id] ?? next[plan.id]?.iso8601 ?? ""),
                        "error": typed[plan.id] == nil ? nil : .text(language("ruleForm.error.day")),
                        "field": .text("start-\(plan.id.text)"), "label": .text(language("runs.makeFor", ["plan": plan.name])),
                    ]
                }),
            "runs": PageValue(
                runs.map { run -> PageObject in
                    [
                        "url": .text("/runs/\(run.id.text)"), "period": .text(RunPeriod.text(run, language)), "plan": .text(names[run.planID] ?? ""),
                        "total": run.hash == nil ? nil : .text(language.money(run.totalMinor, run.unit)), "state": run.state.badge(language),
                        "made": language.time(run.createdAt),
                    ]
                }),
            "pager": hasMore || !isFirstPage
                ? [
                    "label": .text(language("pager.label")), "summary": "", "previous": nil,
                    "next": hasMore
                        ? ["url": .text("/runs?startingAfter=\(runs.last?.id.text ?? "")"), "label": .text(language("pager.next"))] : nil,
                ] : .nothing,
        ]
    }
}

/// One run: totals, audit, spread, differences to the period before, and one button for its next state.
struct RunModel: PageModel, Sendable {
    static let findingsShownMax = 50

    struct Statement: Sendable {
        var memberID: MemberID
        var statement: StoredStatement
    }

    var run: Run
    var plan: ProgramPlan?
    var program: Program?
    var ranks: [String]
    var previous: Run?
    var statements: [Statement]
    var first: Int
    var findings: [RunReading.Finding]
    var overrides: [RunOverride]
    var names: PersonNames
    var people: OperatorNames
    var decision: RunPages.TypedDecision
    var session: OperatorSession
    /// Until when the reader is too new to accept.
    var waitsUntil: Instant?
    var csrfToken: String
    var language: PageLanguage

    var heading: String { language("run.title", ["period": RunPeriod.text(run, language)]) }

    private var base: String { "/runs/\(run.id.text)" }

    static func parsed(_ text: JSONText) -> JSONValue { (try? JSONValue.parse(Array(text.text.utf8), maximumBytes: 10_000_000)) ?? .null }

    static func progressText(_ run: Run, _ language: PageLanguage) -> String {
        guard let work = run.progress.work else { return "" }
        return language(
            "run.progress.\(work.rawValue)",
            [
                "done": language.integer(run.progress.done), "total": language.integer(run.progress.total),
                "percent": language.percent(ppm: run.progress.thousandths * 1_000, decimals: 0),
            ])
    }

    var page: PageObject {
        let summary = Self.parsed(run.summary)
        let audit = Self.parsed(run.audit)
        let blocking = audit["blocking"]?.wholeNumber ?? 0
        let shown = statements.prefix(RunPages.statementsPerPage)
        return [
            "heading": .text(heading), "id": .text(run.id.text), "csrfToken": .text(csrfToken), "state": run.state.badge(language),
            "lead": lead(summary), "plan": .text(plan?.name ?? ""), "planUrl": .text("/plans/\(run.planID.text)"),
            "planVersion": .text(language("run.version", ["version": language.integer(Int64(run.planVersion))])), "program": .text(program?.name ?? ""),
            "unit": .text(run.unit.code), "hasResult": .flag(run.hash != nil && run.state != .draft),
            "progress": run.progress.work == nil
                ? nil : ["url": .text("\(base)/progress"), "text": .text(Self.progressText(run, language)), "width": .text("\(run.progress.thousandths / 10)%")],
            "failure": PageValue(run.progress.failure), "next": .text(nextText(blocking)), "actions": actions(blocking),
            "figures": PageValue(figures(summary)), "bonuses": PageValue(bonuses(summary)), "checks": PageValue(checks(audit)),
            "hasFindings": .flag(!findings.isEmpty),
            "findings": PageValue(
                findings.prefix(Self.findingsShownMax).map { finding -> PageObject in
                    [
                        "check": .text(language("runCheck.\(finding.check)")), "name": .text(names.member(finding.memberID, language)),
                        "url": .text("\(base)/members/\(finding.memberID.text)"),
                        "found": .text(RunCheck.found(finding.check, finding.part, finding.whole, run.unit, language)),
                    ]
                }), "spread": spread(summary), "people": PageValue(shown.map(row)), "hasPeople": .flag(!statements.isEmpty), "pager": pager,
            "linesUrl": .text("\(base)/lines"), "disclosureUrl": .text("\(base)/disclosure"), "hash": PageValue(run.hash.map { Self.shortHash($0) }),
            "story": PageValue(story), "overrides": PageValue(overrides.map(overrideRow)), "hasOverrides": .flag(!overrides.isEmpty),
            "overrideUrl": session.may(.commissionsWrite) && (run.state == .draft || run.state == .previewed) && run.progress.work == nil
                ? .text("\(base)/overrides") : nil,
            "kinds": PageValue(
                RunOverride.Kind.allCases.map {
                    [
                        "value": .text($0.rawValue), "label": .text(language("runOverride.\($0.rawValue)")), "chosen": .flag($0.rawValue == decision["kind"]),
                    ] as PageObject
                }),
            "bonusCodes": PageValue(
                (summary["bonuses"]?.members ?? []).compactMap { $0["code"]?.plainText }.map {
                    ["code": .text($0), "chosen": .flag($0 == decision["bonus"])] as PageObject
                }),
            "decision": [
                "member": .text(decision["memberId"]), "value": .text(decision["value"]), "reason": .text(decision["reason"]),
                "isOpen": .flag(!decision.errors.isEmpty), "memberError": PageValue(decision.errors["memberId"]),
                "kindError": PageValue(decision.errors["kind"]), "bonusError": PageValue(decision.errors["bonus"]),
                "valueError": PageValue(decision.errors["value"]), "reasonError": PageValue(decision.errors["reason"]),
            ],
            "overrideReason": PageValue(run.overrideReason),
        ]
    }

    static func shortHash(_ hash: [UInt8]) -> String { Hexadecimal.text(Array(hash.prefix(8))) }

    private func lead(_ summary: JSONValue) -> PageValue {
        guard run.hash != nil, run.state != .draft else { return language.sentence("run.lead.draft") }
        return language.sentence(
            "run.lead.\(run.state.rawValue)", count: summary["payees"]?.wholeNumber ?? 0,
            ["amount": language.money(run.totalMinor, run.unit), "sales": language.money(summary["sales"]?.wholeNumber ?? 0, run.unit)])
    }

    private func nextText(_ blocking: Int64) -> String {
        if run.progress.work != nil { return language("run.next.working") }
        switch run.state {
        case .draft: return language(session.may(.commissionsWrite) ? "run.next.preview" : "run.next.noRight")
        case .previewed:
            if run.createdBy == session.actor.person { return language("run.next.otherPerson") }
            if !session.may(.payoutsApprove) { return language("run.next.noRight") }
            if let waitsUntil { return language("run.next.tooNew", ["at": language.minute(waitsUntil)]) }
            return blocking > 0 ? language.plural("run.next.blocked", blocking) : language("run.next.accept")
        case .accepting: return language("run.next.working")
        case .accepted: return language(session.may(.payoutsApprove) ? "run.next.fund" : "run.next.noRight")
        case .funded: return language("run.next.funded")
        case .superseded: return language("run.next.superseded")
        }
    }

    private func actions(_ blocking: Int64) -> PageValue {
        let isIdle = run.progress.work == nil
        let mayWrite = session.may(.commissionsWrite) && isIdle
        let mayApprove = session.may(.payoutsApprove) && isIdle
        let mayAccept = mayApprove && run.state == .previewed && run.createdBy != session.actor.person && waitsUntil == nil
        return [
            "preview": mayWrite && run.state == .draft ? .text("\(base)/preview") : nil,
            "again": mayWrite && run.state == .previewed ? .text("\(base)/preview") : nil,
            "accept": mayAccept ? .text("\(base)/acceptance") : nil, "needsReason": .flag(blocking > 0),
            "fund": mayApprove && run.state == .accepted ? .text("\(base)/funding") : nil,
            "reopen": mayApprove && run.state == .accepted ? .text("\(base)/reopening") : nil,
        ]
    }

    private func figures(_ summary: JSONValue) -> [PageObject] {
        guard run.hash != nil, run.state != .draft else { return [] }
        let volume = summary["commissionVolume"]?.wholeNumber ?? 0
        let share = volume > 0 ? Int64(clamping: Int128(run.totalMinor) * 1_000_000 / Int128(volume)) : 0
        var breakage: Int64 = 0
        for bonus in summary["bonuses"]?.members ?? [] {
            breakage &+= (bonus["breakageNobody"]?.wholeNumber ?? 0) &+ (bonus["breakageUnqualified"]?.wholeNumber ?? 0)
        }
        return [
            figure("pay", language.money(run.totalMinor, run.unit), previous.map { difference(run.totalMinor, $0.totalMinor) }),
            figure("share", language.percent(ppm: share), language("run.figure.share.of", ["volume": language.money(volume, run.unit)])),
            figure(
                "payees", language.integer(summary["payees"]?.wholeNumber ?? 0),
                language("run.figure.payees.of", ["count": language.integer(summary["promoters"]?.wholeNumber ?? 0)])),
            figure("breakage", language.money(breakage, run.unit), language("run.figure.breakage.of")),
        ]
    }

    private func figure(_ key: String, _ value: String, _ note: String?) -> PageObject {
        ["label": .text(language("run.figure.\(key)")), "value": .text(value), "note": PageValue(note)]
    }

    private func difference(_ now: Int64, _ before: Int64) -> String {
        language("run.difference", ["amount": (now >= before ? "+" : "") + language.money(now &- before, run.unit)])
    }

    private func bonuses(_ summary: JSONValue) -> [PageObject] {
        let before = Dictionary(
            (previous.map { Self.parsed($0.summary)["bonuses"]?.members ?? [] } ?? []).map { ($0["code"]?.plainText ?? "", $0["amount"]?.wholeNumber ?? 0) },
            uniquingKeysWith: { first, _ in first })
        return (summary["bonuses"]?.members ?? []).map { bonus in
            let code = bonus["code"]?.plainText ?? ""
            let amount = bonus["amount"]?.wholeNumber ?? 0
            return [
                "code": .text(code), "rule": .text(language("runRule.\(bonus["rule"]?.plainText ?? "direct")")),
                "amount": .text(language.amount(amount, run.unit)),
                "before": previous == nil ? nil : .text((amount >= before[code] ?? 0 ? "+" : "") + language.amount(amount &- (before[code] ?? 0), run.unit)),
                "breakage": .text(
                    language.amount((bonus["breakageNobody"]?.wholeNumber ?? 0) &+ (bonus["breakageUnqualified"]?.wholeNumber ?? 0), run.unit)),
                "capped": .text(language.amount(bonus["capped"]?.wholeNumber ?? 0, run.unit)),
            ]
        }
    }

    private func checks(_ audit: JSONValue) -> [PageObject] {
        (audit["checks"]?.members ?? []).map { check in
            let code = check["check"]?.plainText ?? ""
            let failures = check["failures"]?.wholeNumber ?? 0
            var isHard = false
            if case .boolean(true)? = check["isHard"] { isHard = true }
            let company = check["company"]
            let members = check["members"]?.wholeNumber ?? 0
            var found: [String] = []
            if let company, let part = company["part"]?.wholeNumber, let whole = company["whole"]?.wholeNumber {
                let compared = RunCheck.found(code, part, whole, run.unit, language)
                found.append(code == "soldOrUsed" ? language("run.check.mended", ["found": compared]) : compared)
            }
            if found.isEmpty || members > 0 { found.append(language.plural("run.check.members", members)) }
            let countries = (check["countries"]?.members ?? []).map { country in
                language(
                    "run.check.country",
                    [
                        "country": country["country"]?.plainText ?? "",
                        "found": RunCheck.found(code, country["part"]?.wholeNumber ?? 0, country["whole"]?.wholeNumber ?? 0, run.unit, language),
                    ])
            }
            let tone = failures == 0 ? "good" : isHard ? "bad" : "warn"
            return [
                "label": .text(language("runCheck.\(code)")), "found": .text((found + countries).joined(separator: language("list.semicolon"))), "tone": .text(tone),
                "icon": .text(failures == 0 ? "check" : "warning"),
                "verdict": .text(language(failures == 0 ? "run.check.passed" : isHard ? "run.check.blocks" : "run.check.flag")),
            ]
        }
    }

    /// The Lorenz curve, with what an equal share would be.
    private func spread(_ summary: JSONValue) -> PageValue {
        guard let spread = summary["spread"], let count = spread["count"]?.wholeNumber, count > 1 else { return .nothing }
        return [
            "chartHTML": .html(LorenzChart.svg(spread, label: language("run.spread.chart"))),
            "sentence": language.sentence(
                "run.spread.sentence", count: count,
                [
                    "median": language.money(RunModel.quantile(spread, 50), run.unit), "top": language.money(spread["highest"]?.wholeNumber ?? 0, run.unit),
                    "gini": language.percent(ppm: (spread["gini"]?.wholeNumber ?? 0) * 1_000, decimals: 0),
                ]),
            "quantiles": PageValue(
                (spread["quantiles"]?.members ?? []).map { row in
                    [
                        "percent": .text(language.percent(ppm: (row["percent"]?.wholeNumber ?? 0) * 10_000, decimals: 0)),
                        "amount": .text(language.amount(row["amount"]?.wholeNumber ?? 0, run.unit)),
                    ] as PageObject
                }),
        ]
    }

    static func quantile(_ spread: JSONValue, _ percent: Int64) -> Int64 {
        (spread["quantiles"]?.members ?? []).first { $0["percent"]?.wholeNumber == percent }?["amount"]?.wholeNumber ?? 0
    }

    private func row(_ entry: Statement) -> PageObject {
        let name = names.member(entry.memberID, language)
        let statement = entry.statement
        return [
            "name": .text(name), "initials": .text(Initials.of(name)), "url": .text("\(base)/members/\(entry.memberID.text)"),
            "rank": .text(rank(statement.paidRank)), "active": .flag(statement.isActive),
            "personal": .text(language.amount(statement.personalVolume, run.unit)), "group": .text(language.amount(statement.groupVolume, run.unit)),
            "amount": .text(language.amount(statement.amountMinor, run.unit)),
        ]
    }

    private func rank(_ number: Int) -> String {
        number > 0 && number <= ranks.count ? ranks[number - 1] : language("run.noRank")
    }

    private var pager: PageValue {
        let size = RunPages.statementsPerPage
        let hasMore = statements.count > size
        guard hasMore || first > 0 else { return .nothing }
        return [
            "label": .text(language("pager.label")), "summary": "",
            "previous": first > 0
                ? ["url": .text("\(base)?from=\(max(0, first - size))#people"), "label": .text(language("pager.previous"))] : nil,
            "next": hasMore ? ["url": .text("\(base)?from=\(first + size)#people"), "label": .text(language("pager.next"))] : nil,
        ]
    }

    private var story: [PageObject] {
        func act(_ key: String, _ person: String?, _ at: Instant?) -> PageObject? {
            guard let at else { return nil }
            return ["what": .text(language("run.story.\(key)")), "who": .text(person.map { people.name($0, language) } ?? ""), "at": language.time(at)]
        }
        return [
            act("created", run.createdBy, run.createdAt), act("previewed", nil, run.previewedAt), act("accepted", run.acceptedBy, run.acceptedAt),
            act("funded", run.fundedBy, run.fundedAt), act("superseded", run.supersededBy, run.supersededAt),
        ].compactMap { $0 }
    }

    private func overrideRow(_ override: RunOverride) -> PageObject {
        [
            "kind": .text(language("runOverride.\(override.kind.rawValue)")), "name": .text(names.member(override.memberID, language)),
            "bonus": PageValue(override.bonus),
            "value": override.value.map { .text(override.kind == .adjustment ? language.money($0, run.unit) : rank(Int($0))) } ?? nil,
            "author": .text(people.name(override.author, language)), "reason": .text(override.reason),
        ]
    }
}

extension JSONValue {
    var members: [JSONValue] { if case .array(let elements) = self { elements } else { [] } }
    var plainText: String? { if case .text(let text) = self { text } else { nil } }
}

/// What an audit check compared, in words.
enum RunCheck {
    private static let counted: Set<String> = ["customersPerMonth", "noProductSale", "levels", "cancellation"]

    static func found(_ check: String, _ part: Int64, _ whole: Int64, _ unit: UnitCode, _ language: PageLanguage) -> String {
        if check == "cancellation", whole == 0 { return language("run.check.notPromised") }
        if counted.contains(check) { return language("run.check.count", ["part": language.integer(part), "whole": language.integer(whole)]) }
        if ["internalConsumption", "inventoryLoading", "earlyPayments"].contains(check) {
            return language("run.check.amount", ["part": language.money(part, unit), "whole": language.money(whole, unit)])
        }
        guard whole > 0 else { return language("run.check.nothing") }
        return language.percent(ppm: Int64(clamping: Int128(part) * 1_000_000 / Int128(whole)))
    }
}
