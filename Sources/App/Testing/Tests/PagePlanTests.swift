import Chronology
import Persistence
import TestSupport
import Testing

@testable import App

/// What pages ask while people type and open them searches an index, however many rows there are.
@Suite struct PagePlanTests {
    @Test func pagesSearch() async throws {
        try await AppHarness.with(.sqlite) { app in
            let workspace = app.twinID
            let now = AppHarness.start
            let owner = app.workspace.ownerID
            let scans = try await app.installation.main.read { connection -> [String] in
                let plans = ExplainingConnection(connection)
                let member = MemberID(stored: "mem_x")
                let customer = CustomerID(stored: "cus_x")
                let program = ProgramID(stored: "prog_x")
                let rule = RuleID(stored: "rule_x")
                _ = try SearchStore.sales("inv", in: workspace, limit: 10, on: plans)
                _ = try NameIndexStore.people([[1], [2]], limit: 10, on: plans)
                _ = try NameIndexStore.waiting(in: workspace, limit: 10, on: plans)
                _ = try NameIndexStore.members([PersonID(stored: "per_x")], on: plans)
                _ = try NameIndexStore.customers([PersonID(stored: "per_x")], on: plans)
                _ = try SearchStore.links("anna", in: workspace, limit: 10, on: plans)
                _ = try CustomerPageStore.newest(in: workspace, ids: nil, before: customer, limit: 10, on: plans)
                _ = try CustomerPageStore.sums(of: [customer], on: plans)
                _ = try CustomerPageStore.customers(emailHash: [1], in: workspace, on: plans)
                _ = try CustomerPageStore.touches(of: customer, limit: 10, on: plans)
                _ = try CustomerPageStore.leads(of: customer, in: workspace, limit: 10, on: plans)
                _ = try CustomerPageStore.assignments(of: customer, in: workspace, limit: 10, on: plans)
                _ = try MemberPageStore.payouts(of: member, limit: 10, on: plans)
                _ = try MemberMergeStore.alike(member, limit: 10, on: plans)
                _ = try MemberMergeStore.of(member, limit: 10, on: plans)
                _ = try MemberMergeStore.links(of: member, limit: 10, on: plans)
                _ = try MemberMergeStore.customers(of: member, limit: 10, on: plans)
                _ = try MemberMergeStore.pairs(in: workspace, limit: 10, on: plans)
                _ = try PastFactsStore.sales(["sale_x"], on: plans)
                _ = try PastFactsStore.buyers(behind: [customer], on: plans)
                _ = try PastFactsStore.code(of: "sale_x", customer: customer, on: plans)
                _ = try PastFactsStore.given(by: rule, in: workspace, since: now, on: plans)
                _ = try RuleStore.versions(of: rule, limit: 10, on: plans)
                _ = try GuideStore.state(of: workspace, on: plans)
                _ = try GuideStore.events(in: workspace, types: GuidePages.listened, limit: 8, on: plans)
                _ = try OverviewNeedsStore.money(in: workspace, at: now, currency: "EUR", maker: owner, on: plans)
                _ = try TeamStore.sessions(of: owner, in: workspace, at: now, on: plans)
                _ = try APIKeyStore.lastUses(in: workspace, on: plans)
                return plans.scans
            }
            #expect(scans == [])
        }
    }
}
