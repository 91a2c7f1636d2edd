import Chronology
import Logging
import Persistence
import Web

/// The files of pages that this process rehearses and writes, one task for each. A process that dies leaves them to the next, which goes on
/// with what is not written yet.
actor ImportWorkshop {
    /// Files worked on beside each other: each stands in memory.
    static let filesMax = 2
    /// Work that nobody has touched for so long is taken over.
    static let leaseMs: Int64 = 10_000
    private static let touchMs = 3_000
    private static let lookMs = 10

    private var tasks: [FileImportID: Task<Void, Never>] = [:]
    private var isClosed = false

    func start(_ id: FileImportID, in workspace: WorkspaceID, _ installation: Installation) {
        guard !isClosed, tasks[id] == nil, tasks.count < Self.filesMax else { return }
        tasks[id] = Task { [weak self] in
            await Self.work(id, workspace, installation)
            await self?.ended(id)
        }
    }

    /// Waits for the work on a file to end, for some time.
    func wait(for id: FileImportID, atMostMs: Int) async {
        // Who waits for a task's value can't stop waiting: it is looked at again and again.
        let until = ContinuousClock.now + .milliseconds(atMostMs)
        while tasks[id] != nil, ContinuousClock.now < until, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(Self.lookMs)) }
    }

    func isWorking(on id: FileImportID) -> Bool { tasks[id] != nil }

    func close() async {
        isClosed = true
        for task in tasks.values { task.cancel() }
        for task in tasks.values { await task.value }
        tasks = [:]
    }

    private func ended(_ id: FileImportID) { tasks[id] = nil }

    private static func work(_ id: FileImportID, _ workspace: WorkspaceID, _ installation: Installation) async {
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await installation.workOnImport(id, in: workspace) }
                group.addTask {
                    while true {
                        try await Task.sleep(for: .milliseconds(touchMs))
                        try await installation.touchImport(id, in: workspace)
                    }
                }
                try await group.next()
                group.cancelAll()
            }
        } catch is CancellationError {
            return
        } catch {
            installation.logger.error("An import stopped; it is tried again", metadata: ["import": "\(id.text)", "error": "\(error)"])
        }
    }
}

extension Installation {
    private static var resumedAtOnceMax: Int { 20 }

    /// Begins rehearsing or writing a page's file, and waits for it for a while.
    func work(on id: FileImportID, in workspace: WorkspaceID, waitMs: Int) async {
        await imports.start(id, in: workspace, self)
        await imports.wait(for: id, atMostMs: waitMs)
    }

    /// Goes on with files whose process died, and forgets those that nobody went on with.
    func resumeImports() async throws {
        let now = world.now()
        for record in try await main.read({ connection in try FileImportStore.working(limit: Self.resumedAtOnceMax, on: connection) }) {
            guard record.workOwner == runs.owner || (record.workUntil ?? .earliest) <= now else { continue }
            await imports.start(record.id, in: record.workspaceID, self)
        }
        guard try await main.read({ connection in try FileImportStore.hasExpired(at: now, on: connection) }) else { return }
        _ = try await writeAnywhere { connection in try FileImportStore.expire(at: now, on: connection) }
    }

    fileprivate func touchImport(_ id: FileImportID, in workspace: WorkspaceID) async throws {
        let owner = runs.owner
        try await write(workspace, actor: .system("imports")) { write in
            let until = try write.world.now().adding(milliseconds: ImportWorkshop.leaseMs)
            try FileImportStore.setWork(id, owner: owner, until: until, on: write.connection)
        }
    }

    /// Rehearses or writes a file as its row says.
    fileprivate func workOnImport(_ id: FileImportID, in workspaceID: WorkspaceID) async throws {
        guard let (record, workspace, text) = try await claimImport(id, in: workspaceID) else { return }
        let program = try await importDefaults(record.programID, in: workspace)
        var file = FileImport(
            installation: self, workspace: workspace, program: record.programID,
            parts: record.mapping.parts(try CSVReader(text: text).columns, program), path: "")
        (file.text, file.actor, file.record) = (text, record.actor, id)
        let made = file
        try await board.follow(id.text) { progress in
            var file = made
            file.progress = progress
            let answer = try await file.run(isDryRun: record.state == .rehearsing)
            try await self.note(answer, of: record)
        }
    }

    private func claimImport(_ id: FileImportID, in workspaceID: WorkspaceID) async throws -> (FileImportRecord, Workspace, String)? {
        let (owner, seal) = (runs.owner, FileImportSeal(secrets))
        return try await write(workspaceID, actor: .system("imports")) { write in
            guard let record = try FileImportStore.find(id, in: write.workspace.id, on: write.connection), record.state.isWorking,
                record.workOwner == owner || (record.workUntil ?? .earliest) <= write.world.now(),
                let sealed = try FileImportStore.content(id, on: write.connection).content
            else { return nil }
            try FileImportStore.setWork(id, owner: owner, until: write.world.now().adding(milliseconds: ImportWorkshop.leaseMs), on: write.connection)
            return (record, write.workspace, String(decoding: try seal.open(sealed, of: id, "content"), as: UTF8.self))
        }
    }

    private func note(_ answer: JSONValue, of record: FileImportRecord) async throws {
        let sealed = try FileImportSeal(secrets).seal(answer.bytes, of: record.id, "outcome")
        try await write(record.workspaceID, actor: .system("imports")) { write in
            try FileImportStore.setOutcome(record.id, sealed, on: write.connection)
            let now = try FileImportStore.find(record.id, in: write.workspace.id, on: write.connection)
            // What was written has its state; a rehearsal, or a file with mistakes, waits for a person.
            if now?.state.isWorking == true {
                try FileImportStore.set(record.id, .rehearsed, on: write.connection)
            }
            try FileImportStore.setWork(record.id, owner: nil, until: nil, on: write.connection)
        }
    }

    /// What a file without such columns is taken to say.
    func importDefaults(_ id: ProgramID?, in workspace: Workspace) async throws -> VendorExport.Defaults {
        let now = workspace.now(world)
        let program = try await main.read { connection in try id.flatMap { try ProgramStore.find($0, in: workspace.id, at: now, on: connection) } }
        return VendorExport.Defaults(program)
    }
}

extension VendorExport.Defaults {
    init(_ program: Program?) {
        let host = program?.settings.allowedHosts.first { !$0.contains("*") && !$0.hasSuffix(":") }
        self.init(currency: program?.currency ?? "", destination: host.map { "https://\($0)/" })
    }
}
