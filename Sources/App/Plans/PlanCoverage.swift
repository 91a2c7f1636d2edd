import Chronology
import Compensation
import Money
import Persistence
import Rules
import Web

/// The plan that pays a sale, in programs whose rules leave such sales alone (`planExcludesRules`).
enum PlanCoverage {
    /// Plans of a program that are looked at.
    private static let plansMax = 100

    /// A plan of the program covers a sale in its currency when a version of it is in force for the period that holds the sale.
    static func plan(covering facts: SaleFacts, of program: Program, on connection: any Connection) throws -> ProgramPlan? {
        guard facts.event == .sale, facts.currency.code == program.currency else { return nil }
        return try plan(coveringSalesAt: facts.occurredAt, of: program, on: connection)
    }

    static func plan(coveringSalesAt instant: Instant, of program: Program, on connection: any Connection) throws -> ProgramPlan? {
        guard program.settings.planExcludesRules else { return nil }
        let plans = try PlanStore.list(in: program.workspaceID, program: program.id, after: nil, limit: plansMax, on: connection)
        for plan in plans {
            let calendar = try plan.plan(for: program).calendar
            let zone = Zone(calendar.zone.name) ?? program.zone
            let period = try calendar.period(containing: zone.day(of: instant))
            let covering = try PlanStore.inForce(plan.id, at: zone.start(of: period.start), in: program.workspaceID, on: connection)
            if let covering { return covering }
        }
        return nil
    }
}

extension Rule {
    func planRefusal(_ plan: ProgramPlan) -> JSONValue {
        [
            "ruleId": .text(id.text), "version": .integer(Int64(terms.version)), "rule": .text(name), "memberId": .null,
            "reason": "planCovers", "planId": .text(plan.id.text), "planVersion": .integer(Int64(plan.version)), "plan": .text(plan.name),
        ]
    }
}
