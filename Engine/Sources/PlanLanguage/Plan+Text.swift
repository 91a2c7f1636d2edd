import Chronology
public import Compensation
import Money

extension Plan {
    /// Reads a plan from YAML or JSON. `zones` gives the offsets of a time zone by its IANA name, nil for an unknown one.
    /// Throws everything that is wrong, with line and column.
    public init(text: String, zones: (String) -> ZoneOffsets? = ZoneOffsets.system) throws(PlanTextFailure) {
        let root = try PlanNodeReader.read(text)
        var reading = Reading(rankCodes: (root.child("ranks")?.items ?? []).compactMap { $0.child("rank")?.text })
        let parts = Grammar.standard.plan.read(root, &reading)
        guard var plan = parts?.plan, let parts, reading.problems.isEmpty else { throw PlanTextFailure(inOrder: reading.problems) }
        if let unit = try? UnitCode(parts.unit) {
            plan.unit = unit
        } else {
            reading.contradict(root.child("unit") ?? root, "there is no currency “\(parts.unit)” in ISO 4217")
        }
        if let zone = parts.calendar.zone == "UTC" ? .utc : zones(parts.calendar.zone) {
            plan.calendar = PlanCalendar(length: parts.calendar.length, zone: zone, orderTime: parts.calendar.orderTime)
        } else {
            reading.contradict(root.child("calendar")?.child("zone") ?? root, "there is no time zone “\(parts.calendar.zone)”")
        }
        MeaningCheck(root: root).run(plan, &reading)
        guard reading.problems.isEmpty else { throw PlanTextFailure(inOrder: reading.problems) }
        self = plan
    }

    /// The plan as JSON with its keys in the language's order and defaults left out: equal plans have equal bytes.
    public var canonicalJSON: String { json.compact }

    /// The plan as JSON for people, which is YAML too.
    public var prettyJSON: String { json.pretty }

    private var json: PlanJSON {
        let parts = PlanParts(
            plan: self, unit: unit.code,
            calendar: CalendarParts(length: calendar.length, zone: calendar.zone.name, orderTime: calendar.orderTime))
        return Grammar.standard.plan.write(parts, Writing(rankCodes: ranks.map(\.code))) ?? .object([])
    }
}

/// The JSON Schema (2020-12) of plans: exactly what `Plan(text:)` takes, apart from what names refer to.
public func planSchema() -> String { schemaValue().pretty }

func schemaValue() -> PlanJSON {
    var schema = PlanJSON.object(
        ("$schema", .text("https://json-schema.org/draft/2020-12/schema")),
        ("$id", .text("https://kith.invalid/schemas/plan-1.json")),
        ("title", .text("Compensation plan")),
        ("description", .text("A plan of the Kith compensation engine. Amounts and volumes are whole minor units (keys end in Minor), rates are texts such as 5% or 0.05.")))
    if case .object(let members) = Grammar.standard.plan.schema { for member in members { schema = schema.adding(member.key, member.value) } }
    let definitions = Grammar.standard.definitions.map { PlanJSONMember(key: $0.name, value: $0.schema) }
    return schema.adding("$defs", .object(definitions))
}

extension PlanTextFailure {
    init(inOrder problems: [PlanTextProblem]) {
        self.init(problems: problems.enumerated().sorted { ($0.element.line, $0.element.column, $0.offset) < ($1.element.line, $1.element.column, $1.offset) }.map(\.element))
    }
}
