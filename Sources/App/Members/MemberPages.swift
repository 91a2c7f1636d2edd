import Chronology
import Hummingbird
import Ledger
import Persistence
import Web

/// Members as a list, and each member's story.
enum MemberPages {
    static let membersPerPage = 50
    static let fileRowsMax = 10_000
    static let linesMax = 20
    static let movesMax = 50
    static let introducedMax = 50
    static let linksMax = 50
    static let programsMax = 200

    static func add(to api: inout API, gate: PageGate) {
        api.page("/members", .membersRead, gate) { visit in try await list(visit) }
        api.page("/members.csv", .membersRead, gate) { visit in try await file(visit) }
        MemberForm.add(to: &api, gate: gate)
        MemberMergePages.add(to: &api, gate: gate)
        MemberChangePages.add(to: &api, gate: gate)
        api.page("/members/{id}", .membersRead, gate) { visit in try await show(visit) }
    }

    private static func filter(_ visit: PageVisit) throws -> MemberPageStore.Filter {
        MemberPageStore.Filter(
            program: try visit.query.id("program", ProgramKind.self), stage: try visit.query.word("stage", Member.Stage.self),
            status: try visit.query.word("status", Member.Status.self))
    }

    private static func list(_ visit: PageVisit) async throws -> Response {
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let language = visit.language
        let before = visit.query["startingAfter"].flatMap { MemberID($0) }
        let find = String((visit.query["find"] ?? "").prefix(255))
        let order = ListOrder(visit)
        let wanted = try filter(visit)
        let (model, named) = try await visit.installation.main.read { connection -> (MemberListModel, MemberChangePages.Named?) in
            var filter = wanted
            let isCut = try filter.look(for: find, in: workspace, vault: vault, on: connection)
            var members = try MemberPageStore.newest(
                in: workspace, filter, order: order, before: before, limit: membersPerPage + 1, on: connection)
            let hasMore = members.count > membersPerPage
            members = Array(members.prefix(membersPerPage))
            let ids = members.map(\.id)
            let names = try PersonNames.load(members: ids, vault: vault, on: connection)
            let model = MemberListModel(
                members: members, names: names, isCut: isCut, hasMore: hasMore, isFirstPage: before == nil,
                stages: try MemberPageStore.stages(in: workspace, on: connection),
                sales: try MemberPageStore.salesBrought(by: ids, on: connection), earned: try MemberPageStore.earned(by: ids, on: connection),
                programs: try ProgramStore.list(in: workspace, at: visit.now, after: nil, limit: programsMax, on: connection), filter: wanted, find: find, order: order,
                mayWrite: visit.session.may(.membersWrite), csrfToken: visit.csrfToken, language: language)
            return (model, try MemberChangePages.Named.load(visit, vault: vault, on: connection))
        }
        return try visit.page(
            "member-list", title: language("members.title"), current: "/members", notice: MemberChangePages.notice(visit, named), model.page)
    }

    /// All members for spreadsheets, the newest first.
    private static func file(_ visit: PageVisit) async throws -> Response {
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let language = visit.language
        let wanted = try filter(visit)
        let order = ListOrder(visit)
        let find = String((visit.query["find"] ?? "").prefix(255))
        let (members, names) = try await visit.installation.main.read { connection in
            var filter = wanted
            _ = try filter.look(for: find, in: workspace, vault: vault, on: connection)
            var members: [Member] = []
            while members.count < fileRowsMax {
                let part = try MemberPageStore.newest(
                    in: workspace, filter, order: order, before: members.last?.id, limit: 500, on: connection)
                members += part
                if part.count < 500 { break }
            }
            return (members, try PersonNames.load(members: members.map(\.id), vault: vault, on: connection))
        }
        let head = ["memberId", "name", "stage", "status", "kind", "country", "enrollerId", "joinedAt"]
        let lines = members.map { member -> [CSVCell] in
            [
                .text(member.id.text), .text(names.member(member.id, language)), .text(member.stage.rawValue), .text(member.status.rawValue),
                .text(member.kind.rawValue), .text(member.country ?? ""), .text(member.enrollerID?.text ?? ""), .text(member.joinedAt.rfc3339),
            ]
        }
        return visit.csv(name: "members.csv", [head.map { .text($0) }] + lines)
    }

    /// Members with this id, company's id or mail address.
    static func lookUp(
        _ text: String, in workspace: WorkspaceID, vault: Vault, on connection: any Connection
    ) throws -> [MemberID] {
        var found: [MemberID] = []
        if let external = Normalised.externalID(text),
            let member = try MemberStore.find(externalHash: vault.lookupHash(workspace, "member", external), in: workspace, on: connection)
        {
            found.append(member.id)
        }
        if let id = MemberID(text), try MemberStore.find(id, in: workspace, on: connection) != nil { found.append(id) }
        if let email = Normalised.email(text) {
            let hash = vault.lookupHash(workspace, PersonLookup.email.rawValue, email)
            found += try MemberPageStore.members(emailHash: hash, in: workspace, on: connection)
        }
        return found
    }

    private static func show(_ visit: PageVisit) async throws -> Response {
        let id: MemberID = try visit.context.id()
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let language = visit.language
        let (mayWrite, csrfToken) = (visit.session.may(.membersWrite), visit.csrfToken)
        let model = try await visit.installation.main.read { connection -> MemberModel? in
            guard let member = try MemberStore.find(id, in: workspace, on: connection) else { return nil }
            let merges = try MemberMergeStore.of(id, limit: movesMax, on: connection)
            let merged = Set(merges.filter { $0.undoneAt == nil }.flatMap { [$0.keptID, $0.duplicateID] })
            let alike = try MemberMergeStore.alike(id, limit: introducedMax, on: connection).map(\.other).filter { !merged.contains($0) }
            let introduced = try MemberPageStore.introduced(by: id, limit: introducedMax + 1, on: connection)
            let people = introduced + [id] + (member.enrollerID.map { [$0] } ?? [])
            return MemberModel(
                member: member, names: try PersonNames.load(members: people, vault: vault, on: connection),
                fields: try PersonStore.fields(of: [member.personID], [.email, .externalId], vault: vault, on: connection)[member.personID] ?? [:],
                programs: try MemberStore.programs(of: id, on: connection).prefix(programsMax).compactMap {
                    try ProgramStore.name(of: $0, in: workspace, on: connection)
                }, balances: try Journal.balances(workspace: workspace.text, member: id.text, on: connection),
                links: try LinkStore.list(in: workspace, program: nil, member: id, after: nil, limit: linksMax, on: connection),
                lines: try MemberPageStore.lines(of: id, limit: linesMax, on: connection),
                moves: try MemberPageStore.moves(of: id, limit: movesMax, on: connection),
                account: try PayoutStore.account(of: id, on: connection), introduced: Array(introduced.prefix(introducedMax)),
                hasMoreIntroduced: introduced.count > introducedMax, merges: merges,
                mergeNames: try PersonNames.load(members: merges.flatMap { [$0.keptID, $0.duplicateID] } + alike, vault: vault, on: connection),
                alike: alike, payouts: try MemberPageStore.payouts(of: id, limit: linesMax, on: connection),
                groupMoves: try GroupStore.moves(of: id, limit: movesMax, on: connection),
                complaints: try ComplaintStore.list(in: workspace, member: id, before: nil, limit: movesMax, on: connection),
                groups: try MemberStore.programs(of: id, on: connection).prefix(programsMax).flatMap { try GroupStore.list(in: $0, on: connection) },
                mayWrite: mayWrite, csrfToken: csrfToken, now: visit.now, language: language)
        }
        guard let model else { throw Problem.notFound() }
        let notice = visit.done("member", ["merged", "unmerged", "tooLate"])
        return try visit.page("member-show", title: model.name, current: "/members", notice: notice, model.page)
    }
}

extension MemberPageStore.Filter {
    /// Narrows it down to the people that somebody looks for; answers whether more fit than are looked at.
    fileprivate mutating func look(for text: String, in workspace: WorkspaceID, vault: Vault, on connection: any Connection) throws -> Bool {
        guard !text.isEmpty else { return false }
        let known = try MemberPages.lookUp(text, in: workspace, vault: vault, on: connection)
        guard known.isEmpty else {
            ids = known
            return false
        }
        let named = try NameIndex.find(text, in: workspace, vault: vault, on: connection)
        ids = try NameIndexStore.members(named.people, on: connection)
        return named.isCut
    }
}
