import Chronology
import Persistence

enum PartyGuestStore {
    static func insert(_ guest: PartyGuest, browser: [UInt8], forgetAt: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO party_guest (id, party_id, person_id, browser_hash, answer, forget_at, answered_at)
            VALUES (\(guest.id), \(guest.partyID), \(guest.personID), \(browser), \(guest.answer.rawValue), \(forgetAt), \(guest.answeredAt))
            """)
    }

    static func set(_ answer: PartyGuest.Answer, of id: PartyGuestID, at now: Instant, on connection: any Connection) throws {
        try connection.execute("UPDATE party_guest SET answer = \(answer.rawValue), answered_at = \(now) WHERE id = \(id)")
    }

    static func find(browser: [UInt8], party: PartyID, on connection: any Connection) throws -> PartyGuest? {
        try connection.row(
            "SELECT id, party_id, person_id, answer, answered_at FROM party_guest WHERE party_id = \(party) AND browser_hash = \(browser)"
        ).map(read)
    }

    static func of(_ parties: [PartyID], limit: Int, on connection: any Connection) throws -> [PartyGuest] {
        guard !parties.isEmpty else { return [] }
        return try connection.rows(
            """
            SELECT id, party_id, person_id, answer, answered_at FROM party_guest WHERE party_id IN \(list: parties) AND forget_at IS NOT NULL
            ORDER BY party_id, id LIMIT \(Int64(limit))
            """
        ).map(read)
    }

    static func counts(_ parties: [PartyID], on connection: any Connection) throws -> [PartyID: [PartyGuest.Answer: Int64]] {
        guard !parties.isEmpty else { return [:] }
        var counts: [PartyID: [PartyGuest.Answer: Int64]] = [:]
        for row in try connection.rows("SELECT party_id, answer, count(*) FROM party_guest WHERE party_id IN \(list: parties) GROUP BY party_id, answer") {
            guard let answer = PartyGuest.Answer(rawValue: try row.get(at: 1)) else { continue }
            counts[try row.get(at: 0), default: [:]][answer] = try row.get(at: 2)
        }
        return counts
    }

    static func due(in workspace: WorkspaceID, at now: Instant, limit: Int, on connection: any Connection) throws -> [(PartyGuestID, PersonID)] {
        try connection.rows(
            """
            SELECT g.id, g.person_id FROM party_guest g JOIN party p ON p.id = g.party_id
            WHERE p.workspace_id = \(workspace) AND g.forget_at <= \(now) ORDER BY g.forget_at, g.id LIMIT \(Int64(limit))
            """
        ).map { (try $0.get(at: 0), try $0.get(at: 1)) }
    }

    static func forget(_ id: PartyGuestID, on connection: any Connection) throws {
        try connection.execute("UPDATE party_guest SET forget_at = NULL, browser_hash = NULL WHERE id = \(id)")
    }

    private static func read(_ row: Row) throws -> PartyGuest {
        PartyGuest(
            id: try row.get(at: 0), partyID: try row.get(at: 1), personID: try row.get(at: 2),
            answer: PartyGuest.Answer(rawValue: try row.get(at: 3)) ?? .maybe, answeredAt: try row.get(at: 4))
    }
}
