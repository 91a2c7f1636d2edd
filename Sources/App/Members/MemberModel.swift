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
    var now: Instant
    var language: PageLanguage

    var name: String { names.member(member.id, language) }

    var page: PageObject {
        [
            "name": .text(name), "status": member.status.badge(language), "lead": lead,
            "stage": .text(language("members.stage.\(member.stage.rawValue)")), "email": PageValue(fields[.email]),
            "externalId": PageValue(fields[.externalId]), "joinedAt": language.time(member.joinedAt),
            "programs": .text(programs.joined(separator: language("list.separator"))), "country": PageValue(member.country),
            "account": .text(accountText), "statementURL": .text("/members/\(member.id.text)/statement"),
            "accountURL": .text("/members/\(member.id.text)/payout-account"), "hasBalances": .flag(!balances.isEmpty), "balances": PageValue(balances.map(balance)),
            "hasLines": .flag(!lines.isEmpty), "lines": PageValue(lines.map(line)), "hasLinks": .flag(!links.isEmpty),
            "links": PageValue(links.map(link)), "moves": PageValue(moves.map(move)), "hasMoves": .flag(!moves.isEmpty),
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

    private func move(_ move: MemberPageStore.Move) -> PageObject {
        ["what": .text(language("member.became.\(move.to.rawValue)")), "at": language.time(move.at)]
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
