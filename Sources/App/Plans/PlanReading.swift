import Compensation
import Money
import Persistence
import PlanLanguage
import Web

/// Plans as texts and as what the engine computes.
enum PlanReading {
    private static let known = Memo<String, Compensation.Plan>(limit: 200)

    /// The plan of a text as canonical JSON. A plan pays in its program's currency, and its periods are the program's local days.
    /// - Throws: a `Problem` with every mistake, its line and what is allowed.
    static func canonical(_ text: String, for program: Program) throws -> String { try read(text, for: program).canonicalJSON }

    /// A stored plan. It keeps the time zone that its program had when it was written: past periods never shift.
    static func plan(canonical: String) throws -> Compensation.Plan {
        try known.value(canonical) {
            do {
                return try Compensation.Plan(text: canonical)
            } catch {
                throw DatabaseFailure(.corrupt, "a stored plan can't be read: \(error)")
            }
        }
    }

    /// A plan that is only tried out.
    static func read(_ text: String, for program: Program) throws -> Compensation.Plan {
        var plan: Compensation.Plan
        do {
            plan = try Compensation.Plan(text: text)
        } catch {
            throw Problem.unprocessable(
                code: "plan_refused", detail: "The plan can't be taken: \(error.problems.first.map { "\($0)" } ?? "it is empty").",
                errors: error.problems.map { FieldError(field: $0.path.isEmpty ? "document" : "document.\($0.path)", message: "\($0)") })
        }
        guard plan.unit.code == program.currency else {
            throw Refusal.field("document.unit", "Must be \(program.currency), the currency of the program.", code: "plan_refused")
        }
        guard plan.calendar.zone == .utc || plan.calendar.zone.name == program.zone.name else {
            throw Refusal.field("document.calendar.zone", "Must be \(program.zone.name), the time zone of the program, or left out.", code: "plan_refused")
        }
        guard let zone = ZoneOffsets.system(program.zone.name) else {
            throw Refusal.field("document.calendar.zone", "The zone data has no \(program.zone.name).", code: "plan_refused")
        }
        plan.calendar.zone = zone
        return plan
    }
}
