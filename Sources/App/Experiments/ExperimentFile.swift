import Foundation
import Statistics
import Web

/// A file of counts, a line a variant, the first of which is control: `variant,users,conversions[,sum,sum_squares]`.
enum ExperimentFile {
    static func read(_ reader: CSVReader, weights: [Int]? = nil) throws -> [VariantCounts] {
        func place(_ name: String) -> Int? { reader.columns.firstIndex(of: name) }
        guard let name = place("variant"), let users = place("users"), let conversions = place("conversions") else {
            throw refusal("Line 1: the first row must name the columns variant, users, conversions, and may name sum and sum_squares.")
        }
        let (sum, squares) = (place("sum"), place("sum_squares"))
        if (sum == nil) != (squares == nil) { throw refusal("Line 1: sum and sum_squares stand together or not at all.") }
        if let unknown = reader.columns.first(where: { !columns.contains($0) }) { throw refusal("Line 1: there is no column \(unknown).") }
        var variants: [VariantCounts] = []
        while let row = try reader.next() {
            let called = row.fields[name].trimmingCharacters(in: .whitespaces)
            guard !called.isEmpty, called.count <= Experiment.nameLengthMax else { throw refusal("Line \(row.line): a variant's name has 1 to \(Experiment.nameLengthMax) characters.") }
            guard !variants.contains(where: { $0.name == called }) else { throw refusal("Line \(row.line): the variant \(called) stands twice.") }
            guard let all = number(row.fields[users]), let done = number(row.fields[conversions]), let people = Proportion(conversions: done, users: all) else {
                throw refusal("Line \(row.line): users must be a whole number from 1, and conversions one from 0 to users.")
            }
            var values: Moments?
            if let sum, let squares {
                guard let total = Double(row.fields[sum].trimmingCharacters(in: .whitespaces)), let square = Double(row.fields[squares].trimmingCharacters(in: .whitespaces)),
                    let moments = Moments(count: all, sum: total, sumOfSquares: square)
                else { throw refusal("Line \(row.line): no \(all) values have this sum and this sum of squares.") }
                values = moments
            }
            variants.append(VariantCounts(name: called, people: people, values: values))
            guard variants.count <= VariantComparison.variantsMax else { throw refusal("There are more than \(VariantComparison.variantsMax) variants.") }
        }
        guard variants.count >= 2 else { throw refusal("There must be two variants or more; the first is control.") }
        guard let weights else { return variants }
        guard weights.count == variants.count, weights.allSatisfy({ (1...Experiment.weightMax).contains($0) }) else {
            throw refusal("--weights must name a whole number from 1 to \(Experiment.weightMax) for each of the \(variants.count) variants.")
        }
        return zip(variants, weights).map { variant, weight in
            var variant = variant
            variant.weight = weight
            return variant
        }
    }

    private static let columns = ["variant", "users", "conversions", "sum", "sum_squares"]

    private static func number(_ text: String) -> Int? { Int(text.trimmingCharacters(in: .whitespaces)) }

    private static func refusal(_ detail: String) -> Problem { Problem.unprocessable(code: "experiment_file", detail: detail) }
}
