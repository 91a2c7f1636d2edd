import Chronology
import Hummingbird
import Persistence
import Web

/// Who did what: the workspace's audit chain, the newest first.
enum AuditPages {
    static let rowsPerPage = 50

    static let fileRowsMax = 10_000

    static func add(to api: inout API, gate: PageGate) {
        api.page("/audit.csv", .auditRead, gate) { visit in
            let workspace = visit.workspaceID
            let entries = try await visit.installation.main.read { connection in
                try AuditPageStore.entries(in: workspace, before: .max, find: "", actors: [], action: "", limit: fileRowsMax, on: connection)
            }
            let lines = entries.map { entry -> [CSVCell] in
                [
                    .number(String(entry.sequence)), .text(entry.at.rfc3339), .text(entry.actor), .text(entry.action), .text(entry.subject), .text(entry.detail),
                    .text(Hexadecimal.text(entry.hash)),
                ]
            }
            return visit.csv(
                name: "audit.csv", [["sequence", "at", "actor", "action", "subject", "detail", "hash"].map { .text($0) }] + lines)
        }
        api.page("/audit", .auditRead, gate) { visit in
            let workspace = visit.workspaceID
            let vault = visit.installation.vault
            let before = visit.query["before"].flatMap { Int64($0) } ?? .max
            let find = visit.query["q"].map { String($0.prefix(200)) } ?? ""
            let action = visit.query["action"] ?? ""
            let read = try await visit.installation.main.read { connection -> AuditPageFacts in
                let team = try AuditPageStore.names(in: workspace, vault: vault, on: connection)
                let actors = find.isEmpty ? [] : team.filter { $0.value.lowercased().contains(find.lowercased()) }.map(\.key)
                var entries = try AuditPageStore.entries(
                    in: workspace, before: before, find: find, actors: actors, action: action, limit: rowsPerPage + 1, on: connection)
                let hasMore = entries.count > rowsPerPage
                if hasMore { entries.removeLast() }
                return AuditPageFacts(
                    entries: entries, hasMore: hasMore, count: try AuditPageStore.count(in: workspace, on: connection),
                    actions: try AuditPageStore.actions(in: workspace, on: connection), names: team)
            }
            let model = AuditModel(facts: read, find: find, action: action, isFirstPage: before == .max, language: visit.language)
            return try visit.page("audit-list", title: visit.language("audit.title"), current: "/audit", model.page)
        }
    }
}

/// An entry of the chain as the page shows it.
struct AuditRow: Sendable {
    var sequence: Int64
    var at: Instant
    var actor: String
    var action: String
    var subject: String
    var detail: String
    var hash: [UInt8]
}

struct AuditPageFacts: Sendable {
    var entries: [AuditRow]
    var hasMore: Bool
    var count: Int64
    var actions: [String]
    /// What to call actors: people of the team and keys, by id.
    var names: [String: String]
}

enum AuditPageStore {
    static let namesMax = 1_000

    static func entries(
        in workspace: WorkspaceID, before: Int64, find: String, actors: [String], action: String, limit: Int, on connection: any Connection
    ) throws -> [AuditRow] {
        var sql: SQL = """
            SELECT sequence, at, actor, action, subject, detail, hash FROM audit_entry WHERE workspace_id = \(workspace) AND sequence < \(before)
            """
        if !action.isEmpty { sql = "\(sql: sql) AND action = \(action)" }
        if !find.isEmpty {
            sql = "\(sql: sql) AND (subject = \(find) OR actor = \(find) OR actor IN \(list: actors) OR subject IN \(list: actors))"
        }
        return try connection.rows("\(sql: sql) ORDER BY sequence DESC LIMIT \(limit)").map { row in
            AuditRow(
                sequence: try row.get(at: 0), at: try row.get(at: 1), actor: try row.get(at: 2), action: try row.get(at: 3),
                subject: try row.get(at: 4), detail: try row.get(at: 5), hash: try row.get(at: 6))
        }
    }

    static func count(in workspace: WorkspaceID, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT sequence FROM audit_head WHERE workspace_id = \(workspace)") ?? 0
    }

    static func actions(in workspace: WorkspaceID, on connection: any Connection) throws -> [String] {
        try connection.rows("SELECT DISTINCT action FROM audit_entry WHERE workspace_id = \(workspace) ORDER BY action").map { try $0.get(at: 0) }
    }

    /// People who have worked here, and the workspace's keys.
    static func names(in workspace: WorkspaceID, vault: Vault, on connection: any Connection) throws -> [String: String] {
        var names: [String: String] = [:]
        let people: [OperatorID] = try connection.rows(
            """
            SELECT t.operator_id FROM team_member t JOIN workspace w ON t.workspace_id = coalesce(w.live_id, w.id) WHERE w.id = \(workspace)
            ORDER BY t.operator_id LIMIT \(namesMax)
            """
        ).map { try $0.get(at: 0) }
        for id in people {
            let identity = try TeamStore.identity(of: id, vault: vault, on: connection)
            names[id.text] = identity.name ?? identity.email
        }
        for row in try connection.rows("SELECT id, name FROM api_key WHERE workspace_id = \(workspace) ORDER BY id LIMIT \(namesMax)") {
            names[try row.get(at: 0)] = try row.get(at: 1)
        }
        return names
    }
}

/// The audit page.
struct AuditModel: PageModel {
    let facts: AuditPageFacts
    let find: String
    let action: String
    let isFirstPage: Bool
    let language: PageLanguage

    var page: PageObject {
        let actions: [PageObject] =
            [["value": "", "label": .text(language("audit.filter.actionAny")), "chosen": .flag(action.isEmpty)]]
            + facts.actions.map { ["value": .text($0), "label": .text(what($0)), "chosen": .flag($0 == action)] }
        return [
            "chain": nil, "lead": language.sentence("audit.lead.unchecked", count: facts.count),
            "filter": ["find": .text(find), "active": .flag(!find.isEmpty || !action.isEmpty), "actions": PageValue(actions)],
            "hasEntries": .flag(!facts.entries.isEmpty), "entries": PageValue(facts.entries.map(row)), "pager": pager,
        ]
    }

    private func row(_ entry: AuditRow) -> PageObject {
        let hash = Hexadecimal.text(entry.hash)
        return [
            "number": .text(language.integer(entry.sequence)), "at": language.shortTime(entry.at), "who": .text(who(entry.actor)),
            "what": .text(what(entry.action)), "detail": PageValue(detail(entry)),
            "subject": ["id": .text(facts.names[entry.subject] ?? entry.subject), "url": PageValue(url(entry.subject))], "hash": .text(hash),
            "hashShort": .text(String(hash.prefix(8))),
        ]
    }

    private func who(_ actor: String) -> String {
        if actor.hasPrefix("system:") { return language("audit.who.system") }
        if actor == "command" { return language("audit.who.command") }
        if actor.hasPrefix(MemberKind.prefix) { return language("audit.who.member") }
        guard let name = facts.names[actor] else { return actor }
        return actor.hasPrefix(APIKeyKind.prefix) ? language("audit.who.key", ["name": name]) : name
    }

    /// An action that has no words yet shows its own name.
    private func what(_ action: String) -> String {
        let key = "audit.action.\(action)"
        let words = language(key)
        return words == key ? action : words
    }

    private func detail(_ entry: AuditRow) -> String? {
        let detail = JSONText(text: entry.detail).value
        if let reason = detail["reason"]?.string { return language("audit.detail.reason", ["reason": reason]) }
        if let role = detail["role"]?.string { return language("audit.detail.role", ["role": language("role.\(role)")]) }
        if let version = detail["version"]?.int64, version > 1 { return language("audit.detail.version", ["version": language.integer(version)]) }
        return nil
    }

    private func url(_ subject: String) -> String? { LinkID(subject).map { "/links/\($0.text)" } }

    private var pager: PageValue {
        guard facts.hasMore || !isFirstPage, let first = facts.entries.first, let last = facts.entries.last else { return .nothing }
        let filter = [("q", find), ("action", action)].filter { !$0.1.isEmpty }.map { "\($0.0)=\(LocalPath.encoded($0.1))" }
        func url(_ more: [String]) -> PageValue {
            let fields = filter + more
            return .text(fields.isEmpty ? "/audit" : "/audit?" + fields.joined(separator: "&"))
        }
        return [
            "label": .text(language("pager.label")),
            "summary": .text(
                language("pager.summaryOpen", ["first": language.integer(first.sequence), "last": language.integer(last.sequence)])),
            "previous": isFirstPage ? nil : ["url": url([]), "label": .text(language("pager.newest"))],
            "next": facts.hasMore ? ["url": url(["before=\(last.sequence)"]), "label": .text(language("pager.next"))] : nil,
        ]
    }
}
