import Chronology
import Money
import Persistence
import Testing
import TestSupport
import Web

@testable import App

/// The statements of the hot paths search an index; none reads a table from end to end.
@Suite struct QueryPlanTests {
    @Test func hotStatementsSearch() async throws {
        try await AppHarness.with(.sqlite) { app in
            let workspace = app.twinID
            let known = try await app.program()
            let now = AppHarness.start
            let main = try await app.installation.main.read { connection -> [String] in
                let plans = ExplainingConnection(connection)
                let member = MemberID(stored: "mem_x")
                let customer = CustomerID(stored: "cus_x")
                let program = ProgramID(stored: "prog_x")
                _ = try LinkStore.find(host: "", folded: "anna", on: plans)
                _ = try LinkStore.find(code: "anna", in: workspace, on: plans)
                _ = try LinkStore.list(in: workspace, program: nil, member: nil, after: nil, limit: 10, on: plans)
                _ = try APIKeyStore.find(hash: [1], on: plans)
                _ = try SaleStore.find(invoice: "inv", in: workspace, on: plans)
                _ = try SaleStore.count(of: customer, in: program, on: plans)
                _ = try SaleStore.firstSaleAt(of: customer, in: program, on: plans)
                _ = try CommissionStore.due(in: workspace, at: now, limit: 10, on: plans)
                _ = try CommissionStore.of(sale: SaleID(stored: "sale_x"), on: plans)
                _ = try RewardStore.of(sale: SaleID(stored: "sale_x"), on: plans)
                _ = try RewardStore.due(in: workspace, at: now, limit: 10, on: plans)
                _ = try RewardStore.list(in: workspace, RewardStore.Filter(), after: nil, limit: 10, on: plans)
                _ = try CouponCodeStore.find(folded: "anna", in: workspace, on: plans)
                _ = try CouponCodeStore.expired(in: workspace, at: now, limit: 10, on: plans)
                _ = try SaleStore.hasAny(of: customer, on: plans)
                _ = try CommissionStore.list(in: workspace, CommissionStore.Filter(), after: nil, limit: 10, on: plans)
                _ = try TouchStore.of(customer, on: plans)
                _ = try CustomerStore.find(externalHash: [1], in: workspace, on: plans)
                _ = try CustomerStore.visitors(of: customer, on: plans)
                _ = try BindingStore.latest(at: AppHarness.start, program: program, customer: customer, on: plans)
                _ = try BindingStore.newest(of: customer, on: plans)
                _ = try BindingStore.history(program: program, customer: customer, on: plans)
                _ = try RuleStore.all(of: program, on: plans)
                _ = try GroupStore.keys(of: [member], in: program, at: now, on: plans)
                _ = try GroupStore.list(in: program, on: plans)
                _ = try RefundStore.find("r", in: workspace, on: plans)
                _ = try RefundStore.of(sale: SaleID(stored: "sale_x"), on: plans)
                _ = try RefundStore.parked(invoice: "inv", in: workspace, on: plans)
                _ = try MemberStore.find(externalHash: [1], in: workspace, on: plans)
                _ = try MemberStore.enrollers(above: member, limit: 5, on: plans)
                _ = try MemberStore.recruits(below: member, depth: 3, limit: 10, on: plans)
                _ = try MemberStore.sameMailbox(as: PersonID(stored: "per_x"), in: workspace, on: plans)
                _ = try ProgramStore.nextChange(of: program, after: now, on: plans)
                _ = try ProgramStore.find(program, in: workspace, at: now, on: plans)
                if let key = try? IdempotencyKey("k") { _ = try IdempotencyRows.find(workspace, "POST /x", key, input: InputHash(stored: [1]), vault: app.installation.vault, on: plans) }
                _ = try EventStore.list(in: workspace, afterSequence: 7, limit: 10, on: plans)
                _ = try EventStore.lastSequence(in: workspace, on: plans)
                _ = try InsightCursorStore.events(in: workspace, after: 7, limit: 10, on: plans)
                _ = try InsightFactStore.refunds(of: "sale_x", on: plans)
                let person = PersonID(stored: "per_x")
                _ = try SurveyStore.due(in: workspace, at: now, on: plans)
                _ = try SurveyAskStore.wasAsked(person, after: now, on: plans)
                _ = try SurveyAskStore.open(of: member, after: now, on: plans)
                _ = try SurveyAnswerStore.isWaitedFor(person, on: plans)
                _ = try SurveyAnswerStore.help(for: person, on: plans)
                for when in Survey.When.allCases {
                    let survey = Survey(
                        id: SurveyID(stored: "svy_x"), workspaceID: workspace, programID: program, kind: .csat, question: "?", places: [.mail], when: when,
                        afterDays: 7, restDays: 90, supportURL: "", createdAt: now)
                    _ = try SurveyStore.candidates(of: survey, SurveyStore.Through(at: now, id: ""), at: now, limit: 10, on: plans)
                }
                _ = try InsightFactStore.firstSales(of: "cus_x", recordedBefore: now, on: plans)
                _ = try InsightFactStore.customers(in: workspace, since: now, limit: 10, on: plans)
                _ = try CostStore.find(reference: "ad-1", in: workspace, on: plans)
                _ = try CostStore.latest(in: workspace, limit: 10, on: plans)
                _ = try WebhookDeliveryStore.due(WebhookID(stored: "wh_x"), at: now, limit: 10, on: plans)
                _ = try WebhookDeliveryStore.endpointsDue(at: now, limit: 10, limitOfWorkspace: 5, on: plans)
                _ = try WalletLotStore.due(in: workspace, at: now, limit: 10, on: plans)
                _ = try WalletLotStore.take(1, member: member, unit: .points, on: plans)
                _ = try WalletLotStore.lapse(member: member, unit: .points, at: now, on: plans)
                _ = try WalletLotStore.restore(upTo: 1, cause: "com_x", on: plans)
                _ = try WalletMovementStore.of(member, before: nil, limit: 10, on: plans)
                _ = try SpendStore.redemptions(of: member, limit: 10, on: plans)
                let coupon = CouponID(stored: "cpn_x")
                _ = try CouponReservationStore.others(of: coupon, besides: (CouponCodeID(stored: "cpc_x"), "inv"), at: now, on: plans)
                _ = try CouponReservationStore.others(of: CouponCodeID(stored: "cpc_x"), besides: "inv", at: now, on: plans)
                _ = try CouponReservationStore.last(of: CouponCodeID(stored: "cpc_x"), at: now, on: plans)
                _ = try CodeSyncStore.remoteUses(of: CouponCodeID(stored: "cpc_x"), on: plans)
                _ = try WalletMovementStore.given(member, .points, subject: "pty_x", on: plans)
                _ = try CouponCodeStore.told(of: CouponCodeID(stored: "cpc_x"), on: plans)
                _ = try CouponCodeStore.uses(of: SaleID(stored: "sale_x"), on: plans)
                _ = try CouponStore.watched(in: workspace, on: plans)
                _ = try CodeSyncStore.looks(at: now, limit: 10, on: plans)
                _ = try CodeSyncStore.due(at: now, limit: 10, on: plans)
                _ = try CodeSyncStore.made(of: coupon, .stripe, after: "", limit: 10, on: plans)
                _ = try FriendEligibilityStore.hasCounted(customer, in: program, besides: nil, on: plans)
                _ = try FriendEligibilityStore.sharesHousehold(customer, with: [member], on: plans)
                _ = try ProgramBudgetStore.used(program, "2026-11", on: plans)
                _ = try WidgetStore.friends(of: member, on: plans)
                let experiment = ExperimentID(stored: "exp_x")
                _ = try ExperimentStore.find(experiment, in: workspace, on: plans)
                _ = try ExperimentStore.active(kind: .offer, program: program, on: plans)
                _ = try ExperimentStore.begun(kinds: FriendTrial.kinds, program: program, on: plans)
                _ = try ExposureStore.find([1], of: experiment, on: plans)
                _ = try ExposureStore.sales(of: experiment, in: workspace, on: plans)
                _ = try ExposureStore.visitorSales(in: workspace, since: now, on: plans)
                _ = try RailCallStore.due(at: now, limit: 10, on: plans)
                _ = try RailLineStore.payment(RailLineID(stored: "pln_x"), in: workspace, on: plans)
                _ = try WebhookDeliveryStore.list(of: WebhookID(stored: "wh_x"), state: .failed, before: nil, limit: 10, on: plans)
                return plans.scans
            }
            #expect(main == [])
            // What is asked about a few members or customers never reads all sales of a program, nor all lookups of a workspace.
            let wide = try await app.installation.main.read { connection -> [String] in
                let plans = ExplainingConnection(connection)
                let program = try #require(try ProgramStore.find(ProgramID(stored: known), in: workspace, at: now, on: connection))
                _ = try CreditStore.totals(of: [MemberID(stored: "mem_x"), MemberID(stored: "mem_y")], in: program, on: plans)
                _ = try FactsStore.firstCredits(
                    of: (0..<500).map { "cus_\($0)" }, in: program, before: now, recordedUntil: now, on: plans)
                _ = try StandingStore.value(.referrals, of: MemberID(stored: "mem_x"), in: program, since: now, before: now, on: plans)
                _ = try StandingStore.value(.points, of: MemberID(stored: "mem_x"), in: program, since: now, before: now, on: plans)
                let whole = plans.steps.filter { $0.contains("INDEX sale_program") }
                try FactsStore.membersBehindCustomers(of: program, from: now, until: now, on: plans) { _, _ in }
                return whole + plans.steps.filter { $0.contains("person_lookup") && !$0.contains("hash=?") && !$0.contains("person_id=?") }
            }
            #expect(wide == [])
            let clicks = try await app.installation.clicks.read { connection -> [String] in
                let plans = ExplainingConnection(connection)
                _ = try ClickStore.find(ClickID(stored: "clk_x"), in: workspace, on: plans)
                _ = try ClickStore.of(visitors: ["v", "w"], in: workspace, since: now, limit: 10, on: plans)
                return plans.scans
            }
            #expect(clicks == [])
        }
    }
}

/// Asks SQLite how it would run each query before it runs.
final class ExplainingConnection: Connection {
    private let inner: any Connection
    /// The statements that read a table from end to end, with what SQLite said.
    private(set) var scans: [String] = []
    /// What SQLite said of every table that a statement reads.
    private(set) var steps: [String] = []

    init(_ inner: any Connection) { self.inner = inner }

    var dialect: Dialect { inner.dialect }

    func rows(_ sql: SQL) throws -> [Row] {
        for step in try inner.rows("EXPLAIN QUERY PLAN \(sql: sql)") {
            let detail: String = try step.get("detail")
            steps.append(detail)
            // A recursive table, a subquery's result or one row of constants is no table.
            if detail.hasPrefix("SCAN"), !["below", "above", "CONSTANT", "(subquery", " parts", " due", " payable", " ready", " placed", " found"].contains(where: { detail.contains($0) }) {
                scans.append("\(detail): \(sql.text)")
            }
        }
        return try inner.rows(sql)
    }

    func execute(_ sql: SQL) throws -> Int { try inner.execute(sql) }
    func executeLater(_ sql: SQL) throws { try inner.executeLater(sql) }
    func executeAll(_ statements: [SQL]) throws -> [Int] { try inner.executeAll(statements) }
    func rowsOfAll(_ queries: [SQL]) throws -> [[Row]] { try queries.map(rows) }
    func executeScript(_ text: String) throws { try inner.executeScript(text) }
    func forEachRow(_ sql: SQL, _ body: (Row) throws -> Void) throws { for row in try rows(sql) { try body(row) } }
    func savepoint<T>(_ body: () throws -> T) throws -> T { try inner.savepoint(body) }
}
