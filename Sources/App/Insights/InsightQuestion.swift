import Chronology
import Web

/// What somebody asks of the counts: measures by dimensions, of a period, some rows only.
struct InsightQuestion: Sendable {
    var measures: [InsightMeasure]
    var dimensions: [InsightDimension] = []
    var days: ClosedRange<LocalDay>
    var filters: [InsightDimension: String] = [:]

    static let measuresMax = 12
    static let dimensionsMax = 3
    static let filtersMax = 5
    static let daysMax: Int64 = 1_830
    static let rowsMax = 5_000

    /// Reads the parameters of an address; refusals say what is allowed.
    static func read(_ query: [String: String], today: LocalDay, by field: String = "dimensions", measures standard: [InsightMeasure]? = nil) throws -> InsightQuestion {
        let measures: [InsightMeasure] = try words(query["measures"], "measures", max: measuresMax)
        let dimensions: [InsightDimension] = try words(query[field], field, max: dimensionsMax)
        guard !measures.isEmpty || standard != nil else {
            throw Refusal.field("measures", "Is required: one or more of \(InsightMeasure.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        var question = InsightQuestion(
            measures: measures.isEmpty ? standard ?? [] : measures, dimensions: dimensions, days: try period(query["from"], query["to"], today: today))
        for part in (query["filters"] ?? "").split(separator: ",") {
            let sides = part.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard sides.count == 2, let dimension = InsightDimension(rawValue: sides[0]), sides[1].unicodeScalars.count <= 100 else {
                throw Refusal.field("filters", "Must be dimension:value pairs with commas between them, such as channel:mail,country:DE.")
            }
            question.filters[dimension] = sides[1]
        }
        guard question.filters.count <= filtersMax else { throw Refusal.field("filters", "Must be at most \(filtersMax).") }
        try question.check(field)
        return question
    }

    /// Both days count. Left out: the 30 days until today.
    static func period(_ from: String?, _ to: String?, today: LocalDay) throws -> ClosedRange<LocalDay> {
        func day(_ text: String?, _ field: String) throws -> LocalDay? {
            guard let text else { return nil }
            guard let day = try? LocalDay(iso8601: text), (1970...9998).contains(day.year) else { throw Refusal.field(field, "Must be a day such as 2026-11-23.") }
            return day
        }
        let last = try day(to, "to") ?? today
        let first = try day(from, "from") ?? last.plus(days: -29)
        guard first <= last else { throw Refusal.field("to", "Must not be before from.") }
        guard last.dayNumber - first.dayNumber < daysMax else { throw Refusal.field("from", "A period must have at most \(daysMax) days.") }
        return first...last
    }

    private static func words<Word: RawRepresentable & CaseIterable & Hashable>(_ text: String?, _ field: String, max: Int) throws -> [Word]
    where Word.RawValue == String {
        let texts = (text ?? "").split(separator: ",").map(String.init)
        let words = texts.compactMap(Word.init(rawValue:))
        guard words.count == texts.count, Set(words).count == words.count, words.count <= max else {
            throw Refusal.field(field, "Must be at most \(max) of \(Word.allCases.map(\.rawValue).joined(separator: ", ")), each once, with commas between them.")
        }
        return words
    }

    private func check(_ field: String) throws {
        for measure in measures {
            for dimension in dimensions + Array(filters.keys) where !measure.dimensions.contains(dimension) {
                let allowed = measure.dimensions.map(\.rawValue).sorted().joined(separator: ", ")
                throw Refusal.field(
                    dimensions.contains(dimension) ? field : "filters",
                    "\(measure.rawValue) can't be told apart by \(dimension.rawValue); \(allowed.isEmpty ? "only as a whole" : "by \(allowed)").", code: "dimension_not_supported")
            }
        }
    }
}

/// One figure: what was divided by what, and what came out.
struct InsightFigure: Sendable {
    var measure: InsightMeasure
    var numerator: Int64
    var denominator: Int64?

    /// Money by one is rounded to whole minor units, half away from zero.
    var whole: Int64? {
        guard let denominator else { return numerator }
        guard denominator > 0 else { return nil }
        return Self.rounded(Int128(numerator), by: Int128(denominator))
    }

    /// A ratio in millionths; nil without a denominator above zero.
    var ppm: Int64? {
        guard let denominator, denominator > 0 else { return nil }
        return Self.rounded(Int128(numerator) * 1_000_000, by: Int128(denominator))
    }

    private static func rounded(_ value: Int128, by whole: Int128) -> Int64 {
        Int64(clamping: value >= 0 ? (value * 2 + whole) / (whole * 2) : (value * 2 - whole) / (whole * 2))
    }

    /// A number: a count, minor units, or a ratio with six decimals. Null where nothing can be divided by.
    var value: JSONValue {
        switch measure.kind {
        case .count, .money, .moneyPerOne: whole.map { .integer($0) } ?? .null
        case .ratio: ppm.map { .decimal(Double($0) / 1_000_000) } ?? .null
        }
    }

    /// Why there is no value.
    var reason: JSONValue { value == .null ? .text("The denominator is \(denominator ?? 0): nothing can be divided by it.") : .null }
}
