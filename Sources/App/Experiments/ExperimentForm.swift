import Foundation
import Money
import Statistics
import Web

/// A new experiment as it is typed.
struct ExperimentForm: Sendable {
    private static let names = ["program", "name", "kind", "metric", "variants", "holdout", "effect", "layer", "layerShare"]
    private static let standards = ["kind": "offer", "metric": "conversion", "holdout": "10", "effect": "10", "layerShare": "100"]
    private static let variantsLengthMax = 4_000

    private var values: [String: String] = [:]

    init(_ fields: FormFields) {
        for name in Self.names { values[name] = String((fields[name] ?? Self.standards[name] ?? "").prefix(Self.variantsLengthMax)) }
    }

    private subscript(name: String) -> String { values[name] ?? "" }

    /// What is typed, or what is wrong with it.
    func read(_ language: PageLanguage) -> (input: ExperimentInput?, errors: [String: String]) {
        var errors: [String: String] = [:]
        func error(_ field: String, _ key: String? = nil) { errors[field] = language("experiments.error.\(key ?? field)") }
        func share(_ field: String, _ range: ClosedRange<Int64>) -> Int64 {
            if let rate = language.numbers.rate(self[field]), rate.billionths % 1_000 == 0, range.contains(rate.billionths / 1_000) { return rate.billionths / 1_000 }
            error(field)
            return range.lowerBound
        }
        let program = ProgramID(self["program"])
        if program == nil { error("program") }
        if !self["name"].isName || self["name"].count > Experiment.nameLengthMax { error("name") }
        let layer = self["layer"].trimmingCharacters(in: .whitespaces)
        if layer.count > Experiment.layerLengthMax { error("layer") }
        let variants = variants
        if variants == nil { error("variants") }
        var input = ExperimentInput(
            programID: program ?? ProgramID(stored: ""), name: self["name"], kind: Experiment.Kind(rawValue: self["kind"]) ?? .other,
            metric: Experiment.Metric(rawValue: self["metric"]) ?? .conversion, variants: variants ?? [])
        input.holdoutPPM = share("holdout", 0...Int64(VariantAllocation.holdoutLimitPPM))
        input.effectPPM = share("effect", 1_000...Experiment.ppm)
        input.layer = layer
        input.layerSharePPM = layer.isEmpty ? Experiment.ppm : share("layerShare", 1_000...Experiment.ppm)
        if errors.isEmpty, let mistake = input.mistakes.first { error(mistake.field == "layerShare" ? "layerShare" : "variants") }
        return (errors.isEmpty ? input : nil, errors)
    }

    /// A line each: the name, and behind bars its parts and its text.
    private var variants: [Experiment.Variant]? {
        let lines = self["variants"].split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        guard (2...Experiment.variantsMax).contains(lines.count) else { return nil }
        var variants: [Experiment.Variant] = []
        for line in lines {
            let parts = line.split(separator: "|", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
            guard parts.count <= 3, let name = parts.first, name.isName, name.count <= Experiment.nameLengthMax else { return nil }
            var variant = Experiment.Variant(name: name, weight: 1)
            if parts.count > 1, !parts[1].isEmpty {
                guard let weight = Int(parts[1]), (1...Experiment.weightMax).contains(weight) else { return nil }
                variant.weight = weight
            }
            if parts.count > 2, !parts[2].isEmpty {
                guard parts[2].count <= Experiment.contentTextLengthMax else { return nil }
                let kind = Experiment.Kind(rawValue: self["kind"]) ?? .other
                variant.content = [Experiment.Content(name: kind.textName, text: parts[2])]
            }
            variants.append(variant)
        }
        return variants
    }

    func page(programs: [(id: String, name: String)], errors: [String: String], csrfToken: String, _ language: PageLanguage) -> PageForm {
        func say(_ key: String) -> String { language("experiments.\(key)") }
        func choices(_ field: String, _ words: [String], helps: Bool = false) -> [FormField.Choice] {
            words.map { FormField.Choice(value: $0, label: say("\(field).\($0)"), help: helps ? say("\(field)Help.\($0)") : nil, isChosen: self[field] == $0) }
        }
        func line(_ field: String, isRequired: Bool = false, suffix: String? = nil, lengthMax: Int = 100) -> FormField {
            .line(field, say("field.\(field)"), self[field], help: say("help.\(field)"), error: errors[field], isRequired: isRequired, lengthMax: lengthMax, suffix: suffix)
        }
        return PageForm(
            action: ExperimentPages.path,
            fields: [
                FormField(
                    name: "program", label: say("field.program"), error: errors["program"],
                    control: .select(programs.map { FormField.Choice(value: $0.id, label: $0.name, isChosen: $0.id == self["program"]) })),
                line("name", isRequired: true),
                FormField(name: "kind", label: say("field.kind"), control: .select(choices("kind", Experiment.Kind.allCases.map(\.rawValue)))),
                FormField(name: "metric", label: say("field.metric"), control: .radios(choices("metric", Experiment.Metric.allCases.map(\.rawValue), helps: true))),
                FormField(
                    name: "variants", label: say("field.variants"), help: say("help.variants"), error: errors["variants"], control: .area(self["variants"], rows: 4),
                    isRequired: true, lengthMax: Self.variantsLengthMax),
                line("holdout", suffix: "%", lengthMax: 20), line("effect", suffix: "%", lengthMax: 20), line("layer", lengthMax: Experiment.layerLengthMax),
                line("layerShare", suffix: "%", lengthMax: 20),
            ], buttons: [PageForm.Button(label: say("make"))], cancel: (ExperimentPages.path, say("cancel")), csrfToken: csrfToken)
    }
}
