import Chronology
import Hummingbird
import Ledger
import Money
import Persistence
import Web

/// The figures of a member's balance. Each opens the entries of its account, which add up to it.
enum PortalFigure: String, Sendable, CaseIterable {
    case available, held, pending, inPayout, paid, debt

    func account(of member: MemberID) -> AccountName {
        switch self {
        case .available: .available(member.text)
        case .held: .held(member.text)
        case .pending: .pending(member.text)
        case .inPayout: .inPayout(member.text)
        case .paid: .paidOut(member.text)
        case .debt: .debt(member.text)
        }
    }

    func amount(in balance: MemberBalance) -> Amount {
        switch self {
        case .available: balance.available
        case .held: balance.held
        case .pending: balance.pending
        case .inPayout: balance.inPayout
        case .paid: balance.paid
        case .debt: balance.debt
        }
    }

    func url(_ unit: UnitCode) -> String { "/portal/balance/\(rawValue)?unit=\(unit.code)" }
}

enum PortalFigurePage {
    static let rowsPerPage = 50

    static func add(to api: inout API, gate: PortalGate) {
        api.portalPage("/portal/balance/{figure}", gate) { visit in try await show(visit) }
    }

    private static func show(_ visit: PortalVisit) async throws -> Response {
        guard let figure = visit.context.parameters.get("figure").flatMap({ PortalFigure(rawValue: $0) }),
            let unit = visit.query["unit"].flatMap({ try? UnitCode($0) })
        else { throw Problem.notFound() }
        let (member, workspace, language) = (visit.member.id, visit.workspaceID, visit.language)
        let before = place(visit.query["before"])
        let model = try await visit.installation.main.read { connection -> PortalFigureModel in
            let account = figure.account(of: member)
            let key = LedgerPageStore.AccountKey(path: account.path, unit: unit.code)
            let postings = try LedgerPageStore.accountIDs([account.path], in: workspace, on: connection)[key].map {
                try LedgerPageStore.postings(of: $0, before: before, limit: rowsPerPage + 1, on: connection)
            } ?? []
            let balance = try Journal.balances(workspace: workspace.text, member: member.text, on: connection).first { $0.unit == unit }
            return PortalFigureModel(
                figure: figure, unit: unit, amount: balance.map(figure.amount) ?? .zero, isCredit: account.side == .credit,
                rows: Array(postings.prefix(rowsPerPage)), hasMore: postings.count > rowsPerPage, isFirstPage: before == nil,
                causes: try PortalCauses.load(postings.map(\.cause), of: member, language: language, on: connection), language: language)
        }
        return try visit.page("portal-figure", title: model.title, tab: .earnings, model.page)
    }

    /// `SEQUENCE.POSITION`, after which the older entries come.
    private static func place(_ text: String?) -> (sequence: Int64, position: Int64)? {
        let parts = (text ?? "").split(separator: ".").compactMap { Int64($0) }
        return parts.count == 2 ? (parts[0], parts[1]) : nil
    }
}

struct PortalFigureModel: PageModel {
    var figure: PortalFigure
    var unit: UnitCode
    var amount: Amount
    /// Whether the books hold the account below zero.
    var isCredit: Bool
    var rows: [LedgerPageStore.Posting]
    var hasMore: Bool
    var isFirstPage: Bool
    var causes: PortalCauses
    var language: PageLanguage

    var title: String { language("portalFigure.title.\(figure.rawValue)") }

    var page: PageObject {
        [
            "title": .text(title), "amount": .text(language.money(amount.minor, unit)), "why": .text(language("portalFigure.why.\(figure.rawValue)")),
            "backURL": .text("/portal/earnings?unit=\(unit.code)"), "hasRows": .flag(!rows.isEmpty), "rows": PageValue(rows.map(row)),
            "more": PageValue(hasMore ? rows.last.map { "\(figure.url(unit))&before=\($0.sequence).\($0.position)" } : nil),
            "first": PageValue(isFirstPage ? nil : figure.url(unit)),
        ]
    }

    private func row(_ posting: LedgerPageStore.Posting) -> PageObject {
        func money(_ minor: Int64) -> String { language.money(isCredit ? 0 - minor : minor, unit) }
        let url = causes.url(posting.cause)
        return [
            "what": .text(causes.what(posting.purpose)), "url": PageValue(url), "at": language.time(posting.recordedAt),
            "amount": .text(posting.amountMinor == 0 || (posting.amountMinor < 0) != isCredit ? money(posting.amountMinor) : "+" + money(posting.amountMinor)),
            "after": .text(language("portalFigure.after", ["amount": money(posting.balanceAfterMinor)])),
        ]
    }
}
