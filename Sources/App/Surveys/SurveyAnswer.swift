import Chronology
import Foundation
import Persistence
import Web

/// What somebody answered, where they stood then, and whether somebody has to get in touch.
struct SurveyAnswer: Sendable {
    static let commentLengthMax = 1_000
    static let noteLengthMax = 1_000

    enum Feeling: String, Sendable, CaseIterable { case happy, neutral, unhappy }

    /// Where it was answered.
    enum Channel: String, Sendable, CaseIterable { case portal, mail, api }

    enum FollowUp: String, Sendable, CaseIterable { case open, done }

    var id: SurveyAnswerID
    var workspaceID: WorkspaceID
    var surveyID: SurveyID
    var programID: ProgramID
    var askID: SurveyAskID
    var respondent: SurveyAsk.Respondent
    var kind: Survey.Kind
    var score: Int64
    var feeling: Feeling
    var comment: String?
    var stage: Member.Stage
    var channel: Channel
    var answeredAt: Instant
    var followUp: FollowUp?
    var note: String?
    var followedAt: Instant?

    /// Takes an answer to a question; a later one takes its place. Without a comment the words that are there stay.
    static func give(_ score: Int64, comment: String?, to ask: SurveyAsk, by channel: Channel, in write: Write) throws -> SurveyAnswer {
        let survey = try Survey.known(ask.surveyID, in: write)
        guard survey.kind.scores.contains(score) else {
            throw Refusal.field("score", "Must be a whole number from \(survey.kind.scores.lowerBound) to \(survey.kind.scores.upperBound).")
        }
        let words = try comment.map(checked)
        let before = try SurveyAnswerStore.find(ask: ask.id, vault: write.vault, on: write.connection)
        if before == nil {
            guard survey.state == .active else { throw ended }
        }
        let feeling = survey.kind.feeling(score)
        if let before, before.score == score, words == nil || words == (before.comment ?? "") { return before }
        var answer = SurveyAnswer(
            id: before?.id ?? write.world.newID(), workspaceID: survey.workspaceID, surveyID: survey.id, programID: survey.programID, askID: ask.id,
            respondent: ask.respondent, kind: survey.kind, score: score, feeling: feeling, comment: words.map { $0.isEmpty ? nil : $0 } ?? before?.comment,
            stage: try SurveyAnswerStore.stage(of: ask.respondent, in: write.workspace.id, on: write.connection), channel: channel, answeredAt: write.now,
            followUp: before?.followUp, note: before?.note, followedAt: before?.followedAt)
        if feeling == .unhappy {
            // Who was looked after and says the same again is looked after; who was content and is not any more is not.
            if before?.feeling != .unhappy {
                answer.followUp = .open
                answer.followedAt = nil
            }
        } else if answer.followUp == .open {
            answer.followUp = nil
        }
        try SurveyAnswerStore.put(answer, in: write)
        if before?.score != score { try write.emit(.surveyAnswered, subject: survey.id.text, JSONText(answer.eventJSON)) }
        return answer
    }

    /// Takes an answer that somebody gave elsewhere: to the question they were asked of late, or unasked.
    static func tell(_ score: Int64, comment: String?, to id: SurveyID, by respondent: SurveyAsk.Respondent, in write: Write) throws -> SurveyAnswer {
        let survey = try Survey.known(id, in: write)
        let since = try write.now.adding(milliseconds: -survey.restDays * Survey.dayMs)
        if let ask = try SurveyAskStore.latest(of: respondent.person, in: id, after: since, on: write.connection) {
            return try give(score, comment: comment, to: ask, by: .api, in: write)
        }
        guard survey.state == .active else { throw ended }
        let ask = SurveyAsk(id: write.world.newID(), workspaceID: survey.workspaceID, surveyID: id, respondent: respondent, askedAt: write.now)
        try SurveyAskStore.insert(ask, on: write.connection)
        return try give(score, comment: comment, to: ask, by: .api, in: write)
    }

    /// Somebody got in touch: what they did, in words that are sealed as the person's own are.
    static func finish(_ id: SurveyAnswerID, note: String, in write: Write) throws -> SurveyAnswer {
        guard var answer = try SurveyAnswerStore.find(id, in: write.workspace.id, vault: write.vault, on: write.connection) else {
            throw Refusal.unknown("answer")
        }
        guard answer.followUp == .open else {
            throw Problem.conflict(code: "no_follow_up", detail: "Nobody has to get in touch any more: it was done, or they are content by now.")
        }
        answer.followUp = .done
        answer.note = try checked(note)
        answer.followedAt = write.now
        try SurveyAnswerStore.put(answer, in: write)
        try write.audit("survey.followUp", subject: id.text)
        return answer
    }

    static var ended: Problem { Problem.conflict(code: "survey_ended", detail: "This survey has ended: it takes no answers any more.") }

    private static func checked(_ words: String) throws -> String {
        let words = words.replacing("\r\n", with: "\n").trimmingCharacters(in: .whitespacesAndNewlines)
        guard words.unicodeScalars.count <= commentLengthMax else { throw Refusal.field("comment", "\(commentLengthMax) characters at most.") }
        return words
    }

    private var members: [(String, JSONValue)] {
        [
            ("id", .text(id.text)), ("surveyId", .text(surveyID.text)), ("programId", .text(programID.text)),
            ("memberId", respondent.memberID.map { .text($0.text) } ?? .null), ("customerId", respondent.customerID.map { .text($0.text) } ?? .null),
            ("kind", .text(kind.rawValue)), ("score", .integer(score)), ("feeling", .text(feeling.rawValue)), ("stage", .text(stage.rawValue)),
            ("channel", .text(channel.rawValue)), ("answeredAt", .text(answeredAt.rfc3339)), ("followUp", followUp.map { .text($0.rawValue) } ?? .null),
        ]
    }

    /// Events hold nobody's words: they can't be erased.
    var eventJSON: JSONValue { .object(members.map { JSONMember($0.0, $0.1) }) }

    var json: JSONValue {
        .object(
            members.map { JSONMember($0.0, $0.1) } + [
                JSONMember("comment", comment.map { .text($0) } ?? .null), JSONMember("note", note.map { .text($0) } ?? .null),
                JSONMember("followedAt", followedAt.map { .text($0.rfc3339) } ?? .null),
            ])
    }

    private static let fields: [APIField] = [
        .required("id", .text), .required("surveyId", .text), .required("programId", .text), .required("memberId", .nullable(.text)),
        .required("customerId", .described(.nullable(.text), description: "Of a customer who is no member.")),
        .required("kind", .enumeration(Survey.Kind.allCases.map(\.rawValue))), .required("score", .integer()),
        .required("feeling", .enumeration(Feeling.allCases.map(\.rawValue))),
        .required("stage", .described(.enumeration(Member.Stage.allCases.map(\.rawValue)), description: "Where they stood when they answered.")),
        .required("channel", .described(.enumeration(Channel.allCases.map(\.rawValue)), description: "Where they answered.")),
        .required("answeredAt", .dateTime),
        .required("followUp", .described(.nullable(.enumeration(FollowUp.allCases.map(\.rawValue))), description: "`open`: unhappy, and nobody got in touch yet.")),
    ]

    static let eventSchema = APISchema.object(fields)
    static let schema = APISchema.object(
        fields + [.required("comment", .nullable(.text)), .required("note", .nullable(.text)), .required("followedAt", .nullable(.dateTime))])
}

enum SurveyAnswerKind: Identified { static let prefix = "svr_" }
typealias SurveyAnswerID = Identifier<SurveyAnswerKind>
