import Chronology
import HTTPTypes
import Hummingbird
import Ledger
import Money
import Persistence
import Web

/// Members who may be one person: finding them, seeing what a merge would do, doing it, taking it back.
enum MemberMergePages {
    static let pairsMax = 100

    static func add(to api: inout API, gate: PageGate) {
        api.page("/members/duplicates", .membersRead, gate) { visit in try await pairs(visit) }
        api.page("/members/{id}/merge", .membersWrite, gate) { visit in try await show(visit) }
        api.form("/members/{id}/merge", .membersWrite, gate) { visit, fields in try await merge(visit, fields) }
        api.form("/members/{id}/unmerge", .membersWrite, gate) { visit, fields in try await undo(visit, fields) }
    }

    // MARK: Finding

    private static func pairs(_ visit: PageVisit) async throws -> Response {
        let language = visit.language
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        func say(_ key: String) -> String { language("duplicates.\(key)") }
        let (found, names) = try await visit.installation.main.read { connection in
            let found = try MemberMergeStore.pairs(in: workspace, limit: pairsMax, on: connection)
            return (found, try PersonNames.load(members: found.flatMap { [$0.one, $0.other] }, vault: vault, on: connection))
        }
        let mayWrite = visit.session.may(.membersWrite)
        let rows = found.map { pair -> PageTable.Row in
            let shared = pair.kinds.map { say("kind.\($0)") }.listed(language)
            return PageTable.Row(cells: [
                .person(names.member(pair.one, language), url: "/members/\(pair.one.text)"),
                .person(names.member(pair.other, language), url: "/members/\(pair.other.text)"), .text(shared),
                mayWrite ? .name(say("compare"), url: "/members/\(pair.one.text)/merge?with=\(pair.other.text)") : .nothing,
            ])
        }
        let page = PageBlocks(
            heading: say("title"), crumb: ("/members", language("members.title")),
            lead: language.sentence(found.isEmpty ? "duplicates.lead.none" : "duplicates.lead.some", count: Int64(found.count)),
            blocks: rows.isEmpty
                ? []
                : [
                    PageBlocks.Block(
                        table: PageTable(
                            label: say("title"),
                            columns: [
                                PageTable.Column(label: say("column.one")), PageTable.Column(label: say("column.other")),
                                PageTable.Column(label: say("column.shared"), isExtra: true), PageTable.Column(label: say("column.buttons"), isHidden: true),
                            ], rows: rows, language: language), note: say("note"))
                ])
        return try visit.blocks(page, current: "/members")
    }

    // MARK: One pair

    private static func show(_ visit: PageVisit, reason: String = "", error: String? = nil) async throws -> Response {
        let kept: MemberID = try visit.context.id()
        guard let duplicate = visit.query["with"].flatMap({ MemberID($0) }), duplicate != kept else { throw Problem.notFound() }
        return try await show(visit, kept, duplicate, reason: reason, error: error)
    }

    private static func show(_ visit: PageVisit, _ kept: MemberID, _ duplicate: MemberID, reason: String, error: String?) async throws -> Response {
        let language = visit.language
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        func say(_ key: String, _ values: [String: String] = [:]) -> String { language("merge.\(key)", values) }
        struct Facts: Sendable {
            var names: PersonNames
            var moved: MemberMerge.Moved
            var shared: [String]
            var balances: [MemberBalance]
            var programs: [String]
        }
        let facts = try await visit.installation.main.read { connection -> Facts? in
            guard try MemberStore.find(kept, in: workspace, on: connection) != nil, try MemberStore.find(duplicate, in: workspace, on: connection) != nil
            else { return nil }
            let moved = try MemberMerge.effect(of: duplicate, into: kept, in: workspace, on: connection)
            return Facts(
                names: try PersonNames.load(members: [kept, duplicate], vault: vault, on: connection), moved: moved,
                shared: try MemberMergeStore.alike(kept, limit: 200, on: connection).first { $0.other == duplicate }?.kinds ?? [],
                balances: try Journal.balances(workspace: workspace.text, member: duplicate.text, on: connection),
                programs: try moved.programs.compactMap { try ProgramStore.name(of: $0, in: workspace, on: connection) })
        }
        guard let facts else { throw Problem.notFound() }
        let (one, other) = (facts.names.member(kept, language), facts.names.member(duplicate, language))
        let open: [String] = facts.balances.flatMap { balance -> [String] in
            [balance.pending, balance.held, balance.available].filter { $0.minor != 0 }.map { language.money($0.minor, balance.unit) }
        }
        let rows = [
            PageBlocks.Fact(label: say("links"), text: language.plural("merge.linksMove", Int64(facts.moved.links.count), ["kept": one])),
            PageBlocks.Fact(label: say("customers"), text: language.plural("merge.customersMove", Int64(facts.moved.customers.count), ["kept": one])),
            PageBlocks.Fact(label: say("programs"), text: facts.programs.isEmpty ? say("programsSame") : facts.programs.listed(language)),
            PageBlocks.Fact(label: say("balance"), text: say(open.isEmpty ? "balanceNone" : "balanceStays", ["amounts": open.listed(language), "duplicate": other])),
            PageBlocks.Fact(label: say("tracker"), text: say(facts.moved.carriesTracker ? "trackerMoves" : "trackerStays", ["kept": one, "duplicate": other])),
            PageBlocks.Fact(label: say("status"), text: say("statusInactive", ["duplicate": other])),
            PageBlocks.Fact(
                label: say("shared"),
                text: facts.shared.isEmpty ? say("sharedNothing") : facts.shared.map { language("duplicates.kind.\($0)") }.listed(language)),
        ]
        let form = PageForm(
            action: "/members/\(kept.text)/merge", hidden: [("duplicate", duplicate.text)],
            fields: [.line("reason", say("reason"), reason, help: say("reasonHelp"), error: error, isRequired: true, lengthMax: 500)],
            buttons: [PageForm.Button(label: say("submit", ["kept": one]))], cancel: ("/members/\(kept.text)", say("cancel")), note: say("undoNote"),
            csrfToken: visit.csrfToken)
        let page = PageBlocks(
            heading: say("title"), crumb: ("/members/\(kept.text)", one),
            links: [PageBlocks.Link(url: "/members/\(duplicate.text)/merge?with=\(kept.text)", label: say("swap", ["duplicate": other]))],
            lead: language.sentence("merge.lead", ["kept": one, "duplicate": other]),
            blocks: [PageBlocks.Block(heading: say("effect"), facts: rows), PageBlocks.Block(heading: say("doIt"), forms: [form])])
        return try visit.blocks(page, current: "/members", isNarrow: true, status: error == nil ? .ok : .unprocessableContent)
    }

    private static func merge(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let kept: MemberID = try visit.context.id()
        guard let duplicate = fields["duplicate"].flatMap({ MemberID($0) }) else { throw Problem.notFound() }
        guard let reason = fields["reason"], !reason.isEmpty, reason.count <= 500 else {
            return try await show(visit, kept, duplicate, reason: fields["reason"] ?? "", error: visit.language("merge.error.reason"))
        }
        do {
            _ = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                try MemberMerge.merge(duplicate, into: kept, reason: reason, in: write)
            }
        } catch let problem as Problem where problem.code == "merged_already" || problem.code == "member_erased" {
            return try await show(visit, kept, duplicate, reason: reason, error: visit.language("merge.error.\(problem.code)"))
        }
        visit.installation.linkIndex.forgetAll()
        return visit.seeOther("/members/\(kept.text)?done=merged")
    }

    private static func undo(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let member: MemberID = try visit.context.id()
        guard let id = fields["merge"].flatMap({ MemberMergeID($0) }) else { throw Problem.notFound() }
        do {
            _ = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                try MemberMerge.undo(id, in: write)
            }
        } catch let problem as Problem where problem.code == "too_late" || problem.code == "undone_already" {
            return visit.seeOther("/members/\(member.text)?done=tooLate")
        }
        visit.installation.linkIndex.forgetAll()
        return visit.seeOther("/members/\(member.text)?done=unmerged")
    }
}
