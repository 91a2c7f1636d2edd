import Hummingbird
import Persistence
import Rules
import Web

/// Programs, and each one's rules and settings in words.
enum ProgramPages {
    static let programsMax = 200
    static let versionsMax = 100

    static func add(to api: inout API, gate: PageGate) {
        api.page("/programs", .programsRead, gate) { visit in try await list(visit) }
        api.page("/programs/{id}", .programsRead, gate) { visit in try await show(visit) }
    }

    private static func list(_ visit: PageVisit) async throws -> Response {
        let workspace = visit.workspaceID
        let language = visit.language
        let programs = try await visit.installation.main.read { connection in
            try ProgramStore.list(in: workspace, at: visit.now, after: nil, limit: programsMax, on: connection).map {
                ($0, try ProgramPageStore.size(of: $0.id, on: connection))
            }
        }
        let rows = programs.map { program, size -> PageObject in
            [
                "url": .text("/programs/\(program.id.text)"), "name": .text(program.name), "currency": .text(program.currency),
                "members": .text(language.integer(size.members)), "rules": .text(language.integer(size.rules)),
                "createdAt": language.shortTime(program.createdAt),
            ]
        }
        let members = programs.reduce(Int64(0)) { $0 + $1.1.members }
        return try visit.page(
            "program-list", title: language("programs.title"), current: "/programs",
            [
                "lead": programs.isEmpty
                    ? language.sentence("programs.lead.none")
                    : language.sentence("programs.lead.some", count: Int64(programs.count), ["members": language.integer(members)]),
                "newURL": PageValue(visit.session.may(.programsWrite) ? "/programs/new" : nil), "hasPrograms": .flag(!programs.isEmpty),
                "programs": PageValue(rows),
            ])
    }

    private static func show(_ visit: PageVisit) async throws -> Response {
        let id: ProgramID = try visit.context.id()
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let language = visit.language
        let model = try await visit.installation.main.read { connection -> ProgramModel? in
            guard let program = try ProgramStore.find(id, in: workspace, at: visit.now, on: connection) else { return nil }
            let versions = try ProgramPageStore.versions(of: id, limit: versionsMax, on: connection)
            return ProgramModel(
                program: program, size: try ProgramPageStore.size(of: id, on: connection), rules: try RuleStore.newestOfAll(in: id, on: connection),
                versions: versions, authors: try OperatorNames.load(versions.map(\.author), in: workspace, vault: vault, on: connection),
                orphan: try PersonNames.load(
                    members: program.settings.orphanMemberID.map { [$0] } ?? [], vault: vault, on: connection),
                mayWrite: visit.session.may(.programsWrite), language: language)
        }
        guard let model else { throw Problem.notFound() }
        return try visit.page(
            "program-show", title: model.program.name, current: "/programs", notice: visit.done("program", ["made", "settings", "same"]), model.page)
    }
}

extension RuleStore {
    /// The newest version of each rule of a program.
    static func newestOfAll(in program: ProgramID, on connection: any Connection) throws -> [Rule] {
        var newest: [RuleID: Rule] = [:]
        for rule in try all(of: program, on: connection) {
            if let known = newest[rule.id], known.terms.version > rule.terms.version { continue }
            newest[rule.id] = rule
        }
        return newest.values.sorted { ($0.terms.level, $0.id) < ($1.terms.level, $1.id) }
    }
}
