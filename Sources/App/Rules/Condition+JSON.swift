import Rules
import Web

extension Condition {
    /// Reads `{all:[…]}`, `{any:[…]}`, both, or a leaf `{field, op, value}`. The tree is walked with a stack of its own.
    static func read(_ value: JSONValue) -> JSONReader.Reading<Condition> {
        do throws(Refused) {
            return .accepted(try build(value))
        } catch {
            return .refused(error.message)
        }
    }

    private struct Refused: Error { var message: String }

    /// A group being built: what stands in it, and which children are still to be read.
    private struct Open {
        var isAll: Bool
        var waiting: [JSONValue]
        var done: [Condition]
    }

    private static func build(_ root: JSONValue) throws(Refused) -> Condition {
        var stack: [Open] = [Open(isAll: true, waiting: [root], done: [])]
        var read = 0
        while true {
            guard var top = stack.popLast() else { throw Refused(message: "Must be an object.") }
            guard let next = top.waiting.popLast() else {
                let group = try group(top)
                guard var parent = stack.popLast() else { return group }
                parent.done.append(group)
                stack.append(parent)
                continue
            }
            read += 1
            guard read <= nodesLimit else { throw Refused(message: "Must have at most \(leavesLimit) comparisons.") }
            if next["all"] != nil || next["any"] != nil {
                guard case .object(let members) = next, members.allSatisfy({ $0.name == "all" || $0.name == "any" }) else {
                    throw Refused(message: "A group has all, any, or both, and nothing else.")
                }
                stack.append(top)
                guard stack.count <= depthLimit + 1 else { throw Refused(message: "Must be at most \(depthLimit) levels deep.") }
                let all = next["all"], any = next["any"]
                if all != nil, any != nil {
                    // Both: all of `all`, and one of `any`.
                    stack.append(
                        Open(isAll: true, waiting: [["any": any ?? .null], ["all": all ?? .null]], done: []))
                } else {
                    guard case .array(let children)? = all ?? any else { throw Refused(message: "all and any are lists of conditions.") }
                    stack.append(Open(isAll: all != nil, waiting: children.reversed(), done: []))
                }
            } else {
                top.done.append(.leaf(try leaf(next)))
                stack.append(top)
            }
        }
    }

    private static func group(_ open: Open) throws(Refused) -> Condition {
        if open.done.count == 1, let only = open.done.first { return only }
        do throws(ConditionFailure) {
            return open.isAll ? try all(open.done) : try any(open.done)
        } catch {
            switch error {
            case .tooDeep: throw Refused(message: "Must be at most \(depthLimit) levels deep.")
            case .tooManyLeaves: throw Refused(message: "Must have at most \(leavesLimit) comparisons.")
            case .emptyAny: throw Refused(message: "any needs at least one condition.")
            case .valueOfWrongType(let field, let op): throw Refused(message: "\(field.text) \(op.rawValue) cannot be compared with that value.")
            case .valueTooLong(let field): throw Refused(message: "The value for \(field.text) is too long.")
            }
        }
    }

    private static func leaf(_ value: JSONValue) throws(Refused) -> ConditionLeaf {
        guard case .object(let members) = value, Set(members.map(\.name)) == ["field", "op", "value"], let operand = value["value"] else {
            throw Refused(message: "A comparison is {field, op, value}, a group {all: […]} or {any: […]}.")
        }
        guard case .text(let name)? = value["field"], let field = ConditionField(name), isKnown(field) else {
            throw Refused(
                message:
                    "field must be country, sku, category, amount, currency, customerIsNew, saleNumber, monthsSinceFirstSale, couponUsed, memberTotal.sales, memberTotal.amount, memberGroup, memberTier, memberVariant or metadata.…."
            )
        }
        guard case .text(let word)? = value["op"], let comparison = ConditionOperator(rawValue: word) else {
            throw Refused(message: "op must be one of \(ConditionOperator.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        do throws(ConditionFailure) {
            return try ConditionLeaf(field, comparison, try operandValue(operand, of: field))
        } catch {
            throw Refused(message: "\(name) \(word) cannot be compared with that value.")
        }
    }

    /// Of what members sold we count two things; of a company's own facts we know nothing beforehand.
    private static func isKnown(_ field: ConditionField) -> Bool {
        if case .memberTotal(let name) = field { name == "sales" || name == "amount" } else { true }
    }

    private static func operandValue(_ value: JSONValue, of field: ConditionField) throws(ConditionFailure) -> ConditionValue {
        func scalar(_ value: JSONValue) -> ConditionScalar? {
            switch value {
            // Codes are compared as they are read everywhere: SAVE10 is save10.
            case .text(let text): .text(field == .couponUsed ? Normalised.code(text) ?? text : text)
            case .boolean(let flag): .bool(flag)
            case .number(let number): number.integer.map { .integer($0) }
            case .null, .array, .object: nil
            }
        }
        if case .array(let elements) = value {
            let scalars = elements.compactMap(scalar)
            guard scalars.count == elements.count else { throw .valueOfWrongType(.amount, .isIn) }
            return .list(scalars)
        }
        switch scalar(value) {
        case .text(let text)?: return .text(text)
        case .integer(let number)?: return .integer(number)
        case .bool(let flag)?: return .bool(flag)
        case nil: throw .valueOfWrongType(.amount, .equal)
        }
    }
}
