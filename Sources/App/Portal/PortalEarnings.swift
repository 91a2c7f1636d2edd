import Chronology
import HTTPTypes
import Hummingbird
import Ledger
import Money
import Persistence
import Web

/// What a member has, by unit, down to each line's receipt; and asking to be paid.
enum PortalEarnings {
    static let linesPerPage = 25
    static let paymentsMax = 12

    static func add(to api: inout API, gate: PortalGate) {
        api.portalPage("/portal/earnings", gate) { visit in try await show(visit) }
        api.portalPage("/portal/earnings/{id}", gate) { visit in try await receipt(visit) }
        api.portalForm("/portal/payout-requests", gate) { visit, fields in try await ask(visit, fields) }
        api.portalForm("/portal/payout-requests/{id}/cancellation", gate) { visit, _ in
            let id = try visit.context.id(PayoutRequestKind.self)
            let member = visit.member.id
            try await visit.write { write in
                guard try PayoutRequestStore.find(id, in: write.workspace.id, on: write.connection)?.memberID == member else { throw Problem.notFound() }
                _ = try PayoutRequest.cancel(id, in: write)
            }
            return visit.seeOther("/portal/earnings")
        }
    }

    private static func show(_ visit: PortalVisit) async throws -> Response {
        let (member, workspace, now) = (visit.member, visit.workspaceID, visit.now)
        let state = visit.query["state"].flatMap { Commission.State(rawValue: $0) }
        let before = visit.query["startingAfter"].flatMap { CommissionID($0) }
        let asked = visit.query["unit"].flatMap { try? UnitCode($0) }
        let model = try await visit.installation.main.read { connection -> PortalEarningsModel in
            let balances = try Journal.balances(workspace: workspace.text, member: member.id.text, on: connection)
            let programs = try PortalStore.programs(of: member.id, in: workspace, at: now, on: connection)
            let unit = try asked ?? balances.first?.unit ?? programs.first.map { try UnitCode($0.currency) }
            let lines = try PortalStore.lines(
                of: member.id, PortalStore.LineFilter(unit: unit, state: state, before: before), limit: linesPerPage + 1, on: connection)
            let asking = try programs.compactMap { program -> PortalEarningsModel.Asking? in
                let possibilities = try PayoutRequest.possibilities(member, in: program, at: now, on: connection)
                guard let possible = possibilities.first(where: { $0.unit == unit }) else { return nil }
                return PortalEarningsModel.Asking(
                    program: program, possible: possible,
                    waiting: try PayoutRequestStore.waiting(of: member.id, in: program.id, unit: possible.unit, on: connection))
            }
            return PortalEarningsModel(
                balances: balances, unit: unit, state: state, lines: Array(lines.prefix(linesPerPage)), hasMore: lines.count > linesPerPage,
                isFirstPage: before == nil, asking: asking, account: try PayoutStore.account(of: member.id, on: connection),
                payments: try PortalStore.payments(of: member.id, limit: paymentsMax, on: connection).filter { $0.unit == unit },
                csrfToken: visit.csrfToken, now: now, language: visit.language)
        }
        return try visit.page("portal-earnings", title: visit.language("portalFrame.earnings"), tab: .earnings, model.page)
    }

    private static func ask(_ visit: PortalVisit, _ fields: FormFields) async throws -> Response {
        guard let id = fields["programId"].flatMap({ ProgramID($0) }) else { throw Problem.notFound() }
        let unit = fields["unit"].flatMap { Currency(code: $0) }.map { UnitCode.currency($0) }
        let member = visit.member
        do {
            try await visit.write { write in
                guard let program = try ProgramStore.find(id, in: write.workspace.id, at: write.now, on: write.connection),
                    try MemberStore.isEnrolled(member.id, in: id, on: write.connection),
                    let current = try MemberStore.find(member.id, in: write.workspace.id, on: write.connection)
                else { throw Problem.notFound() }
                _ = try PayoutRequest.make(for: current, in: program, unit: unit, write)
            }
        } catch let problem as Problem where problem.status == .conflict {
            // The page says what stands against it now.
        }
        return visit.seeOther("/portal/earnings\(unit.map { "?unit=\($0.code)" } ?? "")#payout")
    }

    /// One line, explained. Another member's is simply not there.
    private static func receipt(_ visit: PortalVisit) async throws -> Response {
        let id = try visit.context.id(CommissionKind.self)
        let (member, workspace) = (visit.member.id, visit.workspaceID)
        let found = try await visit.installation.main.read { connection -> PortalReceiptModel? in
            guard let commission = try CommissionStore.find(id, in: workspace, on: connection), commission.memberID == member,
                let program = try ProgramStore.find(commission.programID, in: workspace, at: visit.now, on: connection)
            else { return nil }
            let sale = try commission.saleID.flatMap { try SaleStore.find($0, in: workspace, on: connection) }
            let path = try path(of: commission, sale: sale, program: program, language: visit.language, on: connection)
            return PortalReceiptModel(
                commission: commission, sale: sale, program: program,
                rule: try RuleStore.version(commission.ruleID, commission.ruleVersion, on: connection),
                refunds: try commission.saleID.map { try RefundStore.of(sale: $0, on: connection) } ?? [], path: path,
                now: visit.now, language: visit.language)
        }
        guard let model = found else { throw Problem.notFound() }
        return try visit.page("portal-receipt", title: model.title, tab: .earnings, model.page)
    }

    private static func path(
        of commission: Commission, sale: Sale?, program: Program, language: PageLanguage, on connection: any Connection
    ) throws -> PortalReceiptPath? {
        var (event, at, attribution, refusals) = (ReceiptFacts.Event.sale, Instant.earliest, JSONValue.null, [JSONValue]())
        if let sale {
            (at, attribution, refusals) = (sale.occurredAt, sale.attribution.value, sale.refusals.value.elements)
        } else if commission.cause == .lead, let id = LeadID(commission.causeID),
            let lead = try LeadStore.find(id, in: commission.workspaceID, on: connection)
        {
            (event, at, attribution) = (.lead, lead.occurredAt, lead.attribution.value)
        } else {
            return nil
        }
        guard let currency = sale?.currency ?? Currency(code: program.currency) else { return nil }
        let own = (attribution["touches"]?.elements ?? []).filter { $0["memberId"]?.string == commission.memberID.text }
        let facts = ReceiptFacts(
            event: event, attribution: attribution, refusals: refusals, currency: currency, program: program,
            commissions: [commission], rules: [:])
        return PortalReceiptPath(
            commission: commission, facts: facts,
            codes: try LinkStore.codes(Array(Set(own.compactMap { $0["linkId"]?.string.flatMap { LinkID($0) } })), on: connection), endAt: at,
            language: language)
    }
}

struct PortalEarningsModel: PageModel {
    struct Asking: Sendable {
        var program: Program
        var possible: PayoutRequest.Possible
        var waiting: PayoutRequest?
    }

    var balances: [MemberBalance]
    var unit: UnitCode?
    var state: Commission.State?
    var lines: [PortalStore.Line]
    var hasMore: Bool
    var isFirstPage: Bool
    var asking: [Asking]
    var account: PayoutAccount?
    var payments: [PortalStore.Payment]
    var csrfToken: String
    var now: Instant
    var language: PageLanguage

    private var balance: MemberBalance? { balances.first { $0.unit == unit } }

    var page: PageObject {
        [
            "hasUnits": .flag(balances.count > 1),
            "units": PageValue(
                balances.map {
                    PageObject([
                        "label": .text($0.unit.code), "url": .text("/portal/earnings?unit=\($0.unit.code)"), "current": .flag($0.unit == unit),
                    ])
                }),
            "balance": PageValue(unit.map(balanceModel)), "asking": PageValue(asking.map(askingModel)),
            "hasLines": .flag(!lines.isEmpty), "lines": PageValue(lines.map { PortalLine(line: $0, now: now, language: language).page }),
            "empty": PageValue(lines.isEmpty ? language(state == nil ? "portalEarnings.empty" : "portalEarnings.emptyState") : nil),
            "filters": PageValue(filters),
            "more": PageValue(hasMore ? lines.last.map { address(state: state, after: $0.id) } : nil),
            "first": PageValue(isFirstPage ? nil : address(state: state)), "hasPayments": .flag(!payments.isEmpty),
            "payments": PageValue(payments.map(payment)),
        ]
    }

    private var filters: [PageObject] {
        let all: PageObject = ["label": .text(language("portalEarnings.all")), "url": .text(address()), "current": .flag(state == nil)]
        return [all]
            + [Commission.State.pending, .held, .approved, .paid].map { one in
                ["label": .text(language("portalEarnings.only.\(one.rawValue)")), "url": .text(address(state: one)), "current": .flag(one == state)]
            }
    }

    private func address(state: Commission.State? = nil, after: CommissionID? = nil) -> String {
        var parts = unit.map { ["unit=\($0.code)"] } ?? []
        if let state { parts.append("state=\(state.rawValue)") }
        if let after { parts.append("startingAfter=\(after.text)") }
        return "/portal/earnings" + (parts.isEmpty ? "" : "?" + parts.joined(separator: "&")) + "#lines"
    }

    private func balanceModel(_ unit: UnitCode) -> PageObject {
        let balance = balance ?? MemberBalance(unit: unit)
        let (available, held, pending) = (max(0, balance.available.minor), balance.held.minor, balance.pending.minor)
        let whole = available + held + pending
        func part(_ minor: Int64) -> String { "\(Double(Share.ppm(minor, of: whole)) / 10_000)%" }
        func money(_ minor: Int64) -> PageValue { .text(language.money(minor, unit)) }
        return [
            "unit": .text(unit.code), "available": money(balance.available.minor), "held": money(held), "pending": money(pending),
            "figures": PageValue(figures(balance, unit)),
            "bar": whole > 0
                ? [
                    "label": .text(
                        language(
                            "portalEarnings.bar",
                            ["available": language.money(available, unit), "held": language.money(held, unit), "pending": language.money(pending, unit)])),
                    "available": .text(part(available)), "held": .text(part(held)), "heldFrom": .text(part(available)), "pending": .text(part(pending)),
                    "pendingFrom": .text(part(available + held)),
                ] : nil,
            "availableURL": .text(PortalFigure.available.url(unit)), "heldURL": .text(PortalFigure.held.url(unit)),
            "pendingURL": .text(PortalFigure.pending.url(unit)), "why": .text(language(held > 0 ? "portalEarnings.why.held" : "portalEarnings.why.pending")),
        ]
    }

    /// What is no part of what is to come: each opens its rows too.
    private func figures(_ balance: MemberBalance, _ unit: UnitCode) -> [PageObject] {
        [PortalFigure.inPayout, .paid, .debt].filter { $0 != .debt || balance.debt.minor > 0 }.map { figure in
            [
                "label": .text(language("portalFigure.title.\(figure.rawValue)")), "amount": .text(language.money(figure.amount(in: balance).minor, unit)),
                "url": .text(figure.url(unit)), "why": PageValue(figure == .debt ? language("portalFigure.why.debt") : nil),
            ]
        }
    }

    private func askingModel(_ asking: Asking) -> PageObject {
        let possible = asking.possible
        var values = [
            "amount": language.money(possible.amountMinor, possible.unit), "minimum": language.money(possible.minimumMinor, possible.unit),
            "missing": language.money(max(0, possible.minimumMinor - possible.amountMinor), possible.unit), "program": asking.program.name,
            "account": account?.ending ?? "",
        ]
        if let from = possible.usableFrom { values["day"] = language.day(from) }
        if let waiting = asking.waiting { values["amount"] = language.money(waiting.amountMinor, waiting.unit) }
        let key = possible.refusal.map { "portalEarnings.payout.\($0.rawValue)" } ?? "portalEarnings.payout.possible"
        return [
            "program": .text(asking.program.name), "text": .text(language(key, values)),
            "account": possible.refusal == .noAccount ? ["url": "/portal/profile#account", "label": .text(language("portalEarnings.payout.toAccount"))] : nil,
            "ask": possible.refusal == nil
                ? [
                    "csrfToken": .text(csrfToken), "programId": .text(asking.program.id.text), "unit": .text(possible.unit.code),
                    "label": .text(language("portalEarnings.payout.ask", values)),
                ] : nil,
            "cancel": PageValue(
                asking.waiting.map { waiting in
                    [
                        "action": .text("/portal/payout-requests/\(waiting.id.text)/cancellation"), "csrfToken": .text(csrfToken),
                        "label": .text(language("portalEarnings.payout.cancel")),
                    ]
                }),
        ]
    }

    private func payment(_ payment: PortalStore.Payment) -> PageObject {
        [
            "title": .text(language("portalEarnings.payment.\(payment.state.rawValue)")), "why": .text(language.day(payment.at)),
            "amount": .text(language.money(payment.amountMinor, payment.unit)), "reference": PageValue(payment.reference),
            "url": .text("/portal/payments/\(payment.id.text)"),
        ]
    }
}
