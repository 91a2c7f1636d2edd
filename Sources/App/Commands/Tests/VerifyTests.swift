import Persistence
import TestSupport
import Testing

@testable import App

@Suite struct VerifyTests {
    /// What is broken, how it is mended, and what must be found.
    private static let faults: [(kind: String, plant: SQL, mend: SQL)] = [
        ("commissionNotPosted", "UPDATE commission SET amount = amount + 1 WHERE level = 1", "UPDATE commission SET amount = amount - 1 WHERE level = 1"),
        (
            "balanceNotCommissions", "UPDATE commission SET state = 'held' WHERE state = 'pending'",
            "UPDATE commission SET state = 'pending' WHERE state = 'held'"
        ),
        ("refundedAmountWrong", "UPDATE sale SET refunded_amount = refunded_amount + 1", "UPDATE sale SET refunded_amount = refunded_amount - 1"),
        ("capUsageWrong", "UPDATE cap_usage SET used_amount = used_amount + 1", "UPDATE cap_usage SET used_amount = used_amount - 1"),
        ("linkClicksWrong", "UPDATE link SET clicks_logged = clicks_logged + 1", "UPDATE link SET clicks_logged = clicks_logged - 1"),
        ("receiptMissing", "UPDATE sale SET refusals = 'x' || refusals", "UPDATE sale SET refusals = substr(refusals, 2)"),
        (
            "sharesNotWhole", "UPDATE sale SET attribution = replace(attribution, '1000000', '1000001')",
            "UPDATE sale SET attribution = replace(attribution, '1000001', '1000000')"
        ),
        (
            "erasedPersonHasKey", "UPDATE person SET erased_at = 1 WHERE erased_at IS NULL", "UPDATE person SET erased_at = NULL WHERE erased_at = 1"
        ),
        ("balanceWrong", "UPDATE account SET balance = balance - 1 WHERE balance < 0", "UPDATE account SET balance = balance + 1 WHERE balance < -1"),
        ("auditChainBroken", "UPDATE audit_entry SET actor = actor || 'x'", "UPDATE audit_entry SET actor = substr(actor, 1, length(actor) - 1)"),
    ]

    @Test(arguments: Engine.allCases)
    func namesWhatIsWrong(_ engine: Engine) async throws {
        try await AppHarness.with(engine) { app in
            _ = try await app.someHistory()
            func kinds() async throws -> Set<String> {
                Set(try await Verification.run(main: app.installation.main, clicks: app.installation.clicks, keys: app.installation.keys).findings.map(\.kind))
            }
            #expect(try await kinds() == [])
            for fault in Self.faults {
                try await app.installation.main.write { connection in try connection.execute(fault.plant) }
                #expect(try await kinds().contains(fault.kind), "\(fault.kind)")
                try await app.installation.main.write { connection in try connection.execute(fault.mend) }
                #expect(try await kinds() == [], "\(fault.kind) is mended")
            }
        }
    }
}
