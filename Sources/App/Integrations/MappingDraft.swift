import Chronology
import Money
import Web

/// A mapping as it is typed: fields of a form, and what they make of a pasted sample before anything is saved.
struct MappingDraft: Sendable {
    static let sampleBytesMax = 40_000

    var signature: String
    var header: String
    var amountForm: String
    var eventIDPath: String
    var typePath: String
    /// A type and what it is on each line, as in `order.paid = sale`.
    var kinds: String
    var paths: [String: String]
    var sample = ""

    init(_ mapping: GenericMapping?) {
        signature = mapping?.signature.rawValue ?? GenericMapping.SignatureKind.hmacHex.rawValue
        header = mapping?.header ?? "X-Signature"
        amountForm = mapping?.amountForm.rawValue ?? GenericMapping.AmountForm.decimal.rawValue
        eventIDPath = mapping?.eventIDPath ?? ""
        typePath = mapping?.typePath ?? ""
        kinds = (mapping?.kinds ?? ["*": .sale]).sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value.rawValue)" }.joined(separator: "\n")
        paths = mapping?.paths ?? [:]
    }

    init(_ fields: FormFields) {
        (signature, header, amountForm) = (fields["signature"] ?? "", fields["header"] ?? "", fields["amountForm"] ?? "")
        (eventIDPath, typePath, kinds) = (fields["eventIdPath"] ?? "", fields["typePath"] ?? "", fields["kinds"] ?? "")
        paths = Dictionary(
            GenericMapping.fields.compactMap { name in fields["path." + name].flatMap { $0.isEmpty ? nil : (name, $0) } }, uniquingKeysWith: { first, _ in first })
        sample = fields["sample"] ?? ""
    }

    /// The mapping through the API's own checks.
    func mapping() throws -> GenericMapping {
        var types: [JSONMember] = []
        for line in kinds.split(whereSeparator: \.isNewline).prefix(50) {
            let pair = line.split(separator: "=", maxSplits: 1).map { $0.trimmingPrefix(while: { $0 == " " }) }
            guard let type = pair.first else { continue }
            let name = String(type.reversed().drop { $0 == " " }.reversed())
            let kind = pair.count > 1 ? String(pair[1].filter { $0 != " " && $0 != "\r" }) : ""
            if !types.contains(where: { $0.name == name }) { types.append(JSONMember(name, .text(kind))) }
        }
        var members: [JSONMember] = [
            JSONMember("signature", .text(signature)), JSONMember("amountForm", .text(amountForm)), JSONMember("kinds", .object(types)),
            JSONMember("fields", .object(paths.sorted { $0.key < $1.key }.map { JSONMember($0.key, .text($0.value)) })),
        ]
        if !header.isEmpty { members.append(JSONMember("header", .text(header))) }
        if !eventIDPath.isEmpty { members.append(JSONMember("eventIdPath", .text(eventIDPath))) }
        if !typePath.isEmpty { members.append(JSONMember("typePath", .text(typePath))) }
        let reader = try JSONReader(JSONValue.object(members))
        let mapping = try GenericMapping.read(reader)
        try reader.finish()
        return mapping
    }

    func fields(_ language: PageLanguage, error: String?) -> [FormField] {
        func say(_ key: String) -> String { language("integrations.mapping.\(key)") }
        func choices(_ values: [String], _ chosen: String, _ prefix: String) -> [FormField.Choice] {
            values.map { FormField.Choice(value: $0, label: say("\(prefix).\($0)"), isChosen: $0 == chosen) }
        }
        var fields: [FormField] = [
            FormField(
                name: "signature", label: say("signature"), error: error,
                control: .select(choices(GenericMapping.SignatureKind.allCases.map(\.rawValue), signature, "signature"))),
            .line("header", say("header"), header, help: say("headerHelp"), isMono: true, lengthMax: 100),
            .line("typePath", say("typePath"), typePath, help: say("typePathHelp"), isMono: true, lengthMax: GenericMapping.pathLengthMax),
            FormField(name: "kinds", label: say("kinds"), help: say("kindsHelp"), control: .area(kinds, rows: 3), isMono: true, lengthMax: 4_000),
            .line("eventIdPath", say("eventIdPath"), eventIDPath, help: say("eventIdPathHelp"), isMono: true, lengthMax: GenericMapping.pathLengthMax),
            FormField(
                name: "amountForm", label: say("amountForm"),
                control: .select(choices(GenericMapping.AmountForm.allCases.map(\.rawValue), amountForm, "amountForm"))),
        ]
        fields += GenericMapping.fields.map { name in
            .line("path." + name, say("field.\(name)"), paths[name] ?? "", isMono: true, lengthMax: GenericMapping.pathLengthMax)
        }
        fields.append(
            FormField(
                name: "sample", label: say("sample"), help: say("sampleHelp"), control: .area(sample, rows: 8), isMono: true, lengthMax: Self.sampleBytesMax))
        return fields
    }

    /// What this mapping finds in the sample.
    func preview(_ language: PageLanguage) -> PageBlocks.Block {
        func say(_ key: String) -> String { language("integrations.mapping.\(key)") }
        var block = PageBlocks.Block(heading: say("previewHeading"))
        do {
            let mapping = try mapping()
            let document = try JSONValue.parse(Array(sample.utf8), maximumBytes: Self.sampleBytesMax)
            let type = mapping.type(of: document)
            block.facts = [PageBlocks.Fact(label: say("type"), text: type)]
            block.facts += GenericMapping.fields.compactMap { name in
                mapping.paths[name].map { PageBlocks.Fact(label: say("field.\(name)"), text: GenericMapping.text(at: $0, in: document) ?? say("nothingThere")) }
            }
            switch try mapping.translate(InboundDocument(type: type, body: document)) {
            case .nothing(_, let reason): block.note = reason
            case .facts(let facts): block.note = facts.first.map { say("becomes.\($0.kindName)") }
            }
        } catch let error as JSONSyntaxError {
            block.note = error.problem.detail
            block.isWarning = true
        } catch let refusal as VendorRefusal {
            block.note = refusal.detail
            block.isWarning = true
        } catch {
            block.note = (error as? Problem).map { $0.errors.map { "\($0.field): \($0.message)" }.joined(separator: " ") } ?? say("unreadable")
            block.isWarning = true
        }
        return block
    }
}

extension InboundFact {
    fileprivate var kindName: String {
        switch self {
        case .refund, .chargeRefund: "refund"
        case .lead: "lead"
        default: "sale"
        }
    }
}
