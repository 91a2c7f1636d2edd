import Chronology
import Persistence
import Web

/// The long work that this process does on runs, one task for each run. What it has written for good stays when the process dies;
/// another, or the same one started again, goes on from there.
actor RunWorkshop {
    /// Who works, in the rows of runs.
    nonisolated let owner: String
    /// Work that nobody has touched for so long is taken over.
    static let leaseMs: Int64 = 10_000
    /// Runs worked on beside each other by one process: each may hold a million members in memory.
    static let runsMax = 2
    /// Between two looks of who waits for a run.
    static let lookMs = 10

    private var tasks: [RunID: Task<Void, Never>] = [:]
    private var isClosed = false

    init(owner: String) { self.owner = owner }

    /// Works on a run until it is done; nothing happens when that is under way already, or too much is.
    func start(_ run: RunID, in workspace: WorkspaceID, _ installation: Installation) {
        guard !isClosed, tasks[run] == nil, tasks.count < Self.runsMax else { return }
        tasks[run] = Task { [weak self] in
            await RunWorker(installation: installation, run: run, workspace: workspace).work()
            await self?.ended(run)
        }
    }

    func isWorking(on run: RunID) -> Bool { tasks[run] != nil }

    /// Waits for the work on a run to end, for some time.
    func wait(for run: RunID, atMostMs: Int) async {
        // Who waits for a task's value can't stop waiting: it is looked at again and again.
        let until = ContinuousClock.now + .milliseconds(atMostMs)
        while tasks[run] != nil, ContinuousClock.now < until, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(Self.lookMs)) }
    }

    /// Stops all work; what is not done is gone on with after the next start.
    func close() async {
        isClosed = true
        for task in tasks.values { task.cancel() }
        for task in tasks.values { await task.value }
        tasks = [:]
    }

    private func ended(_ run: RunID) { tasks[run] = nil }
}

extension Installation {
    /// How long a call waits for its own work before it answers that it is under way.
    static var runWaitMs: Int { 10_000 }

    /// Begins long work on a run in one transaction, then does it; answers the run as it is when it has ended or a while has passed.
    func work(
        on id: RunID, in workspace: WorkspaceID, actor: Actor, rights: Set<Right>, waitMs: Int = runWaitMs,
        _ begin: @escaping @Sendable (Write) throws -> Run
    ) async throws -> Run {
        let begun = try await write(workspace, actor: actor, rights: rights) { write in try begin(write) }
        if begun.progress.work != nil {
            await runs.start(id, in: workspace, self)
            await runs.wait(for: id, atMostMs: waitMs)
        }
        let run = try await main.read { connection in try RunStore.find(id, in: workspace, on: connection) }
        guard let run else { throw Refusal.unknown("run") }
        return run
    }

    /// Goes on with work that stopped in the middle.
    func resumeRuns() async throws {
        let now = world.now()
        for run in try await main.read({ connection in try RunStore.working(on: connection) }) {
            let isOurs = run.progress.owner == runs.owner
            guard isOurs || (run.progress.until ?? .earliest) <= now else { continue }
            await runs.start(run.id, in: run.workspaceID, self)
        }
    }
}
