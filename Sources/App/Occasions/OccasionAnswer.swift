import Chronology
import Persistence
import Web

/// What a member said to an invitation, and whether they came.
struct OccasionAnswer: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case yes
        /// They would come; all places are taken.
        case waiting
        case no
    }

    /// What may be said; whether a yes is a place or the line, the places decide.
    enum Said: String, Sendable, CaseIterable { case yes, no }

    /// Members marked as having come in one call.
    static let attendedMax = 1_000

    var occasionID: OccasionID
    var memberID: MemberID
    var kind: Kind
    var answeredAt: Instant
    var attendedAt: Instant?

    /// Takes an answer; a later one replaces it until it begins. A place that becomes free is the next one's at once.
    static func give(_ said: Said, to id: OccasionID, by member: Member, in write: Write) throws -> OccasionAnswer {
        let occasion = try Occasion.known(id, in: write)
        guard occasion.state(at: write.now) == .planned else { throw Occasion.over }
        guard member.status == .active, try OccasionStore.isInvited(member.id, to: occasion, on: write.connection) else {
            throw Problem.conflict(code: "not_invited", detail: "This event is for others: the member is not active, or not in the groups, tiers or stages it is for.")
        }
        let before = try OccasionAnswerStore.find(id, member.id, on: write.connection)
        if said == .yes, let before, before.kind != .no { return before }
        if said == .no, before?.kind == .no, let before { return before }
        let isFull = try said == .yes && occasion.free(on: write.connection) == 0
        let answer = OccasionAnswer(
            occasionID: id, memberID: member.id, kind: said == .no ? .no : isFull ? .waiting : .yes, answeredAt: write.now)
        try OccasionAnswerStore.put(answer, on: write.connection)
        try write.emit(.occasionAnswered, subject: id.text, JSONText(answer.json))
        if before?.kind == .yes { try occasion.moveUp(in: write) }
        return answer
    }

    /// Notes who came. Whoever was noted before is noted once, and earns once.
    static func attend(_ members: [MemberID], _ id: OccasionID, in write: Write) throws -> [OccasionAnswer] {
        let occasion = try Occasion.known(id, in: write)
        guard occasion.canceledAt == nil, write.now >= occasion.startsAt else {
            throw Problem.conflict(code: "occasion_not_begun", detail: "It has not begun yet, or was canceled: nobody has come.")
        }
        let action = try occasion.earnActionID.flatMap { try EarnActionStore.find($0, in: write.workspace.id, on: write.connection) }
        return try members.map { member in
            guard var answer = try OccasionAnswerStore.find(id, member, on: write.connection) else {
                throw Refusal.field("memberIds", "\(member.text) did not answer the invitation.", code: "not_answered")
            }
            guard answer.attendedAt == nil else { return answer }
            answer.attendedAt = write.now
            try OccasionAnswerStore.put(answer, on: write.connection)
            try write.emit(.occasionAttended, subject: id.text, JSONText(answer.json))
            if let action { try answer.earn(action, in: write) }
            return answer
        }
    }

    /// What coming earns. Whoever may not earn it again, or is not active any more, came all the same.
    private func earn(_ action: EarnAction, in write: Write) throws {
        guard let member = try MemberStore.find(memberID, in: write.workspace.id, on: write.connection) else { return }
        do {
            _ = try EarnAction.earn(action.key, in: action.programID, by: member, reference: "\(occasionID.text):\(memberID.text)", in: write)
        } catch let problem as Problem where ["limit_reached", "action_archived", "member_not_active"].contains(problem.code) {
            return
        }
    }

    var json: JSONValue {
        [
            "occasionId": .text(occasionID.text), "memberId": .text(memberID.text), "answer": .text(kind.rawValue), "answeredAt": .text(answeredAt.rfc3339),
            "attendedAt": attendedAt.map { .text($0.rfc3339) } ?? .null,
        ]
    }

    static let schema = APISchema.object([
        .required("occasionId", .text), .required("memberId", .text),
        .required("answer", .described(.enumeration(Kind.allCases.map(\.rawValue)), description: "`waiting`: they would come, and all places are taken.")),
        .required("answeredAt", .dateTime), .required("attendedAt", .nullable(.dateTime)),
    ])
}

extension Occasion {
    /// Places left; nil without a limit.
    func free(on connection: any Connection) throws -> Int64? {
        guard let places else { return nil }
        return max(0, places - (try OccasionAnswerStore.counts([id], on: connection)[id]?[.yes] ?? 0))
    }

    /// Gives free places to those who wait longest, and tells them.
    func moveUp(in write: Write) throws {
        let free = try free(on: write.connection) ?? Self.placesMax
        guard free > 0 else { return }
        for member in try OccasionAnswerStore.members(of: id, [.waiting], limit: Int(free), on: write.connection) {
            guard var answer = try OccasionAnswerStore.find(id, member, on: write.connection) else { continue }
            answer.kind = .yes
            try OccasionAnswerStore.put(answer, on: write.connection)
            try write.emit(.occasionAnswered, subject: id.text, JSONText(answer.json))
            try self.write(.place, to: member, in: write)
        }
    }
}
