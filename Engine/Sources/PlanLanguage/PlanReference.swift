/// The reference of the language in Markdown, from the same description as the schema.
public func planReference() -> String {
    let schema = schemaValue()
    var pages = ReferenceWriter()
    pages.add(
        """
        # The language of plans

        A plan is a text in YAML or JSON, at most 1 MiB. `kith plan check FILE` says what is wrong with one, by line and column; `kith plan schema` prints the
        JSON Schema (2020-12), which takes exactly what the program takes, apart from what names refer to. This page is written by the program from the same
        description. What the parts compute stands in [plans.md](plans.md), complete plans in [plans/](../plans/README.md).

        - **Money and volumes** are whole minor units (cents), and their keys end in `Minor`.
        - **Rates** are texts: `5%` (up to seven decimals) or `"0.05"` (up to nine). A number such as 0.05 is refused, because programs take it for a float.
        - **By rank**: where a value may differ by rank one may write it once, or a list of entries with `fromRank`: from that rank on, up to the next entry.
          `none` are those without a rank. Ranks before the first entry have nothing; for caps the first entry must be `none`.
        - Unknown keys, keys that stand twice, anchors, aliases, tags and further documents are refused. Plain words are texts (`NO` is no truth value).
        - A key that is left out has the default of its table. Writing a default changes nothing, also not the hash of a run.


        """)
    pages.section("A plan", schema)
    let titles: [(String, String, String)] = [
        ("condition", "Conditions", "A word or an object with one of these keys. All of a member, in one period."),
        ("metric", "Metrics", "In conditions, with `atLeast…` beside; as a value in `slab` and `pool`, without. Volumes are in minor units."),
        ("orders", "Orders that count", "All parts that are set must hold."),
        ("compression", "Compression", "A word, or an object with `mode` where something is to be said besides."),
    ]
    for (name, title, about) in titles {
        guard let part = schema["$defs"]?[name] else { continue }
        pages.add("## \(title)\n\(about)\n\n")
        pages.alternatives(part, tag: name == "metric" ? "metric" : name == "compression" ? "mode" : nil)
        if part["properties"] != nil { pages.table(part) }
    }
    pages.add("## Bonuses\nEvery bonus has these keys, and those of its `type`.\n\n")
    if case .list(let types)? = schema["$defs"]?["bonus"]?["oneOf"] {
        var shared: [String] = []
        if let first = types.first, case .object(let properties)? = first["properties"] {
            shared = properties.map(\.key).filter { name in types.allSatisfy { $0["properties"]?[name] != nil } }
            pages.rows(properties.filter { shared.contains($0.key) && $0.key != "type" }, required: first.requiredNames)
        }
        for type in types {
            guard case .text(let name)? = type["properties"]?["type"]?["const"], case .object(let properties)? = type["properties"] else { continue }
            pages.add("### \(name)\n\(type["properties"]?["type"]?.about ?? "")\n\n")
            pages.rows(properties.filter { !shared.contains($0.key) }, required: type.requiredNames)
        }
    }
    return pages.text
}

private struct ReferenceWriter {
    var text = ""

    mutating func add(_ more: String) { text += more }

    mutating func section(_ title: String, _ schema: PlanJSON) {
        add("## \(title)\n\n")
        table(schema)
    }

    mutating func table(_ schema: PlanJSON) {
        guard case .object(let properties)? = schema["properties"] else { return }
        rows(properties, required: schema.requiredNames)
    }

    mutating func rows(_ properties: [PlanJSONMember], required: [String]) {
        guard !properties.isEmpty else { return add("No further keys.\n\n") }
        add("| key | | what may stand there | meaning |\n|---|---|---|---|\n")
        for property in properties {
            let need = required.contains(property.key) ? "needed" : property.value["default"].map { "default `\($0.compact.replacing("\"", with: ""))`" } ?? ""
            add("| `\(property.key)` | \(need) | \(form(property.value)) | \(property.value.about) |\n")
        }
        add("\n")
        for property in properties { inner(property.key, property.value) }
    }

    /// Objects inside of a value, as tables of their own.
    private mutating func inner(_ name: String, _ schema: PlanJSON) {
        guard schema["$ref"] == nil else { return }
        if let items = schema["items"], items["properties"] != nil {
            add("Each entry of `\(name)`:\n\n")
            table(items)
        } else if case .list(let parts)? = schema["oneOf"] {
            for part in parts {
                if let items = part["items"], items["properties"] != nil {
                    // By rank, which is the same everywhere.
                    if items["properties"]?["fromRank"] != nil { continue }
                    inner(name, part)
                } else if part["properties"] != nil {
                    add("`\(name)` as an object\(part.kind.map { " with \($0)" } ?? ""):\n\n")
                    table(part)
                }
            }
        } else if let items = schema["items"], items["oneOf"] != nil {
            inner(name, items)
        } else if schema["properties"] != nil {
            add("`\(name)`:\n\n")
            table(schema)
        }
    }

    mutating func alternatives(_ schema: PlanJSON, tag: String?) {
        guard case .list(let parts)? = schema["oneOf"] else { return }
        for part in parts {
            if case .list(let words)? = part["enum"] { add("Words alone: \(words.map { "`\($0.compact.replacing("\"", with: ""))`" }.joined(separator: ", ")).\n\n") }
        }
        add("| kind | keys | meaning |\n|---|---|---|\n")
        for part in parts {
            guard case .object(let properties)? = part["properties"] else { continue }
            // A metric of a condition has its line among the metrics.
            if tag == nil, part["properties"]?["metric"]?["const"] != nil { continue }
            let kind = part.kind ?? "`\(properties.first?.key ?? "")`"
            let about = tag.flatMap { part["properties"]?[$0]?.about } ?? properties.first?.value.about ?? ""
            let keys = properties.filter { $0.value["const"] == nil }.map { property in
                "`\(property.key)` \(form(property.value))" + (part.requiredNames.contains(property.key) ? "" : property.value["default"].map { " (default `\($0.compact.replacing("\"", with: ""))`)" } ?? " (may be missing)")
            }
            add("| \(kind) | \(keys.isEmpty ? "" : keys.joined(separator: "; ")) | \(about) |\n")
        }
        if tag == nil { add("| `metric` | the keys of the metric, and `atLeast`, `atLeastMinor`, `atLeastMonths` or `atLeastPeriods` | The metric is at least so much. |\n") }
        add("\n")
    }

    private func form(_ schema: PlanJSON) -> String {
        if case .text(let path)? = schema["$ref"] {
            let name = path.dropFirst("#/$defs/".count)
            return name == "rate" ? "a rate" : name == "bonus" ? "a [bonus](#bonuses)" : name == "condition" ? "a [condition](#conditions)"
                : name == "metric" ? "a [metric](#metrics)" : name == "orders" ? "[orders](#orders-that-count)" : "[compression](#compression)"
        }
        if case .list(let words)? = schema["enum"] { return words.map { "`\($0.compact.replacing("\"", with: ""))`" }.joined(separator: ", ") }
        if case .list(let parts)? = schema["oneOf"] {
            if let entries = parts.first(where: { $0["items"]?["properties"]?["fromRank"] != nil }), let plain = parts.first(where: { $0 != entries }),
                case .object(let keys)? = entries["items"]?["properties"], let key = keys.last?.key {
                return "\(form(plain)), or by rank a list of `{fromRank, \(key)}`"
            }
            var forms: [String] = []
            for part in parts {
                let form = form(part)
                if !forms.contains(form) { forms.append(form) }
            }
            return forms.joined(separator: ", ")
        }
        switch schema["type"] {
        case .text("integer"):
            guard case .integer(let low)? = schema["minimum"], case .integer(let high)? = schema["maximum"] else { return "a whole number" }
            return high >= 1_000_000_000_000_000 ? (low < 0 ? "minor units" : "minor units from \(low)") : "\(low) to \(high)"
        case .text("boolean"): return "`true`, `false`"
        case .text("array"):
            guard let items = schema["items"], case .integer(let high)? = schema["maxItems"] else { return "a list" }
            return items["properties"] != nil ? "a list of entries, at most \(high)" : "a list, at most \(high), of: \(form(items))"
        case .text("string"):
            if case .text(let format)? = schema["format"] { return format == "date" ? "a day, `2026-01-05`" : format }
            return schema == codeShape.schema || schema["pattern"] == codeShape.schema["pattern"] ? "a name" : schema["pattern"] == shareShape.schema["pattern"] ? "a share, `80%`" : "a text"
        default: return schema["properties"] != nil ? schema.kind.map { "an object with \($0)" } ?? "an object" : ""
        }
    }
}

extension PlanJSON {
    fileprivate var about: String { if case .text(let text)? = self["description"] { text } else { "" } }
    fileprivate var requiredNames: [String] {
        guard case .list(let names)? = self["required"] else { return [] }
        return names.compactMap { if case .text(let name) = $0 { name } else { nil } }
    }
    /// `key: word` of an object whose key has one word only.
    fileprivate var kind: String? {
        guard case .object(let properties)? = self["properties"] else { return nil }
        for property in properties { if case .text(let word)? = property.value["const"] { return "`\(property.key): \(word)`" } }
        return nil
    }
}
