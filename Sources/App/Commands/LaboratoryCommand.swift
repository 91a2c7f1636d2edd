import ArgumentParser
import Chronology
import Compensation
import Foundation
import PlanLanguage
import Web

struct LaboratoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "laboratory",
        abstract: "Compute plans on a made-up organisation side by side: what they cost, how it is spread, who gains and loses. Needs no database.")

    @Option(help: "A plan file (YAML or JSON); give it several times, the first is compared with.") var plan: [String]
    @Option(help: "Promoters of the organisation.") var members = LaboratoryPages.generatedStandard
    @Option(help: "The seed; the same one makes the same organisation.") var seed: UInt64 = 1
    @Option(help: "A day of the period, such as 2026-10-01.") var day = "2026-10-01"
    @Option(help: "The last plan's rates, in hundredths of what they are.") var percent = 100
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await plainly {
            guard (1...OrganisationGenerator.promotersMax).contains(members) else {
                throw Problem.unprocessable(code: "members", detail: "--members must be from 1 to \(OrganisationGenerator.promotersMax).")
            }
            guard PlanSensitivity.percents.contains(percent) else {
                throw Problem.unprocessable(code: "percent", detail: "--percent must be from 50 to 150.")
            }
            guard let day = try? LocalDay(iso8601: day) else {
                throw Problem.unprocessable(code: "day", detail: "--day must be a day such as 2026-10-01.")
            }
            var plans: [(name: String, plan: Compensation.Plan)] = []
            for file in plan {
                guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { throw Problem.notFound(detail: "\(file) can't be read.") }
                do {
                    plans.append((file, try Compensation.Plan(text: text)))
                } catch let failure as PlanTextFailure {
                    throw Problem.unprocessable(code: "plan_refused", detail: "\(file): \(failure)")
                }
            }
            if percent != 100, let last = plans.indices.last { plans[last].plan = try PlanSensitivity.scaled(plans[last].plan, percent: percent) }
            guard let first = plans.first else { throw Problem.unprocessable(code: "plan", detail: "Name at least one --plan.") }
            let period = try first.plan.calendar.period(containing: day)
            let zone = Zone(first.plan.calendar.zone.name) ?? .utc
            let facts = OrganisationGenerator(promoters: members, seed: seed).facts(period: period, zone: zone)
            let trial = try await LaboratoryTrial.run(plans, facts: facts, period: period)
            if json { return Commands.show(trial.json, json: true) }
            print("\(trial.promoters) promoters, \(trial.members - trial.promoters) customers, \(trial.orders) orders, seed \(seed)")
            for entry in trial.entries {
                let share = trial.volumeMinor > 0 ? Double(entry.totalMinor) * 100 / Double(trial.volumeMinor) : 0
                print(
                    "\(entry.name): pays \(entry.totalMinor) (\(String(format: "%.2f", share)) % of CV) to \(entry.payees), breakage \(entry.breakageMinor), capped \(entry.cappedMinor); \(entry.gain.people) gain \(entry.gain.amountMinor), \(entry.lose.people) lose \(entry.lose.amountMinor); \(entry.msPerRun) ms"
                )
            }
        }
    }
}
