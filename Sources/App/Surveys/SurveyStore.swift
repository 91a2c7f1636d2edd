import Chronology
import Persistence

enum SurveyStore {
    private static let columns = """
        s.id, s.workspace_id, s.program_id, s.kind, s.question, s.asks_in_portal, s.asks_by_mail, s.asked_when, s.after_days, s.rest_days,
        s.support_url, s.ended_at, s.created_at
        """

    /// How far it has been looked.
    struct Through: Sendable, Hashable {
        var at: Instant
        var id: String
    }

    /// Somebody who may be asked.
    struct Candidate: Sendable {
        var member: MemberID?
        var customer: CustomerID?
        var through: Through
    }

    static func insert(_ survey: Survey, through: Instant, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO survey (id, workspace_id, program_id, kind, question, asks_in_portal, asks_by_mail, asked_when, after_days, rest_days,
                support_url, through_at, through_id, look_at, ended_at, created_at)
            VALUES (\(survey.id), \(survey.workspaceID), \(survey.programID), \(survey.kind.rawValue), \(survey.question), \(survey.places.contains(.portal)),
                    \(survey.places.contains(.mail)), \(survey.when.rawValue), \(survey.afterDays), \(survey.restDays),
                    \(survey.supportURL), \(through), '', \(survey.createdAt), \(survey.endedAt), \(survey.createdAt))
            """)
    }

    static func update(_ survey: Survey, lookAt: Instant?, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE survey SET asks_in_portal = \(survey.places.contains(.portal)), asks_by_mail = \(survey.places.contains(.mail)),
                after_days = \(survey.afterDays), rest_days = \(survey.restDays),
                support_url = \(survey.supportURL), look_at = \(lookAt), ended_at = \(survey.endedAt)
            WHERE id = \(survey.id)
            """)
    }

    static func find(_ id: SurveyID, in workspace: WorkspaceID, on connection: any Connection) throws -> Survey? {
        try connection.row("SELECT \(raw: columns) FROM survey s WHERE s.id = \(id) AND s.workspace_id = \(workspace)").map(read)
    }

    static func list(in workspace: WorkspaceID, after: String?, limit: Int, on connection: any Connection) throws -> [Survey] {
        try connection.rows(
            "SELECT \(raw: columns) FROM survey s WHERE s.workspace_id = \(workspace) AND s.id > \(after ?? "") ORDER BY s.id LIMIT \(Int64(limit))"
        ).map(read)
    }

    static func newest(in workspace: WorkspaceID, limit: Int, on connection: any Connection) throws -> [Survey] {
        try connection.rows("SELECT \(raw: columns) FROM survey s WHERE s.workspace_id = \(workspace) ORDER BY s.id DESC LIMIT \(Int64(limit))").map(read)
    }

    static func active(in program: ProgramID, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT count(*) FROM survey WHERE program_id = \(program) AND ended_at IS NULL") ?? 0
    }

    // MARK: Whom to ask

    static func due(in workspace: WorkspaceID, at now: Instant, on connection: any Connection) throws -> (Survey, Through)? {
        try connection.row(
            """
            SELECT \(raw: columns), s.through_at, s.through_id FROM survey s WHERE s.workspace_id = \(workspace) AND s.look_at IS NOT NULL AND s.look_at <= \(now)
            ORDER BY s.look_at, s.id LIMIT 1
            """
        ).map { (try read($0), Through(at: try $0.get(at: 13), id: try $0.get(at: 14))) }
    }

    static func setLooked(_ id: SurveyID, _ through: Through, lookAt: Instant, on connection: any Connection) throws {
        try connection.execute("UPDATE survey SET through_at = \(through.at), through_id = \(through.id), look_at = \(lookAt) WHERE id = \(id)")
    }

    /// The next to look at, in the order in which they come.
    static func candidates(of survey: Survey, _ through: Through, at now: Instant, limit: Int, on connection: any Connection) throws -> [Candidate] {
        let until = try now.adding(milliseconds: -survey.afterDays * Survey.dayMs)
        switch survey.when {
        case .afterPurchase:
            return try connection.rows(
                """
                SELECT s.customer_id, s.occurred_at, s.id FROM sale s
                WHERE s.program_id = \(survey.programID) AND s.occurred_at >= \(through.at) AND s.occurred_at <= \(until)
                    AND (s.occurred_at > \(through.at) OR s.id > \(through.id))
                ORDER BY s.occurred_at, s.id LIMIT \(Int64(limit))
                """
            ).map { Candidate(customer: try $0.get(at: 0), through: Through(at: try $0.get(at: 1), id: try $0.get(at: 2))) }
        case .afterReward:
            return try connection.rows(
                """
                SELECT r.side, r.member_id, r.customer_id, r.issued_at, r.id FROM reward r
                WHERE r.program_id = \(survey.programID) AND r.issued_at IS NOT NULL AND r.issued_at >= \(through.at) AND r.issued_at <= \(until)
                    AND (r.issued_at > \(through.at) OR r.id > \(through.id))
                ORDER BY r.issued_at, r.id LIMIT \(Int64(limit))
                """
            ).map { row in
                let isMembers = try row.get(at: 0, as: String.self) == "member"
                return Candidate(
                    member: isMembers ? try row.get(at: 1) : nil, customer: isMembers ? nil : try row.get(at: 2),
                    through: Through(at: try row.get(at: 3), id: try row.get(at: 4)))
            }
        case .nowAndThen:
            let since = try now.adding(milliseconds: -survey.restDays * Survey.dayMs)
            return try connection.rows(
                """
                SELECT m.id FROM enrollment e JOIN member m ON m.id = e.member_id
                WHERE e.program_id = \(survey.programID) AND m.status = 'active' AND m.id > \(through.id)
                    AND NOT EXISTS (SELECT 1 FROM survey_ask a WHERE a.person_id = m.person_id AND a.asked_at > \(since))
                ORDER BY m.id LIMIT \(Int64(limit))
                """
            ).map { Candidate(member: try $0.get(at: 0), through: Through(at: through.at, id: try $0.get(at: 0))) }
        }
    }

    private static func read(_ row: Row) throws -> Survey {
        var places: Set<Survey.Place> = []
        if try row.get(at: 5, as: Bool.self) { places.insert(.portal) }
        if try row.get(at: 6, as: Bool.self) { places.insert(.mail) }
        return Survey(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2), kind: Survey.Kind(rawValue: try row.get(at: 3)) ?? .csat,
            question: try row.get(at: 4), places: places, when: Survey.When(rawValue: try row.get(at: 7)) ?? .nowAndThen, afterDays: try row.get(at: 8),
            restDays: try row.get(at: 9), supportURL: try row.get(at: 10), endedAt: try row.get(at: 11), createdAt: try row.get(at: 12))
    }
}

enum SurveyAskStore {
    private static let columns = "a.id, a.workspace_id, a.survey_id, a.person_id, a.member_id, a.customer_id, a.asked_at, a.put_off_at"

    static func insert(_ ask: SurveyAsk, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO survey_ask (id, workspace_id, survey_id, person_id, member_id, customer_id, asked_at, put_off_at)
            VALUES (\(ask.id), \(ask.workspaceID), \(ask.surveyID), \(ask.respondent.person), \(ask.respondent.memberID), \(ask.respondent.customerID),
                    \(ask.askedAt), \(ask.putOffAt))
            """)
    }

    static func find(_ id: SurveyAskID, on connection: any Connection) throws -> SurveyAsk? {
        try connection.row("SELECT \(raw: columns) FROM survey_ask a WHERE a.id = \(id)").map(read)
    }

    static func wasAsked(_ person: PersonID, after: Instant, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM survey_ask WHERE person_id = \(person) AND asked_at > \(after) LIMIT 1") != nil
    }

    static func latest(of person: PersonID, in survey: SurveyID, after: Instant, on connection: any Connection) throws -> SurveyAsk? {
        try connection.row(
            """
            SELECT \(raw: columns) FROM survey_ask a WHERE a.person_id = \(person) AND a.asked_at > \(after) AND a.survey_id = \(survey)
            ORDER BY a.asked_at DESC, a.id DESC LIMIT 1
            """
        ).map(read)
    }

    /// What a member was asked last on their pages, and has not answered yet.
    static func open(of member: MemberID, after: Instant, on connection: any Connection) throws -> SurveyAsk? {
        try connection.row(
            """
            SELECT \(raw: columns) FROM survey_ask a JOIN survey s ON s.id = a.survey_id
            WHERE a.member_id = \(member) AND a.asked_at > \(after) AND a.put_off_at IS NULL AND s.ended_at IS NULL AND s.asks_in_portal = 1
                AND NOT EXISTS (SELECT 1 FROM survey_answer r WHERE r.ask_id = a.id)
            ORDER BY a.asked_at DESC, a.id DESC LIMIT 1
            """
        ).map(read)
    }

    static func putOff(_ id: SurveyAskID, at now: Instant, on connection: any Connection) throws {
        try connection.execute("UPDATE survey_ask SET put_off_at = \(now) WHERE id = \(id) AND put_off_at IS NULL")
    }

    static func asked(_ surveys: [SurveyID], on connection: any Connection) throws -> [SurveyID: Int64] {
        guard !surveys.isEmpty else { return [:] }
        let rows = try connection.rows("SELECT survey_id, count(*) FROM survey_ask WHERE survey_id IN \(list: surveys) GROUP BY survey_id")
        return Dictionary(try rows.map { (try $0.get(at: 0, as: SurveyID.self), try $0.get(at: 1, as: Int64.self)) }, uniquingKeysWith: { first, _ in first })
    }

    private static func read(_ row: Row) throws -> SurveyAsk {
        let person: PersonID = try row.get(at: 3)
        let member: MemberID? = try row.get(at: 4)
        let customer: CustomerID? = try row.get(at: 5)
        return SurveyAsk(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), surveyID: try row.get(at: 2),
            respondent: member.map { .member($0, person) } ?? .customer(customer ?? CustomerID(stored: ""), person), askedAt: try row.get(at: 6),
            putOffAt: try row.get(at: 7))
    }
}
