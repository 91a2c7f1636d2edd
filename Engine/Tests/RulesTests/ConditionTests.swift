import Rules
import SeededRandom
import Testing

private func leaf(_ field: String, _ comparison: ConditionOperator, _ value: ConditionValue) throws -> Condition {
    .leaf(try ConditionLeaf(try #require(ConditionField(field)), comparison, value))
}

private func facts(_ values: [String: FactValue]) -> (ConditionField) -> FactValue? {
    { values[$0.text] }
}

@Suite struct ConditionTests {
    @Test(arguments: [
        ("country", .equal, .text("DE"), .text("DE"), nil), ("country", .equal, .text("DE"), .text("AT"), .unequal),
        ("country", .equal, .text("DE"), nil, .missing), ("country", .notEqual, .text("DE"), nil, .missing),
        ("country", .notEqual, .text("DE"), .text("AT"), nil), ("country", .equal, .text("DE"), .integer(1), .typeMismatch),
        ("country", .notEqual, .text("DE"), .integer(1), .typeMismatch),
        ("country", .isIn, .list([.text("DE"), .text("AT")]), .text("AT"), nil),
        ("country", .isIn, .list([]), .text("AT"), .unequal), ("country", .notIn, .list([.text("DE")]), .text("AT"), nil),
        ("country", .notIn, .list([.text("DE")]), .text("DE"), .unequal), ("country", .notIn, .list([.text("DE")]), nil, .missing),
        ("amount", .greater, .integer(100), .integer(100), .unequal), ("amount", .greaterOrEqual, .integer(100), .integer(100), nil),
        ("amount", .less, .integer(.max), .integer(.min), nil), ("amount", .lessOrEqual, .integer(.min), .integer(.min), nil),
        ("amount", .greater, .integer(1), .text("2"), .typeMismatch), ("amount", .greater, .integer(1), .bool(true), .typeMismatch),
        ("metadata.plan", .startsWith, .text("pro"), .text("pro-year"), nil), ("metadata.plan", .contains, .text("-y"), .text("pro-year"), nil),
        ("metadata.plan", .contains, .text("longer than it"), .text("pro"), .unequal), ("metadata.plan", .contains, .text(""), .text(""), nil),
        ("metadata.plan", .contains, .text("a"), .integer(1), .typeMismatch),
        // Byte by byte: composed and decomposed é differ.
        ("metadata.plan", .equal, .text("caf\u{E9}"), .text("cafe\u{301}"), .unequal),
        ("metadata.plan", .exists, .bool(true), .text("x"), nil), ("metadata.plan", .exists, .bool(true), nil, .unequal),
        ("metadata.plan", .exists, .bool(false), nil, nil), ("metadata.plan", .exists, .bool(false), .text("x"), .unequal),
        ("customerIsNew", .equal, .bool(true), .bool(true), nil), ("customerIsNew", .notEqual, .bool(true), .bool(true), .unequal),
        ("couponUsed", .equal, .bool(true), .text("TEN"), nil), ("couponUsed", .equal, .bool(false), nil, nil),
        ("couponUsed", .notEqual, .bool(true), nil, nil), ("couponUsed", .equal, .bool(true), nil, .unequal),
        ("couponUsed", .equal, .text("TEN"), .text("TEN"), nil), ("couponUsed", .equal, .text("TEN"), nil, .missing),
        ("sku", .equal, .text("A"), .texts(["B", "A"]), nil), ("sku", .notEqual, .text("A"), .texts(["B", "A"]), .unequal),
        ("sku", .notEqual, .text("A"), .texts(["B", "C"]), nil), ("sku", .notIn, .list([.text("A")]), .texts(["B", "A"]), .unequal),
        ("sku", .startsWith, .text("x-"), .texts(["B", "x-1"]), nil), ("sku", .equal, .text("A"), .texts([]), .missing),
        ("memberTotal.sales", .greaterOrEqual, .integer(10), .integer(9), .unequal),
    ] as [(String, ConditionOperator, ConditionValue, FactValue?, LeafFailure.Kind?)])
    func compares(field: String, comparison: ConditionOperator, value: ConditionValue, found: FactValue?, failure: LeafFailure.Kind?) throws {
        var values: [String: FactValue] = [:]
        values[field] = found
        let verdict = try leaf(field, comparison, value).evaluate(facts(values))
        #expect(verdict.failures.first?.kind == failure)
        #expect(verdict.holds == (failure == nil))
        #expect(verdict.failures.allSatisfy { $0.leaf.field.text == field })
    }

    @Test func saysWhichLeafFailed() throws {
        let condition = try Condition.all([
            leaf("customerIsNew", .equal, .bool(true)),
            .any([leaf("country", .equal, .text("DE")), .all([leaf("country", .equal, .text("AT")), leaf("amount", .greater, .integer(5))])]),
            leaf("saleNumber", .equal, .integer(1)),
        ])
        let values: [String: FactValue] = ["customerIsNew": .bool(true), "country": .text("AT"), "amount": .integer(5), "saleNumber": .integer(2)]
        let verdict = condition.evaluate(facts(values))
        #expect(verdict.failures.map(\.leaf.field.text) == ["country", "amount"])
        #expect(verdict.failures.map(\.found) == [.text("AT"), .integer(5)])
        #expect(Condition.always.evaluate { _ in nil }.holds)
    }

    @Test func limitsAreNamed() throws {
        let one = try leaf("amount", .greater, .integer(0))
        var deep = one
        for _ in 1..<Condition.depthLimit { deep = try .all([deep]) }
        #expect(deep.depth == 8)
        #expect(throws: ConditionFailure.tooDeep) { try Condition.any([deep]) }
        #expect(try Condition.all(Array(repeating: one, count: 100)).leafCount == 100)
        #expect(throws: ConditionFailure.tooManyLeaves) { try Condition.all(Array(repeating: one, count: 101)) }
        #expect(throws: ConditionFailure.tooManyLeaves) { try Condition.all(Array(repeating: .always, count: 1_000)) }
        #expect(throws: ConditionFailure.emptyAny) { try Condition.any([]) }
    }

    @Test func valuesThatAnOperatorCanNotTake() throws {
        let wrong: [(ConditionOperator, ConditionValue)] = [
            (.isIn, .text("a")), (.notIn, .integer(1)), (.exists, .text("yes")), (.greater, .text("1")), (.less, .bool(true)),
            (.contains, .integer(1)), (.startsWith, .list([])), (.equal, .list([])), (.notEqual, .list([])),
        ]
        for (comparison, value) in wrong {
            #expect(throws: ConditionFailure.valueOfWrongType(.amount, comparison)) { try ConditionLeaf(.amount, comparison, value) }
        }
        #expect(throws: ConditionFailure.valueTooLong(.sku)) {
            try ConditionLeaf(.sku, .equal, .text(String(repeating: "x", count: 1_001)))
        }
        for text in ["", "unknown", "metadata.", "memberTotal.", "metadata", "Country", "metadata." + String(repeating: "k", count: 201)] {
            #expect(ConditionField(text) == nil)
        }
        for text in ["country", "metadata.a.b", "memberTotal.sales", "couponUsed"] { #expect(ConditionField(text)?.text == text) }
    }

    @Test func agreesWithPlainLogic() throws {
        let seed: UInt64 = 9
        var random = SplitMix64(seed: seed)
        for _ in 0..<3_000 {
            let country: FactValue = .text(["DE", "AT", "FR"][Int.random(in: 0..<3, using: &random)])
            let amount = Int64.random(in: 0...3, using: &random)
            let values = ["country": country, "amount": .integer(amount)]
            let (condition, expected) = try randomTree(depth: 4, values: values, &random)
            let verdict = condition.evaluate(facts(values))
            #expect(verdict.holds == expected, "seed \(seed)")
        }
    }

    private func randomTree(
        depth: Int, values: [String: FactValue], _ random: inout SplitMix64
    ) throws -> (Condition, Bool) {
        if depth == 0 || Int.random(in: 0..<3, using: &random) == 0 {
            let expected = Int64.random(in: 0...3, using: &random)
            guard case .integer(let amount) = values["amount"], Bool.random(using: &random) else {
                return (try leaf("country", .equal, .text("DE")), values["country"] == .text("DE"))
            }
            return (try leaf("amount", .lessOrEqual, .integer(expected)), amount <= expected)
        }
        let children = try (0..<Int.random(in: 1...3, using: &random)).map { _ in
            try randomTree(depth: depth - 1, values: values, &random)
        }
        if Bool.random(using: &random) { return (try .all(children.map(\.0)), children.allSatisfy(\.1)) }
        return (try .any(children.map(\.0)), children.contains { $0.1 })
    }
}
