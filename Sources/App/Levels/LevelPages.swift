import Chronology
import Hummingbird
import Money
import Persistence
import Web

/// The network level by level, its health, and who stands on a level.
enum LevelPages {
    static let path = "/insights/levels"
    static let membersPath = "/insights/levels/members"
    static let rowsPerPage = 50
    static let programsMax = 200

    static func add(to api: inout API, gate: PageGate) {
        api.page("/insights/levels", .salesRead, gate) { visit in try await show(visit) }
        api.page("/insights/levels/members", .membersRead, gate) { visit in try await members(visit) }
    }

    /// What is asked for, as the address has it; an empty field is none.
    struct Asked: Sendable {
        var from: String?
        var to: String?
        var program: ProgramID?

        init(_ visit: PageVisit) throws {
            from = visit.query["from"].flatMap { $0.isEmpty ? nil : $0 }
            to = visit.query["to"].flatMap { $0.isEmpty ? nil : $0 }
            program = visit.query["programId"] == "" ? nil : try visit.query.id("programId", ProgramKind.self)
        }

        func address(_ path: String, _ days: ClosedRange<LocalDay>, _ more: String = "") -> String {
            "\(path)?from=\(days.lowerBound.iso8601)&to=\(days.upperBound.iso8601)" + (program.map { "&programId=\($0.text)" } ?? "") + more
        }
    }

    private static func show(_ visit: PageVisit) async throws -> Response {
        let (workspaceID, now) = (visit.workspaceID, visit.now)
        let asked = try Asked(visit)
        let (found, programs) = try await visit.installation.main.read { connection in
            guard let workspace = try WorkspaceStore.find(workspaceID, on: connection) else { throw Problem.notFound() }
            let days = try InsightQuestion.period(asked.from, asked.to, today: workspace.zone.day(of: now))
            return (
                try NetworkLevels.find(days, program: asked.program, in: workspace, on: connection),
                try ProgramStore.list(in: workspaceID, at: now, after: nil, limit: programsMax, on: connection)
            )
        }
        let model = LevelModel(
            found: found, asked: asked, programs: programs.map { ($0.id, $0.name) }, mayReadMembers: visit.session.may(.membersRead), language: visit.language)
        return try visit.blocks(model.blocks, current: path)
    }

    private static func members(_ visit: PageVisit) async throws -> Response {
        let (workspaceID, now, vault, language) = (visit.workspaceID, visit.now, visit.installation.vault, visit.language)
        let asked = try Asked(visit)
        let words = LevelWords(language: language)
        let depth = visit.query["level"].flatMap { Int64($0) } ?? 1
        guard (1...LevelStore.depthMax).contains(depth) else { throw Refusal.field("level", "Must be a number from 1 to \(LevelStore.depthMax).") }
        let after = visit.query["startingAfter"].flatMap { MemberID($0) }?.text ?? ""
        let found = try await visit.installation.main.read { connection in
            guard let workspace = try WorkspaceStore.find(workspaceID, on: connection) else { throw Problem.notFound() }
            let days = try InsightQuestion.period(asked.from, asked.to, today: workspace.zone.day(of: now))
            let scope = LevelStore.Scope(workspace, days, program: asked.program)
            let ids = try LevelStore.members(of: depth, scope, after: after, limit: rowsPerPage + 1, on: connection)
            return (
                ids: ids, days: days, sales: try LevelStore.sales(of: ids, scope, on: connection), shares: try LevelStore.shares(of: ids, scope, on: connection),
                names: try PersonNames.load(members: ids, vault: vault, on: connection)
            )
        }
        let shown = found.ids.prefix(rowsPerPage)
        var page = PageBlocks(
            heading: words("members.title", ["level": language.integer(depth)]), crumb: (asked.address(path, found.days), words("title")),
            lead: language.sentence("levels.members.lead", ["from": language.wholeDay(found.days.lowerBound), "to": language.wholeDay(found.days.upperBound)]))
        let more = found.ids.count > rowsPerPage
            ? [PageBlocks.Link(url: asked.address(membersPath, found.days, "&level=\(depth)&startingAfter=\(shown.last?.text ?? "")"), label: words("members.more"))] : []
        page.blocks = [
            PageBlocks.Block(
                links: more,
                table: shown.isEmpty
                    ? nil
                    : PageTable(
                        label: page.heading,
                        columns: [
                            PageTable.Column(label: words("column.member")), PageTable.Column(label: words("column.active")),
                            PageTable.Column(label: words("column.sales"), isNumber: true), PageTable.Column(label: words("column.shares"), isNumber: true),
                        ],
                        rows: shown.map { member in
                            let (sales, shares) = (found.sales[member] ?? 0, found.shares[member] ?? 0)
                            return PageTable.Row(cells: [
                                .person(found.names.member(member, language), url: "/members/\(member.text)"),
                                .text(words(sales > 0 || shares > 0 ? "members.active" : "members.idle")), .number(language.integer(sales)), .number(language.integer(shares)),
                            ])
                        }, language: language), empty: shown.isEmpty ? words("members.none") : nil)
        ]
        return try visit.blocks(page, current: path)
    }
}
