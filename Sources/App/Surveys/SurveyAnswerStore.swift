import Chronology
import Crypto
import Persistence

enum SurveyAnswerStore {
    private static let columns = """
        r.id, r.workspace_id, r.survey_id, r.program_id, r.ask_id, r.person_id, r.member_id, r.customer_id, r.kind, r.score, r.feeling, r.comment_sealed,
        r.stage, r.channel, r.answered_at, r.follow_up, r.note_sealed, r.followed_at
        """

    static func put(_ answer: SurveyAnswer, in write: Write) throws {
        let respondent = answer.respondent
        let key = try PersonStore.key(of: respondent.person, vault: write.vault, on: write.connection)
        func seal(_ words: String?, _ what: String) throws -> [UInt8]? {
            guard let words, let key else { return nil }
            return try Vault.seal(Array(words.utf8), under: key, for: "\(answer.id.text):\(what)")
        }
        let day = write.workspace.zone.day(of: answer.answeredAt).iso8601
        let (comment, note) = (try seal(answer.comment, "comment"), try seal(answer.note, "note"))
        try write.connection.execute(
            """
            INSERT INTO survey_answer (id, workspace_id, survey_id, program_id, ask_id, person_id, member_id, customer_id, kind, score, feeling, comment_sealed,
                stage, channel, answered_at, day, follow_up, note_sealed, followed_at)
            VALUES (\(answer.id), \(answer.workspaceID), \(answer.surveyID), \(answer.programID), \(answer.askID), \(respondent.person), \(respondent.memberID),
                    \(respondent.customerID), \(answer.kind.rawValue), \(answer.score), \(answer.feeling.rawValue), \(comment), \(answer.stage.rawValue),
                    \(answer.channel.rawValue), \(answer.answeredAt), \(day), \(answer.followUp?.rawValue), \(note), \(answer.followedAt))
            ON CONFLICT (ask_id) DO UPDATE SET score = excluded.score, feeling = excluded.feeling, comment_sealed = excluded.comment_sealed,
                stage = excluded.stage, channel = excluded.channel, answered_at = excluded.answered_at, day = excluded.day, follow_up = excluded.follow_up,
                note_sealed = excluded.note_sealed, followed_at = excluded.followed_at
            """)
    }

    static func find(_ id: SurveyAnswerID, in workspace: WorkspaceID, vault: Vault, on connection: any Connection) throws -> SurveyAnswer? {
        try connection.row("SELECT \(raw: columns) FROM survey_answer r WHERE r.id = \(id) AND r.workspace_id = \(workspace)").map { try read($0, vault, connection) }
    }

    static func find(ask: SurveyAskID, vault: Vault, on connection: any Connection) throws -> SurveyAnswer? {
        try connection.row("SELECT \(raw: columns) FROM survey_answer r WHERE r.ask_id = \(ask)").map { try read($0, vault, connection) }
    }

    static func page(of survey: SurveyID, after: String?, limit: Int, vault: Vault, on connection: any Connection) throws -> [SurveyAnswer] {
        try connection.rows(
            "SELECT \(raw: columns) FROM survey_answer r WHERE r.survey_id = \(survey) AND r.id > \(after ?? "") ORDER BY r.id LIMIT \(Int64(limit))"
        ).map { try read($0, vault, connection) }
    }

    static func of(_ person: PersonID, limit: Int, vault: Vault, on connection: any Connection) throws -> [SurveyAnswer] {
        try connection.rows(
            "SELECT \(raw: columns) FROM survey_answer r WHERE r.person_id = \(person) ORDER BY r.answered_at, r.id LIMIT \(Int64(limit))"
        ).map { try read($0, vault, connection) }
    }

    /// Who waits longest comes first.
    static func open(of survey: SurveyID, limit: Int, vault: Vault, on connection: any Connection) throws -> [SurveyAnswer] {
        try connection.rows(
            """
            SELECT \(raw: columns) FROM survey_answer r WHERE r.survey_id = \(survey) AND r.follow_up = 'open'
            ORDER BY r.answered_at, r.id LIMIT \(Int64(limit))
            """
        ).map { try read($0, vault, connection) }
    }

    static func newest(of survey: SurveyID, limit: Int, vault: Vault, on connection: any Connection) throws -> [SurveyAnswer] {
        try connection.rows(
            "SELECT \(raw: columns) FROM survey_answer r WHERE r.survey_id = \(survey) ORDER BY r.id DESC LIMIT \(Int64(limit))"
        ).map { try read($0, vault, connection) }
    }

    static func openCounts(_ surveys: [SurveyID], on connection: any Connection) throws -> [SurveyID: Int64] {
        guard !surveys.isEmpty else { return [:] }
        let rows = try connection.rows(
            "SELECT survey_id, count(*) FROM survey_answer WHERE survey_id IN \(list: surveys) AND follow_up = 'open' GROUP BY survey_id")
        return Dictionary(try rows.map { (try $0.get(at: 0, as: SurveyID.self), try $0.get(at: 1, as: Int64.self)) }, uniquingKeysWith: { first, _ in first })
    }

    /// Whether somebody is unhappy and nobody got in touch yet.
    static func isWaitedFor(_ person: PersonID, on connection: any Connection) throws -> Bool {
        try connection.row("SELECT 1 FROM survey_answer WHERE person_id = \(person) AND follow_up = 'open' LIMIT 1") != nil
    }

    /// Where somebody who waits for the company finds help meanwhile: an address, or nothing but the promise. Nil when nobody waits.
    static func help(for person: PersonID, on connection: any Connection) throws -> String? {
        try connection.value(
            """
            SELECT s.support_url FROM survey_answer r JOIN survey s ON s.id = r.survey_id WHERE r.person_id = \(person) AND r.follow_up = 'open'
            ORDER BY CASE s.support_url WHEN '' THEN 1 ELSE 0 END, r.answered_at DESC, r.id LIMIT 1
            """)
    }

    static func counts(_ surveys: [SurveyID], on connection: any Connection) throws -> [SurveyID: [SurveyResults.Count]] {
        guard !surveys.isEmpty else { return [:] }
        var counts: [SurveyID: [SurveyResults.Count]] = [:]
        for row in try connection.rows(
            "SELECT survey_id, score, stage, channel, count(*) FROM survey_answer WHERE survey_id IN \(list: surveys) GROUP BY survey_id, score, stage, channel")
        {
            guard let stage = Member.Stage(rawValue: try row.get(at: 2)), let channel = SurveyAnswer.Channel(rawValue: try row.get(at: 3)) else { continue }
            counts[try row.get(at: 0), default: []].append(
                SurveyResults.Count(score: try row.get(at: 1), stage: stage, channel: channel, answers: try row.get(at: 4)))
        }
        return counts
    }

    /// A member stands where their moves have led; a customer who is none is a customer once they have bought.
    static func stage(of respondent: SurveyAsk.Respondent, in workspace: WorkspaceID, on connection: any Connection) throws -> Member.Stage {
        switch respondent {
        case .member(let id, _): try MemberStore.find(id, in: workspace, on: connection)?.stage ?? .prospect
        case .customer(let id, _): try connection.row("SELECT 1 FROM sale WHERE customer_id = \(id) LIMIT 1") == nil ? .prospect : .customer
        }
    }

    /// What a person wrote and what was written about them goes; that somebody was content or not stays.
    static func forget(_ person: PersonID, on connection: any Connection) throws {
        try connection.execute("UPDATE survey_answer SET comment_sealed = NULL, note_sealed = NULL WHERE person_id = \(person)")
        try connection.execute("UPDATE survey_answer SET follow_up = NULL WHERE person_id = \(person) AND follow_up = 'open'")
    }

    private static func read(_ row: Row, _ vault: Vault, _ connection: any Connection) throws -> SurveyAnswer {
        let id: SurveyAnswerID = try row.get(at: 0)
        let person: PersonID = try row.get(at: 5)
        let member: MemberID? = try row.get(at: 6)
        let customer: CustomerID? = try row.get(at: 7)
        let (comment, note): ([UInt8]?, [UInt8]?) = (try row.get(at: 11), try row.get(at: 16))
        let key = comment == nil && note == nil ? nil : try PersonStore.key(of: person, vault: vault, on: connection)
        func open(_ sealed: [UInt8]?, _ what: String) throws -> String? {
            guard let sealed, let key else { return nil }
            return String(decoding: try Vault.open(sealed, under: key, for: "\(id.text):\(what)"), as: UTF8.self)
        }
        return SurveyAnswer(
            id: id, workspaceID: try row.get(at: 1), surveyID: try row.get(at: 2), programID: try row.get(at: 3), askID: try row.get(at: 4),
            respondent: member.map { .member($0, person) } ?? .customer(customer ?? CustomerID(stored: ""), person),
            kind: Survey.Kind(rawValue: try row.get(at: 8)) ?? .csat, score: try row.get(at: 9),
            feeling: SurveyAnswer.Feeling(rawValue: try row.get(at: 10)) ?? .neutral, comment: try open(comment, "comment"),
            stage: Member.Stage(rawValue: try row.get(at: 12)) ?? .prospect, channel: SurveyAnswer.Channel(rawValue: try row.get(at: 13)) ?? .api,
            answeredAt: try row.get(at: 14), followUp: try row.get(at: 15, as: String?.self).flatMap { SurveyAnswer.FollowUp(rawValue: $0) },
            note: try open(note, "note"), followedAt: try row.get(at: 17))
    }
}
