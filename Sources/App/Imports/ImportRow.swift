import Chronology
import Money
import Persistence
import Web

/// A row of a generic file as the verb of its kind takes it.
enum ImportRow: Sendable {
    case member(Enrolment)
    case sale(NewSale)
    case refund(NewRefund)
    case click(NewClick)
    case link(NewLink)
    case balance(NewBalance, ProgramID)

    enum Outcome: Sendable { case created, updated, known }

    /// Reads a row with the checks of the API. Throws a problem naming the fields.
    static func read(_ body: JSONValue, _ kind: ImportKind, program: ProgramID?) throws -> ImportRow {
        let reader = try JSONReader(body)
        let row: ImportRow
        switch kind {
        case .members: row = .member(Enrolment.read(reader, program: program ?? ProgramID(stored: "")))
        case .sales:
            var sale = NewSale.read(reader)
            // As if it had been said in the row.
            sale.programID = sale.programID ?? program
            sale.factsHash = sale.hash
            row = .sale(sale)
        case .refunds: row = .refund(NewRefund.read(reader))
        case .clicks: row = .click(NewClick.read(reader))
        case .links: row = .link(LinkRoutes.read(reader))
        case .balances: row = .balance(NewBalance.read(reader), program ?? ProgramID(stored: ""))
        }
        // What the API may do without and a file may not.
        let stricter: Set<String> = ["externalId", "email", "occurredAt", "code"]
        for column in kind.columns where column.isRequired && stricter.contains(column.field) && !reader.has(column.field) { reader.note(column.field, "Is required.") }
        try reader.finish()
        return row
    }

    /// The customer of a sale, by the company's id.
    var customer: String? { if case .sale(let sale) = self { sale.customerExternalID } else { nil } }
    var clickID: String? { if case .sale(let sale) = self { sale.clickID } else { nil } }

    /// What it says of money; sums of a file stay far below what Int64 holds, as rows and amounts have limits.
    var money: (currency: String, minor: Int64)? {
        switch self {
        case .sale(let sale): (sale.currency.code, sale.amountMinor)
        case .balance(let balance, _): (balance.currency, balance.amountMinor)
        default: nil
        }
    }

    func apply(evidence: Evidence, in write: Write) throws -> Outcome {
        switch self {
        case .member(let enrolment): return try Self.enroll(enrolment, in: write)
        case .sale(let sale): return try Sale.record(sale, evidence: evidence, in: write).isRepeated ? .known : .created
        case .refund(let refund): return try Refund.record(refund, in: write).isRepeated ? .known : .created
        case .link(let link): return try Self.create(link, in: write)
        case .balance(let balance, let program): return try balance.apply(in: program, write)
        case .click: return .known
        }
    }

    private static func create(_ input: NewLink, in write: Write) throws -> Outcome {
        if let folded = input.code.flatMap(Normalised.code),
            let known = try LinkStore.find(host: input.host?.lowercased() ?? "", folded: folded, on: write.connection),
            known.workspaceID == write.workspace.id, known.programID == input.programID,
            let member = try input.member.map({ try Member.find($0, field: "memberId", in: write) }), known.memberID == member.id
        {
            return .known
        }
        _ = try Link.create(input, in: write)
        return .created
    }

    private static func enroll(_ input: Enrolment, in write: Write) throws -> Outcome {
        let known = try input.externalID.flatMap {
            try MemberStore.find(.external($0), in: write.workspace.id, vault: write.vault, on: write.connection)
        }
        if let known, try isSame(known, input, in: write) { return .known }
        var quiet = input
        quiet.isQuiet = true
        _ = try Member.enroll(quiet, in: write)
        return known == nil ? .created : .updated
    }

    /// Whether everything that the row says is so already.
    private static func isSame(_ member: Member, _ input: Enrolment, in write: Write) throws -> Bool {
        guard try MemberStore.isEnrolled(member.id, in: input.programID, on: write.connection),
            input.kind ?? member.kind == member.kind, input.status ?? member.status == member.status, input.stage ?? member.stage == member.stage,
            input.country ?? member.country == member.country, input.locale ?? member.locale == member.locale,
            input.timeZone ?? member.timeZone == member.timeZone, input.website == nil
        else { return false }
        if let enroller = input.enroller, try Member.find(enroller, field: "enrollerId", in: write).id != member.enrollerID { return false }
        let names = try PersonStore.fields(of: [member.personID], [.email, .name], vault: write.vault, on: write.connection)[member.personID] ?? [:]
        return input.email ?? names[.email] == names[.email] && input.name ?? names[.name] == names[.name]
    }
}

/// Brings members into an order in which everybody comes after the enroller and placement parent that they name.
enum MemberOrder {
    static func sorted(_ rows: [(line: Int, row: ImportRow)]) throws -> [(line: Int, row: ImportRow)] {
        var position: [String: Int] = [:]
        for (index, row) in rows.enumerated() {
            guard case .member(let enrolment) = row.row, let external = enrolment.externalID else { continue }
            if let first = position[external] {
                throw CSVReader.Malformed(line: row.line, reason: "external_id \(external) stands twice, first on line \(rows[first].line).")
            }
            position[external] = index
        }
        var followers: [Int: [Int]] = [:]
        var waitsFor = [Int](repeating: 0, count: rows.count)
        for (index, row) in rows.enumerated() {
            guard case .member(let enrolment) = row.row else { continue }
            for reference in [enrolment.enroller, enrolment.placementParent] {
                if case .external(let external)? = reference, let above = position[external] {
                    followers[above, default: []].append(index)
                    waitsFor[index] += 1
                }
            }
        }
        var ready = rows.indices.filter { waitsFor[$0] == 0 }
        var order: [Int] = []
        var taken = 0
        while taken < ready.count {
            let next = ready[taken]
            taken += 1
            order.append(next)
            for follower in followers[next] ?? [] {
                waitsFor[follower] -= 1
                if waitsFor[follower] == 0 { ready.append(follower) }
            }
        }
        guard order.count == rows.count else {
            let line = rows.indices.first { waitsFor[$0] > 0 }.map { rows[$0].line } ?? 1
            throw CSVReader.Malformed(
                line: line, column: "enroller_external_id", reason: "This member stands in a circle of enrollers or placement parents.")
        }
        return order.map { rows[$0] }
    }
}
