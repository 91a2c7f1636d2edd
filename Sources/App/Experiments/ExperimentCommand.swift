import ArgumentParser
import Foundation
import Statistics
import Web

struct ExperimentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "experiment", abstract: "Experiments: what a file of counts says.", subcommands: [Analyze.self])

    struct Analyze: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "analyze", abstract: "Compare the variants of a file with control, and say what to do. Needs no database.")

        @Option(help: "A CSV file with the columns variant, users, conversions and, for a value per person, sum and sum_squares; the first row is control.")
        var file: String
        @Option(help: "How many parts of all people each variant was meant to get, such as 1,1,2; equal parts by default.") var weights: String?
        @Option(help: "The smallest difference that matters, in the metric's units (0.01 is a point of a rate); a tenth of the rate by default.") var effect: Double?
        @Option(help: "What decides: conversion, or value (needs sum and sum_squares).") var metric = "conversion"
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await plainly {
                guard ["conversion", "value"].contains(metric) else { throw Problem.unprocessable(code: "metric", detail: "--metric must be conversion or value.") }
                if let effect, !(effect > 0 && effect.isFinite) { throw Problem.unprocessable(code: "effect", detail: "--effect must be more than 0.") }
                let parts = try weights.map { text in
                    try text.split(separator: ",", omittingEmptySubsequences: false).map { part -> Int in
                        guard let weight = Int(part.trimmingCharacters(in: .whitespaces)) else {
                            throw Problem.unprocessable(code: "weights", detail: "--weights must be whole numbers with commas between them.")
                        }
                        return weight
                    }
                }
                let variants: [VariantCounts]
                do {
                    variants = try ExperimentFile.read(try CSVReader(path: file), weights: parts)
                } catch let failure as CSVReader.Malformed {
                    throw Problem.unprocessable(code: "experiment_file", detail: "\(file): \(failure)")
                } catch let problem as Problem {
                    throw Problem.unprocessable(code: problem.code, detail: "\(file): \(problem.detail)")
                }
                guard metric == "conversion" || variants.allSatisfy({ $0.values != nil }) else {
                    throw Problem.unprocessable(code: "metric", detail: "\(file): --metric value needs the columns sum and sum_squares.")
                }
                let comparison = VariantComparison(variants, effect: effect, isByValue: metric == "value")
                let language = PageLanguage(messages: try MessageCatalogue(Embedded.files(.catalogue)).messages(for: "en"), zone: .utc)
                let sentence = DecisionSentence(metric: comparison.isByValue ? .value : .rate, control: variants.first?.name ?? "", language: language)
                if json { return Commands.show(comparison.json(sentence: sentence(comparison.decision)), json: true) }
                print(comparison.table(sentence))
            }
        }
    }
}

extension VariantComparison {
    /// For people: the answer, then a line a variant.
    func table(_ sentence: DecisionSentence) -> String {
        var lines = [sentence(decision)]
        for (index, variant) in variants.enumerated() {
            var line = "\(variant.name): \(variant.people.conversions) of \(variant.people.users)"
            line += isByValue ? ", mean \(sentence.level(variant.values?.mean ?? 0))" : ", \(sentence.level(variant.people.rate))"
            if index > 0, let test = test(of: variant, isByValue: isByValue) {
                line += ", always-valid p \(DecisionSentence.plain(test.pValue))"
                if let interval = test.interval { line += ", difference \(sentence.signed(interval.lower)) to \(sentence.signed(interval.upper))" }
            }
            lines.append(line)
        }
        return lines.joined(separator: "\n")
    }
}
