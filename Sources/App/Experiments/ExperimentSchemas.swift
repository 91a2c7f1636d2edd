import Money
import Web

extension Experiment {
    private static let fields: [APIField] = [
        .required("id", .text), .required("programId", .text), .required("name", .text), .required("kind", .enumeration(Kind.allCases.map(\.rawValue))),
        .required("metric", .enumeration(Metric.allCases.map(\.rawValue))), .required("state", .enumeration(State.allCases.map(\.rawValue))),
        .required("holdoutShare", .text), .required("layer", .nullable(.text)), .required("layerShare", .text), .required("minimumEffect", .text),
        .required("guards", .object([.required("refunds", .text), .required("fraud", .text), .required("cost", .nullable(.integer()))])),
        .required("variants", .array(.object([.required("name", .text), .required("weight", .integer()), .required("content", .map(.text))]))),
        .required("chosen", .nullable(.text)), .required("startedAt", .nullable(.dateTime)), .required("endedAt", .nullable(.dateTime)), .required("createdAt", .dateTime),
    ]

    static let schema = APISchema.object(fields)

    static let assignmentSchema = APISchema.object([
        .required("experimentId", .text), .required("variant", .described(.nullable(.text), description: "A variant's name, or holdout; null for nobody of this experiment.")),
        .required("position", .nullable(.integer())), .required("holdout", .boolean),
        .required("reason", .enumeration(["assigned", "holdout", "outside", "notStarted", "stopped", "concluded"])), .required("content", .map(.text)),
    ])

    static let analysisSchema = APISchema.object(fields + [.required("analysis", analysis)])

    private static let number = APISchema.nullable(.number)
    private static let interval = APISchema.described(.nullable(.array(number)), description: "Lower and upper end.")
    private static let count = APISchema.integer()

    private static let side = APISchema.object([.required("users", count), .required("conversions", count), .required("rate", .number), .required("mean", number)])

    private static let analysis = APISchema.object([
        .required("decision", .enumeration(["use", "keepControl", "noDifferenceWorth", "goOn", "doNotDecide"])), .required("verdict", .text),
        .required("until", .dateTime), .required("days", count), .required("looks", count), .required("minimumEffect", number),
        .required(
            "variants",
            .array(
                .object([
                    .required("name", .text), .required("users", count), .required("conversions", count), .required("rate", number), .required("interval", interval),
                    .required("mean", number),
                ]))),
        .required("tired", .described(.array(.text), description: "Variants that move surely fewer of a week's people than in their first four weeks.")),
        .required(
            "comparisons",
            .array(
                .object([
                    .required("variant", .text), .required("difference", number), .required("z", number), .required("pValue", number), .required("interval", interval),
                    .required("relativeLift", number), .required("probabilityBetter", number), .required("alwaysValidPValue", .number),
                    .required("alwaysValidInterval", interval),
                ]))),
        .required(
            "sampleRatio",
            .object([.required("alwaysValidPValue", .number), .required("alarm", .boolean), .required("mismatched", count), .required("crossed", count)])),
        .required(
            "holdout",
            .nullable(
                .object([
                    .required("users", count), .required("conversions", count), .required("rate", .number), .required("incremental", number),
                    .required("interval", interval), .required("cost", count), .required("costEach", number),
                ]))),
        .required(
            "guards",
            .array(
                .object([
                    .required("variant", .text), .required("name", .enumeration(["refunds", "fraud", "cost"])), .required("state", .enumeration(["kept", "open", "broken"])),
                    .required("margin", .number), .required("control", number), .required("treatment", number), .required("interval", interval),
                ]))),
        .required(
            "segments",
            .array(
                .object([
                    .required("segment", .text), .required("variant", .text), .required("control", side), .required("treatment", side), .required("pValue", .number),
                ]))),
        .required(
            "cuped",
            .nullable(
                .object([
                    .required("varianceReduction", .number),
                    .required(
                        "comparisons",
                        .array(
                            .object([
                                .required("variant", .text), .required("difference", .number), .required("alwaysValidInterval", interval),
                                .required("alwaysValidPValue", .number),
                            ]))),
                ]))),
        .required("isCut", .boolean),
    ])
}

extension ExperimentAnalysis {
    func sentence(_ program: Program, _ language: PageLanguage) -> DecisionSentence {
        let exponent = Currency(code: program.currency)?.exponent ?? 2
        return DecisionSentence(
            metric: isByValue ? .money(exponent: exponent, unit: program.currency) : .rate, control: experiment.control?.name ?? "", language: language)
    }
}
