public import Chronology
public import Compensation
import Foundation
import Money

/// The files of `plan compute`, read into rows for the engine.
public struct FactFiles: Sendable {
    public var members: String
    public var orders: String
    public var moves: String?
    public var overrides: String?

    public init(members: String, orders: String, moves: String? = nil, overrides: String? = nil) {
        self.members = members
        self.orders = orders
        self.moves = moves
        self.overrides = overrides
    }
}

/// Overrides with the start of the period that they are for; nil: every period.
public struct DatedOverride: Hashable, Sendable {
    public var override: Override
    public var periodStart: LocalDay?
}

/// What was read, before a period is chosen.
public struct FactRows: Sendable {
    public var builder: FactsBuilder
    public var overrides: [DatedOverride]
    public var memberCount: Int
    public var orderCount: Int
}

/// Reads the files for the plans: the trees and attributes that any of them needs. The first plan's calendar and unit hold.
public struct FactReader {
    let plans: [Plan]
    let files: FactFiles
    let haveOrdered: [String]
    let progress: WorkProgress

    public init(plans: [Plan], files: FactFiles, haveOrdered: [String] = [], progress: WorkProgress = WorkProgress()) {
        self.plans = plans
        self.files = files
        self.haveOrdered = haveOrdered
        self.progress = progress
    }

    /// Orders are cut out of their file on another thread, while members and ids are numbered on this one.
    public func read() async throws(FileFailure) -> FactRows {
        guard let plan = plans.first else { throw FileFailure(path: files.members, message: "no plan was given") }
        var widths: [TreeCode: Int?] = [:]
        for plan in plans {
            for (tree, width) in plan.placementTrees {
                widths[tree] = [widths[tree] ?? nil, width].compactMap { $0 }.min()
            }
        }
        let trees = widths.sorted { $0.key.code < $1.key.code }.map { (tree: $0.key, width: $0.value) }
        let attributes = Set(plans.flatMap(\.attributeNames)).sorted()
        var builder = FactsBuilder(calendar: plan.calendar, placementTrees: trees, attributeNames: attributes)
        // About one row for each 64 bytes, so that tables grow once or never.
        builder.reserve(members: rowsExpected(files.members), orders: rowsExpected(files.orders))
        let queue = OrderQueue()
        let path = files.orders
        async let reading: Void = queue.fill(from: path, unit: plan.unit)
        let memberCount: Int
        let orderCount: Int
        do throws(FileFailure) {
            memberCount = try readMembers(&builder, trees.map(\.tree), attributes)
            builder.markEarlierOrders(haveOrdered)
            orderCount = try await takeOrders(&builder, from: queue)
        } catch {
            await queue.close()
            throw error
        }
        await reading
        if let path = files.moves { try readMoves(path, &builder, trees.map(\.tree)) }
        var overrides: [DatedOverride] = []
        if let path = files.overrides { overrides = try readOverrides(path, builder) }
        return FactRows(builder: builder, overrides: overrides, memberCount: memberCount, orderCount: orderCount)
    }
}

extension FactReader {
    private func takeOrders(_ builder: inout FactsBuilder, from queue: OrderQueue) async throws(FileFailure) -> Int {
        var count = 0
        while let part = await queue.next() {
            do throws(FactsFailure) { try builder.add(part.batch) } catch { throw FileFailure(error, files) }
            if let failure = part.failure { throw failure }
            progress.rows(from: count, to: count + part.batch.count, "orders")
            count += part.batch.count
        }
        return count
    }
}

private func rowsExpected(_ path: String) -> Int {
    let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int ?? 0
    return min(size / 64, FactsBuilder.rowsLimit)
}

/// Says on standard error, or to whoever listens, how far long work has come.
public struct WorkProgress: Sendable {
    /// Rows between two messages.
    static let rowsBetween = 1_000_000
    let say: @Sendable (String) -> Void
    public init(_ say: @escaping @Sendable (String) -> Void = { _ in }) { self.say = say }

    func rows(from before: Int, to count: Int, _ what: String) {
        if count / Self.rowsBetween > before / Self.rowsBetween { say("\(count / Self.rowsBetween) million \(what) read") }
    }
}

extension FactsFailure.Reason {
    /// One English clause.
    var words: String {
        switch self {
        case .emptyId: "the id is empty"
        case .duplicateId: "the id stands in the file twice"
        case .unknownMember: "there is no such member in the members' file"
        case .cycle(let tree): "the way up in the tree “\(tree)” leads back to the member"
        case .slotTaken(let tree): "another member has this place in the tree “\(tree)”"
        case .slotOutOfRange(let tree, let limit): "the tree “\(tree)” has the slots 1 to \(limit)"
        case .unknownTree: "the plan has no such tree"
        case .movedTwice: "the member is moved to another place at the same instant"
        case .enrollerMoves: "the enroller never changes; only placement trees have moves"
        case .outsidePeriod: "the order is outside of the period; take it out, choose another period, or ask for all periods"
        case .unknownDay: "the day is outside of the calendar"
        case .volumeTooLarge: "a volume must be within ±\(FactsBuilder.volumeLimit), and all together within \(FactsBuilder.volumeSumLimit)"
        case .refundExceedsOrder: "more is refunded than the order was"
        case .refundOfRefund: "a refund can't be refunded"
        case .refundOfAnotherBuyer: "the refunded order has another buyer"
        case .refundNotNegative: "a refund has numbers of 0 or below"
        case .tooManyRows: "more than \(FactsBuilder.rowsLimit) rows"
        }
    }

    func column(_ column: String) -> String {
        switch self {
        case .slotOutOfRange(let tree, _): tree + "_slot"
        default: column
        }
    }
}

extension FileFailure {
    /// The engine's failure, in the words of the files.
    init(_ failure: FactsFailure, _ files: FactFiles) {
        let path =
            switch failure.file {
            case .members: files.members
            case .orders: files.orders
            case .moves: files.moves ?? "moves"
            }
        let column = failure.file == .members ? failure.reason.column(failure.column) : failure.column
        self.init(path: path, line: failure.row, column: column, message: failure.reason.words)
    }
}
