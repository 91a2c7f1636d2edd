import Chronology
import Compensation
import HTTPTypes
import Logging
import Persistence
import Web

/// Does the work that a run's row names, piece by piece. Every piece is one short transaction, in line with everybody else's.
struct RunWorker: Sendable {
    let installation: Installation
    let run: RunID
    let workspace: WorkspaceID

    static let actor = Actor.system("runs")

    struct Stopped: Error {}

    func work() async {
        do {
            guard let current = try await claim(), let work = current.progress.work else { return }
            switch work {
            case .preview: try await RunPreview(worker: self).make(current)
            case .acceptance: try await RunAcceptance(worker: self).go(on: current)
            case .funding: try await RunFunding(worker: self).go(on: current)
            case .reversal: try await RunReversal(worker: self).go(on: current)
            }
        } catch is Stopped {
            return
        } catch is CancellationError {
            return
        } catch {
            await fail(error)
        }
    }

    /// Takes the work, unless another process has it.
    private func claim() async throws -> Run? {
        try await write { write in
            var run = try Run.find(self.run, in: write)
            guard run.progress.work != nil else { return nil }
            let isOurs = run.progress.owner == installation.runs.owner
            guard isOurs || (run.progress.until ?? .earliest) <= write.world.now() else { return nil }
            try lease(&run, write)
            try RunStore.update(run, on: write.connection)
            return run
        }
    }

    /// One of many pieces of the same kind: of the run only its progress is written.
    func chunk(_ body: @escaping @Sendable (inout Run, Write) throws -> Void) async throws {
        try await piece(writing: RunStore.updateProgress, body)
    }

    /// One piece: `body` gets the run as it is now. Stops when the work was taken away.
    @discardableResult
    func piece<T: Sendable>(
        writing update: @escaping @Sendable (Run, any Connection) throws -> Void = RunStore.update,
        _ body: @escaping @Sendable (inout Run, Write) throws -> T
    ) async throws -> T {
        guard !Task.isCancelled else { throw Stopped() }
        return try await write { write in
            var run = try Run.find(self.run, in: write)
            guard run.progress.work != nil, run.progress.owner == installation.runs.owner else { throw Stopped() }
            try lease(&run, write)
            let answer = try body(&run, write)
            try update(run, write.connection)
            return answer
        }
    }

    /// Tells how far the work is, in thousandths.
    func progress(_ done: Int64) async throws {
        try await chunk { run, _ in
            run.progress.done = done
            run.progress.total = 1_000
        }
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (Write) throws -> T) async throws -> T {
        try await installation.write(workspace, actor: Self.actor, body)
    }

    private func lease(_ run: inout Run, _ write: Write) throws {
        run.progress.owner = installation.runs.owner
        run.progress.until = try write.world.now().adding(milliseconds: RunWorkshop.leaseMs)
    }

    /// A failure of the world (a full disk, a lost database) is tried again by the next look; what is wrong with the run itself is told.
    private func fail(_ error: any Error) async {
        guard let reason = RunRefusal.words(error) else {
            installation.logger.error("Work on a run stopped; it is tried again", metadata: ["run": "\(run)", "error": "\(error)"])
            return
        }
        do {
            try await piece { run, write in
                if run.progress.work == .preview {
                    run.progress.work = nil
                    run.state = .draft
                }
                run.progress.failure = reason
                try write.audit("run.fail", subject: run.id.text, JSONText(["work": .text(run.progress.work?.rawValue ?? "preview")]))
            }
        } catch {
            installation.logger.error("A run's failure could not be noted", metadata: ["run": "\(run)", "error": "\(error)"])
        }
    }
}

/// Why a run could not be computed, in a sentence.
enum RunRefusal {
    /// Nil for failures that may pass.
    static func words(_ error: any Error) -> String? {
        switch error {
        case let problem as Problem: problem.status.code < 500 ? problem.detail : nil
        case let failure as FactsFailure: facts(failure)
        case let failure as RunFailure: run(failure)
        case is ChronologyFailure: "A time lies outside of the years 1970 to 9999."
        case let failure as DatabaseFailure where failure.kind == .corrupt: failure.message
        default: Refusal.of(error)?.detail
        }
    }

    private static func facts(_ failure: FactsFailure) -> String {
        let place = "\(failure.file.code), row \(failure.row + 1), \(failure.column)"
        switch failure.reason {
        case .cycle(let tree): return "In the tree \(tree) members stand below themselves (\(place))."
        case .slotTaken(let tree): return "In the tree \(tree) two members stand in one place (\(place))."
        case .slotOutOfRange(let tree, let limit): return "In the tree \(tree) a place is beyond slot \(limit) (\(place))."
        case .volumeTooLarge: return "A volume is beyond ±10^15 minor units, or all together are too large (\(place))."
        case .refundExceedsOrder: return "A refund is larger than its order (\(place))."
        default: return "The facts of the period can't be taken: \(failure.reason) (\(place))."
        }
    }

    private static func run(_ failure: RunFailure) -> String {
        switch failure {
        case .plan(let problem): "The plan contradicts itself at \(problem.place): \(problem.reason)."
        case .overflow(let place): "A sum is too large to be reckoned with (\(place))."
        case .tooManyLines: "The run has more lines than are allowed."
        case .ranksDoNotSettle: "The ranks of the plan don't settle: they read each other in a circle."
        case .unknownMember(let id): "\(id) is not in the program in this period."
        case .unknownRefundedOrder(let refund, let order): "The refund \(refund) names the order \(order), which nobody knows."
        }
    }
}
