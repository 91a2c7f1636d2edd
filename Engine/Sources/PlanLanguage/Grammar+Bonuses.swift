import Compensation
import Money

/// Bonuses and what they share.
struct BonusGrammar {
    let bonus: Shape<Bonus>
    let bonusSchema: PlanJSON
    let ordersSchema: PlanJSON
    let compressionSchema: PlanJSON

    init(condition: Shape<Condition>, metric: Shape<Metric>) {
        let filter = Self.orders
        ordersSchema = filter.schema
        let orders = filter.named("orders")
        let compressions = Self.compression(condition)
        compressionSchema = compressions.schema
        let common = Self.common(condition, orders)
        let rules = RuleGrammar(condition: condition, metric: metric, orders: orders, compression: compressions.named("compression")).rules
        let names = common.map(\.name)
        let shape = Shape<Bonus>(
            schema: .object(
                ("oneOf", .list(rules.map { taggedSchema("type", $0.name, $0.about, common.map(\.description) + $0.fields) }))),
            read: { node, reading in
                guard let entries = node.entries else {
                    reading.refuse(node, "expected an object with “bonus” and “type”, found \(node.kind)")
                    return nil
                }
                guard let variant = chosen("type", rules, node, &reading) else { return nil }
                let own = Set(names)
                let rule = variant.read(entries.filter { !own.contains($0.key) }, node, ["type"], &reading)
                let initial = Bonus(code: "", rule: rule ?? .milestone(MilestoneRule(condition: .never, amountMinor: 0)))
                let shared = readFields(entries.filter { own.contains($0.key) }, node, initial, common, other: [], &reading)
                return rule == nil ? nil : shared
            },
            write: { bonus, writing in
                for variant in rules {
                    guard let members = variant.write(bonus.rule, writing) else { continue }
                    let shared = writeFields(bonus, common, writing)
                    let type = PlanJSONMember(key: "type", value: .text(variant.name))
                    return .object(shared.prefix(1) + [type] + members + shared.dropFirst())
                }
                return nil
            })
        bonusSchema = shape.schema
        bonus = shape.named("bonus")
    }

    private static func common(_ condition: Shape<Condition>, _ orders: Shape<OrderFilter>) -> [Field<Bonus>] {
        struct Commission {
            var code: String
        }
        let words: [(String, BonusBase)] = [("cv", .volume(.commission)), ("qv", .volume(.qualifying)), ("amount", .volume(.amount))]
        let base = word(
            words,
            or: mapped(
                record(Commission(code: ""), [required("commissionOf", \Commission.code, codeShape, "What this earlier bonus paid on the order, rounded, before caps.")]),
                to: { BonusBase.commission(of: $0.code) },
                from: { if case .commission(let code) = $0 { Commission(code: code) } else { nil } }))
        let marks = record(
            OrderMark(tag: ""),
            [
                required("tag", \OrderMark.tag, codeShape, "The tag's name."),
                optional("orders", \OrderMark.scope, choice(OrderMark.Scope.allCases) { $0.code }, standard: .everyOrder, "Every order that the bonus takes, or only those that it paid."),
            ])
        return [
            required("bonus", \.code, codeShape, "The bonus's name, unique in the plan; it stands in lines and files."),
            optional("eligibility", \.eligibility, condition, standard: .active, "Who may earn it. Customers never do."),
            optional("base", \.base, base, standard: .volume(.commission), "What rates multiply."),
            optional("tree", \.tree, treeShape, standard: .enroller, "Where levels and legs are counted: `enroller`, `placement`, or a placement tree of the plan's own."),
            optional("orders", \.orders, orders, standard: OrderFilter(), isNothing: true, "Which orders count; missing: all."),
            optional("roundingScope", \.roundingScope, choice(RoundingScope.allCases) { $0.code }, standard: .order, "One rounding per payee, bonus and order (or other event), or per payee, bonus and period."),
            optional("rounding", \.rounding, choice(RoundingMode.allCases) { $0.code }, standard: .halfEven, "How halves are rounded; `halfUp` goes away from zero, `down` towards it."),
            optional("cap", \.capMinor, byRank("amountMinor", amountShape, filler: 0, startsAtNone: true, "The most, in minor units."), standard: [], isNothing: true, "The most one person earns from it in a period, by paid-as rank; missing: no cap. What is above is cut pro rata over the lines."),
            optional("marks", \.marks, marks, "Orders that this bonus takes get a tag that later bonuses may skip."),
            optional("skipsTags", \.skipsTags, distinct(codeShape, 1...OrderMark.tagsLimit) { $0 }, standard: [], isNothing: true, "Orders with one of these tags are left alone."),
            optional("refunds", \.refunds, choice(RefundTreatment.allCases) { $0.code }, "What a refund of an order of an earlier period does; missing: `debit` for bonuses with lines of orders, `volume` for the others."),
            optional("rankBasis", \.rankBasis, choice(RankBasis.allCases) { $0.code }, standard: .paidAs, "Which rank the rates read: paid-as, or the highest ever."),
        ]
    }

    private static var orders: Shape<OrderFilter> {
        record(
            OrderFilter(),
            [
                optional("buyer", \.buyer, choice(MemberKind.allCases) { $0.code }, "Only orders of this kind of buyer; missing: both."),
                optional("products", \.products, distinct(wordShape, 1...10_000) { $0 }, standard: [], isNothing: true, "Only these products (`sku`); missing: all."),
                optional("excludedProducts", \.excludedProducts, distinct(wordShape, 1...10_000) { $0 }, standard: [], isNothing: true, "All products but these."),
                optional("turn", \.turn, choice(OrderFilter.Turn.allCases) { $0.code }, standard: .any, "The buyer's first order ever, or a later one."),
                optional("fromMinor", \.fromMinor, boundShape, "Order money from this on, in minor units."),
                optional("belowMinor", \.belowMinor, boundShape, "Order money below this, in minor units."),
            ])
    }

    private static func compression(_ condition: Shape<Condition>) -> Shape<Compression> {
        struct None {}
        struct Removing {
            var keeps: Condition
        }
        struct RollingUp {
            var stacks: Bool
        }
        return tagged(
            "mode",
            [
                variant("none", "An unqualified level earns nothing: breakage.", None(), [], make: { _ in .none }, take: { $0 == .none ? None() : nil }),
                variant(
                    "removeInactive", "Promoters who don't meet the condition are dropped before levels are counted.", Removing(keeps: .active),
                    [optional("keeps", \Removing.keeps, condition, standard: .active, "Who stays.")],
                    make: { .removeInactive($0.keeps) }, take: { if case .removeInactive(let keeps) = $0 { Removing(keeps: keeps) } else { nil } }),
                variant(
                    "perLevel", "For each level go up to the next person qualified for that level; later levels go on above that person.", None(), [],
                    make: { _ in .perLevel }, take: { $0 == .perLevel ? None() : nil }),
                variant(
                    "rollUp", "Levels keep their numbers; an unqualified person's level goes to the next person above qualified for it.", RollingUp(stacks: true),
                    [optional("stacks", \RollingUp.stacks, booleanShape, standard: true, "On top of that person's own level; false: as `perLevel`.")],
                    make: { .rollUp(stacks: $0.stacks) }, take: { if case .rollUp(let stacks) = $0 { RollingUp(stacks: stacks) } else { nil } }),
            ])
    }
}
