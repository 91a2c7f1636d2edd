import Chronology
import Money
import Persistence

enum PayoutRequestStore {
    private static let columns =
        "id, workspace_id, program_id, member_id, unit, amount, state, payout_id, requested_by, requested_at, settled_at"

    static func insert(_ request: PayoutRequest, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO payout_request (\(raw: columns))
            VALUES (\(request.id), \(request.workspaceID), \(request.programID), \(request.memberID), \(request.unit.code),
                    \(request.amountMinor), \(request.state.rawValue), \(request.payoutID), \(request.requestedBy), \(request.requestedAt),
                    \(request.settledAt))
            """)
        try connection.executeAll(
            request.commissionIDs.map { "INSERT INTO payout_request_commission (commission_id, request_id) VALUES (\($0), \(request.id))" })
    }

    /// Keeps what became of a request and lets its commissions and its money of runs go.
    static func settle(_ request: PayoutRequest, on connection: any Connection) throws {
        try connection.executeAll([
            "DELETE FROM payout_request_commission WHERE request_id = \(request.id)",
            """
            UPDATE payout_request SET state = \(request.state.rawValue), payout_id = \(request.payoutID), settled_at = \(request.settledAt)
            WHERE id = \(request.id)
            """,
        ])
        try RunPayableStore.settle(request, on: connection)
    }

    static func find(_ id: PayoutRequestID, in workspace: WorkspaceID, on connection: any Connection) throws -> PayoutRequest? {
        try connection.row("SELECT \(raw: columns) FROM payout_request WHERE id = \(id) AND workspace_id = \(workspace)").map(read)
    }

    static func waiting(of member: MemberID, in program: ProgramID, unit: UnitCode, on connection: any Connection) throws -> PayoutRequest? {
        try connection.row(
            """
            SELECT \(raw: columns) FROM payout_request
            WHERE member_id = \(member) AND program_id = \(program) AND unit = \(unit.code) AND state = 'waiting'
            """
        ).map(read)
    }

    /// The waiting requests of a program with their commissions, by member.
    static func waiting(program: ProgramID, unit: UnitCode, on connection: any Connection) throws -> [MemberID: PayoutRequest] {
        var commissions: [PayoutRequestID: [CommissionID]] = [:]
        for row in try connection.rows(
            """
            SELECT c.request_id, c.commission_id FROM payout_request_commission c JOIN payout_request r ON r.id = c.request_id
            WHERE r.program_id = \(program) AND r.unit = \(unit.code) AND r.state = 'waiting' ORDER BY c.request_id, c.commission_id
            """)
        {
            commissions[try row.get(at: 0), default: []].append(try row.get(at: 1))
        }
        let requests = try connection.rows(
            "SELECT \(raw: columns) FROM payout_request WHERE program_id = \(program) AND unit = \(unit.code) AND state = 'waiting' ORDER BY id"
        ).map { row -> PayoutRequest in
            var request = try read(row)
            request.commissionIDs = commissions[request.id] ?? []
            return request
        }
        return Dictionary(requests.map { ($0.memberID, $0) }, uniquingKeysWith: { first, _ in first })
    }

    struct Filter: Sendable {
        var member: MemberID?
        var state: PayoutRequest.State?
    }

    static func list(
        in workspace: WorkspaceID, _ filter: Filter, after: String?, limit: Int, on connection: any Connection
    ) throws -> [PayoutRequest] {
        var sql: SQL = "SELECT \(raw: columns) FROM payout_request WHERE workspace_id = \(workspace) AND id > \(after ?? "")"
        if let member = filter.member { sql = "\(sql: sql) AND member_id = \(member)" }
        if let state = filter.state { sql = "\(sql: sql) AND state = \(state.rawValue)" }
        return try connection.rows("\(sql: sql) ORDER BY id LIMIT \(limit)").map(read)
    }

    private static func read(_ row: Row) throws -> PayoutRequest {
        let unit: String = try row.get(at: 4)
        return PayoutRequest(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2), memberID: try row.get(at: 3),
            unit: try UnitCode(unit), amountMinor: try row.get(at: 5), state: PayoutRequest.State(rawValue: try row.get(at: 6)) ?? .waiting,
            payoutID: try row.get(at: 7), requestedBy: try row.get(at: 8), requestedAt: try row.get(at: 9), settledAt: try row.get(at: 10))
    }
}
