import Chronology
import Persistence
import Web

/// Reads the enrolment tree level by level. Sums are made in the database; only levels, widths and members' sums come out.
enum LevelStore {
    /// Levels looked at; whoever stands deeper is counted as such.
    static let depthMax: Int64 = 100
    /// Rows of levels by currency.
    static let rowsMax = 20_000
    /// Members' sums that a concentration is worked out of.
    static let amountsMax = 250_000

    /// Of which members and time.
    struct Scope: Sendable {
        var workspace: WorkspaceID
        var program: ProgramID?
        var days: ClosedRange<LocalDay>
        var from: Instant
        var until: Instant

        init(_ workspace: Workspace, _ days: ClosedRange<LocalDay>, program: ProgramID?) {
            (self.workspace, self.program, self.days) = (workspace.id, program, days)
            (from, until) = InsightQueryStore.bounds(days, workspace)
        }

        fileprivate var tree: SQL {
            """
            tree (id, depth) AS (
              SELECT id, CAST(1 AS BIGINT) FROM member WHERE workspace_id = \(workspace) AND enroller_id IS NULL
              UNION ALL
              SELECT m.id, t.depth + 1 FROM tree t JOIN member m ON m.enroller_id = t.id WHERE t.depth < \(depthMax))
            """
        }

        /// Who had joined by the end.
        fileprivate var people: SQL {
            if let program {
                return """
                    people (id, enroller_id, joined_at) AS (
                      SELECT m.id, m.enroller_id, e.enrolled_at FROM enrollment e JOIN member m ON m.id = e.member_id
                      WHERE e.program_id = \(program) AND m.workspace_id = \(workspace) AND m.status <> 'erased' AND e.enrolled_at < \(until))
                    """
            }
            return """
                people (id, enroller_id, joined_at) AS (
                  SELECT m.id, m.enroller_id, m.joined_at FROM member m
                  WHERE m.workspace_id = \(workspace) AND m.status <> 'erased' AND m.joined_at < \(until))
                """
        }

        fileprivate var sales: SQL {
            let sales: SQL = "s.workspace_id = \(workspace) AND s.occurred_at >= \(from) AND s.occurred_at < \(until)"
            guard let program else { return sales }
            return "\(sql: sales) AND s.program_id = \(program)"
        }

        fileprivate var commissions: SQL {
            let commissions: SQL = "c.workspace_id = \(workspace) AND c.occurred_at >= \(from) AND c.occurred_at < \(until)"
            guard let program else { return commissions }
            return "\(sql: commissions) AND c.program_id = \(program)"
        }

        fileprivate var shares: SQL {
            "workspace_id = \(workspace) AND day >= \(days.lowerBound.iso8601) AND day <= \(days.upperBound.iso8601)"
        }
    }

    /// A sale's amount by the part that is credited, in whole minor units, without passing 64 bits on the way.
    private static let credited = "((s.amount / 1000000) * c.share_ppm + (s.amount % 1000000) * c.share_ppm / 1000000)"

    static func levels(_ scope: Scope, on connection: any Connection) throws -> [NetworkLevel] {
        let rows = try connection.rows(
            """
            WITH RECURSIVE \(sql: scope.tree), \(sql: scope.people),
            seller (member_id) AS (SELECT DISTINCT c.member_id FROM sale s JOIN sale_credit c ON c.sale_id = s.id WHERE \(sql: scope.sales)),
            active (member_id) AS (SELECT member_id FROM seller UNION SELECT member_id FROM share_day WHERE \(sql: scope.shares)),
            recruiter (member_id) AS (SELECT DISTINCT enroller_id FROM people WHERE joined_at >= \(scope.from) AND enroller_id IS NOT NULL)
            SELECT t.depth, count(*), count(a.member_id), count(b.member_id), count(r.member_id),
              CAST(sum(CASE WHEN p.joined_at >= \(scope.from) THEN 1 ELSE 0 END) AS BIGINT)
            FROM people p JOIN tree t ON t.id = p.id LEFT JOIN active a ON a.member_id = p.id LEFT JOIN seller b ON b.member_id = p.id
              LEFT JOIN recruiter r ON r.member_id = p.id
            GROUP BY t.depth ORDER BY t.depth
            """)
        var levels: [Int64: NetworkLevel] = [:]
        for row in rows {
            let depth: Int64 = try row.get(at: 0)
            levels[depth] = NetworkLevel(
                depth: depth, members: try row.get(at: 1), active: try row.get(at: 2), sellers: try row.get(at: 3), recruiters: try row.get(at: 4),
                joined: try row.get(at: 5))
        }
        for row in try money(scope, on: connection) {
            let depth: Int64 = try row.get(at: 0)
            let (kind, unit, minor): (String, String, Int64) = (try row.get(at: 1), try row.get(at: 2), try row.get(at: 3))
            var level = levels[depth] ?? NetworkLevel(depth: depth)
            if kind == "sale" {
                level.sales += try row.get(at: 4, as: Int64.self)
                level.revenue.append(NetworkLevel.Amount(unit: unit, minor: minor))
            } else {
                level.cost.append(NetworkLevel.Amount(unit: unit, minor: minor))
            }
            levels[depth] = level
        }
        return levels.values.sorted { $0.depth < $1.depth }
    }

    /// By level, kind and currency. A sale is credited to members of one level or of several.
    private static func money(_ scope: Scope, on connection: any Connection) throws -> [Row] {
        try connection.rows(
            """
            WITH RECURSIVE \(sql: scope.tree),
            fact (member_id, kind, unit, minor, sale_id) AS (
              SELECT c.member_id, 'sale', s.currency, \(raw: credited), s.id FROM sale s JOIN sale_credit c ON c.sale_id = s.id WHERE \(sql: scope.sales)
              UNION ALL
              SELECT c.member_id, 'commission', c.unit, c.amount - c.reversed_amount, '' FROM commission c WHERE \(sql: scope.commissions))
            SELECT t.depth, f.kind, f.unit, CAST(sum(f.minor) AS BIGINT), count(DISTINCT f.sale_id)
            FROM fact f JOIN tree t ON t.id = f.member_id GROUP BY t.depth, f.kind, f.unit ORDER BY t.depth, f.kind, f.unit LIMIT \(rowsMax)
            """)
    }

    /// Everybody who had joined by the end, however deep they stand.
    static func people(_ scope: Scope, on connection: any Connection) throws -> Int64 {
        try connection.value("WITH \(sql: scope.people) SELECT count(*) FROM people") ?? 0
    }

    /// How many members introduced how many, from the fewest.
    static func widths(_ scope: Scope, on connection: any Connection) throws -> [(recruits: Int64, members: Int64)] {
        try connection.rows(
            """
            WITH \(sql: scope.people)
            SELECT w.recruits, count(*) FROM (
              SELECT enroller_id, count(*) AS recruits FROM people WHERE enroller_id IS NOT NULL GROUP BY enroller_id) w
            GROUP BY w.recruits ORDER BY w.recruits
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1)) }
    }

    /// What each credited member brought, by currency. Nil when they are more than are looked at.
    static func amounts(_ scope: Scope, on connection: any Connection) throws -> [String: [Int64]]? {
        let rows = try connection.rows(
            """
            SELECT s.currency, CAST(sum(\(raw: credited)) AS BIGINT) FROM sale s JOIN sale_credit c ON c.sale_id = s.id
            WHERE \(sql: scope.sales) GROUP BY s.currency, c.member_id LIMIT \(amountsMax + 1)
            """)
        guard rows.count <= amountsMax else { return nil }
        var amounts: [String: [Int64]] = [:]
        for row in rows { amounts[try row.get(at: 0), default: []].append(try row.get(at: 1)) }
        return amounts
    }

    /// Revenue by currency, and what of it is of customers who are no members.
    static func retail(_ scope: Scope, on connection: any Connection) throws -> [(unit: String, all: Int64, retail: Int64)] {
        try connection.rows(
            """
            SELECT s.currency, CAST(sum(s.amount) AS BIGINT), CAST(sum(CASE WHEN k.customer_id IS NULL THEN s.amount ELSE 0 END) AS BIGINT)
            FROM sale s LEFT JOIN customer_member k ON k.customer_id = s.customer_id WHERE \(sql: scope.sales) GROUP BY s.currency ORDER BY s.currency
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1), try $0.get(at: 2)) }
    }

    // MARK: The rows of a level

    static func members(of depth: Int64, _ scope: Scope, after: String, limit: Int, on connection: any Connection) throws -> [MemberID] {
        try connection.rows(
            """
            WITH RECURSIVE \(sql: scope.tree), \(sql: scope.people)
            SELECT t.id FROM tree t JOIN people p ON p.id = t.id WHERE t.depth = \(depth) AND t.id > \(after) ORDER BY t.id LIMIT \(limit)
            """
        ).map { try $0.get(at: 0) }
    }

    static func sales(of members: [MemberID], _ scope: Scope, on connection: any Connection) throws -> [MemberID: Int64] {
        guard !members.isEmpty else { return [:] }
        let rows = try connection.rows(
            """
            SELECT c.member_id, count(*) FROM sale_credit c JOIN sale s ON s.id = c.sale_id
            WHERE c.member_id IN \(list: members) AND \(sql: scope.sales) GROUP BY c.member_id
            """)
        return Dictionary(try rows.map { (try $0.get(at: 0), try $0.get(at: 1)) }, uniquingKeysWith: { first, _ in first })
    }

    static func shares(of members: [MemberID], _ scope: Scope, on connection: any Connection) throws -> [MemberID: Int64] {
        guard !members.isEmpty else { return [:] }
        let rows = try connection.rows(
            """
            SELECT member_id, CAST(sum(count) AS BIGINT) FROM share_day WHERE member_id IN \(list: members) AND \(sql: scope.shares) GROUP BY member_id
            """)
        return Dictionary(try rows.map { (try $0.get(at: 0), try $0.get(at: 1)) }, uniquingKeysWith: { first, _ in first })
    }
}
