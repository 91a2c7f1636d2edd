import Foundation

@testable import PlanLanguage

/// A small JSON Schema validator for the keywords that the plan's schema uses; it knows nothing of the shapes.
struct SchemaCheck {
    let root: PlanJSON
    /// Keywords that say nothing about validity.
    static let remarks: Set<String> = ["$schema", "$id", "$defs", "title", "description", "default", "format"]

    func accepts(_ value: PlanJSON, _ schema: PlanJSON? = nil) -> Bool {
        guard case .object(let members) = schema ?? root else { return false }
        return members.allSatisfy { holds($0.key, $0.value, value, PlanJSON.object(members)) }
    }

    private func holds(_ keyword: String, _ rule: PlanJSON, _ value: PlanJSON, _ schema: PlanJSON) -> Bool {
        switch (keyword, rule) {
        case (let name, _) where Self.remarks.contains(name): return true
        case ("$ref", .text(let path)):
            guard let target = root["$defs"]?[String(path.dropFirst("#/$defs/".count))] else { return false }
            return accepts(value, target)
        case ("type", .text(let type)):
            switch (type, value) {
            case ("object", .object), ("array", .list), ("string", .text), ("integer", .integer), ("boolean", .boolean): return true
            default: return false
            }
        case ("const", _): return rule == value
        case ("enum", .list(let values)): return values.contains(value)
        case ("pattern", .text(let pattern)):
            guard case .text(let text) = value else { return true }
            return text.range(of: pattern, options: .regularExpression) == text.startIndex..<text.endIndex
        case ("minimum", .integer(let bound)): if case .integer(let number) = value { return number >= bound } else { return true }
        case ("maximum", .integer(let bound)): if case .integer(let number) = value { return number <= bound } else { return true }
        case ("items", _): if case .list(let items) = value { return items.allSatisfy { accepts($0, rule) } } else { return true }
        case ("minItems", .integer(let bound)): if case .list(let items) = value { return items.count >= bound } else { return true }
        case ("maxItems", .integer(let bound)): if case .list(let items) = value { return items.count <= bound } else { return true }
        case ("uniqueItems", _): if case .list(let items) = value { return Set(items).count == items.count } else { return true }
        case ("properties", .object(let properties)):
            return properties.allSatisfy { property in value[property.key].map { accepts($0, property.value) } ?? true }
        case ("required", .list(let names)):
            guard case .object = value else { return true }
            return names.allSatisfy { if case .text(let name) = $0 { value[name] != nil } else { false } }
        case ("additionalProperties", _):
            guard case .object(let members) = value, case .object(let known)? = schema["properties"] else { return true }
            return members.allSatisfy { member in known.contains { $0.key == member.key } }
        case ("oneOf", .list(let alternatives)): return alternatives.filter { accepts(value, $0) }.count == 1
        default: return false
        }
    }
}
