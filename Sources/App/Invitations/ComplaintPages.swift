import Hummingbird
import Persistence
import Web

/// What friends complained about, for the team: who wrote to them, and what to do.
enum ComplaintPages {
    static let path = "/complaints"
    static let perPage = 50

    static func add(to api: inout API, gate: PageGate) {
        api.page("/complaints", .membersRead, gate) { visit in try await list(visit) }
        api.form("/complaints/{id}", .membersWrite, gate) { visit, fields in
            let member: MemberID = try visit.context.id()
            let resumes = fields["act"] == "resume"
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                try Complaint.lookAt(member, in: write)
                if resumes { try Complaint.forgive(member, in: write) }
            }
            return visit.seeOther("\(path)?done=\(resumes ? "resumed" : "looked")")
        }
    }

    private static func list(_ visit: PageVisit) async throws -> Response {
        let (workspace, vault, language) = (visit.workspaceID, visit.installation.vault, visit.language)
        let before = visit.query["startingAfter"].flatMap { ComplaintID($0) }
        let member = visit.query["member"].flatMap { MemberID($0) }
        let (found, names, paused, open) = try await visit.installation.main.read { connection -> ([Complaint], PersonNames, Set<MemberID>, Int64) in
            let found = try ComplaintStore.list(in: workspace, member: member, before: before, limit: perPage + 1, on: connection)
            let members = Set(found.map(\.memberID))
            return (
                found, try PersonNames.load(members: Array(members), vault: vault, on: connection),
                try members.filter { try InvitationStore.isPaused($0, on: connection) }, try ComplaintStore.openCount(in: workspace, on: connection)
            )
        }
        func say(_ key: String) -> String { language("complaints.\(key)") }
        var decided: Set<MemberID> = []
        let rows = found.prefix(perPage).map { complaint -> PageTable.Row in
            let isFirst = decided.insert(complaint.memberID).inserted
            let isPaused = paused.contains(complaint.memberID)
            var forms: [PageForm] = []
            if isFirst, visit.session.may(.membersWrite), isPaused || complaint.lookedAt == nil {
                var buttons = complaint.lookedAt == nil ? [PageForm.Button(label: say("look"), name: "act", value: "look", style: "btn-plain btn-sm")] : []
                if isPaused { buttons.append(PageForm.Button(label: say("resume"), name: "act", value: "resume", style: "btn-plain btn-sm")) }
                forms = [PageForm(action: "\(path)/\(complaint.memberID.text)", buttons: buttons, isInline: true, csrfToken: visit.csrfToken)]
            }
            let state: PageTable.Cell = isPaused
                ? .badge(say("state.paused"), tone: "warn", icon: "warning")
                : complaint.lookedAt == nil ? .badge(say("state.open"), tone: "accent", icon: "clock") : .badge(say("state.looked"), tone: "", icon: "check")
            return PageTable.Row(cells: [
                .person(names.member(complaint.memberID, language), url: "/members/\(complaint.memberID.text)"),
                .lines(say("reason.\(complaint.reason.rawValue)"), say("way.\(complaint.way.rawValue)")), .time(complaint.createdAt), state,
                forms.isEmpty ? .nothing : .forms(forms),
            ])
        }
        let table = PageTable(
            label: say("title"),
            columns: [
                PageTable.Column(label: say("column.member")), PageTable.Column(label: say("column.reason")), PageTable.Column(label: say("column.at"), isExtra: true),
                PageTable.Column(label: say("column.state"), isExtra: true), PageTable.Column(label: say("column.act"), isHidden: true),
            ], rows: rows, language: language)
        let next = found.count > perPage ? found[perPage - 1].id.text : nil
        let blocks = PageBlocks(
            heading: say("title"), crumb: ("/members", language("members.title")),
            links: next.map { [PageBlocks.Link(url: "\(path)?startingAfter=\($0)", label: say("more"))] } ?? [],
            lead: open == 0 ? language.sentence("complaints.lead.none") : language.sentence("complaints.lead", count: open),
            blocks: rows.isEmpty ? [] : [PageBlocks.Block(heading: say("list"), text: say("text"), table: table, note: say("note"))],
            empty: rows.isEmpty ? PageBlocks.Empty(heading: say("emptyHeading"), text: say("emptyText"), link: nil) : nil)
        return try visit.blocks(blocks, current: "/members", notice: visit.done("complaints", ["looked", "resumed"]))
    }
}
