import Chronology
import Hummingbird
import Money
import Persistence
import Web

/// One payment to a member, or a request for one: what became of it, and the lines it is for.
enum PortalPayments {
    static let linesMax = 500

    static func add(to api: inout API, gate: PortalGate) {
        api.portalPage("/portal/payments/{id}", gate) { visit in try await show(visit) }
    }

    private static func show(_ visit: PortalVisit) async throws -> Response {
        let text = visit.context.parameters.get("id") ?? ""
        let (member, workspace, language) = (visit.member.id, visit.workspaceID, visit.language)
        let model = try await visit.installation.main.read { connection -> PortalPaymentModel? in
            let found =
                if let id = PayoutID(text) {
                    try PortalStore.payment(id, of: member, in: workspace, on: connection)
                } else if let id = PayoutRequestID(text) {
                    try PortalStore.request(id, of: member, in: workspace, on: connection)
                } else {
                    PortalStore.PaymentFacts?.none
                }
            guard let found else { return nil }
            return PortalPaymentModel(
                facts: found, lines: try PortalStore.lines(of: member, in: found.origin, limit: linesMax, on: connection), now: visit.now,
                language: language)
        }
        guard let model else { throw Problem.notFound() }
        return try visit.page("portal-payment", title: model.title, tab: .earnings, model.page)
    }
}

struct PortalPaymentModel: PageModel {
    var facts: PortalStore.PaymentFacts
    var lines: [PortalStore.Line]
    var now: Instant
    var language: PageLanguage

    var title: String { language("portalPayment.title", ["amount": language.money(facts.amountMinor, facts.unit)]) }

    var page: PageObject {
        [
            "title": .text(title), "state": ["tone": .text(tone), "label": .text(language("portalEarnings.payment.\(facts.state)"))],
            "backURL": .text("/portal/earnings?unit=\(facts.unit.code)"), "events": PageValue(events), "reference": PageValue(facts.reference),
            "statementURL": facts.settledAt.map { .text(PortalStatements.url(from: facts.createdAt, until: $0, zone: language.zone)) } ?? .nothing,
            "hasLines": .flag(!lines.isEmpty), "lines": PageValue(lines.map { PortalLine(line: $0, now: now, language: language).page }),
            "rest": rest,
        ]
    }

    private var tone: String {
        switch facts.state {
        case "paid": "good"
        case "failed", "unknown": "warn"
        default: ""
        }
    }

    private var events: [PageObject] {
        var rows: [PageObject] = []
        func add(_ key: String, _ at: Instant?) {
            if let at { rows.append(["what": .text(language("portalPayment.event.\(key)")), "at": language.time(at)]) }
        }
        add("asked", facts.askedAt)
        add("setAside", facts.createdAt)
        add("sent", facts.sentAt)
        add(facts.state == "paid" ? "paid" : "settled", facts.settledAt)
        return rows
    }

    /// What the lines do not come to: runs of a plan, or what was set off.
    private var rest: PageValue {
        let minor = facts.amountMinor.subtractingReportingOverflow(lines.reduce(0) { $0 &+ $1.keptMinor }).partialValue
        guard !lines.isEmpty || facts.isLive, minor != 0, lines.count < PortalPayments.linesMax else { return .nothing }
        return ["label": .text(language(minor > 0 ? "portalPayment.restMore" : "portalPayment.restLess")), "amount": .text(language.money(minor, facts.unit))]
    }
}

extension PortalStore {
    struct PaymentFacts: Sendable {
        enum Origin: Sendable {
            case payout(PayoutID)
            case request(PayoutRequestID)
        }

        var origin: Origin
        var unit: UnitCode
        var amountMinor: Int64
        /// A state of an item of a payout.
        var state: String
        var reference: String?
        var askedAt: Instant?
        var createdAt: Instant
        var sentAt: Instant?
        var settledAt: Instant?

        /// Whether its lines are still in it.
        var isLive: Bool { state != "failed" && state != "canceled" }
    }

    static func payment(_ id: PayoutID, of member: MemberID, in workspace: WorkspaceID, on connection: any Connection) throws -> PaymentFacts? {
        let asked: Instant? = try connection.row(
            "SELECT requested_at FROM payout_request WHERE payout_id = \(id) AND member_id = \(member) ORDER BY id LIMIT 1")?.get(at: 0)
        return try connection.row(
            """
            SELECT p.unit, i.amount, i.state, i.reference, p.created_at, p.sent_at, i.settled_at
            FROM payout p JOIN payout_item i ON i.payout_id = p.id
            WHERE p.id = \(id) AND p.workspace_id = \(workspace) AND i.member_id = \(member)
            """
        ).map { row in
            let unit: String = try row.get(at: 0)
            return PaymentFacts(
                origin: .payout(id), unit: try UnitCode(unit), amountMinor: try row.get(at: 1), state: try row.get(at: 2), reference: try row.get(at: 3),
                askedAt: asked, createdAt: try row.get(at: 4), sentAt: try row.get(at: 5), settledAt: try row.get(at: 6))
        }
    }

    /// A request; one that was taken into a payout is shown as that.
    static func request(_ id: PayoutRequestID, of member: MemberID, in workspace: WorkspaceID, on connection: any Connection) throws -> PaymentFacts? {
        guard let request = try PayoutRequestStore.find(id, in: workspace, on: connection), request.memberID == member else { return nil }
        if let payout = request.payoutID { return try payment(payout, of: member, in: workspace, on: connection) }
        return PaymentFacts(
            origin: .request(id), unit: request.unit, amountMinor: request.amountMinor, state: request.state == .canceled ? "canceled" : "waiting",
            askedAt: request.requestedAt, createdAt: request.requestedAt, settledAt: request.settledAt)
    }

    static func lines(of member: MemberID, in origin: PaymentFacts.Origin, limit: Int, on connection: any Connection) throws -> [Line] {
        let ids: [CommissionID] =
            switch origin {
            case .payout(let id):
                try connection.rows(
                    "SELECT commission_id FROM payout_commission WHERE payout_id = \(id) AND member_id = \(member) ORDER BY commission_id DESC LIMIT \(limit)"
                ).map { try $0.get(at: 0) }
            case .request(let id):
                try connection.rows(
                    "SELECT commission_id FROM payout_request_commission WHERE request_id = \(id) ORDER BY commission_id DESC LIMIT \(limit)"
                ).map { try $0.get(at: 0) }
            }
        return try lines(of: member, LineFilter(ids: ids), limit: limit, on: connection)
    }
}
