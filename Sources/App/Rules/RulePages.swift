import Chronology
import HTTPTypes
import Hummingbird
import Money
import Persistence
import Rules
import Web

/// Writing rules: a form for the usual kinds, JSON for the rest, and what a change would have done to last month's facts before it is saved.
enum RulePages {
    static let versionsMax = 100

    static func add(to api: inout API, gate: PageGate) {
        api.page("/programs/{id}/rules/new", .programsWrite, gate) { visit in
            let place = try await place(program: visit.context.id(), visit)
            return try await show(place, draft: fresh(for: place.program, visit), visit)
        }
        api.form("/programs/{id}/rules", .programsWrite, gate) { visit, fields in
            try await take(fields, at: place(program: visit.context.id(), visit), visit)
        }
        api.page("/rules/{id}", .programsRead, gate) { visit in
            let place = try await place(rule: visit.context.id(), visit)
            let draft = place.rule.flatMap { place.draft(of: $0, visit.language) }
            return try await show(place, draft: draft, visit)
        }
        api.form("/rules/{id}", .programsWrite, gate) { visit, fields in
            try await take(fields, at: place(rule: visit.context.id(), visit), visit)
        }
    }

    /// The program and, unless it is new, the rule.
    struct Place: Sendable {
        var program: Program
        var currency: Currency
        var rule: Rule?
        var versions: [(rule: Rule, recordedAt: Instant, author: String)]
        var authors: OperatorNames

        var nextVersion: Int { (rule?.terms.version ?? 0) + 1 }

        /// The fields of a rule as this person would write them; nil when the form has no place for what it says.
        func draft(of rule: Rule, _ language: PageLanguage) -> RuleDraft? {
            RuleDraft(rule, currency: currency, zone: program.zone, numbers: language.numbers)
        }
    }

    private static func place(program id: ProgramID, _ visit: PageVisit) async throws -> Place {
        let workspace = visit.workspaceID
        let found = try await visit.installation.main.read { connection in try ProgramStore.find(id, in: workspace, at: visit.now, on: connection) }
        guard let program = found, let currency = Currency(code: program.currency) else { throw Problem.notFound() }
        return Place(program: program, currency: currency, rule: nil, versions: [], authors: OperatorNames())
    }

    private static func place(rule id: RuleID, _ visit: PageVisit) async throws -> Place {
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let place = try await visit.installation.main.read { connection -> Place? in
            guard let rule = try RuleStore.newest(id, in: workspace, on: connection),
                let program = try ProgramStore.find(rule.programID, in: workspace, at: visit.now, on: connection), let currency = Currency(code: program.currency)
            else { return nil }
            let versions = try RuleStore.versions(of: id, limit: versionsMax, on: connection)
            return Place(
                program: program, currency: currency, rule: rule, versions: versions,
                authors: try OperatorNames.load(versions.map(\.author), in: workspace, vault: vault, on: connection))
        }
        guard let place else { throw Problem.notFound() }
        return place
    }

    /// Of a group where the address names one.
    private static func fresh(for program: Program, _ visit: PageVisit) async throws -> RuleDraft {
        var draft = RuleDraft()
        draft.name = visit.language("ruleForm.firstName")
        draft.value = "10"
        let workspace = visit.workspaceID
        guard let id = visit.query["group"].flatMap({ GroupID($0) }),
            let group = try await visit.installation.main.read({ connection in try GroupStore.find(id, in: workspace, on: connection) }), group.programID == program.id
        else { return draft }
        draft.name = group.name
        draft.conditions = JSONValue.object([JSONMember("all", .array([group.condition]))]).indented
        return draft
    }

    // MARK: What was sent

    private static func take(_ fields: FormFields, at place: Place, _ visit: PageVisit) async throws -> Response {
        let isSaving = fields["act"] == "save"
        let lookedAt = fields["version"].flatMap { Int($0) }
        if let text = fields.exact("document") {
            let typed = Typed.json(text)
            let json: JSONValue
            do throws(JSONSyntaxError) {
                json = try JSONValue.parse(Array(text.utf8), maximumBytes: 100_000)
            } catch {
                let line = text.utf8.prefix(error.offset).count(where: { $0 == 0x0A }) + 1
                let fault = visit.language("ruleForm.error.syntax", ["line": visit.language.integer(Int64(line)), "reason": error.reason])
                return try await page(place, typed, errors: [("document", fault)], visit)
            }
            return try await settle(json, typed, isSaving: isSaving, lookedAt: lookedAt, at: place, visit)
        }
        let draft = RuleDraft(fields)
        var (json, faults) = draft.document(
            currency: place.currency, zone: place.program.zone, numbers: visit.language.numbers, now: visit.now)
        if faults["from"] == nil, let day = TypedDay.read(draft.from, today: place.program.zone.day(of: visit.now)) {
            let start = place.program.zone.start(of: day)
            let starts = place.versions.map(\.rule.terms.effectiveFrom)
            if starts.contains(where: { $0 > start && $0 <= visit.now }) { faults["from"] = .key("dayBehind") }
        }
        guard faults.isEmpty else {
            let errors = faults.map { field, fault -> (String, String) in
                switch fault {
                case .key(let key):
                    (field, visit.language("ruleForm.error.\(key)", ["example": visit.language.exampleAmount(exponent: place.currency.exponent)]))
                case .sentence(let sentence): (field, sentence)
                }
            }
            return try await page(place, .draft(draft), errors: errors, visit)
        }
        return try await settle(json, .draft(draft), isSaving: isSaving, lookedAt: lookedAt, at: place, visit)
    }

    /// What stands in the form.
    enum Typed: Sendable {
        case draft(RuleDraft)
        case json(String)
    }

    private static func settle(
        _ json: JSONValue, _ typed: Typed, isSaving: Bool, lookedAt: Int?, at place: Place, _ visit: PageVisit
    ) async throws -> Response {
        do {
            let reader = try JSONReader(json)
            let document = RuleDocument.read(reader)
            try reader.finish()
            try document.check(for: place.program)
            let rule = try document.rule(
                id: place.rule?.id ?? RuleID(stored: "rule_draft"), program: place.program.id, version: place.nextVersion, now: visit.now)
            // Somebody else wrote a version while this form was open: theirs stands above, this one stays in the form.
            if let known = place.rule, let lookedAt, lookedAt != known.terms.version {
                return try await page(place, typed, draft: rule, isOvertaken: true, visit)
            }
            guard isSaving else { return try await page(place, typed, draft: rule, visit) }
            let saved = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                if let known = place.rule { return try Rule.change(known.id, document, lookedAt: lookedAt, in: write) }
                return try Rule.create(document, program: place.program.id, in: write)
            }
            return visit.seeOther("/rules/\(saved.id.text)?done=saved")
        } catch let problem as Problem where problem.code == "rule_changed" {
            guard let id = place.rule?.id else { throw problem }
            return try await settle(json, typed, isSaving: false, lookedAt: lookedAt, at: Self.place(rule: id, visit), visit)
        } catch let problem as Problem where problem.status == .unprocessableContent {
            let errors = problem.errors.map { error -> (String, String) in
                if case .json = typed { return ("document", "\(error.field): \(error.message)") }
                return (RuleDraft.field(error.field), error.message)
            }
            return try await page(place, typed, errors: errors, visit)
        }
    }

    // MARK: The page

    private static func show(_ place: Place, draft: RuleDraft?, _ visit: PageVisit) async throws -> Response {
        if visit.query["as"] == "json" || draft == nil {
            let known =
                place.rule.map { $0.document.without(["effectiveFrom"]) }
                ?? draft?.document(currency: place.currency, zone: place.program.zone, numbers: visit.language.numbers, now: visit.now).json
            return try await page(place, .json((known ?? .object([])).indented), visit)
        }
        return try await page(place, .draft(draft ?? RuleDraft()), visit)
    }

    private static func page(
        _ place: Place, _ typed: Typed, draft: Rule? = nil, errors: [(String, String)] = [], isOvertaken: Bool = false, _ visit: PageVisit
    ) async throws -> Response {
        let vault = visit.installation.vault
        var effect: (RuleEffect, PersonNames)?
        if let draft,
            let reckoned = try await RuleEffect.reckon(
                draft.terms, replacing: place.rule, of: place.program, at: visit.now, in: visit.installation)
        {
            let movers = reckoned.movers(RuleEffectModel.moversMax).map(\.member)
            effect = (reckoned, try await visit.installation.main.read { connection in try PersonNames.load(members: movers, vault: vault, on: connection) })
        }
        let rules = try await visit.installation.main.read { connection in
            try RuleStore.newestOfAll(in: place.program.id, on: connection).filter { $0.id != place.rule?.id && $0.programID == place.program.id }
        }
        let model = RuleFormModel(
            place: place, typed: typed, draft: draft, errors: Dictionary(errors, uniquingKeysWith: { $0 + " " + $1 }), others: rules,
            isOvertaken: isOvertaken, effect: effect.map { RuleEffectModel(effect: $0.0, names: $0.1, place: place, language: visit.language) },
            mayWrite: visit.session.may(.programsWrite), csrfToken: visit.csrfToken, language: visit.language)
        return try visit.page(
            "rule-form", title: model.heading, current: "/programs", notice: visit.done("ruleForm", ["saved"]),
            status: isOvertaken ? .conflict : errors.isEmpty ? .ok : .unprocessableContent, model.page)
    }
}

extension RuleStore {
    /// The versions of a rule, the newest first.
    static func versions(of id: RuleID, limit: Int, on connection: any Connection) throws -> [(rule: Rule, recordedAt: Instant, author: String)] {
        let notes = try connection.rows(
            "SELECT version, recorded_at, author FROM rule_version WHERE rule_id = \(id) ORDER BY version DESC LIMIT \(limit)")
        return try notes.compactMap { row in
            guard let rule = try version(id, row.get(at: 0), on: connection) else { return nil }
            return (rule, try row.get(at: 1), try row.get(at: 2))
        }
    }
}

extension OperatorSession {
    /// Everything that this person's role allows.
    var rights: Set<Right> { Role.rights[role] ?? [] }
}
