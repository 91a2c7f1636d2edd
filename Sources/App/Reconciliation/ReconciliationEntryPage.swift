import HTTPTypes
import Hummingbird
import Persistence
import Web

/// One entry: what the bank said, what became of it, and what a person can do about it.
enum ReconciliationEntryPage {
    private static let base = ReconciliationPages.path + "/entries"
    private static let dones: Set<String> = ["assigned", "setAside"]

    static func add(to api: inout API, gate: PageGate) {
        api.page("/reconciliation/entries/{id}", .ledgerRead, gate) { visit in try await show(visit, refused: nil) }
        api.form("/reconciliation/entries/{id}/assignment", .payoutsWrite, gate) { visit, fields in try await assign(visit, fields) }
        api.form("/reconciliation/entries/{id}/setting-aside", .payoutsWrite, gate) { visit, fields in
            let id: ReconciliationEntryID = try visit.context.id()
            guard let reason = fields["reason"], !reason.isEmpty, reason.unicodeScalars.count <= ReconciliationEntry.reasonMax else {
                return try await show(visit, refused: visit.language("reconciliation.refused.reason"))
            }
            return try await act(visit, done: "setAside") { write in _ = try ReconciliationEntry.setAside(id, reason: reason, in: write) }
        }
    }

    private static func assign(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let id: ReconciliationEntryID = try visit.context.id()
        let halves = (fields["payment"] ?? "").split(separator: " ").map(String.init)
        guard halves.count == 2, let payout = PayoutID(halves[0]), let member = MemberID(halves[1]) else {
            return try await show(visit, refused: visit.language("reconciliation.refused.payment"))
        }
        let seal = visit.installation.reconciliationSeal
        return try await act(visit, done: "assigned") { write in _ = try ReconciliationEntry.assign(id, to: payout, member, seal: seal, in: write) }
    }

    private static func act(_ visit: PageVisit, done: String, _ verb: @escaping @Sendable (Write) throws -> Void) async throws -> Response {
        let id: ReconciliationEntryID = try visit.context.id()
        do {
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights, verb)
        } catch {
            guard let problem = Refusal.of(error), problem.status == .conflict || problem.status == .unprocessableContent else { throw error }
            return try await show(visit, refused: visit.language("reconciliation.refused.\(problem.code == "entry_settled" ? "settled" : "doesNotFit")"))
        }
        return visit.seeOther("\(base)/\(id.text)?done=\(done)")
    }

    private struct Known: Sendable {
        var row: ReconciliationEntry
        var file: Reconciliation?
        var counterparty = BankEntry.Counterparty()
        var candidates: [ReconciliationListStore.Candidate] = []
        var names = PersonNames.none
        var people: OperatorNames?
    }

    private static func show(_ visit: PageVisit, refused: String?) async throws -> Response {
        let language = visit.language
        func say(_ key: String, _ values: [String: String] = [:]) -> String { language("reconciliation.\(key)", values) }
        let id: ReconciliationEntryID = try visit.context.id()
        let (workspace, vault, seal) = (visit.workspaceID, visit.installation.vault, visit.installation.reconciliationSeal)
        let mayWrite = visit.session.may(.payoutsWrite)
        let known = try await visit.installation.main.read { connection -> Known? in
            guard let row = try ReconciliationStore.find(id, in: workspace, on: connection) else { return nil }
            var known = Known(row: row, file: try ReconciliationStore.file(row.reconciliationID, in: workspace, on: connection))
            if mayWrite { known.counterparty = try ReconciliationEntry.counterparty(row, seal: seal, vault: vault, on: connection) }
            if row.state.mayBeAssigned {
                known.candidates = try ReconciliationListStore.candidates(
                    for: row.entry, in: workspace, limit: ReconciliationPages.candidatesMax, on: connection)
            }
            known.names = try PersonNames.load(members: known.candidates.map(\.memberID) + [row.memberID].compactMap { $0 }, vault: vault, on: connection)
            known.people = try OperatorNames.load([row.decidedBy].compactMap { $0 }, in: workspace, vault: vault, on: connection)
            return known
        }
        guard let known else { throw Problem.notFound() }
        let row = known.row
        var page = PageBlocks(
            heading: ReconciliationPages.said(row.entry, language), crumb: (ReconciliationPages.path, say("title")),
            lead: language.sentence(
                "reconciliation.entryLead.\(row.difference?.rawValue ?? row.state.rawValue)", ["amount": ReconciliationPages.money(row.entry, language)]),
            refused: refused, blocks: [PageBlocks.Block(heading: say("whatBankSays"), facts: facts(known, visit))])
        if row.state.isOpen, let difference = row.difference {
            page.blocks.insert(PageBlocks.Block(heading: say("whatToDo"), note: say("remedy.\(difference.rawValue)"), isWarning: true), at: 0)
        }
        if row.state.mayBeAssigned, mayWrite { page.blocks += decisions(known, visit) }
        return try visit.blocks(
            page, current: ReconciliationPages.path, notice: visit.done("reconciliation", dones), status: refused == nil ? .ok : .unprocessableContent)
    }

    private static func facts(_ known: Known, _ visit: PageVisit) -> [PageBlocks.Fact] {
        let (language, row) = (visit.language, known.row)
        var facts: [PageBlocks.Fact] = []
        func add(_ key: String, _ text: String?, url: String? = nil) {
            if let text, !text.isEmpty { facts.append(PageBlocks.Fact(label: language("reconciliation.fact.\(key)"), text: text, url: url)) }
        }
        add("amount", ReconciliationPages.money(row.entry, language))
        add("day", row.entry.bookedOn.map { language.shortDay($0) })
        add("status", row.entry.status)
        for code in row.entry.reasonCodes {
            add("reason", BankReason(rawValue: code).map { "\(code): \(language($0.messageKey))" } ?? code)
        }
        add("bankReference", row.entry.bankReference)
        add("name", known.counterparty.name)
        add("account", known.counterparty.account)
        add("text", known.counterparty.text)
        add("payment", row.memberID.map { known.names.member($0, language) }, url: row.payoutID.map { "\(ReconciliationPages.path)/payouts/\($0.text)" })
        if row.memberID == nil, let payout = row.payoutID { add("batch", payout.text, url: "\(ReconciliationPages.path)/payouts/\(payout.text)") }
        add("file", known.file.map { language("reconciliation.format.\($0.format.rawValue)") }, url: known.file.map { "\(base)?file=\($0.id.text)" })
        add("line", language.integer(Int64(row.entry.line)))
        if let by = row.decidedBy, let at = row.decidedAt { add("decided", "\(known.people?.name(by, language) ?? ""), \(language.minute(at))") }
        add("decisionReason", row.decisionReason)
        return facts
    }

    private static func decisions(_ known: Known, _ visit: PageVisit) -> [PageBlocks.Block] {
        let (language, row) = (visit.language, known.row)
        func say(_ key: String, _ values: [String: String] = [:]) -> String { language("reconciliation.\(key)", values) }
        // Whose name or account the bank names comes first; the amount alone is no reason.
        let alike = known.candidates.filter { isAlike($0, known, language) }
        let others = known.candidates.filter { !isAlike($0, known, language) }
        func choice(_ candidate: ReconciliationListStore.Candidate, _ key: String) -> FormField.Choice {
            FormField.Choice(
                value: "\(candidate.payoutID.text) \(candidate.memberID.text)",
                label: say(
                    key,
                    [
                        "name": known.names.member(candidate.memberID, language), "amount": ReconciliationPages.money(row.entry, language),
                        "day": candidate.sentAt.map { language.day($0) } ?? "–",
                    ]))
        }
        let choices = [FormField.Choice(value: "", label: say("choose"), isChosen: true)] + alike.map { choice($0, "candidate.alike") } + others.map { choice($0, "candidate.other") }
        let assign = PageForm(
            action: "\(base)/\(row.id.text)/assignment", fields: [FormField(name: "payment", label: say("payment"), control: .select(choices))],
            buttons: [PageForm.Button(label: say("assign"))], csrfToken: visit.csrfToken)
        let setAside = PageForm(
            action: "\(base)/\(row.id.text)/setting-aside",
            fields: [.line("reason", say("reasonLabel"), "", help: say("reasonHelp"), isRequired: true, lengthMax: ReconciliationEntry.reasonMax)],
            buttons: [PageForm.Button(label: say("setAside"), style: "btn-plain")], csrfToken: visit.csrfToken)
        let assignment =
            PageBlocks.Block(
                heading: say("assignHeading"), text: say(alike.isEmpty ? "assignText" : "assignAlike"), forms: known.candidates.isEmpty ? [] : [assign],
                empty: known.candidates.isEmpty ? say("noCandidate") : nil)
        guard row.state.isOpen else { return known.candidates.isEmpty ? [] : [assignment] }
        return [
            assignment, PageBlocks.Block(heading: say("setAsideHeading"), text: say("setAsideText"), forms: [setAside]),
        ]
    }

    private static func isAlike(_ candidate: ReconciliationListStore.Candidate, _ known: Known, _ language: PageLanguage) -> Bool {
        if let account = known.counterparty.account, let ending = candidate.accountEnding, !ending.isEmpty, account.hasSuffix(ending) { return true }
        guard let name = known.counterparty.name else { return false }
        return ColumnMapping.letters(name) == ColumnMapping.letters(known.names.member(candidate.memberID, language))
    }
}
