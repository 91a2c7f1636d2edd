import SeededRandom

@testable import PlanLanguage

/// Makes documents from a schema, and spoils them.
struct DocumentMaker {
    let root: PlanJSON
    var random: SplitMix64

    mutating func below(_ bound: Int) -> Int { bound <= 0 ? 0 : Int(random.next() % UInt64(bound)) }

    mutating func document(_ schema: PlanJSON? = nil, depth: Int = 0) -> PlanJSON {
        let schema = schema ?? root
        if case .text(let path)? = schema["$ref"] {
            return document(root["$defs"]?[String(path.dropFirst("#/$defs/".count))] ?? .object([]), depth: depth + 1)
        }
        if let value = schema["const"] { return value }
        if case .list(let values)? = schema["enum"] { return values[below(values.count)] }
        if case .list(let alternatives)? = schema["oneOf"] {
            // Deep inside, the first alternative ends: words stand first.
            return document(depth > 7 ? alternatives[0] : alternatives[below(alternatives.count)], depth: depth + 1)
        }
        switch schema["type"] {
        case .text("boolean"): return .boolean(below(2) == 0)
        case .text("integer"):
            guard case .integer(let low)? = schema["minimum"], case .integer(let high)? = schema["maximum"] else { return .integer(0) }
            let picks = [low, high, max(low, min(high, Int64(below(100)))), max(low, min(high, Int64(below(100_000))))]
            return .integer(picks[below(picks.count)])
        case .text("string"): return .text(word(schema["pattern"]))
        case .text("array"):
            guard case .integer(let low)? = schema["minItems"], case .integer(let high)? = schema["maxItems"] else { return .list([]) }
            let count = min(Int(high), Int(low) + below(depth > 5 ? 1 : 3))
            var items: [PlanJSON] = []
            for _ in 0..<count {
                let item = document(schema["items"] ?? .object([]), depth: depth + 1)
                if schema["uniqueItems"] == nil || !items.contains(item) { items.append(item) }
            }
            return .list(items)
        case .text("object"):
            guard case .object(let properties)? = schema["properties"] else { return .object([]) }
            var needed: Set<String> = []
            if case .list(let names)? = schema["required"] { for case .text(let name) in names { needed.insert(name) } }
            var members: [PlanJSONMember] = []
            for property in properties where needed.contains(property.key) || below(depth > 5 ? 12 : 3) == 0 {
                members.append(PlanJSONMember(key: property.key, value: document(property.value, depth: depth + 1)))
            }
            return .object(members)
        default: return .object([])
        }
    }

    private mutating func word(_ pattern: PlanJSON?) -> String {
        guard case .text(let pattern)? = pattern else { return "text" }
        let words: [String]
        switch pattern {
        case codeShape.text: words = ["a", "level-1", "Gold_2", "none", "gold", String(repeating: "x", count: 64)]
        case rateShape.text: words = ["5%", "0.05", "0", "1000", "1000.0", "99999.9999999%", "100000%", "0.000000001", "12.5%"]
        case shareShape.text: words = ["80%", "0.8", "1", "0", "100%", "0.123456", "33.3333%"]
        case dayShape.text: words = ["2026-01-05", "2024-02-29"]
        case wordShape.text: words = ["DE", "NO", "a “text”", "ø\\\"/", "5"]
        default: words = pattern.contains("credit") ? ["EUR", "credit:EUR", "points"] : ["UTC", "Europe/Berlin"]
        }
        return words[below(words.count)]
    }

    /// One change at a random place.
    mutating func spoiled(_ value: PlanJSON) -> PlanJSON {
        switch value {
        case .object(var members) where !members.isEmpty:
            let place = below(members.count)
            switch below(8) {
            case 0: members.remove(at: place)
            case 1: members.append(PlanJSONMember(key: ["extra", "rates", "metric", "all", "type", "tree"][below(6)], value: .text("x")))
            case 2: members[place].value = other(members[place].value)
            default: members[place].value = spoiled(members[place].value)
            }
            // Keys twice are a mistake of the text, which no schema sees.
            var keys: Set<String> = []
            return .object(members.filter { keys.insert($0.key).inserted })
        case .list(var items) where !items.isEmpty:
            let place = below(items.count)
            switch below(6) {
            case 0: items.remove(at: place)
            case 1: items.append(items[place])
            default: items[place] = spoiled(items[place])
            }
            return .list(items)
        default: return other(value)
        }
    }

    private mutating func other(_ value: PlanJSON) -> PlanJSON {
        switch below(9) {
        case 0: return .integer(Int64(below(5)) - 2)
        case 1: return .integer(Int64.max)
        case 2: return .boolean(true)
        case 3: return .text(["", "5 %", "0.05%", "05", "1001", "1000.1", "100000.1%", ".5", "5.", "1e3", "active", "none", "month", "2026-13-01", "-5%", "0.0000000001", "100.1%", "1.1"][below(18)])
        case 4: return .list([])
        case 5: return .list([value])
        case 6: return .object([])
        case 7:
            if case .text(let text) = value { return .text(text + "\u{7}") }
            if case .integer(let number) = value { return .integer(number &+ 1) }
            return .text("x")
        default:
            if case .integer(let number) = value { return .integer(number &- 1) }
            return .object([PlanJSONMember(key: "metric", value: .text("activeLegs"))])
        }
    }
}

extension Shape {
    /// The pattern of a text.
    fileprivate var text: String { if case .text(let pattern)? = schema["pattern"] { pattern } else { "" } }
}
