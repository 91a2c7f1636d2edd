import Chronology
import Ledger
import Money
import Persistence
import Web

extension Commission {
    /// Commissions approved in one transaction at most.
    static let approvalsMax = 500

    /// Approves what is past its hold: from pending to available, after paying off the member's debt. Answers how many.
    /// Nobody is written to when it `isQuiet`.
    static func approveDue(limit: Int = approvalsMax, isQuiet: Bool = false, in write: Write) throws -> Int {
        let due = try CommissionStore.due(in: write.workspace.id, at: write.now, limit: limit, on: write.connection)
        let approved = try due.filter { try $0.approveOrPostpone(in: write) }
        if !isQuiet { try tell(approved, in: write) }
        return due.count
    }

    /// One letter for each member and day, with the sum of what was approved.
    static func tell(_ approved: [Commission], in write: Write) throws {
        let byMember = Dictionary(grouping: approved.filter { $0.keptMinor > 0 }, by: \.memberID)
        let members = try MemberStore.find(byMember.keys.sorted(), on: write.connection)
        for (id, commissions) in byMember.sorted(by: { $0.key < $1.key }) {
            guard let member = members[id] else { continue }
            let news = commissions.reduce(MailContent.commissionsApproved(count: 0, minorByUnit: [:])) { news, commission in
                news.adding(.commissionsApproved(count: 1, minorByUnit: [commission.unit.code: commission.keptMinor]))
            }
            try Mail.gather(news, for: id, person: member.personID, locale: member.locale, in: write)
        }
    }

    /// Tried again a day later: what the ledger refuses today must not hold up the others.
    private static let postponedMs: Int64 = 86_400_000

    /// Answers whether it is approved.
    private func approveOrPostpone(in write: Write) throws -> Bool {
        do {
            try write.connection.savepoint { try approve(in: write) }
            return true
        } catch {
            guard let problem = Refusal.of(error) else { throw error }
            try CommissionStore.postpone(id, until: try write.now.adding(milliseconds: Self.postponedMs), on: write.connection)
            try write.audit("commission.postponed", subject: id.text, JSONText(["code": .text(problem.code)]))
            return false
        }
    }

    func approve(in write: Write) throws {
        let kept = keptMinor
        var approved = self
        approved.state = .approved
        try CommissionStore.update(approved, on: write.connection)
        if kept > 0 {
            let entries = [Entry(.pending(memberID.text), unit, Amount(minor: kept))] + (try arriving(at: .approved, in: write))
            try write.post(
                cause: id.text, purpose: "approval", effectiveAt: write.now, lots: .usual(program: programID, cause: id.text), entries)
        }
        try write.emit(.commissionApproved, subject: id.text, JSONText(approved.json), changes: .state(state.rawValue, approved.state.rawValue))
    }
}
