import Chronology
import Compensation
import Foundation
import Money

/// `kith plan compare`: the same facts under several plans. The first plan is what the others are compared with.
public struct PlanComparison: Sendable {
    public var planPaths: [String]
    public var files: FactFiles
    public var periods: PeriodChoice
    public var threads: Int
    /// A folder for `comparison.csv` and `comparison.json`; nil: nothing is written.
    public var outputPath: String?
    public var progress: WorkProgress

    public static let plansLimit = 8

    public init(
        planPaths: [String], files: FactFiles, periods: PeriodChoice = .all, threads: Int = 1, outputPath: String? = nil,
        progress: WorkProgress = WorkProgress()
    ) {
        self.planPaths = planPaths
        self.files = files
        self.periods = periods
        self.threads = threads
        self.outputPath = outputPath
        self.progress = progress
    }

    public func run() async throws(PlanCommandFailure) -> ComparisonResult {
        var plans: [Plan] = []
        for path in planPaths { plans.append(try Plan.read(path: path)) }
        guard let first = plans.first, plans.count >= 2, plans.count <= Self.plansLimit else {
            throw .other("Give two to \(Self.plansLimit) plans, each with --plan.")
        }
        for (plan, path) in zip(plans, planPaths) where plan.unit != first.unit || plan.calendar != first.calendar {
            throw .other("\(path) counts in another unit or other periods than \(planPaths[0]); plans are compared period by period.")
        }
        let rows = try await fileWork { () async throws(FileFailure) in try await FactReader(plans: plans, files: files, progress: progress).read() }
        let chosen = try PeriodFinder(plan: first, rows: rows, carry: nil).periods(periods)
        let refunded = rows.builder.refundedOrderIds
        var result = ComparisonResult(plans: zip(plans, planPaths).map { ComparisonResult.PlanTotals(code: $0.code, path: $1) }, periods: chosen)
        var places: [IdKey: Int] = [:]
        var carries: [(carry: Carry, history: [PastOrder])] = plans.map { _ in (Carry(), []) }
        for period in chosen {
            let facts = try rows.facts(for: period, choosesOrders: periods == .all, files)
            let totals = facts.totals
            result.salesMinor += totals.amountMinor
            result.commissionVolume += totals.commissionVolume
            var placeOfMember: [Int] = []
            for member in 0..<facts.memberCount {
                guard facts.isPromoter(member) else {
                    placeOfMember.append(-1)
                    continue
                }
                let id = facts.memberId(member)
                let place = places[IdKey(id)] ?? places.count
                if place == places.count {
                    places[IdKey(id)] = place
                    result.members.append(id)
                    for plan in plans.indices { result.plans[plan].amounts.append(0) }
                }
                placeOfMember.append(place)
            }
            for (number, plan) in plans.enumerated() {
                progress.say("computing \(period.start.iso8601) under \(plan.code)")
                let run: RunResult
                do throws(RunFailure) {
                    run = try await Compensation.run(
                        plan, facts: facts, carryIn: carries[number].carry, history: carries[number].history,
                        options: RunOptions(threads: threads, keepsLines: periods == .all && !refunded.isEmpty))
                } catch { throw .run(error, plan) }
                result.plans[number].take(run)
                for member in 0..<facts.memberCount where placeOfMember[member] >= 0 {
                    let (sum, overflow) = result.plans[number].amounts[placeOfMember[member]].addingReportingOverflow(run.amountMinor(of: member))
                    guard !overflow else { throw .run(.overflow(where: "amounts"), plan) }
                    result.plans[number].amounts[placeOfMember[member]] = sum
                }
                if chosen.count > 1 {
                    var changed: [IdKey: PastOrder] = [:]
                    for order in run.refundedOrders { changed[IdKey(order.orderId)] = order }
                    carries[number] = (
                        run.carryOut, carries[number].history.map { changed[IdKey($0.orderId)] ?? $0 } + run.pastOrders(ids: refunded.map(\.text))
                    )
                }
            }
        }
        if let outputPath { try write(result, outputPath) }
        return result
    }

    private func write(_ result: ComparisonResult, _ path: String) throws(PlanCommandFailure) {
        let output = try fileWork { () throws(FileFailure) in try OutputFolder(path: path) }
        do throws(PlanCommandFailure) {
            try fileWork { () throws(FileFailure) in
                let table = try ByteWriter(path: try output.place("comparison.csv"))
                try table.write("member_id")
                for (number, plan) in result.plans.enumerated() {
                    table.comma()
                    try table.cell(number == 0 ? plan.code : "\(number + 1):\(plan.code)")
                }
                try table.write(",difference\n")
                for place in result.members.indices.sorted(by: { result.members[$0].utf8.lexicographicallyPrecedes(result.members[$1].utf8) })
                where result.plans.contains(where: { $0.amounts[place] != 0 }) {
                    try table.cell(result.members[place])
                    for plan in result.plans {
                        table.comma()
                        table.write(plan.amounts[place])
                    }
                    table.comma()
                    table.write(Int64(clamping: Int128(result.plans[result.plans.count - 1].amounts[place]) - Int128(result.plans[0].amounts[place])))
                    try table.endLine()
                }
                try table.finish()
                let summary = try ByteWriter(path: try output.place("comparison.json"))
                try summary.write(result.json)
                try summary.finish()
                try output.finish()
            }
        } catch {
            output.discard()
            throw error
        }
    }
}
