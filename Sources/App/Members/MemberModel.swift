import Chronology
import Ledger
import Money
import Web

/// A member's story: where they stand, what they have, what they brought, and the people around them.
struct MemberModel: PageModel, Sendable {
    var member: Member
    var names: PersonNames
    var fields: [PersonField: String]
    var programs: [String]
    var balances: [MemberBalance]
    var links: [Link]
    var lines: [MemberPageStore.Line]
    var moves: [MemberPageStore.Move]
    var account: PayoutAccount?
    var introduced: [MemberID]
    var hasMoreIntroduced: Bool
    var merges: [MemberMerge]
    var mergeNames: PersonNames
    var alike: [MemberID]
    var payouts: [MemberPageStore.Paid]
    var groupMoves: [GroupMove]
    /// What friends said about being written to, the newest first.
    var complaints: [Complaint]
    /// By program and key.
    var groups: [MemberGroup]
    var mayWrite: Bool
    var csrfToken: String
    var now: Instant
    var language: PageLanguage

    var name: String { names.member(member.id, language) }

    var page: PageObject {
        [
            "name": .text(name), "status": member.status.badge(language), "lead": lead,
            "stage": .text(language("members.stage.\(member.stage.rawValue)")), "email": PageValue(fields[.email]),
            "externalId": PageValue(fields[.externalId]), "joinedAt": language.time(member.joinedAt),
            "programs": .text(programs.joined(separator: language("list.separator"))), "country": PageValue(member.country),
            "account": .text(accountText), "statementURL": .text("/members/\(member.id.text)/statement"), "walletURL": .text("/members/\(member.id.text)/wallet"),
            "accountURL": .text("/members/\(member.id.text)/payout-account"), "heldStyle": style { $0.held }, "inPayoutStyle": style { $0.inPayout }, "paidStyle": style { $0.paid }, "debtStyle": style { $0.debt },
            "hasBalances": .flag(!balances.isEmpty), "balances": PageValue(balances.map(balance)),
            "hasLines": .flag(!lines.isEmpty), "lines": PageValue(lines.map(line)), "hasLinks": .flag(!links.isEmpty),
            "links": PageValue(links.map(link)), "moves": PageValue(story), "hasMoves": true,
            "alike": PageValue(
                alike.map { other in
                    PageObject([
                        "name": .text(mergeNames.member(other, language)), "initials": .text(Initials.of(mergeNames.member(other, language))),
                        "url": .text("/members/\(other.text)"),
                        "merge": PageValue(mayWrite ? "/members/\(member.id.text)/merge?with=\(other.text)" : nil),
                    ])
                }), "hasAlike": .flag(!alike.isEmpty),
            "undo": PageValue(
                mayWrite
                    ? merges.first { $0.keptID == member.id && $0.canBeUndone(at: now) }.map {
                        PageObject([
                            "action": .text("/members/\(member.id.text)/unmerge"), "csrfToken": .text(csrfToken), "merge": .text($0.id.text),
                            "text": .text(language("member.undoMerge", ["name": mergeNames.member($0.duplicateID, language)])),
                        ])
                    } : nil),
            "introducer": member.enrollerID.map { .object(person($0)) } ?? nil, "hasIntroduced": .flag(!introduced.isEmpty),
            "introduced": PageValue(introduced.map(person)), "introducedMore": .flag(hasMoreIntroduced),
        ]
    }

    private var lead: PageValue {
        let amounts = balances.filter { $0.available.minor > 0 }.map { language.money($0.available.minor, $0.unit) }
        let values = [
            "name": name, "stage": language("member.is.\(member.stage.rawValue)"), "next": language("member.next.\(member.stage.rawValue)"),
            "amount": amounts.joined(separator: language("list.separator")),
        ]
        return language.sentence(amounts.isEmpty ? "member.lead.nothing" : "member.lead.available", values)
    }

    private var accountText: String {
        guard let account else { return language("member.account.none") }
        let kind = language("member.account.\(account.kind.rawValue)", ["ending": account.ending])
        return account.usableFrom > now ? language("member.account.waits", ["account": kind, "day": language.day(account.usableFrom)]) : kind
    }

    /// A column without anything in it is not shown on phones.
    private func style(_ amount: (MemberBalance) -> Amount) -> PageValue {
        .text(balances.contains { amount($0) != .zero } ? "r" : "r hide-s")
    }

    private func balance(_ balance: MemberBalance) -> PageObject {
        func amount(_ amount: Amount) -> PageValue { .text(language.amount(amount.minor, balance.unit)) }
        return [
            "unit": .text(balance.unit.code), "pending": amount(balance.pending), "held": amount(balance.held),
            "available": amount(balance.available), "inPayout": amount(balance.inPayout), "paid": amount(balance.paid), "debt": amount(balance.debt),
        ]
    }

    private func line(_ line: MemberPageStore.Line) -> PageObject {
        let unit = try? UnitCode(line.unit)
        return [
            "at": language.shortTime(line.occurredAt), "text": .text(line.invoiceID ?? language("member.noSale")),
            "url": line.saleID.map { .text("/sales/\($0.text)/receipt") } ?? nil,
            "role": .text(line.level == 0 ? language("member.role.own") : language.plural("member.role.above", Int64(line.level))),
            "amount": .text(unit.map { language.money(line.keptMinor, $0) } ?? "–"), "state": line.state.badge(language),
        ]
    }

    private func link(_ link: Link) -> PageObject {
        [
            "url": .text("/links/\(link.id.text)"), "code": .text(link.code), "clicks": .text(language.plural("member.clicks", link.clicks)),
        ]
    }

    /// Everything that happened to the member and is not a line of money, the newest first.
    private var story: [PageObject] {
        var events: [(Instant, String, String?)] = moves.map { ($0.at, language("member.became.\($0.to.rawValue)"), nil) }
        events += links.map { ($0.createdAt, language("member.madeLink", ["code": $0.code]), "/links/\($0.id.text)") }
        events += payouts.map { paid in
            let amount = (try? UnitCode(paid.unit)).map { language.money(paid.amountMinor, $0) } ?? ""
            return (paid.at, language("member.payout.\(paid.state)", ["amount": amount]), "/payouts/\(paid.payoutID.text)")
        }
        events += groupMoves.map { move in
            let key = move.toKey ?? move.fromKey ?? ""
            let group = groups.first { $0.programID == move.programID && $0.key == key }
            return (
                move.at, language(move.toKey == nil ? "member.group.left" : "member.group.came", ["group": group?.name ?? key]),
                group.map { "/groups/\($0.id.text)" }
            )
        }
        events += complaints.map { ($0.createdAt, language("member.complaint.\($0.reason.rawValue)"), "\(ComplaintPages.path)?member=\(member.id.text)") }
        for merge in merges {
            let isKept = merge.keptID == member.id
            let other = isKept ? merge.duplicateID : merge.keptID
            let values = ["name": mergeNames.member(other, language), "reason": merge.reason]
            events.append((merge.mergedAt, language(isKept ? "member.took" : "member.mergedInto", values), "/members/\(other.text)"))
            if let undone = merge.undoneAt { events.append((undone, language("member.unmerged", values), "/members/\(other.text)")) }
        }
        events.append((member.joinedAt, language("member.joined"), nil))
        return events.sorted { $0.0 > $1.0 }.map { at, what, url in
            ["what": .text(what), "url": PageValue(url), "bare": .flag(url == nil), "at": language.time(at)]
        }
    }

    private func person(_ id: MemberID) -> PageObject {
        let name = names.member(id, language)
        return ["url": .text("/members/\(id.text)"), "name": .text(name), "initials": .text(Initials.of(name))]
    }
}

extension Commission.State {
    func badge(_ language: PageLanguage) -> PageValue {
        let (tone, icon) =
            switch self {
            case .approved, .paid: ("good", "check")
            case .pending: ("", "clock")
            case .held: ("warn", "clock")
            case .canceled, .refused: ("", "none")
            case .reversed: ("", "undo")
            }
        return ["tone": .text(tone), "icon": .text(icon), "label": .text(language("commissions.state.\(rawValue)"))]
    }
}
