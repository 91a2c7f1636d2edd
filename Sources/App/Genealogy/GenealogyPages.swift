import Chronology
import Hummingbird
import Persistence
import Web

/// The tree of a program, branch by branch: as a table that needs no scripts, and drawn by one where there is.
enum GenealogyPages {
    static let programsMax = 200
    /// Children shown of one member; the rest is one click away.
    static let childrenMax = 25
    static let rootsMax = 50
    /// Levels below the chosen member that a page shows at once.
    static let levels = 2
    /// People on the way up from the chosen member.
    static let aboveMax = 30

    static func add(to api: inout API, gate: PageGate) {
        api.page("/genealogy", .membersRead, gate) { visit in try await show(visit) }
    }

    struct Asked: Sendable {
        var program: Program
        var tree: String
        var root: MemberID?
        var after: String?
        var day: LocalDay
        var at: Instant
    }

    private static func show(_ visit: PageVisit) async throws -> Response {
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let language = visit.language
        let find = String((visit.query["find"] ?? "").prefix(255))
        let wanted = try visit.query.id("program", ProgramKind.self)
        let tree = visit.query["tree"].map { String($0.prefix(Placement.treeNameMax)) } ?? "enroller"
        let root = try visit.query.id("member", MemberKind.self)
        let after = visit.query["after"].flatMap { MemberID($0) }?.text
        let day = visit.query["day"].flatMap { try? LocalDay(iso8601: $0) }
        let now = visit.now
        let model = try await visit.installation.main.read { connection -> GenealogyModel? in
            let programs = try ProgramStore.list(in: workspace, at: now, after: nil, limit: programsMax, on: connection)
            guard let program = programs.first(where: { $0.id == wanted }) ?? programs.first else { return nil }
            let today = program.zone.day(of: now)
            let chosen = day ?? today
            let at = chosen < today ? program.zone.start(of: (try? chosen.adding(days: 1)) ?? chosen) : now
            var member = root
            var isMissing = false
            if !find.isEmpty {
                member = try search(find, in: workspace, vault: vault, on: connection)
                isMissing = member == nil
            }
            let asked = Asked(program: program, tree: tree, root: member, after: after, day: chosen, at: at)
            return try GenealogyModel.load(
                asked, programs: programs, find: find, isMissing: isMissing, vault: vault, language: language, on: connection)
        }
        guard let model else {
            return try visit.page("genealogy", title: language("genealogy.title"), current: "/genealogy", GenealogyModel.empty(language))
        }
        return try visit.page("genealogy", title: language("genealogy.title"), current: "/genealogy", model.page)
    }

    /// By id, the company's own id, mail or code; else the newest whose name fits.
    private static func search(
        _ text: String, in workspace: WorkspaceID, vault: Vault, on connection: any Connection
    ) throws -> MemberID? {
        if let known = try MemberPages.lookUp(text, in: workspace, vault: vault, on: connection).first { return known }
        for link in try SearchStore.links(text, in: workspace, limit: 1, on: connection) {
            if let owner = try LinkStore.find(link, in: workspace, on: connection)?.memberID { return owner }
        }
        return try NameIndexStore.members(NameIndex.find(text, in: workspace, vault: vault, on: connection).people, on: connection).first
    }
}
