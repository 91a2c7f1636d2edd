import Chronology
import Foundation
import Persistence
import Web

/// One question about how content people are, asked of members and customers of a program.
struct Survey: Sendable {
    static let questionLengthMax = 200
    static let supportLengthMax = 500
    static let afterDaysMax: Int64 = 365
    static let restDays: ClosedRange<Int64> = 7...730
    static let restDaysStandard: Int64 = 90
    /// What one program asks at a time.
    static let activeMax: Int64 = 20

    enum Kind: String, Sendable, CaseIterable {
        /// How content, from 1 to 5.
        case csat
        /// How likely to recommend, from 0 to 10.
        case nps

        var scores: ClosedRange<Int64> { self == .csat ? 1...5 : 0...10 }

        func feeling(_ score: Int64) -> SurveyAnswer.Feeling {
            switch self {
            case .csat: score >= 5 ? .happy : score <= 2 ? .unhappy : .neutral
            case .nps: score >= 9 ? .happy : score <= 6 ? .unhappy : .neutral
            }
        }
    }

    enum Place: String, Sendable, CaseIterable { case portal, mail }

    enum When: String, Sendable, CaseIterable { case afterPurchase, afterReward, nowAndThen }

    enum State: String, Sendable, CaseIterable { case active, ended }

    var id: SurveyID
    var workspaceID: WorkspaceID
    var programID: ProgramID
    var kind: Kind
    var question: String
    var places: Set<Place>
    var when: When
    var afterDays: Int64
    var restDays: Int64
    /// Where the unhappy find help; empty where the company gets in touch itself.
    var supportURL: String
    var endedAt: Instant?
    var createdAt: Instant

    var state: State { endedAt == nil ? .active : .ended }

    /// What is wanted of a new one.
    struct Draft: Sendable {
        var programID: ProgramID
        var kind: Kind
        var question: String
        var places: Set<Place>
        var when: When
        var afterDays: Int64
        var restDays: Int64
        var supportURL: String
    }

    /// The question stays: answers to another one could not be told apart.
    struct Change: Sendable {
        var places: Set<Place>?
        var afterDays: Int64?
        var restDays: Int64?
        var supportURL: String?
        var state: State?
    }

    static func make(_ draft: Draft, in write: Write) throws -> Survey {
        guard let program = try ProgramStore.find(draft.programID, in: write.workspace.id, at: write.now, on: write.connection) else {
            throw Refusal.unknown("program", field: "programId")
        }
        guard try SurveyStore.active(in: program.id, on: write.connection) < activeMax else { throw tooMany }
        let survey = Survey(
            id: write.world.newID(), workspaceID: write.workspace.id, programID: program.id, kind: draft.kind, question: draft.question, places: draft.places,
            when: draft.when, afterDays: draft.afterDays, restDays: draft.restDays, supportURL: draft.supportURL, createdAt: write.now)
        try survey.check()
        // Who bought or was rewarded before it is asked when their days are over after it was made.
        let through = try write.now.adding(milliseconds: -survey.afterDays * dayMs)
        try SurveyStore.insert(survey, through: through, on: write.connection)
        try write.audit("survey.make", subject: survey.id.text, JSONText(["kind": .text(survey.kind.rawValue), "programId": .text(program.id.text)]))
        return survey
    }

    static func known(_ id: SurveyID, in write: Write) throws -> Survey {
        guard let survey = try SurveyStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("survey") }
        return survey
    }

    static func change(_ id: SurveyID, _ change: Change, in write: Write) throws -> Survey {
        var survey = try known(id, in: write)
        let before = survey.state
        survey.places = change.places ?? survey.places
        survey.afterDays = change.afterDays ?? survey.afterDays
        survey.restDays = change.restDays ?? survey.restDays
        survey.supportURL = change.supportURL ?? survey.supportURL
        try survey.check()
        if let state = change.state, state != before {
            if state == .active, try SurveyStore.active(in: survey.programID, on: write.connection) >= activeMax { throw tooMany }
            survey.endedAt = state == .ended ? write.now : nil
        }
        try SurveyStore.update(survey, lookAt: survey.state == .active ? write.now : nil, on: write.connection)
        try write.audit("survey.change", subject: id.text, JSONText(["state": .text(survey.state.rawValue)]))
        return survey
    }

    static let dayMs: Int64 = 86_400_000

    private static var tooMany: Problem {
        Problem.conflict(code: "too_many_surveys", detail: "A program asks \(activeMax) questions at a time at most: end one first.")
    }

    private func check() throws {
        guard !places.isEmpty else { throw Refusal.field("askedIn", "Must name portal, mail or both.") }
        guard Self.isSupport(supportURL) else { throw Refusal.field("supportUrl", "Must be an address that begins with https:// or mailto:.") }
    }

    static func isSupport(_ text: String) -> Bool {
        guard !text.isEmpty else { return true }
        guard text.utf8.count <= supportLengthMax, !text.contains(where: { $0.isWhitespace || $0 == "\"" || $0 == "<" }) else { return false }
        if text.hasPrefix("mailto:") { return text.dropFirst(7).contains("@") }
        return text.hasPrefix("https://") && (URL(string: text)?.host?.contains(".") ?? false)
    }

    var json: JSONValue {
        [
            "id": .text(id.text), "programId": .text(programID.text), "kind": .text(kind.rawValue), "question": .text(question),
            "askedIn": .array(Place.allCases.filter(places.contains).map { .text($0.rawValue) }), "askedWhen": .text(when.rawValue),
            "afterDays": .integer(afterDays), "restDays": .integer(restDays), "supportUrl": supportURL.isEmpty ? .null : .text(supportURL),
            "state": .text(state.rawValue), "endedAt": endedAt.map { .text($0.rfc3339) } ?? .null, "createdAt": .text(createdAt.rfc3339),
        ]
    }

    static let schema = APISchema.object([
        .required("id", .text), .required("programId", .text),
        .required("kind", .described(.enumeration(Kind.allCases.map(\.rawValue)), description: "`csat` asks for 1 to 5, `nps` for 0 to 10.")),
        .required("question", .text), .required("askedIn", .array(.enumeration(Place.allCases.map(\.rawValue)))),
        .required("askedWhen", .enumeration(When.allCases.map(\.rawValue))),
        .required("afterDays", .described(.integer(), description: "Days after the purchase or the reward. Without meaning for `nowAndThen`.")),
        .required("restDays", .described(.integer(), description: "Days between two questions to one person, whatever the survey.")),
        .required("supportUrl", .nullable(.text)), .required("state", .enumeration(State.allCases.map(\.rawValue))),
        .required("endedAt", .nullable(.dateTime)), .required("createdAt", .dateTime),
    ])
}

enum SurveyKind: Identified { static let prefix = "svy_" }
typealias SurveyID = Identifier<SurveyKind>
