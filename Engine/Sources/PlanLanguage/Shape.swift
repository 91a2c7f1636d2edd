import Compensation
import Money

/// One part of the language: what it looks like, how it is read and how it is written. Schema, reader, writer and
/// reference all come from the same shapes.
struct Shape<Value> {
    var schema: PlanJSON
    var read: (PlanNode, inout Reading) -> Value?
    /// Nil: the value has no form in the language (a rank that the plan doesn't have).
    var write: (Value, Writing) -> PlanJSON?
}

/// What has been found wrong, and what names stand for.
struct Reading {
    var problems: [PlanTextProblem] = []
    let rankCodes: [String]

    /// Against the schema.
    mutating func refuse(_ node: PlanNode, _ message: String, allowed: [String] = []) {
        add(.shape, node.line, node.column, node.path, message, allowed)
    }

    /// Well formed, but wrong.
    mutating func contradict(_ node: PlanNode, _ message: String, allowed: [String] = []) {
        add(.meaning, node.line, node.column, node.path, message, allowed)
    }

    mutating func add(_ kind: PlanTextProblem.Kind, _ line: Int, _ column: Int, _ path: String, _ message: String, _ allowed: [String]) {
        guard problems.count < PlanTextFailure.problemsLimit else { return }
        problems.append(PlanTextProblem(kind: kind, line: line, column: column, path: path, message: message, allowed: allowed))
    }
}

struct Writing {
    let rankCodes: [String]
    /// 0 is “none”.
    func rank(_ number: Int) -> String? {
        number == 0 ? noRank : number >= 1 && number <= rankCodes.count ? rankCodes[number - 1] : nil
    }
}

/// How “no rank” is written.
let noRank = "none"

/// A value of an object's key.
struct Field<Root> {
    let name: String
    let about: String
    let schema: PlanJSON
    let isRequired: Bool
    let standard: PlanJSON?
    let read: (PlanNode, inout Root, inout Reading) -> Void
    /// Nil: left out, as it is the default.
    let write: (Root, Writing) -> PlanJSON?
}

func required<Root, Value>(
    _ name: String, _ path: WritableKeyPath<Root, Value>, _ shape: Shape<Value>, _ about: String
) -> Field<Root> {
    Field(
        name: name, about: about, schema: shape.schema, isRequired: true, standard: nil,
        read: { node, root, reading in if let value = shape.read(node, &reading) { root[keyPath: path] = value } },
        write: { root, writing in shape.write(root[keyPath: path], writing) })
}

/// `standard` is what holds where the key is missing; `isNothing`: it can't be written, but only left out.
func optional<Root, Value: Equatable>(
    _ name: String, _ path: WritableKeyPath<Root, Value>, _ shape: Shape<Value>, standard: Value, isNothing: Bool = false, _ about: String
) -> Field<Root> {
    Field(
        name: name, about: about, schema: shape.schema, isRequired: false,
        standard: isNothing ? nil : shape.write(standard, Writing(rankCodes: [])),
        read: { node, root, reading in if let value = shape.read(node, &reading) { root[keyPath: path] = value } },
        write: { root, writing in root[keyPath: path] == standard ? nil : shape.write(root[keyPath: path], writing) })
}

/// Nothing where the key is missing.
func optional<Root, Value>(
    _ name: String, _ path: WritableKeyPath<Root, Value?>, _ shape: Shape<Value>, _ about: String
) -> Field<Root> {
    Field(
        name: name, about: about, schema: shape.schema, isRequired: false, standard: nil,
        read: { node, root, reading in if let value = shape.read(node, &reading) { root[keyPath: path] = value } },
        write: { root, writing in root[keyPath: path].flatMap { shape.write($0, writing) } })
}

/// An object with these keys and no others. `initial` holds the defaults.
func record<Root>(_ initial: Root, _ fields: [Field<Root>]) -> Shape<Root> {
    Shape(
        schema: objectSchema(fields.map(\.description)),
        read: { node, reading in
            guard let entries = node.entries else {
                reading.refuse(node, "expected an object, found \(node.kind)", allowed: fields.map(\.name))
                return nil
            }
            return readFields(entries, node, initial, fields, other: [], &reading)
        },
        write: { root, writing in .object(writeFields(root, fields, writing)) })
}

struct FieldDescription {
    let name: String
    let about: String
    let schema: PlanJSON
    let isRequired: Bool
    let standard: PlanJSON?

    var property: PlanJSON { schema.adding("description", .text(about)).adding("default", standard) }
}

extension Field {
    var description: FieldDescription {
        FieldDescription(name: name, about: about, schema: schema, isRequired: isRequired, standard: standard)
    }
}

func objectSchema(_ fields: [FieldDescription]) -> PlanJSON {
    var schema = PlanJSON.object(
        ("type", .text("object")),
        ("properties", .object(fields.map { PlanJSONMember(key: $0.name, value: $0.property) })))
    let needed = fields.filter(\.isRequired).map(\.name)
    if !needed.isEmpty { schema = schema.adding("required", .texts(needed)) }
    return schema.adding("additionalProperties", .boolean(false))
}

/// `other` are keys that were read elsewhere.
func readFields<Root>(
    _ entries: [PlanEntry], _ node: PlanNode, _ initial: Root, _ fields: [Field<Root>], other: [String], _ reading: inout Reading
) -> Root? {
    var root = initial
    let before = reading.problems.count
    for entry in entries where !other.contains(entry.key) {
        if let field = fields.first(where: { $0.name == entry.key }) {
            field.read(entry.value, &root, &reading)
        } else {
            reading.add(
                .shape, entry.line, entry.column, entry.value.path, "unknown key “\(entry.key)”", other + fields.map(\.name))
        }
    }
    for field in fields where field.isRequired && !entries.contains(where: { $0.key == field.name }) {
        reading.refuse(node, "the key “\(field.name)” is missing: \(field.about)")
    }
    return reading.problems.count == before ? root : nil
}

func writeFields<Root>(_ root: Root, _ fields: [Field<Root>], _ writing: Writing) -> [PlanJSONMember] {
    fields.compactMap { field in field.write(root, writing).map { PlanJSONMember(key: field.name, value: $0) } }
}
