/// One of several kinds of an object.
struct Variant<Whole> {
    let name: String
    let about: String
    let fields: [FieldDescription]
    let read: ([PlanEntry], PlanNode, [String], inout Reading) -> Whole?
    let write: (Whole, Writing) -> [PlanJSONMember]?
}

/// `Part` holds the fields; `take` gives nil for other kinds.
func variant<Whole, Part>(
    _ name: String, _ about: String, _ initial: Part, _ fields: [Field<Part>], make: @escaping (Part) -> Whole,
    take: @escaping (Whole) -> Part?
) -> Variant<Whole> {
    Variant(
        name: name, about: about, fields: fields.map(\.description),
        read: { entries, node, other, reading in readFields(entries, node, initial, fields, other: other, &reading).map(make) },
        write: { whole, writing in take(whole).map { writeFields($0, fields, writing) } })
}

/// An object whose `tag` says its kind. Kinds that need no key may be written as their name alone.
func tagged<Whole>(_ tag: String, _ variants: [Variant<Whole>]) -> Shape<Whole> {
    let names = variants.map(\.name)
    let plain = variants.filter { !$0.fields.contains(where: \.isRequired) }.map(\.name)
    var alternatives = variants.map { variant in taggedSchema(tag, variant.name, variant.about, variant.fields) }
    if !plain.isEmpty { alternatives.insert(.object(("type", .text("string")), ("enum", .texts(plain))), at: 0) }
    return Shape(
        schema: .object(("oneOf", .list(alternatives))),
        read: { node, reading in
            if let text = node.text {
                guard plain.contains(text), let variant = variants.first(where: { $0.name == text }) else {
                    reading.refuse(node, "“\(text.prefix(40))” is not among the words that may stand here alone", allowed: plain)
                    return nil
                }
                return variant.read([], node, [], &reading)
            }
            guard let entries = node.entries else {
                reading.refuse(node, "expected \(plain.isEmpty ? "" : "a word or ")an object with “\(tag)”, found \(node.kind)", allowed: names)
                return nil
            }
            guard let variant = chosen(tag, variants, node, &reading) else { return nil }
            return variant.read(entries, node, [tag], &reading)
        },
        write: { whole, writing in
            for variant in variants {
                guard let members = variant.write(whole, writing) else { continue }
                if members.isEmpty, plain.contains(variant.name) { return .text(variant.name) }
                return .object([PlanJSONMember(key: tag, value: .text(variant.name))] + members)
            }
            return nil
        })
}

func chosen<Whole>(_ tag: String, _ variants: [Variant<Whole>], _ node: PlanNode, _ reading: inout Reading) -> Variant<Whole>? {
    let names = variants.map(\.name)
    guard let kind = node.child(tag) else {
        reading.refuse(node, "the key “\(tag)” is missing", allowed: names)
        return nil
    }
    guard let variant = variants.first(where: { $0.name == kind.text }) else {
        reading.refuse(kind, "there is no \(tag) like \(kind.kind)", allowed: names)
        return nil
    }
    return variant
}

func taggedSchema(_ tag: String, _ name: String, _ about: String, _ fields: [FieldDescription]) -> PlanJSON {
    let own = FieldDescription(name: tag, about: about, schema: .object(("const", .text(name))), isRequired: true, standard: nil)
    return objectSchema([own] + fields)
}

/// An object in which exactly one of several keys stands, and says its kind.
func keyed<Whole>(_ variants: [Variant<Whole>]) -> Shape<Whole> {
    keyedShape(variants, nested: [])
}

/// As `keyed`; each of `nested` is the key of a tagged object of its own.
func keyedShape<Whole>(_ variants: [Variant<Whole>], nested: [(key: String, shape: Shape<Whole>)]) -> Shape<Whole> {
    let names = variants.map(\.name) + nested.map(\.key)
    var alternatives = variants.map { variant in objectSchema(variant.fields) }
    for (_, shape) in nested {
        if case .list(let more)? = shape.schema["oneOf"] { alternatives += more } else { alternatives.append(shape.schema) }
    }
    return Shape(
        schema: .object(("oneOf", .list(alternatives))),
        read: { node, reading in
            guard let entries = node.entries else {
                reading.refuse(node, "expected an object with one of several keys, found \(node.kind)", allowed: names)
                return nil
            }
            let found = entries.filter { names.contains($0.key) }
            guard found.count == 1, let key = found.first?.key else {
                reading.refuse(node, found.isEmpty ? "a key that says the kind is missing" : "only one of the keys may stand here", allowed: names)
                return nil
            }
            if let shape = nested.first(where: { $0.key == key })?.shape { return shape.read(node, &reading) }
            return variants.first { $0.name == key }?.read(entries, node, [], &reading)
        },
        write: { whole, writing in
            for variant in variants { if let members = variant.write(whole, writing) { return .object(members) } }
            for (_, shape) in nested { if let value = shape.write(whole, writing) { return value } }
            return nil
        })
}

/// Some values are words alone; all others as `shape` says.
func word<Whole: Equatable>(_ words: [(String, Whole)], or shape: Shape<Whole>) -> Shape<Whole> {
    let names = words.map(\.0)
    let wordSchema = PlanJSON.object(("type", .text("string")), ("enum", .texts(names)))
    var alternatives = [wordSchema]
    if case .list(let more)? = shape.schema["oneOf"] { alternatives += more } else { alternatives.append(shape.schema) }
    return Shape(
        schema: .object(("oneOf", .list(alternatives))),
        read: { node, reading in
            guard let text = node.text else { return shape.read(node, &reading) }
            guard let value = words.first(where: { $0.0 == text })?.1 else {
                reading.refuse(node, "“\(text.prefix(40))” is not among the words that may stand here", allowed: names)
                return nil
            }
            return value
        },
        write: { whole, writing in
            if let name = words.first(where: { $0.1 == whole })?.0 { return .text(name) }
            return shape.write(whole, writing)
        })
}

private struct RankStep<Value> {
    var rank: Int
    var value: Value
}

/// A value by rank: one value for everybody, or a list of `{fromRank, …}`: from that rank on. Ranks before the first entry
/// have `filler`; where there is no filler the first entry is for `none`.
func byRank<Value: Equatable>(_ key: String, _ shape: Shape<Value>, filler: Value, startsAtNone: Bool = false, _ about: String) -> Shape<[Value]> {
    let entry = record(
        RankStep(rank: 0, value: filler),
        [
            required("fromRank", \RankStep<Value>.rank, rankOrNoneShape, "The rank from which on this holds; `none` for those without one."),
            required(key, \RankStep<Value>.value, shape, about),
        ])
    let entries = list(entry, 1...100)
    return Shape(
        schema: .object(("oneOf", .list([shape.schema, entries.schema]))),
        read: { node, reading in
            guard let items = node.items, let first = items.first, first.entries != nil else { return shape.read(node, &reading).map { [$0] } }
            guard let found = entries.read(node, &reading) else { return nil }
            guard zip(found, found.dropFirst()).allSatisfy({ $0.rank < $1.rank }) else {
                reading.contradict(node, "the entries must stand in the order of the ranks, each rank once")
                return nil
            }
            if startsAtNone, found.first?.rank != 0 {
                reading.contradict(node, "the first entry must be for “none”: a cap must be said for everybody")
                return nil
            }
            var values: [Value] = []
            for entry in found {
                while values.count < entry.rank { values.append(values.last ?? filler) }
                values.append(entry.value)
            }
            // One form for one meaning: the last entry goes on anyway.
            while values.count > 1, values.last == values[values.count - 2] { values.removeLast() }
            return values
        },
        write: { values, writing in
            var steps: [RankStep<Value>] = []
            for (rank, value) in values.enumerated() where value != (steps.last?.value ?? filler) {
                steps.append(RankStep(rank: rank, value: value))
            }
            if steps.isEmpty || (startsAtNone && steps.first?.rank != 0) { steps.insert(RankStep(rank: 0, value: filler), at: 0) }
            if steps.count == 1, let only = steps.first, only.rank == 0 { return shape.write(only.value, writing) }
            return entries.write(steps, writing)
        })
}
