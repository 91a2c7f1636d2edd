import HTTPTypes
import Hummingbird
import Persistence
import Web

/// Giving a status to the members that were ticked, and taking that back. What is taken back is what was kept, never what an address says.
enum MemberChangePages {
    private static let namesMax = 10

    static func add(to api: inout API, gate: PageGate) {
        api.form("/members/bulk", .membersWrite, gate) { visit, fields in try await change(visit, fields) }
        api.form("/members/changes/{id}/undo", .membersWrite, gate) { visit, _ in try await undo(visit) }
    }

    private static func change(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let ids = fields.all("id").prefix(MemberPages.membersPerPage).compactMap { MemberID($0) }
        guard !ids.isEmpty, let wanted = fields["status"].flatMap({ Member.Status.Settable(rawValue: $0) }),
            let status = Member.Status(rawValue: wanted.rawValue)
        else { return visit.seeOther("/members?done=none") }
        let change = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
            try MemberChange.make(status, ids, in: write)
        }
        visit.installation.linkIndex.forgetAll()
        return visit.seeOther(change.map { "/members?done=status&change=\($0.id.text)" } ?? "/members?done=none")
    }

    private static func undo(_ visit: PageVisit) async throws -> Response {
        let id: MemberChangeID = try visit.context.id()
        do {
            _ = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                try MemberChange.undo(id, in: write)
            }
        } catch let problem as Problem where problem.code == "too_late" || problem.code == "undone_already" {
            return visit.seeOther("/members?done=tooLate")
        }
        visit.installation.linkIndex.forgetAll()
        return visit.seeOther("/members?done=undone&change=\(id.text)")
    }

    // MARK: What was done

    /// The change that the address names, with the names of those who stayed as somebody made them since.
    struct Named: Sendable {
        var change: MemberChange
        var skipped: PersonNames

        static func load(_ visit: PageVisit, vault: Vault, on connection: any Connection) throws -> Named? {
            guard let id = visit.query["change"].flatMap({ MemberChangeID($0) }),
                let change = try MemberChangeStore.find(id, in: visit.workspaceID, on: connection)
            else { return nil }
            let skipped = change.undoneAt == nil ? [] : change.items.filter { !$0.isBack }.prefix(namesMax).map(\.memberID)
            return Named(change: change, skipped: try PersonNames.load(members: Array(skipped), vault: vault, on: connection))
        }
    }

    static func notice(_ visit: PageVisit, _ named: Named?) -> PageFrame.Notice? {
        let language = visit.language
        switch (visit.query["done"], named) {
        case ("none", _), ("tooLate", _):
            return PageFrame.Notice(kind: "", icon: "none", text: language("members.done.\(visit.query["done"] ?? "")"))
        case ("status", let named?) where named.change.undoneAt == nil:
            var notice = PageFrame.Notice(
                kind: "good", icon: "check", text: language.plural("members.done.status", Int64(named.change.items.count)))
            if named.change.mayBeUndone(at: visit.now), visit.session.may(.membersWrite) {
                notice.undo = PageFrame.Notice.Undo(
                    action: "/members/changes/\(named.change.id.text)/undo", fields: [], label: language("members.undo"))
            }
            return notice
        case ("undone", let named?) where named.change.undoneAt != nil:
            let skipped = named.change.items.filter { !$0.isBack }
            let back = language.plural("members.done.undone", Int64(named.change.items.count - skipped.count))
            guard !skipped.isEmpty else { return PageFrame.Notice(kind: "good", icon: "check", text: back) }
            let names = skipped.prefix(namesMax).map { named.skipped.member($0.memberID, language) }.listed(language)
            return PageFrame.Notice(
                kind: "warn", icon: "warning",
                text: back + " " + language.plural("members.done.skipped", Int64(skipped.count), ["names": names]))
        default: return nil
        }
    }
}
