import Chronology
import Persistence

extension Occasion {
    /// What a letter about it says.
    enum Moment: String, Sendable, Codable, CaseIterable { case invited, place, canceled, reminder }

    /// Letters of one transaction.
    static let lettersMax = 200
    static let reminderMs: Int64 = 86_400_000

    /// One letter of a kind for each member, however often this is called.
    func write(_ moment: Moment, to id: MemberID, in write: Write) throws {
        guard let member = try MemberStore.find(id, in: write.workspace.id, on: write.connection), member.status == .active,
            let program = try ProgramStore.find(programID, in: write.workspace.id, at: write.now, on: write.connection)
        else { return }
        try Mail.queue(
            .occasion(moment, program: program.name, title: title, startsMs: startsAt.millisecondsSince1970, zone: zone.name, place: place ?? ""),
            to: .person(member.personID), occasion: "\(self.id.text):\(id.text):\(moment.rawValue)", locale: member.locale, in: write)
    }

    /// Invites, and reminds those who come on the day before; part by part, each part once. Answers how many letters' members were looked at.
    static func writeDue(limit: Int = lettersMax, in write: Write) throws -> Int {
        if let (occasion, through) = try OccasionStore.inviting(in: write.workspace.id, on: write.connection) {
            let members = occasion.state(at: write.now) == .planned
                ? try OccasionStore.invited(to: occasion, after: through, limit: limit, on: write.connection) : []
            for member in members { try occasion.write(.invited, to: member, in: write) }
            try OccasionStore.setInvited(occasion.id, through: members.last?.text ?? through, at: members.count < limit ? write.now : nil, on: write.connection)
            return max(1, members.count)
        }
        let soon = try write.now.adding(milliseconds: reminderMs)
        if let (occasion, through) = try OccasionStore.reminding(in: write.workspace.id, before: soon, on: write.connection) {
            let members = occasion.state(at: write.now) == .planned
                ? try OccasionAnswerStore.coming(to: occasion.id, after: through, limit: limit, on: write.connection) : []
            for member in members { try occasion.write(.reminder, to: member, in: write) }
            try OccasionStore.setReminded(occasion.id, through: members.last?.text ?? through, at: members.count < limit ? write.now : nil, on: write.connection)
            return max(1, members.count)
        }
        return 0
    }
}
