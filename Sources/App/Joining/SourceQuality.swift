import Chronology
import Money
import Persistence
import Web

/// What the places bring that applicants come from.
struct SourceQuality: Sendable, Equatable {
    static let wordLengthMax = 40
    static let sourcesMax = 100
    /// Without a word: brought by a member, or nobody knows.
    static let member = "member"
    static let direct = "direct"

    var source: String
    /// Applications whose mail address was confirmed.
    var applications: Int64 = 0
    var approved: Int64 = 0
    /// Of those approved at least thirty days ago …
    var settled: Int64 = 0
    /// … whose links were opened, or who brought a sale, within the last thirty days.
    var active: Int64 = 0
    var sales: Int64 = 0
    var salesMinor: Int64 = 0
    var refundedMinor: Int64 = 0
    var costMinor: Int64 = 0

    /// A word of an address as it is kept; nil when it is none.
    static func word(_ text: String?) -> String? {
        guard let word = text.flatMap(Normalised.code), word.unicodeScalars.count <= wordLengthMax, word != member, word != direct else { return nil }
        return word
    }

    /// In millionths; nil while there are no sales.
    var refundedPPM: Int64? { salesMinor > 0 ? Share.ppm(refundedMinor, of: salesMinor) : nil }

    var json: JSONValue {
        [
            "source": .text(source), "applications": .integer(applications), "approved": .integer(approved), "settled": .integer(settled),
            "active": .integer(active), "sales": .integer(sales), "salesAmount": .integer(salesMinor), "refundedAmount": .integer(refundedMinor),
            "cost": .integer(costMinor),
        ]
    }

    static let schema = APISchema.object([
        .required("source", .described(.text, description: "The word of the address or of the invitation; `member` when a member brought them, else `direct`.")),
        .required("applications", .described(.integer(), description: "Whose mail address was confirmed.")), .required("approved", .integer()),
        .required("settled", .described(.integer(), description: "Approved at least thirty days ago.")),
        .required("active", .described(.integer(), description: "Of the settled: links opened or a sale brought within the last thirty days.")),
        .required("sales", .integer()), .required("salesAmount", .described(.integer(), description: "In the program's currency.")),
        .required("refundedAmount", .integer()), .required("cost", .described(.integer(), description: "What these members earned, less what was taken back.")),
    ])
}

enum SourceQualityStore {
    static func of(_ program: Program, in workspace: WorkspaceID, at now: Instant, on connection: any Connection) throws -> [SourceQuality] {
        var found: [String: SourceQuality] = [:]
        let source: SQL = "coalesce(a.source, CASE WHEN a.enroller_id IS NULL THEN 'direct' ELSE 'member' END)"
        let settledBefore = try now.adding(milliseconds: -30 * 86_400_000)
        let since = Zone.utc.day(of: settledBefore).iso8601
        for row in try connection.rows(
            """
            SELECT \(sql: source), count(*), CAST(sum(CASE WHEN a.state = 'approved' THEN 1 ELSE 0 END) AS BIGINT),
                CAST(sum(CASE WHEN a.state = 'approved' AND a.decided_at <= \(settledBefore) THEN 1 ELSE 0 END) AS BIGINT),
                CAST(sum(CASE WHEN a.state = 'approved' AND a.decided_at <= \(settledBefore) AND (
                    EXISTS (SELECT 1 FROM commission c WHERE c.member_id = a.member_id AND c.program_id = a.program_id AND c.level = 0
                            AND c.occurred_at > \(settledBefore))
                    OR EXISTS (SELECT 1 FROM link l JOIN click_day d ON d.workspace_id = l.workspace_id AND d.link_id = l.id AND d.day >= \(since)
                            WHERE l.member_id = a.member_id AND l.program_id = a.program_id AND d.clicks > 0)) THEN 1 ELSE 0 END) AS BIGINT)
            FROM application a WHERE a.workspace_id = \(workspace) AND a.program_id = \(program.id) AND a.state <> 'unconfirmed'
            GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT \(SourceQuality.sourcesMax)
            """)
        {
            let name: String = try row.get(at: 0)
            found[name] = SourceQuality(
                source: name, applications: try row.get(at: 1), approved: try row.get(at: 2), settled: try row.get(at: 3), active: try row.get(at: 4))
        }
        // Who applied twice counts where they came from first.
        let members: SQL = """
            SELECT a.member_id AS member_id, \(sql: source) AS source FROM application a
            WHERE a.workspace_id = \(workspace) AND a.program_id = \(program.id) AND a.state = 'approved'
            AND a.id = (SELECT min(f.id) FROM application f WHERE f.member_id = a.member_id AND f.program_id = a.program_id AND f.workspace_id = a.workspace_id
                AND f.state = 'approved')
            """
        for row in try connection.rows(
            """
            SELECT g.source, count(*), CAST(sum(s.amount) AS BIGINT), CAST(sum(s.refunded_amount) AS BIGINT) FROM (
                SELECT DISTINCT m.source AS source, c.sale_id AS sale_id FROM (\(sql: members)) m
                JOIN commission c ON c.member_id = m.member_id AND c.program_id = \(program.id) AND c.level = 0 AND c.sale_id IS NOT NULL) g
            JOIN sale s ON s.id = g.sale_id WHERE s.currency = \(program.currency) GROUP BY 1
            """)
        {
            let name: String = try row.get(at: 0)
            found[name]?.sales = try row.get(at: 1)
            found[name]?.salesMinor = try row.get(at: 2)
            found[name]?.refundedMinor = try row.get(at: 3)
        }
        for row in try connection.rows(
            """
            SELECT m.source, CAST(sum(c.amount - c.reversed_amount) AS BIGINT) FROM (\(sql: members)) m
            JOIN commission c ON c.member_id = m.member_id AND c.program_id = \(program.id) AND c.unit = \(program.currency)
                AND c.state NOT IN ('canceled', 'refused') GROUP BY 1
            """)
        { found[try row.get(at: 0, as: String.self)]?.costMinor = try row.get(at: 1) }
        return found.values.sorted { ($1.applications, $0.source) < ($0.applications, $1.source) }
    }
}
