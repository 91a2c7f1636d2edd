import Persistence
import Web

/// How a batch leaves, for its page: the rail it was sent by with what the provider said, or those it may be sent by.
struct PayoutRail: Sendable {
    /// Nil: it goes, or went, by file.
    var sentBy: RailKind?
    /// Connected providers that pay to the accounts of this batch.
    var mayTake: [RailKind] = []
    var choice: RailKind?
    /// The kinds of account in the batch, of those who are still in it.
    var accountKinds: Set<PayoutAccount.Kind> = []
    var hasNACHA = false
    var lines: [MemberID: RailLine] = [:]
    var messages: [MemberID: String] = [:]
    var calls: [RailCall] = []

    /// Calls looked at for the page's sentence.
    private static let callsMax = 500
    /// Members whose account's kind is looked up.
    private static let membersMax = 500

    static func load(_ payout: Payout, shown: [MemberID], seal: RailSeal, on connection: any Connection) throws -> PayoutRail {
        var rail = PayoutRail()
        rail.sentBy = try RailCallStore.rail(of: payout.id, on: connection)
        if rail.sentBy != nil {
            rail.lines = try RailLineStore.of(shown, in: payout.id, on: connection)
            for (member, line) in rail.lines where line.hasMessage { rail.messages[member] = try RailLineStore.message(line.id, seal: seal, on: connection) }
            rail.calls = try RailCallStore.list(of: payout.id, limit: callsMax, on: connection)
            return rail
        }
        guard payout.state == .approved || payout.state == .sent else { return rail }
        for item in payout.items.filter({ $0.state != .canceled }).prefix(membersMax) {
            if let account = try PayoutStore.account(of: item.memberID, on: connection) { rail.accountKinds.insert(account.kind) }
        }
        rail.choice = try RailStore.choice(for: payout.programID, on: connection)
        for kind in RailKind.providers where rail.accountKinds == [kind.accountKind] {
            if try RailStore.isConnected(kind, in: payout.workspaceID, on: connection) { rail.mayTake.append(kind) }
        }
        rail.hasNACHA = try rail.accountKinds == [.ach] && RailStore.isConnected(.nacha, in: payout.workspaceID, on: connection)
        return rail
    }

    func page(_ payout: Payout, shown: [Payout.Item], names: PersonNames, mayWrite: Bool, _ language: PageLanguage) -> PageValue {
        let base = "/payouts/\(payout.id.text)"
        var buttons: [PageObject] = []
        if mayWrite, payout.state == .approved {
            buttons = mayTake.map {
                [
                    "action": .text("\(base)/sending"), "rail": .text($0.rawValue), "style": "btn-primary",
                    "label": .text(language("payout.sendBy", ["rail": language("rails.kind.\($0.rawValue)")])),
                ]
            }
        }
        if mayWrite, let sentBy {
            buttons.append([
                "action": .text("\(base)/inquiry"), "rail": nil, "style": "btn-plain",
                "label": .text(language("payout.askAgain", ["rail": language("rails.kind.\(sentBy.rawValue)")])),
            ])
        }
        return ["buttons": PageValue(buttons), "words": PageValue(words(language))]
    }

    private func words(_ language: PageLanguage) -> String? {
        guard let sentBy else { return nil }
        let name = language("rails.kind.\(sentBy.rawValue)")
        let stopped = calls.filter { $0.state == .stopped }
        if let first = stopped.first {
            return language("payout.rail.stopped", ["rail": name, "code": first.code ?? ""])
        }
        if let late = calls.first(where: { [.waiting, .unclear].contains($0.state) && $0.code != nil }), let due = late.dueAt {
            return language("payout.rail.late", ["rail": name, "code": late.code ?? "", "at": language.minute(due)])
        }
        return language("payout.rail.by", ["rail": name])
    }

    /// What the provider said of a member's payment.
    func said(_ member: MemberID, _ language: PageLanguage) -> String? {
        guard let line = lines[member] else { return nil }
        let parts = [language("payout.line.\(line.state.rawValue)"), line.providerState, line.code, messages[member]].compactMap { $0 }
        return parts.joined(separator: " · ")
    }
}
