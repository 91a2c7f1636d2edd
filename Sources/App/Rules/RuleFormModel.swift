import Chronology
import Money
import Rules
import Web

/// A rule in its form: the sentence with its values as fields, an example, what it would have done, the other rules and its versions.
struct RuleFormModel: PageModel {
    let place: RulePages.Place
    let typed: RulePages.Typed
    /// The rule as it would be saved, once the fields make sense.
    let draft: Rule?
    let errors: [String: String]
    let others: [Rule]
    /// Another version was written while the form was open.
    var isOvertaken = false
    let effect: RuleEffectModel?
    let mayWrite: Bool
    let csrfToken: String
    let language: PageLanguage

    var heading: String { place.rule?.name ?? language("ruleForm.new") }

    var page: PageObject {
        let url = place.rule.map { "/rules/\($0.id.text)" } ?? "/programs/\(place.program.id.text)/rules"
        let page = place.rule == nil ? url + "/new" : url
        return [
            "heading": .text(heading), "programName": .text(place.program.name), "programURL": .text("/programs/\(place.program.id.text)"),
            "badge": .text(
                place.rule == nil
                    ? language("ruleForm.draftNew") : language("ruleForm.draft", ["version": language.integer(Int64(place.nextVersion))])),
            "isDraft": .flag(draft != nil || !errors.isEmpty), "refused": refused,
            "now": PageValue(place.rule.map { PageObject(["text": .text(sentence($0))]) }),
            "form": mayWrite ? form(action: url, page: page) : nil, "effect": PageValue(effect?.page), "others": PageValue(others.map(other)),
            "hasOthers": .flag(!others.isEmpty), "newURL": PageValue(mayWrite ? "/programs/\(place.program.id.text)/rules/new" : nil),
            "hasVersions": .flag(!place.versions.isEmpty), "versions": PageValue(place.versions.map(version)),
        ]
    }

    private var refused: PageValue {
        if isOvertaken, let newest = place.versions.first {
            return .text(
                language(
                    "ruleForm.overtaken",
                    [
                        "who": place.authors.name(newest.author, language), "at": language.minute(newest.recordedAt),
                        "version": language.integer(Int64(newest.rule.terms.version)), "next": language.integer(Int64(place.nextVersion)),
                    ]))
        }
        return errors.isEmpty ? nil : .text(language("ruleForm.refused"))
    }

    private func form(action: String, page: String) -> PageValue {
        var form: PageObject = [
            "action": .text(action), "version": .text(place.rule.map { String($0.terms.version) } ?? ""), "csrfToken": .text(csrfToken), "saved": draft.map { ["text": .text(sentence($0))] } ?? nil,
            "example": PageValue(draft.flatMap(example)),
            "save": .text(
                place.rule == nil
                    ? language("ruleForm.saveNew") : language("ruleForm.save", ["version": language.integer(Int64(place.nextVersion))])),
            "saveStyle": .text(effect == nil ? "btn-plain" : "btn-primary"), "effectStyle": .text(effect == nil ? "btn-primary" : "btn-plain"),
            "note": .text(
                place.rule == nil
                    ? language("ruleForm.noteNew") : language("ruleForm.note", ["version": language.integer(Int64(place.nextVersion - 1))])),
            "parts": [], "guided": false, "fields": [], "json": nil, "from": nil, "open": false, "lasting": "", "other": nil, "errors": [],
        ]
        switch typed {
        case .draft(let draft):
            form["guided"] = true
            form["lasting"] = .text(draft.lasting.rawValue)
            form["parts"] = PageValue(RuleSlots(draft: draft, was: was, errors: errors, language: language).parts)
            form["fields"] = PageValue(fields(draft))
            form["open"] = .flag(["name", "conditions", "until"].contains { errors[$0] != nil } || !draft.conditions.isEmpty)
            form["from"] = ["value": .text(draft.from), "error": PageValue(errors["from"])]
            form["other"] = ["url": .text(page + "?as=json"), "label": .text(language("ruleForm.asJSON"))]
            form["errors"] = PageValue(
                errors.sorted { $0.key < $1.key }.filter { RuleSlots.names.contains($0.key) }.map { error -> PageObject in
                    ["id": .text("slot-\(error.key)-error"), "text": .text(language("ruleForm.slot.\(error.key)") + ": " + error.value)]
                })
        case .json(let text):
            form["json"] = [
                "fields": PageValue([
                    FormField(
                        name: "document", label: language("ruleForm.json"), help: language("ruleForm.jsonHelp"), error: errors["document"],
                        control: .area(text, rows: 18), isMono: true, lengthMax: 100_000)
                ])
            ]
            form["other"] = place.rule.map { place.draft(of: $0, language) == nil } ?? false
                ? nil : ["url": .text(page), "label": .text(language("ruleForm.asForm"))]
        }
        return .object(form)
    }

    private var was: RuleDraft? { place.rule.flatMap { place.draft(of: $0, language) } }

    private func fields(_ draft: RuleDraft) -> [FormField] {
        [
            .line("name", language("ruleForm.name"), draft.name, help: language("ruleForm.nameHelp"), error: errors["name"], isRequired: true),
            .line(
                "until", language("ruleForm.until"), draft.until, type: "date", help: language("ruleForm.untilHelp"), error: errors["until"]),
            FormField(
                name: "perItem", label: language("ruleForm.items"),
                control: .checks([
                    FormField.Choice(value: "1", label: language("ruleForm.perItem"), help: language("ruleForm.perItemHelp"), isChosen: draft.isPerItem)
                ])),
            FormField(
                name: "conditions", label: language("ruleForm.conditions"), help: language("ruleForm.conditionsHelp", Self.conditionExamples),
                error: errors["conditions"], control: .area(draft.conditions, rows: 6), isMono: true, lengthMax: 20_000),
        ]
    }

    /// What a company writes, as the API takes it: the same in every language.
    private static let conditionExamples = [
        "example": #"{"field": "category", "op": "eq", "value": "coffee"}"#, "all": #"{"all": […]}"#, "any": #"{"any": […]}"#,
    ]

    private func sentence(_ rule: Rule) -> String { RuleSentence(rule: rule, currency: place.currency, language: language).text }

    /// What the rule gives for a sale of a round amount, worked out by the engine.
    private func example(_ rule: Rule) -> String? {
        let unit = UnitCode.currency(place.currency)
        let circumstances = RuleCircumstances(rule.terms)
        var round = Int64(100)
        for _ in 0..<place.currency.exponent { round *= 10 }
        let amount = max(round, circumstances.leastMinor ?? 0)
        let start = rule.terms.effectiveFrom
        var facts = SaleFacts(
            event: rule.terms.event.isSale ? .sale : rule.terms.event == .lead ? .lead : .click, occurredAt: start, programCurrency: place.currency,
            currency: place.currency, amount: rule.terms.event.isSale ? Amount(minor: amount) : .zero, country: circumstances.countries.first,
            customerIsNew: circumstances.buyer != .known, saleNumber: circumstances.buyer == .known ? 2 : 1)
        let line = CreditedMember(memberID: "m0", share: .whole, enrollerIDs: (1...CommissionRule.levelLimit).map { "m\($0)" })
        // A rule for a group is shown with somebody of the group.
        for case .text(let key) in rule.terms.conditions.leaves.filter({ $0.field == .memberGroup && $0.comparison == .equal }).map(\.value) {
            for member in [line.memberID] + line.enrollerIDs { facts.memberGroups[member] = key }
        }
        // So is one for a variant of an experiment.
        for case .text(let variant) in rule.terms.conditions.leaves.filter({ $0.field == .memberVariant && $0.comparison == .equal }).map(\.value) {
            for member in [line.memberID] + line.enrollerIDs { facts.memberVariants[member] = [variant] }
        }
        // And a rule for a tier with somebody of the tier.
        for case .integer(let rank) in rule.terms.conditions.leaves.filter({ $0.field == .memberTier }).map(\.value) {
            for member in [line.memberID] + line.enrollerIDs { facts.memberTiers[member] = rank }
        }
        guard let given = evaluate(rule.terms, facts: facts, credited: [line]).lines.first else { return nil }
        let who =
            rule.terms.recipient == .friend
            ? language("rule.who.friend")
            : rule.terms.level == 0 ? language("rule.who.sharer") : language.plural("rule.who.level", Int64(rule.terms.level))
        let paid = rule.terms.cap.map { $0.allow(wanted: given.amount, used: .none).allowed } ?? given.amount
        let values = [
            "amount": language.money(amount, unit), "given": language.money(paid.minor, given.unit), "who": who,
            "when": place.program.settings.holdDays == 0
                ? language("ruleForm.exampleAtOnce") : language.plural("ruleForm.exampleLater", place.program.settings.holdDays),
        ]
        return language(rule.terms.event.isSale ? "ruleForm.example" : "ruleForm.exampleEvent", values)
    }

    private func other(_ rule: Rule) -> PageObject {
        ["url": .text("/rules/\(rule.id.text)"), "name": .text(rule.name), "sentence": .text(sentence(rule))]
    }

    private func version(_ version: (rule: Rule, recordedAt: Instant, author: String)) -> PageObject {
        let terms = version.rule.terms
        let from = terms.effectiveFrom == .earliest ? language("ruleForm.always") : language("ruleForm.since", ["at": language.minute(terms.effectiveFrom)])
        return [
            "number": .text(language.integer(Int64(terms.version))), "sentence": .text(sentence(version.rule)),
            "who": .text(place.authors.name(version.author, language)), "at": language.time(version.recordedAt),
            "inForce": .text(
                terms.effectiveUntil.map { from + " " + language("ruleForm.untilAt", ["at": language.minute($0)]) } ?? from),
            "off": .flag(terms.version != place.rule?.terms.version),
        ]
    }
}

/// The sentence of a rule cut into words and fields. The catalogue says in which order they stand.
struct RuleSlots {
    let draft: RuleDraft
    let was: RuleDraft?
    let errors: [String: String]
    let language: PageLanguage

    static let names = [
        "buyer", "countries", "event", "often", "least", "recipient", "value", "kind", "months", "capKind", "cap", "capPer", "capPeriod",
    ]

    var parts: [PageObject] {
        let places = Dictionary(Self.names.map { ($0, "\u{1}\($0)\u{1}") }, uniquingKeysWith: { first, _ in first })
        let pieces = language("ruleForm.sentence", places).split(separator: "\u{1}", omittingEmptySubsequences: false).map(String.init)
        return pieces.enumerated().map { index, piece in
            index % 2 == 0 ? ["text": .text(piece), "slot": nil] : ["text": "", "slot": .object(slot(piece))]
        }
    }

    private func slot(_ name: String) -> PageObject {
        var slot: PageObject = [
            "name": .text(name), "id": .text("slot-\(name)"), "label": .text(language("ruleForm.slot.\(name)")), "select": nil, "input": nil,
            "error": PageValue(errors[name]),
        ]
        let before = was.map { value(name, of: $0) }
        let now = value(name, of: draft)
        if let choices = choices(name) {
            slot["select"] = [
                "choices": PageValue(choices.map { PageObject(["value": .text($0), "label": .text(label(name, $0)), "chosen": .flag($0 == now)]) })
            ]
        } else {
            slot["input"] = [
                "value": .text(now), "placeholder": .text(language("ruleForm.empty.\(name)")),
                "size": .text(String(max(3, min(24, now.isEmpty ? language("ruleForm.empty.\(name)").count : now.count + 1)))),
            ]
        }
        let isChanged = before != nil && before != now
        slot["was"] = isChanged
            ? .object(["text": .text(before.map { $0.isEmpty ? language("ruleForm.empty.\(name)") : label(name, $0) } ?? "")]) : nil
        return slot
    }

    private func label(_ name: String, _ value: String) -> String { choices(name) == nil ? value : language("ruleForm.choice.\(name).\(value)") }

    private func choices(_ name: String) -> [String]? {
        switch name {
        case "buyer": RuleCircumstances.Buyer.allCases.map(\.rawValue)
        case "event": ["sale", "lead", "click"]
        case "often": ["any", "first"]
        case "recipient": (0...3).map(String.init) + (Int(draft.recipient).map { $0 > 3 ? [draft.recipient] : [] } ?? []) + ["friend"]
        case "kind": RuleDraft.Kind.allCases.map(\.rawValue)
        case "capKind": [RuleDraft.CapKind.amount.rawValue, RuleDraft.CapKind.count.rawValue]
        case "capPer": Cap.Scope.allCases.map(\.rawValue)
        case "capPeriod": CapPeriod.allCases.map(\.rawValue)
        default: nil
        }
    }

    private func value(_ name: String, of draft: RuleDraft) -> String {
        switch name {
        case "buyer": draft.buyer.rawValue
        case "countries": draft.countries
        case "event": draft.event.rawValue
        case "often": draft.isFirstOnly ? "first" : "any"
        case "least": draft.least
        case "recipient": draft.recipient
        case "value": draft.value
        case "kind": draft.kind.rawValue
        case "months": draft.lasting == .months ? draft.months : ""
        case "capKind": draft.capKind == .none ? RuleDraft.CapKind.amount.rawValue : draft.capKind.rawValue
        case "cap": draft.capKind == .none ? "" : draft.cap
        case "capPer": draft.capPer.rawValue
        case "capPeriod": draft.capPeriod.rawValue
        default: ""
        }
    }
}
