import Chronology
import Money
import Persistence
import Web

enum PartyPlanStore {
    static func find(_ program: ProgramID, on connection: any Connection) throws -> PartyPlan? {
        try connection.row("SELECT order_days, return_days, members_may_host, tiers FROM party_plan WHERE program_id = \(program)").map { row in
            PartyPlan(
                programID: program, orderDays: try row.get(at: 0), returnDays: try row.get(at: 1), membersMayHost: try row.get(at: 2),
                tiers: PartyStore.tiers(try row.get(at: 3)))
        }
    }

    static func put(_ plan: PartyPlan, in workspace: WorkspaceID, at now: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO party_plan (program_id, workspace_id, order_days, return_days, members_may_host, tiers, changed_at)
            VALUES (\(plan.programID), \(workspace), \(plan.orderDays), \(plan.returnDays), \(plan.membersMayHost),
                    \(JSONText(.array(plan.tiers.map(\.json))).text), \(now))
            ON CONFLICT (program_id) DO UPDATE SET order_days = excluded.order_days, return_days = excluded.return_days,
                members_may_host = excluded.members_may_host, tiers = excluded.tiers, changed_at = excluded.changed_at
            """)
    }
}

enum PartyStore {
    private static let columns = """
        p.id, p.workspace_id, p.program_id, p.host_id, p.link_id, l.code, p.title, p.place, p.zone, p.starts_at, p.orders_until, p.settles_at, p.tiers,
        p.canceled_at, p.settled_at, p.reward_unit, p.reward_amount, p.created_at
        """
    private static let from = "FROM party p JOIN link l ON l.id = p.link_id"

    static func insert(_ party: Party, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO party (id, workspace_id, program_id, host_id, link_id, title, place, zone, starts_at, orders_until, settles_at, tiers, reward_amount, created_at)
            VALUES (\(party.id), \(party.workspaceID), \(party.programID), \(party.hostID), \(party.linkID), \(party.title), \(party.place), \(party.zone.name),
                    \(party.startsAt), \(party.ordersUntil), \(party.settlesAt), \(JSONText(.array(party.tiers.map(\.json))).text), 0, \(party.createdAt))
            """)
    }

    static func find(_ id: PartyID, in workspace: WorkspaceID, on connection: any Connection) throws -> Party? {
        try connection.row("SELECT \(raw: columns) \(raw: from) WHERE p.id = \(id) AND p.workspace_id = \(workspace)").map(read)
    }

    static func list(in workspace: WorkspaceID, after: String?, limit: Int, on connection: any Connection) throws -> [Party] {
        try connection.rows(
            "SELECT \(raw: columns) \(raw: from) WHERE p.workspace_id = \(workspace) AND p.id > \(after ?? "") ORDER BY p.id LIMIT \(Int64(limit))"
        ).map(read)
    }

    static func newest(in workspace: WorkspaceID, limit: Int, on connection: any Connection) throws -> [Party] {
        try connection.rows("SELECT \(raw: columns) \(raw: from) WHERE p.workspace_id = \(workspace) ORDER BY p.id DESC LIMIT \(Int64(limit))").map(read)
    }

    static func of(_ host: MemberID, limit: Int, on connection: any Connection) throws -> [Party] {
        try connection.rows("SELECT \(raw: columns) \(raw: from) WHERE p.host_id = \(host) ORDER BY p.id DESC LIMIT \(Int64(limit))").map(read)
    }

    static func unsettled(of host: MemberID, limit: Int, on connection: any Connection) throws -> [PartyID] {
        try connection.rows("SELECT id FROM party WHERE host_id = \(host) AND settled_at IS NULL AND canceled_at IS NULL ORDER BY id LIMIT \(Int64(limit))").map {
            try $0.get(at: 0)
        }
    }

    /// What was settled stays with whom it was settled with.
    static func give(_ parties: [PartyID], from old: MemberID, to new: MemberID, on connection: any Connection) throws {
        for party in parties {
            try connection.execute("UPDATE party SET host_id = \(new) WHERE id = \(party) AND host_id = \(old) AND settled_at IS NULL")
        }
    }

    static func find(link: LinkID, on connection: any Connection) throws -> Party? {
        try connection.row("SELECT \(raw: columns) \(raw: from) WHERE p.link_id = \(link)").map(read)
    }

    /// Parties of a host that take orders, or will.
    static func open(of host: MemberID, at now: Instant, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT count(*) FROM party WHERE host_id = \(host) AND canceled_at IS NULL AND orders_until > \(now)") ?? 0
    }

    static func cancel(_ id: PartyID, at now: Instant, on connection: any Connection) throws {
        try connection.execute("UPDATE party SET canceled_at = \(now) WHERE id = \(id)")
    }

    // MARK: Orders

    static func order(_ sale: Sale, by link: LinkID, in program: ProgramID, on connection: any Connection) throws {
        try connection.executeLater(
            """
            INSERT INTO party_order (sale_id, party_id)
            SELECT \(sale.id), p.id FROM party p JOIN program g ON g.id = p.program_id
            WHERE p.link_id = \(link) AND p.program_id = \(program) AND g.currency = \(sale.currency.code) AND p.canceled_at IS NULL AND p.settled_at IS NULL
                AND p.created_at <= \(sale.occurredAt) AND p.orders_until > \(sale.occurredAt)
            """)
    }

    static func turnover(_ parties: [PartyID], on connection: any Connection) throws -> [PartyID: Party.Turnover] {
        guard !parties.isEmpty else { return [:] }
        let rows = try connection.rows(
            """
            SELECT o.party_id, CAST(sum(CASE WHEN s.refunded_amount < s.amount THEN 1 ELSE 0 END) AS BIGINT), CAST(sum(s.amount - s.refunded_amount) AS BIGINT)
            FROM party_order o JOIN sale s ON s.id = o.sale_id WHERE o.party_id IN \(list: parties) GROUP BY o.party_id
            """)
        return Dictionary(
            try rows.map { (try $0.get(at: 0), Party.Turnover(orders: try $0.get(at: 1), minor: try $0.get(at: 2))) }, uniquingKeysWith: { first, _ in first })
    }

    // MARK: Settling

    static func due(in workspace: WorkspaceID, at now: Instant, limit: Int, on connection: any Connection) throws -> [Party] {
        try connection.rows(
            """
            SELECT \(raw: columns) \(raw: from) WHERE p.workspace_id = \(workspace) AND p.settled_at IS NULL AND p.canceled_at IS NULL
                AND p.settles_at <= \(now) ORDER BY p.settles_at, p.id LIMIT \(Int64(limit))
            """
        ).map(read)
    }

    /// False when somebody else was first.
    static func settle(_ id: PartyID, at now: Instant, on connection: any Connection) throws -> Bool {
        try connection.execute("UPDATE party SET settled_at = \(now) WHERE id = \(id) AND settled_at IS NULL AND canceled_at IS NULL") == 1
    }

    static func postpone(_ id: PartyID, until: Instant, on connection: any Connection) throws {
        try connection.execute("UPDATE party SET settles_at = \(until) WHERE id = \(id) AND settled_at IS NULL")
    }

    static func settled(with sale: SaleID, on connection: any Connection) throws -> Party? {
        try connection.row(
            "SELECT \(raw: columns) \(raw: from) JOIN party_order o ON o.party_id = p.id WHERE o.sale_id = \(sale) AND p.settled_at IS NOT NULL"
        ).map(read)
    }

    static func setReward(_ party: Party, on connection: any Connection) throws {
        try connection.execute(
            "UPDATE party SET reward_unit = \(party.reward?.unit.code), reward_amount = \(party.reward?.minor ?? 0) WHERE id = \(party.id)")
    }

    /// Parties whose host has something else for them than they say.
    static func wrong(_ workspace: WorkspaceID, on connection: any Connection) throws -> [(id: String, said: Int64, given: Int64)] {
        try connection.rows(
            """
            SELECT p.id, p.reward_amount, CAST(coalesce(sum(w.amount), 0) AS BIGINT) FROM party p
            LEFT JOIN wallet_movement w ON w.member_id = p.host_id AND w.subject = p.id AND w.kind IN ('bonus', 'adjustment')
                AND w.unit = p.reward_unit
            WHERE p.workspace_id = \(workspace) GROUP BY p.id, p.reward_amount
            HAVING p.reward_amount <> coalesce(sum(w.amount), 0) ORDER BY p.id LIMIT \(Verification.findingsMax)
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1), try $0.get(at: 2)) }
    }

    static func tiers(_ text: String) -> [PartyTier] { JSONText(text: text).value.elements.compactMap { PartyTier($0) } }

    private static func read(_ row: Row) throws -> Party {
        let unit: String? = try row.get(at: 15)
        let amount: Int64 = try row.get(at: 16)
        return Party(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2), hostID: try row.get(at: 3), linkID: try row.get(at: 4),
            code: try row.get(at: 5), title: try row.get(at: 6), place: try row.get(at: 7), zone: Zone(try row.get(at: 8, as: String.self)) ?? .utc,
            startsAt: try row.get(at: 9), ordersUntil: try row.get(at: 10), settlesAt: try row.get(at: 11), tiers: tiers(try row.get(at: 12)),
            canceledAt: try row.get(at: 13), settledAt: try row.get(at: 14), reward: try unit.map { (try UnitCode($0), amount) }, createdAt: try row.get(at: 17))
    }
}
