import Chronology
import Ledger
import Money
import Persistence
import Web

struct RunDecision: Sendable {
    var runID: RunID
    /// Why a run with blocking findings is accepted all the same.
    var overrideReason: String?
}

extension Run {
    static let reasonLengthMax = 2_000

    /// A second person accepts; from now on nothing about the run changes any more.
    static func beginAcceptance(_ decision: RunDecision, in write: Write) throws -> Run {
        var run = try find(decision.runID, in: write)
        try run.require(.previewed)
        guard run.endsAt <= write.now, let cutoff = run.cutoff, cutoff >= run.endsAt else {
            throw Problem.conflict(
                code: "period_open",
                detail: "The period ends at \(run.endsAt.rfc3339). Preview the run after that, then accept it.")
        }
        guard write.actor.person != run.createdBy else {
            throw Problem.conflict(code: "same_person", detail: "The one who made the run can't accept it: a second person must.")
        }
        try NewApprover.refuse(in: write)
        let previous = try run.previous(on: write.connection)
        guard previous?.id == run.previousID else {
            throw Problem.conflict(code: "preview_outdated", detail: "The run before was made again since the preview. Preview this one again.")
        }
        let blocking = try run.blockingFindings
        if blocking > 0 {
            guard let reason = decision.overrideReason?.trimmingPrefix(while: \.isWhitespace), !reason.isEmpty else {
                throw Problem.conflict(
                    code: "audit_blocks",
                    detail: "The legal audit has \(blocking) findings that block acceptance. Send an overrideReason to accept all the same.")
            }
            run.overrideReason = String(reason.prefix(reasonLengthMax))
        }
        run.state = .accepting
        run.acceptedBy = write.actor.person
        let payees: Int64 = try JSONValue.parse(Array(run.summary.text.utf8), maximumBytes: 10_000_000)["payees"]?.wholeNumber ?? 0
        run.begin(.acceptance, total: payees, owner: nil)
        try RunStore.update(run, on: write.connection)
        try write.audit(
            "run.accept", subject: run.id.text,
            JSONText(["total": .integer(run.totalMinor), "overridden": .integer(blocking), "hash": .text(Hexadecimal.text(run.hash ?? []))]))
        return run
    }

    var blockingFindings: Int64 {
        get throws { try JSONValue.parse(Array(audit.text.utf8), maximumBytes: 10_000_000)["blocking"]?.wholeNumber ?? 0 }
    }
}

extension JSONValue {
    var wholeNumber: Int64? { if case .number(let number) = self { number.integer } else { nil } }
}

/// Posts an accepted run to the ledger, chunk by chunk in the order of members' ids. Each chunk is written once: its number, its posting
/// and the run's counter are one transaction.
struct RunAcceptance {
    let worker: RunWorker

    func go(on start: Run) async throws {
        let id = worker.run
        let count = try await worker.installation.main.read { connection in try RunPartStore.count(.statements, of: id, on: connection) }
        var payables: [RunPayable] = []
        var chunk = start.progress.chunks
        // Counted in people and not in chunks, as another version of Kith may have begun with chunks of another size.
        var posted = start.progress.done
        for number in 0..<count {
            for row in try await read(statements: number) {
                guard posted == 0 else {
                    posted -= 1
                    continue
                }
                payables.append(row)
                if payables.count == RunPayable.chunkMax {
                    try await post(payables, chunk)
                    payables = []
                    chunk += 1
                }
            }
        }
        if !payables.isEmpty { try await post(payables, chunk) }
        let disclosure = try await worker.installation.main.read { connection in JSONText(try LedgerDisclosure.json(start, on: connection)) }
        try await worker.piece { run, write in
            run.state = .accepted
            run.disclosure = disclosure
            run.acceptedAt = write.now
            run.progress = Run.Progress(work: nil, done: run.progress.total, total: run.progress.total, chunks: run.progress.chunks)
            try write.emit(
                .runAccepted, subject: run.id.text,
                JSONText([
                    "runId": .text(run.id.text), "planId": .text(run.planID.text), "periodStart": .text(run.periodStart.iso8601),
                    "total": .integer(run.totalMinor), "currency": .text(run.unit.code), "hash": .text(Hexadecimal.text(run.hash ?? [])),
                ]))
        }
    }

    private func post(_ rows: [RunPayable], _ chunk: Int) async throws {
        try await worker.chunk { run, write in
            guard run.state == .accepting, run.progress.chunks == chunk else { return }
            try write.post(
                cause: run.id.text, purpose: Run.purpose("acceptance", chunk), effectiveAt: run.endsAt, run.entries(rows))
            try RunPayableStore.insert(rows, chunk: chunk, of: run, on: write.connection)
            run.progress.chunks = chunk + 1
            run.progress.done += Int64(rows.count)
        }
    }

    private func read(statements number: Int) async throws -> [RunPayable] {
        let id = worker.run
        return try await worker.installation.main.read { connection in
            guard let part = try RunPartStore.part(.statements, number, of: id, on: connection) else {
                throw DatabaseFailure(.corrupt, "part \(number) of the statements of \(id) is missing")
            }
            let members = try MemberRows(of: id, on: connection)
            var reader = PackedReader(part.bytes)
            var rows: [RunPayable] = []
            while !reader.isAtEnd {
                let statement = try StoredStatement.read(&reader)
                guard statement.amountMinor != 0 else { continue }
                rows.append(RunPayable(memberID: MemberID(stored: try members.id(statement.member).text), amountMinor: statement.amountMinor))
            }
            return rows
        }
    }
}

/// Pays a run's pending amounts over to what payout batches may take; who owes something pays that off first.
struct RunFunding {
    let worker: RunWorker

    func go(on start: Run) async throws {
        let id = worker.run
        let count = try await worker.installation.main.read { connection in try RunPayableStore.chunks(of: id, on: connection) }
        for chunk in start.progress.chunks..<max(count, start.progress.chunks) {
            try await worker.chunk { run, write in
                guard run.progress.chunks == chunk else { return }
                let rows = try RunPayableStore.rows(of: run.id, chunk: chunk, on: write.connection)
                let entries = try Self.entries(rows, run, write)
                if !entries.isEmpty { try write.post(cause: run.id.text, purpose: Run.purpose("funding", chunk), effectiveAt: write.now, entries) }
                try RunPayableStore.setState(.funded, of: run.id, chunk: chunk, on: write.connection)
                try Self.tell(rows, run, write)
                run.progress.chunks = chunk + 1
                run.progress.done += Int64(rows.count)
            }
        }
        try await worker.piece { run, write in
            run.state = .funded
            run.fundedAt = write.now
            run.progress = Run.Progress(work: nil, done: run.progress.total, total: run.progress.total, chunks: run.progress.chunks)
        }
    }

    private static func entries(_ rows: [RunPayable], _ run: Run, _ write: Write) throws -> [Entry] {
        var entries: [Entry] = []
        for row in rows where row.amountMinor > 0 {
            let member = row.memberID.text
            let debt = try Journal.balance(workspace: write.workspace.id.text, of: .debt(member), unit: run.unit, on: write.connection).minor
            let paidOff = min(max(0, debt), row.amountMinor)
            entries.append(Entry(.pending(member), run.unit, Amount(minor: row.amountMinor)))
            entries.append(Entry(.debt(member), run.unit, Amount(minor: -paidOff)))
            entries.append(Entry(.available(member), run.unit, Amount(minor: paidOff - row.amountMinor)))
        }
        return entries
    }

    /// One letter for each member and day, with what became available.
    private static func tell(_ rows: [RunPayable], _ run: Run, _ write: Write) throws {
        let members = try MemberStore.find(rows.map(\.memberID), on: write.connection)
        for row in rows where row.amountMinor > 0 {
            guard let member = members[row.memberID], member.status == .active else { continue }
            try Mail.gather(
                .commissionsApproved(count: 1, minorByUnit: [run.unit.code: row.amountMinor]), for: row.memberID, person: member.personID,
                locale: member.locale, in: write)
        }
    }
}

/// Takes an accepted run back, chunk by chunk; then it is superseded and its period is open for another.
struct RunReversal {
    let worker: RunWorker

    func go(on start: Run) async throws {
        let id = worker.run
        let count = try await worker.installation.main.read { connection in try RunPayableStore.chunks(of: id, on: connection) }
        for chunk in start.progress.chunks..<max(count, start.progress.chunks) {
            try await worker.chunk { run, write in
                guard run.progress.chunks == chunk else { return }
                let rows = try RunPayableStore.rows(of: run.id, chunk: chunk, on: write.connection)
                try Self.reverse(rows, chunk, run, write)
                try RunPayableStore.setState(.reversed, of: run.id, chunk: chunk, on: write.connection)
                run.progress.chunks = chunk + 1
                run.progress.done += Int64(rows.count)
            }
        }
        try await worker.piece { run, write in
            run.state = .superseded
            run.supersededAt = write.now
            run.progress = Run.Progress(work: nil, done: run.progress.total, total: run.progress.total, chunks: run.progress.chunks)
        }
    }

    /// The chunk's entries with their signs turned. A debt that was paid off since comes back as available money.
    private static func reverse(_ rows: [RunPayable], _ chunk: Int, _ run: Run, _ write: Write) throws {
        let posting = Posting(
            workspace: write.workspace.id.text, cause: run.id.text, purpose: Run.purpose("acceptance", chunk), effectiveAt: run.endsAt, entries: [])
        var entries: [Entry] = []
        var isExact = true
        for entry in run.entries(rows) {
            entries.append(Entry(entry.account, entry.unit, Amount(minor: -entry.amount.minor)))
        }
        for row in rows where row.amountMinor < 0 {
            let member = row.memberID.text
            let debt = try Journal.balance(workspace: write.workspace.id.text, of: .debt(member), unit: run.unit, on: write.connection).minor
            let missing = -row.amountMinor - max(0, debt)
            guard missing > 0 else { continue }
            isExact = false
            entries.append(Entry(.debt(member), run.unit, Amount(minor: missing)))
            entries.append(Entry(.available(member), run.unit, Amount(minor: -missing)))
        }
        try write.post(
            cause: run.id.text, purpose: Run.purpose("reversal", chunk), effectiveAt: write.now,
            corrects: isExact ? .whole(of: posting.id) : .partial(of: posting.id), entries)
    }
}

extension Run {
    static func beginFunding(_ id: RunID, in write: Write) throws -> Run {
        var run = try find(id, in: write)
        try run.require(.accepted)
        run.fundedBy = write.actor.person
        run.begin(.funding, total: run.progress.total, owner: nil)
        try RunStore.update(run, on: write.connection)
        try write.audit("run.fund", subject: run.id.text, JSONText(["total": .integer(run.totalMinor)]))
        return run
    }

    /// Only while not funded, and while no later run has taken its carry.
    static func beginReversal(_ id: RunID, in write: Write) throws -> Run {
        var run = try find(id, in: write)
        try run.require(.accepted)
        guard run.fundedBy == nil else {
            throw Problem.conflict(code: "wrong_state", detail: "The run is being funded; what changes now is paid by the next run as a difference.")
        }
        guard try !RunStore.hasLater(run, on: write.connection) else {
            throw Problem.conflict(code: "later_run_exists", detail: "A later run of the plan builds on this one. What changes now is paid by the next run.")
        }
        run.supersededBy = write.actor.person
        run.begin(.reversal, total: run.progress.total, owner: nil)
        try RunStore.update(run, on: write.connection)
        try write.audit("run.reopen", subject: run.id.text, JSONText(["total": .integer(run.totalMinor)]))
        return run
    }
}
