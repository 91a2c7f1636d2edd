import ArgumentParser
import Chronology
import Compensation
import Foundation
import PlanFiles
import PlanLanguage
import Web

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Compensation plans on files: check, compute, compare. Needs no server and no database.",
        subcommands: [Check.self, Compute.self, Compare.self, SchemaOfPlans.self])

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "check", abstract: "Say what is wrong with a plan's file, by line and column.")

        @Argument(help: "The plan, YAML or JSON.") var file: String
        @Flag(help: "Print JSON.") var json = false
        @Flag(help: "Print the plan as it is hashed: JSON with its keys in order and defaults left out.") var canonical = false

        func run() async throws {
            do throws(PlanCommandFailure) {
                let plan = try Plan.read(path: file)
                if canonical {
                    print(plan.canonicalJSON)
                } else if json {
                    Commands.show(
                        ["ok": true, "plan": .text(plan.code), "version": .integer(Int64(plan.version)), "bonuses": .integer(Int64(plan.bonuses.count)), "problems": []],
                        json: true)
                } else {
                    print("\(file): the plan “\(plan.code)” version \(plan.version) can be computed: \(plan.ranks.count) ranks, \(plan.bonuses.count) bonuses.")
                }
            } catch {
                if json, case .plan(_, let failure) = error {
                    let problems = failure.problems.map { problem -> JSONValue in
                        [
                            "line": .integer(Int64(problem.line)), "column": .integer(Int64(problem.column)), "path": .text(problem.path),
                            "message": .text(problem.message), "allowed": .array(problem.allowed.map { .text($0) }),
                        ]
                    }
                    Commands.show(["ok": false, "problems": .array(problems)], json: true)
                }
                throw PlanCommand.failed(error)
            }
        }
    }

    struct FactOptions: ParsableArguments {
        @Option(help: "members.csv") var members: String
        @Option(help: "orders.csv") var orders: String
        @Option(help: "moves.csv: dated moves in placement trees") var moves: String?
        @Option(name: .customLong("period-start"), help: "The day on which the period starts, such as 2026-01-01; without it, the period of the first order.")
        var periodStart: String?
        @Flag(name: .customLong("all-periods"), help: "Every period from the first order to the last, each with the carry of the one before.")
        var allPeriods = false
        @Option(help: "How many threads compute; the result is the same for any number.") var threads: Int?

        func periods() throws(PlanCommandFailure) -> PeriodChoice {
            guard let periodStart else { return allPeriods ? .all : .one(start: nil) }
            guard !allPeriods else { throw .other("Give --period-start or --all-periods, not both.") }
            guard let day = try? LocalDay(iso8601: periodStart) else { throw .other("“\(periodStart)” is no day; give one such as 2026-01-01.") }
            return .one(start: day)
        }

        func threadCount() throws(PlanCommandFailure) -> Int {
            let count = threads ?? min(ProcessInfo.processInfo.activeProcessorCount, PlanCommand.threadsLimit)
            guard (1...PlanCommand.threadsLimit).contains(count) else { throw .other("--threads is a number from 1 to \(PlanCommand.threadsLimit).") }
            return count
        }
    }

    struct Compute: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "compute", abstract: "Compute a plan: members and orders in, lines, statements, carry and summary out.",
            discussion: "Writes lines.csv, statements.csv, carry.json and summary.json to the folder; with --all-periods to a folder for each period. Nothing is written when anything is wrong.")

        enum LineChoice: String, ExpressibleByArgument, CaseIterable { case all, none }

        @Option(help: "The plan, YAML or JSON.") var plan: String
        @OptionGroup var facts: FactOptions
        @Option(help: "overrides.csv: decisions by people, each with author and reason") var overrides: String?
        @Option(help: "carry.json of the period before") var carry: String?
        @Option(help: "all: write lines.csv; none: totals and statements only.") var lines = LineChoice.all
        @Option(help: "The folder that is written.") var out: String
        @Flag(help: "Print the summaries as JSON.") var json = false

        func run() async throws {
            do throws(PlanCommandFailure) {
                let computation = PlanComputation(
                    planPath: plan,
                    files: FactFiles(members: facts.members, orders: facts.orders, moves: facts.moves, overrides: overrides),
                    periods: try facts.periods(), carryPath: carry, writesLines: lines == .all, threads: try facts.threadCount(), outputPath: out,
                    progress: PlanCommand.progress)
                let summaries = try await computation.run()
                if json {
                    print("[" + summaries.map { $0.json }.joined(separator: ",\n") + "]")
                    return
                }
                for summary in summaries {
                    print(
                        "\(summary.period.start.iso8601): \(summary.totalMinor) \(summary.unit) minor units to \(summary.paidCount) members, \(summary.lineCount) lines, \(summary.hash)")
                }
            } catch { throw PlanCommand.failed(error) }
        }
    }

    struct Compare: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "compare", abstract: "The same facts under several plans: what each pays, who gains, who loses.",
            discussion: "The first plan is what the others are compared with. Without a choice of period all periods count.")

        @Option(help: "A plan; give two to \(PlanComparison.plansLimit).") var plan: [String]
        @OptionGroup var facts: FactOptions
        @Option(help: "A folder for comparison.csv (every member) and comparison.json.") var out: String?
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            do throws(PlanCommandFailure) {
                let comparison = PlanComparison(
                    planPaths: plan, files: FactFiles(members: facts.members, orders: facts.orders, moves: facts.moves),
                    periods: facts.periodStart == nil ? .all : try facts.periods(), threads: try facts.threadCount(), outputPath: out,
                    progress: PlanCommand.progress)
                let result = try await comparison.run()
                print(json ? result.json : result.table, terminator: "")
            } catch { throw PlanCommand.failed(error) }
        }
    }

    struct SchemaOfPlans: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "schema", abstract: "Print the JSON Schema (2020-12) of plans.")

        func run() { print(planSchema(), terminator: "") }
    }

    static let threadsLimit = 64

    /// On standard error, and only when somebody may be waiting: not for the first moments of a small run.
    static var progress: WorkProgress {
        let began = ContinuousClock.now
        return WorkProgress { message in
            let took = ContinuousClock.now - began
            guard took > .seconds(1) else { return }
            FileHandle.standardError.write(Data("\(took.components.seconds) s: \(message)\n".utf8))
        }
    }

    static func failed(_ failure: PlanCommandFailure) -> ExitCode {
        FileHandle.standardError.write(Data((failure.sentence + "\n").utf8))
        return .failure
    }
}
