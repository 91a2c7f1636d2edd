import Ledger
import Money
import Persistence
import Rules
import Web

/// Recomputes what is stored twice and says where the two differ: the journal and audit chain by themselves, and everything that
/// must agree with them. Reads only, in bounded memory, beside a running server.
struct Verification: Sendable {
    /// Findings told at most; the check ends early then.
    static let findingsMax = 1_000

    struct Found: Sendable {
        var kind: String
        var workspace: String
        var subject: String
        var detail: String

        var json: JSONValue {
            ["kind": .text(kind), "workspace": .text(workspace), "subject": .text(subject), "detail": .text(detail)]
        }
    }

    var workspaces: [(workspace: Workspace, transactions: Int64, sales: Int64)] = []
    var findings: [Found] = []

    static func run(main: any Database, clicks: any Database, keys: any Database) async throws -> Verification {
        var verification = Verification()
        let (known, strays) = try await main.read { connection in
            (try WorkspaceStore.all(on: connection), try VerifyStore.strayWorkspaces(on: connection))
        }
        verification.findings += try await main.read { connection in try SchemaVerifyStore.findings(on: connection) }
        verification.findings += strays.map {
            Found(kind: "workspaceMissing", workspace: $0.text, subject: $0.text, detail: "has books, people or sales, but is not there")
        }
        for id in known.map(\.id) + strays {
            guard verification.findings.count < findingsMax else { break }
            // One snapshot for each workspace: writers beside it change nothing that is looked at.
            let (findings, transactions, sales) = try await main.read { connection in
                (
                    try guarded("books", id.text, on: connection) { try books(id, on: connection) } + VerifyStore.findings(id, on: connection),
                    try VerifyStore.transactions(id, on: connection), try VerifyStore.sales(id, on: connection)
                )
            }
            if let workspace = known.first(where: { $0.id == id }) { verification.workspaces.append((workspace, transactions, sales)) }
            verification.findings += findings
            verification.findings += try await clickCounts(id, main: main, clicks: clicks)
            verification.findings += try await KeyVerification.findings(id, main: main, keys: keys)
        }
        verification.findings += try await KeyVerification.operators(main: main, keys: keys)
        verification.findings = Array(verification.findings.prefix(findingsMax))
        return verification
    }

    var json: JSONValue {
        [
            "ok": .boolean(findings.isEmpty),
            "workspaces": .array(
                workspaces.map {
                    [
                        "id": .text($0.workspace.id.text), "name": .text($0.workspace.name), "isTest": .boolean($0.workspace.isTest),
                        "transactions": .integer($0.transactions), "sales": .integer($0.sales),
                    ]
                }),
            "findings": .array(findings.map(\.json)),
        ]
    }

    /// One check. What stops it is a finding, and the others go on; only a database that is gone ends all.
    static func guarded(_ name: String, _ workspace: String, on connection: any Connection, _ check: () throws -> [Found]) throws -> [Found] {
        do {
            return try connection.savepoint(check)
        } catch {
            if (error as? DatabaseFailure)?.isOfTheServer == true { throw error }
            let reason = (error as? DatabaseFailure)?.message ?? "\(error)"
            return [Found(kind: "checkStopped", workspace: workspace, subject: name, detail: "could not be checked to the end: \(reason)")]
        }
    }

    private static func books(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Found] {
        (try Journal.verify(workspace: workspace.text, on: connection) + AuditChain.verify(workspace: workspace.text, on: connection)).map { finding in
            let subject = finding.account ?? finding.sequence.map { "sequence \($0)" } ?? ""
            return Found(kind: finding.kind.rawValue, workspace: workspace.text, subject: subject, detail: finding.detail)
        }
    }

    /// Links' counters against the click file, as far as its clicks are applied.
    private static func clickCounts(_ workspace: WorkspaceID, main: any Database, clicks: any Database) async throws -> [Found] {
        var findings: [Found] = []
        var after = ""
        while findings.count < findingsMax {
            let last = after
            let (links, cursor) = try await main.read { connection in
                (
                    try VerifyStore.linkCounts(workspace, after: last, limit: VerifyStore.linksRead, on: connection),
                    try CursorStore.position("clicks", on: connection)
                )
            }
            guard let end = links.last else { break }
            after = end.id
            let counted = try await clicks.read { connection in
                try VerifyStore.clickCounts(links.map(\.id), until: cursor, on: connection)
            }
            for link in links {
                let (number, logged) = counted[link.id] ?? (0, 0)
                if link.clicks != number || link.logged != logged {
                    findings.append(
                        Found(
                            kind: "linkClicksWrong", workspace: workspace.text, subject: link.id,
                            detail: "counts \(link.clicks) of \(link.logged) clicks, the click file has \(number) of \(logged)"))
                }
            }
        }
        return findings
    }
}

/// The counters of caps against the commissions that used them, rule by rule.
enum CapVerification {
    /// Counters of one rule held at a time; a rule with more (a cap per customer of a very large company) is not checked further.
    static let countersMax = 1_000_000

    private struct Place: Hashable {
        var scope: String
        var period: String
        var unit: String
    }

    static func findings(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        var findings: [Verification.Found] = []
        for id in try VerifyStore.rules(workspace, on: connection) {
            // A version that cannot be read is named where its document is looked at.
            guard let versions = try? RuleStore.versions(id, on: connection) else { continue }
            guard versions.contains(where: { $0.terms.cap != nil }), let programID = versions.first?.programID,
                let program = try ProgramHistory.load(programID, in: workspace, on: connection)
            else { continue }
            let stored = try VerifyStore.capUsage(id, on: connection)
            var used: [Place: (amountMinor: Int64, count: Int64)] = [:]
            try VerifyStore.forEachCapped(id, on: connection) { commission in
                guard let cap = versions.first(where: { $0.terms.version == commission.ruleVersion })?.terms.cap, used.count < countersMax else { return }
                let place = CapPlace(
                    cap, member: commission.member, customer: commission.customer, program: try program.at(commission.occurredAt), at: commission.occurredAt)
                let key = Place(scope: place.scope, period: place.period, unit: commission.unit)
                let before = used[key] ?? (0, 0)
                used[key] = (
                    before.amountMinor &+ cap.counted(Amount(minor: commission.keptMinor)).minor, before.count + (commission.isReversed ? 0 : 1)
                )
            }
            guard used.count < countersMax else { continue }
            var known = Set<Place>()
            for row in stored {
                let place = Place(scope: row.scope, period: row.period, unit: row.unit)
                known.insert(place)
                let (amountMinor, count) = used[place] ?? (0, 0)
                if row.amountMinor != amountMinor || row.count != count {
                    findings.append(
                        found(workspace, id, place, "counts \(row.count) with \(row.amountMinor), its commissions are \(count) with \(amountMinor)"))
                }
            }
            for (place, use) in used where use.count > 0 && !known.contains(place) {
                findings.append(found(workspace, id, place, "counts nothing, its commissions are \(use.count) with \(use.amountMinor)"))
            }
            guard findings.count < Verification.findingsMax else { break }
        }
        return findings
    }

    /// Budgets of programs, against what took of them.
    static func budgets(_ workspace: WorkspaceID, on connection: any Connection) throws -> [Verification.Found] {
        try ProgramBudgetStore.wrong(workspace, on: connection).map {
            Verification.Found(
                kind: "budgetUsageWrong", workspace: workspace.text, subject: $0.program,
                detail: "the budget\($0.period.isEmpty ? "" : " in \($0.period)") counts \($0.used), what took of it is \($0.found)")
        }
    }

    private static func found(_ workspace: WorkspaceID, _ rule: RuleID, _ place: Place, _ detail: String) -> Verification.Found {
        Verification.Found(
            kind: "capUsageWrong", workspace: workspace.text, subject: rule.text,
            detail: "the cap\(place.scope.isEmpty ? "" : " of \(place.scope)")\(place.period.isEmpty ? "" : " in \(place.period)") \(detail) \(place.unit)")
    }
}

extension DatabaseFailure {
    /// Whether the database is gone, rather than something in it wrong.
    var isOfTheServer: Bool {
        switch kind {
        case .unavailable, .retryable, .disk, .diskFull, .locked: true
        default: false
        }
    }
}
