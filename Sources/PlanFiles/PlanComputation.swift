public import Chronology
public import Compensation
import Foundation
public import PlanLanguage

/// Which orders a command computes.
public enum PeriodChoice: Hashable, Sendable {
    /// The one period that starts on that day; nil: the period of the first order.
    case one(start: LocalDay?)
    /// Every period from the first order to the last, each with the carry of the one before.
    case all

    public static let periodsLimit = 2_000
}

/// Why a plan was not computed.
public enum PlanCommandFailure: Error, Sendable {
    case file(FileFailure)
    case plan(path: String, PlanTextFailure)
    case run(RunFailure, Plan)
    case other(String)

    /// What to tell the person at the keyboard.
    public var sentence: String {
        switch self {
        case .file(let failure): failure.description + "."
        case .plan(let path, let failure): failure.problems.map { "\(path): \($0)." }.joined(separator: "\n")
        case .run(let failure, let plan): failure.words(plan) + "."
        case .other(let sentence): sentence
        }
    }
}

/// `kith plan compute`: files in, files out.
public struct PlanComputation: Sendable {
    public var planPath: String
    public var files: FactFiles
    public var periods: PeriodChoice
    public var carryPath: String?
    public var writesLines: Bool
    public var threads: Int
    public var outputPath: String
    public var progress: WorkProgress

    public init(
        planPath: String, files: FactFiles, periods: PeriodChoice, carryPath: String? = nil, writesLines: Bool = true, threads: Int = 1,
        outputPath: String, progress: WorkProgress = WorkProgress()
    ) {
        self.planPath = planPath
        self.files = files
        self.periods = periods
        self.carryPath = carryPath
        self.writesLines = writesLines
        self.threads = threads
        self.outputPath = outputPath
        self.progress = progress
    }

    /// Writes the files and gives what the summaries say. Nothing is written when anything is wrong.
    public func run() async throws(PlanCommandFailure) -> [RunSummary] {
        let plan = try Plan.read(path: planPath)
        var carry: CarryFile?
        if let carryPath {
            let read = try fileWork { () throws(FileFailure) in try CarryFile(path: carryPath) }
            guard read.plan == plan.code else { throw .file(FileFailure(path: carryPath, message: "is the carry of the plan “\(read.plan)”, not of “\(plan.code)”")) }
            carry = read
        }
        let haveOrdered = (carry?.carry.members ?? []).filter(\.hasOrdered).map(\.id)
        let reader = FactReader(plans: [plan], files: files, haveOrdered: haveOrdered, progress: progress)
        let rows = try await fileWork { () async throws(FileFailure) in try await reader.read() }
        for order in carry?.history ?? [] {
            guard let row = rows.builder.row(ofOrder: order.orderId) else { continue }
            throw .file(FileFailure(path: files.orders, line: row, column: "id", message: "the carry knows an order of an earlier period with this id"))
        }
        let chosen = try PeriodFinder(plan: plan, rows: rows, carry: carry).periods(periods)
        let output = try fileWork { () throws(FileFailure) in try OutputFolder(path: outputPath) }
        do throws(PlanCommandFailure) {
            let summaries = try await compute(plan, rows, chosen, carry, output)
            try fileWork { () throws(FileFailure) in try output.finish() }
            return summaries
        } catch {
            output.discard()
            throw error
        }
    }

    private func compute(
        _ plan: Plan, _ rows: FactRows, _ chosen: [Period], _ carryIn: CarryFile?, _ output: OutputFolder
    ) async throws(PlanCommandFailure) -> [RunSummary] {
        let isAll = periods == .all
        let refunded = rows.builder.refundedOrderIds
        var carry = carryIn
        var summaries: [RunSummary] = []
        for period in chosen {
            progress.say("computing \(period.start.iso8601)")
            let facts = try rows.facts(for: period, choosesOrders: isAll, files)
            // Whoever joins later has nothing to be decided about yet.
            let overrides = rows.overrides.filter { $0.periodStart == nil || $0.periodStart == period.start }.map(\.override)
                .filter { facts.member(id: $0.memberId) != nil }
            let keepsAll = facts.orderCount <= CarryFile.ordersLimit
            let keepsLines = writesLines || keepsAll || (isAll && !refunded.isEmpty)
            // Beside the run and the writing, as all only read.
            let before = carry
            async let hashed = RunHash.text(plan, facts, overrides, before)
            let result: RunResult
            do throws(RunFailure) {
                result = try await Compensation.run(
                    plan, facts: facts, carryIn: before?.carry ?? Carry(), overrides: overrides, history: before?.history ?? [],
                    options: RunOptions(threads: threads, keepsLines: keepsLines))
            } catch { throw .run(error, plan) }
            progress.say("computed \(period.start.iso8601): \(result.lineCount) lines")
            if !keepsAll { progress.say("\(facts.orderCount) orders are too many for carry.json: refunds of them need --all-periods") }
            let membersById = result.membersById
            let next = CarryFile(
                plan: plan.code, nextPeriodStart: period.end, carry: result.carryOut(membersById: membersById),
                history: Self.history(after: result, before: before?.history ?? [], keepsAll: keepsAll, wanted: isAll ? refunded : []))
            let statements = try await write(result, next, membersById, output, folder: isAll ? period.start.iso8601 + "/" : "")
            let lines = keepsLines ? result.lines.count { $0.amountMinor != 0 } : result.lineCount
            let summary = RunSummary(result, lineCount: lines, statementCount: statements, hash: await hashed)
            try fileWork { () throws(FileFailure) in
                let file = try ByteWriter(path: try output.place((isAll ? period.start.iso8601 + "/" : "") + "summary.json"))
                try file.write(summary.json)
                try file.finish()
            }
            summaries.append(summary)
            progress.say("written \(period.start.iso8601)")
            carry = next
        }
        return summaries
    }

    /// Lines, statements and carry; gives the number of statements. The carry is written on a thread of its own.
    private func write(
        _ result: RunResult, _ next: CarryFile, _ membersById: [Int], _ output: OutputFolder, folder: String
    ) async throws(PlanCommandFailure) -> Int {
        let path = try fileWork { () throws(FileFailure) in try output.place(folder + "carry.json") }
        async let carryFailure = next.failureOfWriting(path)
        let statements = try fileWork { () throws(FileFailure) in
            if writesLines { try RunTables(result: result).writeLines(try output.place(folder + "lines.csv")) }
            return try RunTables(result: result).writeStatements(try output.place(folder + "statements.csv"), membersById: membersById)
        }
        if let failure = await carryFailure { throw .file(failure) }
        return statements
    }

    /// Orders on which something may still be taken back: refunded ones as they stand now, and those of this period.
    private static func history(after result: RunResult, before: [PastOrder], keepsAll: Bool, wanted: Set<IdKey>) -> [PastOrder] {
        let ids = keepsAll ? (0..<result.facts.orderCount).map { result.facts.orderId($0) } : wanted.map(\.text)
        var changed: [IdKey: PastOrder] = [:]
        for order in result.refundedOrders { changed[IdKey(order.orderId)] = order }
        let all = before.map { changed[IdKey($0.orderId)] ?? $0 } + result.pastOrders(ids: ids)
        let surplus = all.count - CarryFile.ordersLimit
        guard surplus > 0 else { return all }
        // The oldest go first, but not those that a later period of this command needs.
        var dropped = 0
        return all.filter { order in
            guard dropped < surplus, !wanted.contains(IdKey(order.orderId)) else { return true }
            dropped += 1
            return false
        }
    }
}

extension FactRows {
    /// The facts of a period. Orders outside of it are left out, or refused by their line.
    func facts(for period: Period, choosesOrders: Bool, _ files: FactFiles) throws(PlanCommandFailure) -> Facts {
        let chosen = choosesOrders ? builder.selecting(period) : builder.known(atEndOf: period)
        do throws(FactsFailure) { return try chosen.build(period: period) } catch { throw .file(FileFailure(error, files)) }
    }
}

struct PeriodFinder {
    let plan: Plan
    let rows: FactRows
    let carry: CarryFile?

    func periods(_ choice: PeriodChoice) throws(PlanCommandFailure) -> [Period] {
        var found: [Period]
        do throws(ChronologyFailure) {
            switch choice {
            case .all: found = try rows.builder.allPeriods(limit: PeriodChoice.periodsLimit)
            case .one(nil): found = Array(try rows.builder.periodsWithOrders().prefix(1))
            case .one(let start?): found = [try plan.calendar.period(containing: start)]
            }
        } catch { throw .other("The orders span more than \(PeriodChoice.periodsLimit) periods, or days outside of the calendar.") }
        if case .one(let start?) = choice, let period = found.first, period.start != start {
            throw .other("No period of this plan starts on \(start.iso8601); the one around it starts on \(period.start.iso8601).")
        }
        guard let first = found.first else { throw .other("There are no orders, so say which period is meant with --period-start.") }
        if let carry {
            guard carry.nextPeriodStart <= first.start else {
                throw .other("The carry is for the period from \(carry.nextPeriodStart.iso8601) on, and the first period starts on \(first.start.iso8601); give the carry of the period before it.")
            }
            guard carry.nextPeriodStart == first.start || choice == .all else {
                throw .other("The carry ends before \(carry.nextPeriodStart.iso8601), and the period starts on \(first.start.iso8601); compute the periods in between first.")
            }
            // Periods without orders between the carry and the first order still age volume and payments.
            do throws(ChronologyFailure) {
                var between: [Period] = []
                var start = carry.nextPeriodStart
                while start < first.start, between.count < PeriodChoice.periodsLimit {
                    let period = try plan.calendar.period(containing: start)
                    between.append(period)
                    start = period.end
                }
                found = between + found
            } catch { throw .other("The carry's day is outside of the calendar.") }
        }
        return found
    }
}

/// The same failure as one of a command.
func fileWork<T>(_ work: () throws(FileFailure) -> T) throws(PlanCommandFailure) -> T {
    do throws(FileFailure) { return try work() } catch { throw .file(error) }
}

func fileWork<T: Sendable>(_ work: () async throws(FileFailure) -> T) async throws(PlanCommandFailure) -> T {
    do throws(FileFailure) { return try await work() } catch { throw .file(error) }
}

extension Plan {
    /// Reads a plan's file.
    public static func read(path: String) throws(PlanCommandFailure) -> Plan {
        guard let data = FileManager.default.contents(atPath: path) else { throw .file(FileFailure(path: path, message: "could not be read")) }
        guard let text = String(validating: data, as: UTF8.self) else { throw .file(FileFailure(path: path, message: "is no UTF-8 text")) }
        do throws(PlanTextFailure) { return try Plan(text: text) } catch { throw .plan(path: path, error) }
    }
}

extension RunFailure {
    /// One English clause.
    func words(_ plan: Plan) -> String {
        switch self {
        case .plan(let problem): "The plan can't be computed: \(problem.place): \(problem.reason)"
        case .overflow(let place): "A sum at “\(place)” leaves the range of whole numbers with 64 bits"
        case .tooManyLines: "The run has more lines than are allowed"
        case .ranksDoNotSettle: "The ranks read each other in a circle and don't settle; let rank conditions read the legs of one tree only"
        case .unknownMember(let id): "There is no member “\(id)” in the members' file"
        case .unknownRefundedOrder(let refund, let order):
            "The order “\(refund)” refunds “\(order)”, which is neither in the orders' file nor in the carry; give the carry of the period before with --carry, or all orders with --all-periods"
        }
    }
}
