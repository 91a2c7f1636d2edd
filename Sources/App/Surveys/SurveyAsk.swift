import Chronology
import Persistence

/// Somebody who was asked: a member, or a customer who is none.
struct SurveyAsk: Sendable {
    /// How long a question can be answered where it was asked.
    static let openMs: Int64 = 30 * Survey.dayMs
    /// People looked at in one transaction.
    static let lookedMax = 200
    /// How long until it is looked again whom to ask.
    static let lookMs: Int64 = 3_600_000
    /// The same where all members are looked at.
    static let lookAtAllMs: Int64 = Survey.dayMs

    enum Respondent: Sendable, Hashable {
        case member(MemberID, PersonID)
        case customer(CustomerID, PersonID)

        var person: PersonID {
            switch self {
            case .member(_, let person), .customer(_, let person): person
            }
        }

        var memberID: MemberID? { if case .member(let id, _) = self { id } else { nil } }
        var customerID: CustomerID? { if case .customer(let id, _) = self { id } else { nil } }
    }

    var id: SurveyAskID
    var workspaceID: WorkspaceID
    var surveyID: SurveyID
    var respondent: Respondent
    var askedAt: Instant
    var putOffAt: Instant?

    func isOpen(at now: Instant) -> Bool { putOffAt == nil && now.millisecondsClamped(since: askedAt) < Self.openMs }

    /// Asks whoever is due, a part at a time. Answers how many people were looked at, at least 1 while there is something to look at.
    static func askDue(addresses: SurveyLink.Addresses, in write: Write) throws -> Int {
        guard let (survey, through) = try SurveyStore.due(in: write.workspace.id, at: write.now, on: write.connection) else { return 0 }
        let found = try SurveyStore.candidates(of: survey, through, at: write.now, limit: lookedMax, on: write.connection)
        var locales: [PersonID: String] = [:]
        for candidate in found {
            guard let respondent = try respondent(candidate.member, candidate.customer, in: write, &locales) else { continue }
            try survey.ask(respondent, locale: locales[respondent.person], addresses: addresses, in: write)
        }
        let isWhole = found.count < lookedMax
        var next = found.last?.through ?? through
        // Everybody has been looked at: the next round begins anew.
        if isWhole, survey.when == .nowAndThen { next = SurveyStore.Through(at: next.at, id: "") }
        try SurveyStore.setLooked(survey.id, next, lookAt: isWhole ? write.now.adding(milliseconds: survey.when == .nowAndThen ? lookAtAllMs : lookMs) : write.now, on: write.connection)
        return max(1, found.count)
    }

    /// A customer who is a member is asked as the member they are.
    static func respondent(
        _ member: MemberID?, _ customer: CustomerID?, in write: Write, _ locales: inout [PersonID: String]
    ) throws -> Respondent? {
        let memberID = try member ?? customer.flatMap { try CustomerMemberStore.member(of: $0, on: write.connection) }
        if let memberID {
            guard let member = try MemberStore.find(memberID, in: write.workspace.id, on: write.connection), member.status == .active else { return nil }
            if let locale = member.locale { locales[member.personID] = locale }
            return .member(member.id, member.personID)
        }
        guard let customer = try customer.flatMap({ try CustomerStore.find($0, in: write.workspace.id, on: write.connection) }) else { return nil }
        return .customer(customer.id, customer.personID)
    }
}

extension Survey {
    /// Asks once within the days of rest, whatever the survey; nobody to whom the company owes an answer.
    func ask(_ respondent: SurveyAsk.Respondent, locale: String?, addresses: SurveyLink.Addresses, in write: Write) throws {
        let since = try write.now.adding(milliseconds: -restDays * Survey.dayMs)
        guard try !SurveyAskStore.wasAsked(respondent.person, after: since, on: write.connection),
            try !SurveyAnswerStore.isWaitedFor(respondent.person, on: write.connection)
        else { return }
        // Without an account there are no pages to be asked on.
        guard places.contains(.mail) || respondent.memberID != nil else { return }
        let ask = SurveyAsk(id: write.world.newID(), workspaceID: workspaceID, surveyID: id, respondent: respondent, askedAt: write.now)
        try SurveyAskStore.insert(ask, on: write.connection)
        guard places.contains(.mail), let program = try ProgramStore.find(programID, in: workspaceID, at: write.now, on: write.connection) else { return }
        try Mail.queue(
            .survey(program: program.name, question: question, url: addresses.url(ask.id)), to: .person(respondent.person), occasion: ask.id.text,
            locale: locale, in: write)
    }
}

enum SurveyAskKind: Identified { static let prefix = "sva_" }
typealias SurveyAskID = Identifier<SurveyAskKind>
