import Chronology
import Money
import Persistence
import Web

/// What the set-up guide needs in a test workspace, made when it is first asked for: a program, somebody who shares, and their link.
enum TestTwin {
    struct Stage: Sendable {
        var program: Program
        var link: Link
    }

    /// A program as it was written elsewhere, to be copied.
    struct Pattern: Sendable {
        var program: Program
        var rules: [Rule]

        /// The newest program of a workspace with the newest version of its rules.
        static func newest(of workspace: WorkspaceID, at now: Instant, on connection: any Connection) throws -> Pattern? {
            guard let program = try ProgramStore.list(in: workspace, at: now, after: nil, limit: ProgramPages.programsMax, on: connection).last else { return nil }
            return Pattern(program: program, rules: try RuleStore.newestOfAll(in: program.id, on: connection))
        }
    }

    /// What is there already; nil when something is missing.
    static func find(in workspace: WorkspaceID, at now: Instant, on connection: any Connection) throws -> Stage? {
        guard let program = try ProgramStore.list(in: workspace, at: now, after: nil, limit: ProgramPages.programsMax, on: connection).last,
            let link = try LinkStore.first(of: program.id, in: workspace, on: connection)
        else { return nil }
        return Stage(program: program, link: link)
    }

    /// `pattern` is the live program that the test workspace gets a copy of while it has none. Where the copy `follows`, its rules become those
    /// of the pattern as they stand now; somebody who works on rules in the test workspace itself keeps theirs.
    static func prepare(_ pattern: Pattern?, follows: Bool, sharerName: String, in write: Write) throws -> Stage {
        guard write.workspace.isTest else {
            throw Problem.conflict(code: "not_a_test_workspace", detail: "Test sales belong to a test workspace. Nothing was written.")
        }
        if let known = try find(in: write.workspace.id, at: write.now, on: write.connection) {
            if follows, let pattern, pattern.program.name == known.program.name { try copy(pattern.rules, to: known.program.id, in: write) }
            return known
        }
        let program: Program
        if let own = try ProgramStore.list(in: write.workspace.id, at: write.now, after: nil, limit: ProgramPages.programsMax, on: write.connection).last {
            program = own
        } else {
            guard let pattern else {
                throw Problem.conflict(code: "no_program", detail: "There is no program yet. Make one first.")
            }
            var settings = pattern.program.settings
            settings.orphanMemberID = nil
            program = try Program.create(
                NewProgram(name: pattern.program.name, currency: pattern.program.currency, zone: pattern.program.zone, settings: settings), in: write)
            try copy(pattern.rules, to: program.id, in: write)
        }
        var enrolment = Enrolment(programID: program.id)
        (enrolment.email, enrolment.name, enrolment.externalID, enrolment.isQuiet) = ("sharer@example.com", sharerName, "guide-sharer", true)
        let member = try Member.enroll(enrolment, in: write)
        let host = program.settings.allowedHosts.first { !$0.hasSuffix(":") && !$0.hasPrefix("*.") } ?? "shop.example.com"
        let link = try Link.create(
            NewLink(
                programID: program.id, member: .id(member.id), destination: "https://\(host)/", code: nil, host: nil, kind: nil, codeRate: nil,
                codeNeedsReferral: false, expiresAt: nil, variants: [], utm: []), in: write)
        return Stage(program: program, link: link)
    }

    /// Rules in the order in which they were made: those that differ get a new version, those that are missing are made.
    private static func copy(_ rules: [Rule], to program: ProgramID, in write: Write) throws {
        let own = try RuleStore.newestOfAll(in: program, on: write.connection)
        for (number, rule) in rules.enumerated() {
            let wanted = rule.document.without(["effectiveFrom", "effectiveUntil"])
            let known = own.indices.contains(number) ? own[number] : nil
            if let known, known.document.without(["effectiveFrom", "effectiveUntil"]) == wanted { continue }
            let reader = try JSONReader(wanted)
            let document = RuleDocument.read(reader)
            try reader.finish()
            _ = try known.map { try Rule.change($0.id, document, in: write) } ?? Rule.create(document, program: program, in: write)
        }
    }

    /// A sale as a shop would tell it: 42 of the program's currency, brought by the link's code.
    static func sell(_ stage: Stage, buyerName: String, in write: Write) throws -> RecordedSale {
        let exponent = Currency(code: stage.program.currency)?.exponent ?? 2
        let amount = (0..<exponent).reduce(Int64(42)) { minor, _ in minor * 10 }
        let number = write.world.random.below(100_000_000)
        let body: JSONValue = [
            "programId": .text(stage.program.id.text), "customerExternalId": .text("buyer-\(number)"), "customerName": .text(buyerName), "amount": .integer(amount),
            "currency": .text(stage.program.currency), "invoiceId": .text("test-\(number)"), "code": .text(stage.link.code),
        ]
        let reader = try JSONReader(body)
        let sale = NewSale.read(reader)
        try reader.finish()
        return try Sale.record(sale, evidence: .none, in: write)
    }
}

extension LinkStore {
    /// The first link of a program that belongs to a member.
    static func first(of program: ProgramID, in workspace: WorkspaceID, on connection: any Connection) throws -> Link? {
        let id: LinkID? = try connection.row(
            """
            SELECT id FROM link WHERE workspace_id = \(workspace) AND program_id = \(program) AND member_id IS NOT NULL AND archived_at IS NULL
            ORDER BY id LIMIT 1
            """)?.get(at: 0)
        return try id.flatMap { try find($0, in: workspace, on: connection) }
    }
}
