import Chronology
import HTTPTypes
import Hummingbird
import Ledger
import Money
import Persistence
import Web

/// Changing by hand what people get: first what would be posted, then, with a second press, the change itself.
enum AdjustmentPages {
    static let programsMax = 200

    static func add(to api: inout API, gate: PageGate) {
        api.page("/commissions/{id}", .commissionsRead, gate) { visit in try await CommissionShow.page(visit) }
        for step in HandStep.all {
            api.page(step.path, step.right, gate) { visit in
                let typed = step.fields.reduce(into: [String: String]()) { $0[$1] = visit.query[$1] }
                return try await form(step, visit, typed, [:])
            }
            api.form(step.path, step.right, gate) { visit, fields in try await take(step, visit, fields) }
        }
    }

    /// Shows what would happen; does it when the preview's button says so.
    private static func take(_ step: HandStep, _ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let typed = (step.fields + ["key", "worth"]).reduce(into: [String: String]()) { $0[$1] = fields[$1] }
        let isPreview = fields["do"] == nil
        let id = visit.context.parameters.get("id")
        let language = visit.language
        let vault = visit.installation.vault
        let workspace = visit.workspaceID
        do {
            guard let reason = typed["reason"], !reason.isEmpty, reason.unicodeScalars.count <= Adjustment.reasonLengthMax else {
                throw Refusal.field("reason", "Must be given.", code: "reason_missing")
            }
            // Made with the preview, so that a form that is sent twice is known.
            let key = typed["key"].flatMap { AdjustmentID($0) } ?? visit.installation.world.newID()
            let input = HandInput(id: id, key: key, typed: typed, reason: reason, language: language)
            let done = try await visit.installation.write(workspace, actor: visit.session.actor, rights: visit.session.rights) {
                write -> (HandOutcome, [RecordedTransaction]) in
                guard isPreview else { return (try step.verb(input, write), []) }
                let (outcome, transactions) = try write.rehearse { try step.verb(input, write) }
                return (outcome, transactions)
            }
            guard isPreview else { return visit.seeOther(done.0.url) }
            let words = try await visit.installation.main.read { connection in
                try LedgerWords.load(
                    paths: done.1.flatMap { $0.entries.map(\.account) }, causes: [], in: workspace, vault: vault, language: language, on: connection)
            }
            return try preview(step, visit, input, typed, done.0, done.1, words)
        } catch let problem as Problem where problem.status.code < 500 && problem.status != .notFound {
            let field = problem.errors.first?.field ?? ""
            let key = "hand.refused.\(problem.code)"
            let words = language(key)
            let message = words == key ? language("hand.refused.other") : words
            return try await form(step, visit, typed, [step.fields.contains(field) ? field : "": message])
        }
    }

    // MARK: Pages

    private static func form(
        _ step: HandStep, _ visit: PageVisit, _ typed: [String: String], _ errors: [String: String]
    ) async throws -> Response {
        let id = visit.context.parameters.get("id")
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let language = visit.language
        let read = try await visit.installation.main.read { connection -> (HandSubject, [Program]) in
            (
                try step.subject(id, workspace, vault, language, connection),
                try ProgramStore.list(in: workspace, at: visit.now, after: nil, limit: programsMax, on: connection)
            )
        }
        let (subject, programs) = read
        let fields = step.fields.map { name -> PageObject in
            let kind = "hand.field.\(name)"
            let value = typed[name] ?? subject.values[name] ?? ""
            return [
                "name": .text(name), "label": .text(language(name == "amount" ? "hand.field.amount.\(step.key)" : kind)),
                "value": .text(value), "help": PageValue(subject.help[name]), "error": PageValue(errors[name]), "hasError": .flag(errors[name] != nil),
                "isLong": .flag(name == "reason"), "isLine": .flag(name == "amount" || name == "member"), "isAmount": .flag(name == "amount"),
                "required": .flag(name != "amount" || step.key != "refund"),
                "options": PageValue(
                    name == "program"
                        ? programs.map { ["value": .text($0.id.text), "label": .text($0.name), "chosen": .flag($0.id.text == value)] } : []),
                "isChoice": .flag(name == "program"),
            ]
        }
        return try visit.page(
            "hand-form", title: language("hand.\(step.key).title"), current: step.current, isNarrow: true,
            status: errors.isEmpty ? .ok : .unprocessableContent,
            [
                "heading": .text(language("hand.\(step.key).title")), "lead": language.sentence("hand.\(step.key).lead", subject.words),
                "crumbURL": .text(subject.url), "crumb": .text(subject.name), "action": .text(visit.request.uri.path),
                "csrfToken": .text(visit.session.csrf(visit.installation).text()), "refused": PageValue(errors[""]), "fields": PageValue(fields),
                "worth": PageValue(step.key == "correct" ? subject.worthMinor.map { String($0) } : nil),
                "facts": PageValue(subject.facts.map { PageObject(["label": .text($0.0), "value": .text($0.1)]) }),
            ])
    }

    private static func preview(
        _ step: HandStep, _ visit: PageVisit, _ input: HandInput, _ typed: [String: String], _ outcome: HandOutcome,
        _ transactions: [RecordedTransaction], _ words: LedgerWords
    ) throws -> Response {
        let language = visit.language
        let rows = LedgerEntryRow(words: words)
        let kept = (step.fields + ["worth"]).compactMap { name in typed[name].map { (name, $0) } } + [("key", input.key.text)]
        return try visit.page(
            "hand-preview", title: language("hand.\(step.key).title"), current: step.current, isNarrow: true,
            [
                "heading": .text(language("hand.\(step.key).title")), "lead": language.sentence("hand.\(step.key).preview", outcome.words),
                "action": .text(visit.request.uri.path), "csrfToken": .text(visit.session.csrf(visit.installation).text()),
                "reason": .text(input.reason), "submit": .text(language("hand.\(step.key).submit", outcome.words)),
                "hidden": PageValue(kept.map { PageObject(["name": .text($0.0), "value": .text($0.1)]) }),
                "hasPostings": .flag(!transactions.isEmpty),
                "postings": PageValue(
                    transactions.map { transaction -> PageObject in
                        [
                            "purpose": .text(words.purpose(transaction.purpose)), "entries": PageValue(transaction.entries.map { rows.page($0) }),
                        ]
                    }),
            ])
    }
}

/// What somebody wants, as they typed it.
struct HandInput: Sendable {
    var id: String?
    var key: AdjustmentID
    var typed: [String: String]
    var reason: String
    var language: PageLanguage

    func amount(_ unit: UnitCode) throws -> Int64 {
        guard let minor = language.typedAmount(typed["amount"] ?? "", exponent: unit.exponent) else {
            throw Refusal.field("amount", "Must be an amount.", code: "amount_unreadable")
        }
        return minor
    }

    func member(in write: Write) throws -> Member {
        let found = try MemberLookup.find(
            String((typed["member"] ?? "").prefix(255)), in: write.workspace.id, vault: write.vault, language: language, on: write.connection)
        guard found.count == 1, let member = try MemberStore.find(found[0], in: write.workspace.id, on: write.connection) else {
            throw Refusal.field("member", "Must be one.", code: found.isEmpty ? "member_unknown" : "member_ambiguous")
        }
        return member
    }

    func name(of member: MemberID, in write: Write) throws -> String {
        try PersonNames.load(members: [member], vault: write.vault, on: write.connection).member(member, language)
    }
}

/// What was done, or would be: the words for it, and where to look at it.
struct HandOutcome: Sendable {
    var words: [String: String]
    var url: String
}

/// What a form is about.
struct HandSubject: Sendable {
    var name: String
    var url: String
    var words: [String: String] = [:]
    /// What the fields hold before anybody writes into them.
    var values: [String: String] = [:]
    var help: [String: String] = [:]
    var facts: [(String, String)] = []
    /// What the form's commission is worth while somebody looks at it: what has changed since is not overwritten.
    var worthMinor: Int64?
}
