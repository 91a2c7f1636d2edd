import Chronology
import Compensation
import Money

/// The shapes that several parts of the language share.
struct Grammar {
    let condition: Shape<Condition>
    let metric: Shape<Metric>
    let definitions: [(name: String, schema: PlanJSON)]
    let plan: Shape<PlanParts>

    // Made once and never changed; its closures read only their arguments, so any task may call them.
    nonisolated(unsafe) static let standard = Grammar()

    private init() {
        let conditions = ConditionGrammar()
        condition = conditions.reference
        metric = conditions.metricReference
        let bonuses = BonusGrammar(condition: conditions.reference, metric: conditions.metricReference)
        plan = PlanGrammar(condition: conditions.reference, bonus: bonuses.bonus).plan
        definitions = [
            ("condition", conditions.conditionSchema), ("metric", conditions.metricSchema), ("bonus", bonuses.bonusSchema),
            ("orders", bonuses.ordersSchema), ("compression", bonuses.compressionSchema), ("rate", rateShape.schema),
        ]
    }
}

func reference(_ name: String) -> PlanJSON { .object(("$ref", .text("#/$defs/" + name))) }

extension Shape {
    /// The same, written in the schema once.
    func named(_ name: String) -> Shape {
        var shape = self
        shape.schema = reference(name)
        return shape
    }
}

let amountRange: ClosedRange<Int64> = 0...FactsBuilder.volumeLimit
let boundRange: ClosedRange<Int64> = (-FactsBuilder.volumeLimit)...FactsBuilder.volumeLimit
var amountShape: Shape<Int64> { integer(amountRange) }
var boundShape: Shape<Int64> { integer(boundRange) }
var rate: Shape<Rate> { rateShape.named("rate") }
var treeShape: Shape<TreeCode> { mapped(codeShape, to: { TreeCode($0) }, from: { $0.code }) }
var volumeShape: Shape<Volume> { choice(Volume.allCases) { $0.code } }

func slabs(_ about: String) -> Shape<[Slab]> {
    struct Parts {
        var slab: Slab
    }
    let one = record(
        Parts(slab: Slab(fromMinor: 0, rate: .zero)),
        [
            required("fromMinor", \Parts.slab.fromMinor, boundShape, "Where the slab starts, this value included, in minor units."),
            required("rate", \Parts.slab.rate, rate, about),
        ])
    return list(mapped(one, to: { $0.slab }, from: { Parts(slab: $0) }), 1...100)
}
