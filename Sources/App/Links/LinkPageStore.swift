import Chronology
import Persistence

/// The SQL of the pages about links.
enum LinkPageStore {
    struct Filter: Sendable {
        var find: String = ""
        var members: [MemberID] = []
        var program: ProgramID?
        var isEmpty: Bool { find.isEmpty && program == nil }
    }

    /// Ids of a page, the newest first.
    static func ids(
        in workspace: WorkspaceID, _ filter: Filter, cursor: LinkID?, isBackwards: Bool, limit: Int, on connection: any Connection
    ) throws -> [LinkID] {
        var sql: SQL = "SELECT l.id FROM link l WHERE \(sql: condition(workspace, filter))"
        if let cursor { sql = "\(sql: sql) AND l.id \(raw: isBackwards ? ">" : "<") \(cursor)" }
        let found: [LinkID] = try connection.rows("\(sql: sql) ORDER BY l.id \(raw: isBackwards ? "ASC" : "DESC") LIMIT \(limit)")
            .map { try $0.get(at: 0) }
        return isBackwards ? found.reversed() : found
    }

    static func count(in workspace: WorkspaceID, _ filter: Filter, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT count(*) FROM link l WHERE \(sql: condition(workspace, filter))") ?? 0
    }

    static func salesByLink(_ ids: [LinkID], on connection: any Connection) throws -> [LinkID: Int64] {
        guard !ids.isEmpty else { return [:] }
        return Dictionary(
            try connection.rows("SELECT link_id, count(*) FROM sale WHERE link_id IN \(list: ids) GROUP BY link_id")
                .map { (try $0.get(at: 0), try $0.get(at: 1)) }, uniquingKeysWith: { first, _ in first })
    }

    /// Counted clicks since a day, and the link that had most.
    static func clicks(
        in workspace: WorkspaceID, since day: LocalDay, on connection: any Connection
    ) throws -> (count: Int64, best: LinkID?) {
        let rows = try connection.rows(
            """
            SELECT link_id, CAST(sum(clicks) AS BIGINT) AS total FROM click_day WHERE workspace_id = \(workspace) AND day >= \(day.iso8601)
            GROUP BY link_id ORDER BY total DESC, link_id LIMIT 1
            """)
        let count: Int64 =
            try connection.value(
                "SELECT CAST(coalesce(sum(clicks), 0) AS BIGINT) FROM click_day WHERE workspace_id = \(workspace) AND day >= \(day.iso8601)") ?? 0
        return (count, try rows.first?.get(at: 0))
    }

    struct Yield: Sendable {
        var leads: Int64 = 0
        var sales: Int64 = 0
        var values: [(unit: String, minor: Int64)] = []
        var earned: [(unit: String, minor: Int64)] = []
    }

    /// What came by a link.
    static func yield(of link: Link, on connection: any Connection) throws -> Yield {
        var yield = Yield()
        yield.leads = try connection.value("SELECT count(*) FROM lead WHERE link_id = \(link.id) AND counted_at IS NOT NULL") ?? 0
        for row in try connection.rows(
            """
            SELECT currency, count(*), CAST(sum(amount - refunded_amount) AS BIGINT) FROM sale WHERE link_id = \(link.id) GROUP BY currency
            ORDER BY count(*) DESC, currency
            """)
        {
            yield.sales += try row.get(at: 1, as: Int64.self)
            yield.values.append((try row.get(at: 0), try row.get(at: 2)))
        }
        if let member = link.memberID {
            yield.earned = try connection.rows(
                """
                SELECT c.unit, CAST(sum(c.amount - c.reversed_amount) AS BIGINT) FROM sale s JOIN commission c ON c.sale_id = s.id
                WHERE s.link_id = \(link.id) AND c.member_id = \(member) GROUP BY c.unit ORDER BY c.unit
                """
            ).map { (try $0.get(at: 0), try $0.get(at: 1)) }
        }
        return yield
    }

    /// Members whose mail or id of the company's is this.
    static func members(
        named text: String, in workspace: WorkspaceID, vault: Vault, on connection: any Connection
    ) throws -> [MemberID] {
        var found: [MemberID] = []
        if let external = Normalised.externalID(text),
            let member = try MemberStore.find(.external(external), in: workspace, vault: vault, on: connection)
        {
            found.append(member.id)
        }
        if let email = Normalised.email(text) {
            let hash = vault.lookupHash(workspace, PersonLookup.email.rawValue, email)
            found += try connection.rows(
                """
                SELECT m.id FROM person_lookup p JOIN member m ON m.person_id = p.person_id
                WHERE p.workspace_id = \(workspace) AND p.kind = 'email' AND p.hash = \(hash) LIMIT 10
                """
            ).map { try $0.get(at: 0) }
        }
        if found.isEmpty {
            found = try NameIndexStore.members(NameIndex.find(text, in: workspace, vault: vault, on: connection).people, on: connection)
        }
        return Array(found.prefix(membersMax))
    }

    /// Members whose links are shown for one name.
    private static let membersMax = 500

    private static func condition(_ workspace: WorkspaceID, _ filter: Filter) -> SQL {
        var sql: SQL = "l.workspace_id = \(workspace) AND l.archived_at IS NULL"
        if let program = filter.program { sql = "\(sql: sql) AND l.program_id = \(program)" }
        if !filter.find.isEmpty {
            let pattern = LikePattern.containing(filter.find)
            sql = """
                \(sql: sql) AND (l.code_folded LIKE \(pattern) ESCAPE '\\' OR lower(l.destination) LIKE \(pattern) ESCAPE '\\'
                    OR l.member_id IN \(list: filter.members))
                """
        }
        return sql
    }
}

/// A pattern for LIKE with the escape character `\`.
enum LikePattern {
    static func containing(_ text: String) -> String {
        "%" + text.lowercased().map { "%_\\".contains($0) ? "\\\($0)" : String($0) }.joined() + "%"
    }
}

extension ClickStore {
    /// Counted clicks of a link by variant.
    static func countsByVariant(of link: LinkID, on connection: any Connection) throws -> [Int: Int64] {
        Dictionary(
            try connection.rows(
                "SELECT variant, count(*) FROM click WHERE link_id = \(link) AND discard IS NULL AND variant IS NOT NULL GROUP BY variant"
            ).map { (try $0.get(at: 0), try $0.get(at: 1)) }, uniquingKeysWith: { first, _ in first })
    }
}
