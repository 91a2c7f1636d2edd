import Money
import Persistence
import Statistics
import Web

/// A new experiment, as a call or a form names it.
struct ExperimentInput: Sendable {
    var programID: ProgramID
    var name: String
    var kind: Experiment.Kind
    var metric: Experiment.Metric
    var variants: [Experiment.Variant]
    var holdoutPPM: Int64 = 0
    var layer = ""
    var layerSharePPM: Int64 = Experiment.ppm
    var effectPPM = Experiment.standardEffectPPM
    var guards = Experiment.Guards()
    var isDraft = false

    static let body = APISchema.object([
        .required("programId", .text), .required("name", .string(maximumLength: Experiment.nameLengthMax)),
        .required("kind", .enumeration(Experiment.Kind.allCases.map(\.rawValue))),
        .optional("metric", .enumeration(Experiment.Metric.allCases.map(\.rawValue))),
        .required(
            "variants",
            .described(
                .array(
                    .object([
                        .required("name", .string(maximumLength: Experiment.nameLengthMax)), .optional("weight", .integer(1...Int64(Experiment.weightMax))),
                        .optional("content", .map(.string(maximumLength: Experiment.contentTextLengthMax))),
                    ]), maximumCount: Experiment.variantsMax), description: "The first is control.")),
        .optional("holdoutShare", share("Who is shown nothing and counted, from 0 to 0.5.", "0.1")),
        .optional("layer", .described(.string(maximumLength: Experiment.layerLengthMax), description: "Nobody is in two experiments of one layer.")),
        .optional("layerShare", share("How much of the layer's people this experiment takes.", "0.5")),
        .optional("minimumEffect", share("The smallest difference that matters, as a share of the rate or mean, from 0.001 to 1.", "0.1")),
        .optional(
            "guards",
            .object([
                .optional("refunds", share("By how much the refunded share of money may rise.", "0.05")),
                .optional("fraud", share("By how much the share of sales with held pay may rise.", "0.05")),
                .optional("cost", .described(.integer(1...Schemas.amountMax), description: "By how much the pay for a sale may rise, in minor units.")),
            ])),
        .optional("draft", .described(.boolean, description: "Do not start yet.")),
    ])

    static func share(_ description: String, _ example: String) -> APISchema {
        .described(.oneOf([.text, .number]), description: description, example: .text(example))
    }

    static func read(_ body: JSONReader) -> ExperimentInput {
        let program = body.custom("programId", standIn: ProgramID(stored: "")) { idReading($0, ProgramKind.self, "program") }
        let name = body.name("name", maximumLength: Experiment.nameLengthMax)
        let kind = body.custom("kind", standIn: Experiment.Kind.other) { word($0) }
        let metric = body.optionalOneOf("metric", Experiment.Metric.self) ?? .conversion
        let variants = body.array("variants", count: 2...Experiment.variantsMax) { part in
            Experiment.Variant(
                name: part.name("name", maximumLength: Experiment.nameLengthMax),
                weight: Int(part.optionalInteger("weight", in: 1...Int64(Experiment.weightMax)) ?? 1),
                content: part.optionalCustom("content", readContent) ?? [])
        }
        var input = ExperimentInput(programID: program, name: name, kind: kind, metric: metric, variants: variants)
        input.holdoutPPM = body.optionalCustom("holdoutShare") { ppm($0, 0...Int64(VariantAllocation.holdoutLimitPPM)) } ?? 0
        input.layer = body.optionalName("layer", maximumLength: Experiment.layerLengthMax) ?? ""
        input.layerSharePPM = body.optionalCustom("layerShare") { ppm($0, 1_000...Experiment.ppm) } ?? Experiment.ppm
        input.effectPPM = body.optionalCustom("minimumEffect") { ppm($0, 1_000...Experiment.ppm) } ?? Experiment.standardEffectPPM
        input.guards =
            body.optionalObject("guards") { part in
                Experiment.Guards(
                    refundPPM: part.optionalCustom("refunds") { ppm($0, 1_000...Experiment.ppm) } ?? Experiment.standardMarginPPM,
                    fraudPPM: part.optionalCustom("fraud") { ppm($0, 1_000...Experiment.ppm) } ?? Experiment.standardMarginPPM,
                    costMinor: part.optionalInteger("cost", in: 1...Schemas.amountMax))
            } ?? Experiment.Guards()
        input.isDraft = body.optionalBoolean("draft") ?? false
        for note in input.mistakes { body.note(note.field, note.message) }
        return input
    }

    /// What variants must be, beyond what each field must be.
    var mistakes: [(field: String, message: String)] {
        var notes: [(field: String, message: String)] = []
        if Set(variants.map(\.name)).count < variants.count { notes.append(("variants", "Must have different names.")) }
        if variants.contains(where: { $0.name == Experiment.holdoutName }) { notes.append(("variants", "Must not be called \(Experiment.holdoutName).")) }
        if layer.isEmpty, layerSharePPM != Experiment.ppm { notes.append(("layerShare", "Needs a layer.")) }
        return notes
    }

    private static func word<Choice: RawRepresentable & CaseIterable>(_ value: JSONValue) -> JSONReader.Reading<Choice> where Choice.RawValue == String {
        if case .text(let text) = value, let choice = Choice(rawValue: text) { return .accepted(choice) }
        return .refused("Must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", ")).")
    }

    /// A share as decimal text or number.
    private static func ppm(_ value: JSONValue, _ range: ClosedRange<Int64>) -> JSONReader.Reading<Int64> {
        let text: String? =
            switch value {
            case .text(let text): text
            case .number(let number): number.token
            default: nil
            }
        guard let share = text.flatMap({ try? Rate($0) }), share.billionths % 1_000 == 0, range.contains(share.billionths / 1_000) else {
            func decimal(_ ppm: Int64) -> String { (try? Rate(billionths: ppm * 1_000).text) ?? "" }
            return .refused("Must be a share from \(decimal(range.lowerBound)) to \(decimal(range.upperBound)) with at most six decimals.")
        }
        return .accepted(share.billionths / 1_000)
    }

    private static func readContent(_ value: JSONValue) -> JSONReader.Reading<[Experiment.Content]> {
        let allowed = "Must be an object of at most \(Experiment.contentTextsMax) texts of at most \(Experiment.contentTextLengthMax) characters."
        guard case .object(let members) = value, members.count <= Experiment.contentTextsMax else { return .refused(allowed) }
        var texts: [Experiment.Content] = []
        for member in members {
            guard case .text(let text) = member.value, text.count <= Experiment.contentTextLengthMax, !text.contains("\u{0}"), !member.name.isEmpty,
                member.name.count <= Experiment.contentNameLengthMax
            else { return .refused(allowed) }
            texts.append(Experiment.Content(name: member.name, text: text))
        }
        return .accepted(texts)
    }
}
