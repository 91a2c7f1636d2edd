import Chronology
import Persistence
import Web

extension Installation {
    /// Entries in one transaction. A file that is broken off between two is taken up again where it was.
    private static var entriesPerWrite: Int { 100 }
    /// A dry run of more entries works on a copy, so that nobody waits for it.
    private static var rehearsedHereMax: Int { 500 }

    /// Takes a file in, or shows what that would do. One with a mistake in it writes nothing.
    func reconcile(_ file: BankFile, in workspace: WorkspaceID, actor: Actor, isDryRun: Bool) async throws -> ReconciliationSummary {
        var summary = ReconciliationSummary()
        (summary.pending, summary.mistakes, summary.mistakeCount) = (file.pendingCount, file.mistakes, file.mistakeCount)
        if file.mistakeCount > 0 { return summary }
        let known = try await main.read { connection in try ReconciliationStore.file(hash: file.hash, in: workspace, on: connection) }
        summary.file = known
        if let known, known.state == .done {
            summary.isRepeated = true
            summary.known = file.entries.count
            return summary
        }
        let ordered = file.ordered
        let (format, seal) = (file.format, reconciliationSeal)
        if isDryRun {
            summary.add(try await rehearse(file, ordered, in: workspace, actor: actor))
            summary.file = file.made(world.newID(), by: actor, at: world.now())
            return summary
        }
        let started = try await write(workspace, actor: actor) { write -> Reconciliation in
            if let begun = try ReconciliationStore.file(hash: file.hash, in: write.workspace.id, on: write.connection) { return begun }
            let made = file.made(write.world.newID(), by: write.actor, at: write.now)
            try ReconciliationStore.insert(made, in: write.workspace.id, on: write.connection)
            return made
        }
        summary.file = started
        for start in stride(from: 0, to: ordered.count, by: Self.entriesPerWrite) {
            let part = Array(ordered[start..<min(start + Self.entriesPerWrite, ordered.count)])
            summary.add(
                try await write(workspace, actor: actor) { write in
                    var run = ReconciliationRun(started.id, format, seal: seal, in: write)
                    try run.take(part)
                    return run.summary
                })
            LongWork.current?.tell(.entries, start + part.count, of: ordered.count)
        }
        let told = summary
        try await write(workspace, actor: actor) { write in
            try ReconciliationStore.finish(started.id, known: Int64(told.known), on: write.connection)
            try write.audit(
                "reconciliation.take", subject: started.id.text,
                JSONText(["entries": .integer(Int64(told.entries)), "known": .integer(Int64(told.known)), "paid": .integer(Int64(told.results[.paid] ?? 0))]))
        }
        summary.file?.state = .done
        return summary
    }

    private struct DryRun: Error { var summary: ReconciliationSummary }

    /// The same run, taken back.
    private func rehearse(_ file: BankFile, _ ordered: [BankFile.Numbered], in workspace: WorkspaceID, actor: Actor) async throws -> ReconciliationSummary {
        let seal = reconciliationSeal
        @Sendable func run(_ write: Write) throws -> ReconciliationSummary {
            let made = file.made(write.world.newID(), by: write.actor, at: write.now)
            let begun = try ReconciliationStore.file(hash: file.hash, in: write.workspace.id, on: write.connection)
            if begun == nil { try ReconciliationStore.insert(made, in: write.workspace.id, on: write.connection) }
            var run = ReconciliationRun((begun ?? made).id, file.format, seal: seal, in: write)
            try run.take(ordered)
            return run.summary
        }
        if ordered.count > Self.rehearsedHereMax {
            let (vault, world) = (vault.rehearsal, world)
            return try await Rehearsal.run(workspace, of: self) { connection in
                guard let found = try WorkspaceStore.find(workspace, on: connection) else { throw Refusal.unknown("workspace") }
                return try run(Write(connection: connection, workspace: found, now: found.now(world), actor: actor, world: world, vault: vault))
            }
        }
        return try await write(workspace, actor: actor) { write in
            do {
                return try write.connection.savepoint { throw DryRun(summary: try run(write)) }
            } catch let dry as DryRun {
                return dry.summary
            }
        }
    }

    /// What banks said of people is kept no longer than it is of use.
    func expireReconciliations() async throws {
        let now = world.now()
        guard try await main.read({ connection in try ReconciliationStore.hasExpired(at: now, on: connection) }) else { return }
        _ = try await writeAnywhere { connection in try ReconciliationStore.expire(at: now, on: connection) }
    }
}

extension BankFile {
    fileprivate func made(_ id: ReconciliationID, by actor: Actor, at now: Instant) -> Reconciliation {
        Reconciliation(
            id: id, format: format, hash: hash, state: .reading, accountEnding: accountEnding, balance: balance, entryCount: Int64(entries.count),
            knownCount: 0, createdBy: actor.person, createdAt: now)
    }

    /// Reads what came by a call or a page: a refusal says where it is no such file.
    static func readRefusing(_ content: Content, _ format: Format, mapping: EntryTable.Columns?) throws -> BankFile {
        do {
            return try read(content, format, mapping: mapping)
        } catch let malformed as XMLReader.Malformed {
            throw Refusal.field("content", malformed.line > 0 ? malformed.description : malformed.reason, code: "unreadable_file")
        } catch let malformed as CSVReader.Malformed {
            throw Refusal.field("content", malformed.description, code: "unreadable_file")
        }
    }
}
