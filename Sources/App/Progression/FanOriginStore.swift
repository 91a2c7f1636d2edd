import Persistence

/// How each person came: a row beside their stages, worked out anew whenever their stages are.
enum FanOriginStore {
    private static let into =
        "INSERT INTO fan (workspace_id, fan_id, program_id, came_by, channel, device, country, language, content, share_channel, share_content)"

    static func fill(members: [String], in workspace: WorkspaceID, on connection: any Connection) throws {
        let people: SQL = "(SELECT m.workspace_id, m.id AS fan_id FROM member m WHERE m.workspace_id = \(workspace) AND m.id IN \(list: members))"
        let customers: SQL = "(SELECT k.customer_id, k.member_id AS fan_id FROM customer_member k WHERE k.member_id IN \(list: members))"
        try fill(people, customers, members, workspace, connection)
    }

    static func fill(customers: [String], in workspace: WorkspaceID, on connection: any Connection) throws {
        let people: SQL = """
            (SELECT c.workspace_id, c.id AS fan_id FROM customer c WHERE c.workspace_id = \(workspace) AND c.id IN \(list: customers)
                AND NOT EXISTS (SELECT 1 FROM customer_member m WHERE m.customer_id = c.id))
            """
        let own: SQL = "(SELECT c.id AS customer_id, c.id AS fan_id FROM customer c WHERE c.id IN \(list: customers))"
        try fill(people, own, customers, workspace, connection)
    }

    private static func fill(_ people: SQL, _ customers: SQL, _ fans: [String], _ workspace: WorkspaceID, _ connection: any Connection) throws {
        try connection.execute("DELETE FROM fan WHERE workspace_id = \(workspace) AND fan_id IN \(list: fans)")
        let first: SQL = """
            (SELECT e.fan_id, e.program_id, e.country, d.channel, d.device, d.language, d.content FROM (
                SELECT b.fan_id, b.id, b.program_id, b.country, row_number() OVER (PARTITION BY b.fan_id ORDER BY b.occurred_at, b.id) AS place FROM (
                    SELECT o.fan_id, s.id, s.program_id, s.country, s.occurred_at FROM \(sql: customers) o JOIN sale s ON s.customer_id = o.customer_id
                    UNION ALL
                    SELECT o.fan_id, l.id, l.program_id, NULL, l.occurred_at FROM \(sql: customers) o JOIN lead l ON l.workspace_id = \(workspace) AND l.customer_id = o.customer_id
                ) b) e LEFT JOIN event_dimension d ON d.event_id = e.id WHERE e.place = 1)
            """
        let touched: SQL = """
            (SELECT b.fan_id, b.kind FROM (
                SELECT o.fan_id, t.kind, row_number() OVER (PARTITION BY o.fan_id ORDER BY t.at, t.id) AS place
                FROM \(sql: customers) o JOIN touch t ON t.customer_id = o.customer_id) b WHERE b.place = 1)
            """
        let shared: SQL = """
            (SELECT b.member_id, b.channel, b.content_id FROM (
                SELECT member_id, channel, content_id, row_number() OVER (PARTITION BY member_id ORDER BY day, channel, content_id) AS place
                FROM share_day WHERE member_id IN \(list: fans)) b WHERE b.place = 1)
            """
        try connection.execute(
            """
            \(raw: into) SELECT p.workspace_id, p.fan_id, coalesce(e.program_id, ''), coalesce(t.kind, ''), coalesce(e.channel, ''), coalesce(e.device, ''),
                coalesce(e.country, ''), coalesce(e.language, ''), coalesce(e.content, ''), coalesce(h.channel, ''), coalesce(h.content_id, '')
            FROM \(sql: people) p LEFT JOIN \(sql: first) e ON e.fan_id = p.fan_id LEFT JOIN \(sql: touched) t ON t.fan_id = p.fan_id
            LEFT JOIN \(sql: shared) h ON h.member_id = p.fan_id
            """)
    }
}
