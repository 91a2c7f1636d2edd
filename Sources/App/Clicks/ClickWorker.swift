import Attribution
import Chronology
import Ledger
import Money
import Persistence
import Rules
import Web

extension Installation {
    /// Clicks applied in one transaction at most.
    static let clicksApplied = 500

    /// Applies all clicks that are on disk and not applied yet: counts, stages, events and what rules give for clicks. Exactly once:
    /// the cursor moves in the same transaction.
    func applyClicks() async throws {
        while try await applySomeClicks() == Self.clicksApplied {}
    }

    private func applySomeClicks() async throws -> Int {
        let start = try await main.read { connection in try CursorStore.position("clicks", on: connection) }
        let batch = try await clicks.read { connection in
            try ClickStore.after(start, limit: Self.clicksApplied, on: connection)
        }
        guard let last = batch.last else { return 0 }
        let applied = try await writeAnywhere { [world, vault] connection -> Bool in
            guard try CursorStore.advance("clicks", from: start, to: last.sequence, at: world.now(), on: connection) else { return false }
            try ClickApplication(connection: connection, world: world, vault: vault).apply(batch)
            return true
        }
        // Another process was faster: look again.
        return applied ? batch.count : Self.clicksApplied
    }
}

/// What a batch of clicks changes in the main database.
private struct ClickApplication {
    let connection: any Connection
    let world: World
    let vault: Vault

    func apply(_ batch: [Click]) throws {
        for workspaceID in Set(batch.map(\.workspaceID)).sorted() {
            if connection.dialect == .postgres {
                _ = try connection.rows("SELECT id FROM workspace WHERE id = \(workspaceID) FOR NO KEY UPDATE")
            }
            guard let workspace = try WorkspaceStore.find(workspaceID, on: connection) else { continue }
            let write = Write(
                connection: connection, workspace: workspace, now: workspace.now(world), actor: .system("clicks"), world: world, vault: vault)
            try apply(batch.filter { $0.workspaceID == workspaceID }, in: write)
        }
    }

    private struct Day: Hashable {
        var link: LinkID
        var program: ProgramID
        var day: String
    }

    private func apply(_ clicks: [Click], in write: Write) throws {
        var counts: [Day: (counted: Int64, logged: Int64)] = [:]
        var programs: [ProgramID: Program] = [:]
        var rules: [ProgramID: [Rule]] = [:]
        var traffic: [Traffic: Int64] = [:]
        for click in clicks {
            if programs[click.programID] == nil {
                programs[click.programID] = try ProgramStore.find(click.programID, in: write.workspace.id, at: click.at, on: connection)
                rules[click.programID] = try RuleStore.all(of: click.programID, on: connection).filter { $0.terms.event == .click }
            }
            guard let program = programs[click.programID] else { continue }
            if let link = click.linkID {
                let day = Day(link: link, program: program.id, day: program.zone.day(of: click.at).iso8601)
                let before = counts[day] ?? (0, 0)
                counts[day] = (before.counted + (click.discard == nil ? 1 : 0), before.logged + 1)
            }
            guard click.discard == nil else { continue }
            let seen = Traffic(
                programID: program.id, day: write.workspace.zone.day(of: click.at).iso8601, kind: .click, dimensions: Dimensions(click.signals.value),
                country: click.country ?? "")
            traffic[seen, default: 0] += 1
            try write.emit(
                .linkClicked, subject: click.id.text,
                JSONText([
                    "clickId": .text(click.id.text), "linkId": click.linkID.map { .text($0.text) } ?? .null,
                    "memberId": click.memberID.map { .text($0.text) } ?? .null, "programId": .text(program.id.text), "at": .text(click.at.rfc3339),
                ]))
            if let member = click.memberID {
                if program.settings.stages.sharer.contains(.click) { try Member.advance(member, to: .sharer, cause: "referral click", in: write) }
                try payOrSayWhyNot(click, to: member, program: program, rules: rules[program.id] ?? [], in: write)
            }
        }
        try Traffic.count(traffic, in: write)
        for (day, count) in counts.sorted(by: { ($0.key.link, $0.key.day) < ($1.key.link, $1.key.day) }) {
            try LinkStore.addClicks(
                day.link, workspace: write.workspace.id, program: day.program, day: day.day, counted: count.counted, logged: count.logged,
                on: connection)
        }
    }

    /// One click that cannot be paid stops no other: it is noted, and the cursor goes on.
    private func payOrSayWhyNot(_ click: Click, to member: MemberID, program: Program, rules: [Rule], in write: Write) throws {
        do {
            try connection.savepoint { try pay(click, to: member, program: program, rules: rules, in: write) }
        } catch {
            guard let problem = Refusal.of(error) else { throw error }
            try write.audit("click.refused", subject: click.id.text, JSONText(["code": .text(problem.code)]))
        }
    }

    private func pay(_ click: Click, to member: MemberID, program: Program, rules: [Rule], in write: Write) throws {
        guard !rules.isEmpty, let currency = Currency(code: program.currency) else { return }
        let decision = AttributionDecision(
            status: .attributed, model: nil,
            shares: [AttributionShare(memberID: member.text, share: .whole, touchID: click.id.text, reason: .onlyTouch)], rejected: [])
        let facts = SaleFacts(
            event: .click, occurredAt: click.at, programCurrency: currency, currency: currency, amount: .zero, country: click.country)
        _ = try Commission.earn(
            Commission.Occasion(
                cause: .click, causeID: click.id.text, saleID: nil, customerID: nil, facts: facts,
                credit: Credit(decision: decision, touches: [], links: [:]), program: program),
            rules: rules, in: write)
    }
}

/// How far workers have come.
enum CursorStore {
    static func position(_ worker: String, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT position FROM worker_cursor WHERE worker = \(worker)") ?? 0
    }

    /// Moves a cursor when it still stands where the worker read it.
    static func advance(_ worker: String, from: Int64, to: Int64, at: Instant, on connection: any Connection) throws -> Bool {
        try connection.execute(
            "INSERT INTO worker_cursor (worker, position, updated_at) VALUES (\(worker), 0, \(at)) ON CONFLICT (worker) DO NOTHING")
        return try connection.execute(
            "UPDATE worker_cursor SET position = \(to), updated_at = \(at) WHERE worker = \(worker) AND position = \(from)") == 1
    }
}
