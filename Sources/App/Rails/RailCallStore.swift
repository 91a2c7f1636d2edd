import Chronology
import Persistence

enum RailCallStore {
    private static let columns =
        "c.id, c.workspace_id, c.payout_id, c.rail, c.purpose, c.state, c.provider_id, c.tries, c.due_at, c.first_called_at, c.secret_version, c.status, c.code, c.created_at"

    static func insert(_ call: RailCall, on connection: any Connection) throws {
        try connection.executeLater(
            """
            INSERT INTO rail_call (id, workspace_id, payout_id, rail, purpose, state, due_at, created_at)
            VALUES (\(call.id), \(call.workspaceID), \(call.payoutID), \(call.rail.rawValue), \(call.purpose.rawValue), \(call.state.rawValue),
                    \(call.dueAt), \(call.createdAt))
            """)
    }

    static func find(_ id: RailCallID, on connection: any Connection) throws -> RailCall? {
        try connection.row("SELECT \(raw: columns) FROM rail_call c WHERE c.id = \(id)").flatMap(read)
    }

    static func list(of payout: PayoutID, limit: Int, on connection: any Connection) throws -> [RailCall] {
        try connection.rows("SELECT \(raw: columns) FROM rail_call c WHERE c.payout_id = \(payout) ORDER BY c.id LIMIT \(limit)").compactMap(read)
    }

    /// The rail that a batch was sent by; nil when it went by file.
    static func rail(of payout: PayoutID, on connection: any Connection) throws -> RailKind? {
        let word: String? = try connection.value("SELECT rail FROM payout WHERE id = \(payout)")
        return word.flatMap { RailKind(rawValue: $0) }
    }

    static func setRail(_ rail: RailKind, of payout: PayoutID, on connection: any Connection) throws {
        try connection.execute("UPDATE payout SET rail = \(rail.rawValue) WHERE id = \(payout)")
    }

    /// Whether something is under way by a rail, or waits for people.
    static func hasOpen(_ rail: RailKind, in workspace: WorkspaceID, on connection: any Connection) throws -> Bool {
        try connection.row(
            """
            SELECT 1 FROM rail_call c JOIN rail_line l ON l.call_id = c.id JOIN payout_item i ON i.payout_id = l.payout_id AND i.member_id = l.member_id
            WHERE c.workspace_id = \(workspace) AND c.rail = \(rail.rawValue) AND i.state IN ('sent', 'unknown') LIMIT 1
            """) != nil
    }

    // MARK: Working

    static func due(at now: Instant, limit: Int, on connection: any Connection) throws -> [RailCall] {
        try connection.rows(
            "SELECT \(raw: columns) FROM rail_call c WHERE c.due_at IS NOT NULL AND c.due_at <= \(now) ORDER BY c.due_at, c.id LIMIT \(limit)"
        ).compactMap(read)
    }

    /// Takes a call for a while and notes that it is made now. False when another process was faster.
    static func claim(
        _ call: RailCall, as state: RailCall.State, secretVersion: Int64?, at now: Instant, until lease: Instant, on connection: any Connection
    ) throws -> Bool {
        let calledAt: Instant? = state == .calling ? now : nil
        let version: Int64? = state == .calling ? secretVersion : nil
        return try connection.execute(
            """
            UPDATE rail_call SET state = \(state.rawValue), due_at = \(lease), tries = tries + 1,
                first_called_at = coalesce(first_called_at, \(calledAt)), secret_version = coalesce(secret_version, \(version))
            WHERE id = \(call.id) AND state = \(call.state.rawValue) AND due_at = \(call.dueAt)
            """) == 1
    }

    /// What came of it, unless another process has taken it over meanwhile.
    static func finish(_ call: RailCall, lease: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE rail_call SET state = \(call.state.rawValue), provider_id = coalesce(\(call.providerID), provider_id), due_at = \(call.dueAt),
                status = \(call.status), code = \(call.code), tries = \(call.tries)
            WHERE id = \(call.id) AND due_at = \(lease)
            """)
    }

    /// Everything of a batch that has not ended is looked at now.
    static func hurry(_ payout: PayoutID, at now: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE rail_call SET due_at = \(now), tries = 0, state = CASE WHEN state IN ('stopped', 'done') THEN CASE
                WHEN provider_id IS NOT NULL OR purpose = 'watch' THEN 'accepted' WHEN first_called_at IS NULL THEN 'waiting' ELSE 'unclear' END ELSE state END
            WHERE payout_id = \(payout) AND state <> 'calling'
            """)
    }

    /// What stopped goes on.
    static func wake(_ rail: RailKind, in workspace: WorkspaceID, at now: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE rail_call SET due_at = \(now), tries = 0, state = CASE WHEN provider_id IS NOT NULL THEN 'accepted'
                WHEN first_called_at IS NULL THEN 'waiting' ELSE 'unclear' END
            WHERE workspace_id = \(workspace) AND rail = \(rail.rawValue) AND state = 'stopped'
            """)
    }

    /// The batch's sweep comes at once: something of it is not clear.
    static func hurryWatch(of payout: PayoutID, at time: Instant, on connection: any Connection) throws {
        try connection.execute(
            "UPDATE rail_call SET due_at = \(time) WHERE payout_id = \(payout) AND purpose = 'watch' AND state = 'accepted' AND due_at > \(time)")
    }

    private static func read(_ row: Row) throws -> RailCall? {
        guard let rail = RailKind(rawValue: try row.get(at: 3)), let purpose = RailCall.Purpose(rawValue: try row.get(at: 4)),
            let state = RailCall.State(rawValue: try row.get(at: 5))
        else { return nil }
        return RailCall(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), payoutID: try row.get(at: 2), rail: rail, purpose: purpose, state: state,
            providerID: try row.get(at: 6), tries: try row.get(at: 7), dueAt: try row.get(at: 8), firstCalledAt: try row.get(at: 9),
            secretVersion: try row.get(at: 10), status: try row.get(at: 11), code: try row.get(at: 12), createdAt: try row.get(at: 13))
    }
}

enum RailLineStore {
    private static let columns = """
        l.id, l.call_id, l.payout_id, l.member_id, l.state, l.provider_id, l.provider_state, l.code, l.message_sealed IS NOT NULL, l.updated_at,
        CASE WHEN i.returned_at IS NULL THEN i.state ELSE 'returned' END, i.amount, i.reference
        """
    private static let tables = "rail_line l JOIN payout_item i ON i.payout_id = l.payout_id AND i.member_id = l.member_id"

    static func insert(_ line: RailLine, destinationSealed: [UInt8]?, on connection: any Connection) throws {
        try connection.executeLater(
            """
            INSERT INTO rail_line (id, call_id, payout_id, member_id, destination_sealed, state, updated_at)
            VALUES (\(line.id), \(line.callID), \(line.payoutID), \(line.memberID), \(destinationSealed), \(line.state.rawValue), \(line.updatedAt))
            """)
    }

    static func find(_ id: RailLineID, of payout: PayoutID, on connection: any Connection) throws -> RailLine? {
        try connection.row("SELECT \(raw: columns) FROM \(raw: tables) WHERE l.id = \(id) AND l.payout_id = \(payout)").flatMap(read)
    }

    /// Whose payment, of which batch, a line of this workspace is.
    static func payment(_ line: RailLineID, in workspace: WorkspaceID, on connection: any Connection) throws -> (payout: PayoutID, member: MemberID)? {
        try connection.row(
            """
            SELECT l.payout_id, l.member_id FROM rail_line l JOIN payout p ON p.id = l.payout_id
            WHERE l.id = \(line) AND p.workspace_id = \(workspace)
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1)) }
    }

    static func list(of call: RailCallID, on connection: any Connection) throws -> [RailLine] {
        try connection.rows("SELECT \(raw: columns) FROM \(raw: tables) WHERE l.call_id = \(call) ORDER BY l.id").compactMap(read)
    }

    static func list(of payout: PayoutID, after: String? = nil, limit: Int, on connection: any Connection) throws -> [RailLine] {
        try connection.rows(
            "SELECT \(raw: columns) FROM \(raw: tables) WHERE l.payout_id = \(payout) AND l.id > \(after ?? "") ORDER BY l.id LIMIT \(limit)"
        ).compactMap(read)
    }

    static func of(_ members: [MemberID], in payout: PayoutID, on connection: any Connection) throws -> [MemberID: RailLine] {
        var found: [MemberID: RailLine] = [:]
        for member in members {
            guard
                let line = try connection.row(
                    "SELECT \(raw: columns) FROM \(raw: tables) WHERE l.payout_id = \(payout) AND l.member_id = \(member)"
                ).flatMap(read)
            else { continue }
            found[member] = line
        }
        return found
    }

    static func destination(_ line: RailLineID, on connection: any Connection) throws -> (sealed: [UInt8]?, person: PersonID)? {
        try connection.row("SELECT l.destination_sealed, m.person_id FROM rail_line l JOIN member m ON m.id = l.member_id WHERE l.id = \(line)").map {
            (try $0.get(at: 0), try $0.get(at: 1))
        }
    }

    static func message(_ line: RailLineID, seal: RailSeal, on connection: any Connection) throws -> String? {
        let sealed: [UInt8]? = try connection.value("SELECT message_sealed FROM rail_line WHERE id = \(line)")
        return try sealed.map { try seal.open($0, for: line.text) }
    }

    static func set(_ line: RailLine, messageSealed: [UInt8]?, on connection: any Connection) throws {
        try connection.executeLater(
            """
            UPDATE rail_line SET state = \(line.state.rawValue), provider_id = coalesce(\(line.providerID), provider_id),
                provider_state = coalesce(\(line.providerState), provider_state), code = \(line.code), message_sealed = \(messageSealed),
                updated_at = \(line.updatedAt)
            WHERE id = \(line.id)
            """)
    }

    private static func read(_ row: Row) throws -> RailLine? {
        guard let state = RailLine.State(rawValue: try row.get(at: 4)) else { return nil }
        return RailLine(
            id: try row.get(at: 0), callID: try row.get(at: 1), payoutID: try row.get(at: 2), memberID: try row.get(at: 3), state: state,
            providerID: try row.get(at: 5), providerState: try row.get(at: 6), code: try row.get(at: 7), hasMessage: try row.get(at: 8),
            updatedAt: try row.get(at: 9), itemState: Payout.Item.State(rawValue: try row.get(at: 10)) ?? .unknown, amountMinor: try row.get(at: 11),
            reference: try row.get(at: 12))
    }
}
