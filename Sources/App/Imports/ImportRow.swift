import Chronology
import Money
import Persistence
import Web

/// A row of a generic file as the verb of its kind takes it.
enum ImportRow: Sendable {
    case member(Enrolment)
    case sale(NewSale)
    case refund(NewRefund, currency: Currency?)
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
        case .refunds:
            let currency = reader.optionalCustom("currency") { value -> JSONReader.Reading<Currency> in
                if case .text(let text) = value, let currency = Currency(code: text) { return .accepted(currency) }
                return .refused("Is not a currency that Kith knows.")
            }
            row = .refund(NewRefund.read(reader), currency: currency)
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
        case .refund(let refund, let currency?): refund.amountMinor.map { (currency.code, $0) }
        default: nil
        }
    }

    func apply(evidence: Evidence, in write: Write) throws -> Outcome {
        switch self {
        case .member(let enrolment): return try Self.enroll(enrolment, in: write)
        case .sale(var sale):
            sale.member = try sale.member?.byMail(in: write)
            return try Sale.record(sale, evidence: evidence, in: write).isRepeated ? .known : .created
        case .refund(let refund, let currency): return try Self.take(refund, currency, in: write)
        case .link(var link):
            link.member = try link.member?.byMail(in: write)
            return try Self.create(link, in: write)
        case .balance(var balance, let program):
            balance.member = try balance.member.byMail(in: write)
            return try balance.apply(in: program, write)
        case .click: return .known
        }
    }

    /// A refund has no currency of its own, it is in its sale's: where a file says one, it must be that.
    private static func take(_ refund: NewRefund, _ currency: Currency?, in write: Write) throws -> Outcome {
        if let currency {
            guard let sale = try SaleStore.find(invoice: refund.invoiceID, in: write.workspace.id, on: write.connection) else {
                throw Refusal.field("invoiceId", "Its sale is not known, so that the currency can't be compared. Import the sales first.")
            }
            guard sale.currency == currency else {
                throw Refusal.field("currency", "The sale was in \(sale.currency.code), and so must be its refund.", code: "refund_currency")
            }
        }
        return try Refund.record(refund, in: write).isRepeated ? .known : .created
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
        if input.placementSlot != nil, input.placementParent == nil {
            throw Refusal.field("placementSlot", "Is a place below somebody: name them as placement_parent_external_id.")
        }
        if let group = input.groupID { try MemberGroup.ensure(group, of: input.programID, in: write) }
        if let known {
            try checkFixed(known, input, in: write)
            if try isSame(known, input, in: write) { return .known }
        }
        var quiet = input
        quiet.isQuiet = true
        let member = try Member.enroll(quiet, in: write)
        if input.placementParent != nil, try MemberStore.placement(of: member.id, in: input.programID, on: write.connection) == nil {
            throw Refusal.field("placementParentId", "This member is placed in another program's tree already.")
        }
        return known == nil ? .created : .updated
    }

    /// Refuses what a row says otherwise than it is and that no enrolment changes: it would be passed over without a word.
    private static func checkFixed(_ member: Member, _ input: Enrolment, in write: Write) throws {
        if let joinedAt = input.joinedAt, joinedAt != member.joinedAt {
            throw Refusal.field("joinedAt", "Is known as \(member.joinedAt.rfc3339), and when somebody joined never changes. Leave the cell empty to keep it.")
        }
        if let group = input.groupID, try MemberStore.isEnrolled(member.id, in: input.programID, on: write.connection) {
            let known = try MemberStore.group(of: member.id, in: input.programID, on: write.connection)
            guard known == (try MemberGroup.key(group, of: input.programID, in: write)) else {
                throw Refusal.field("groupId", "Is \(known ?? "empty") for this member already; an import does not move members between groups.")
            }
        }
        guard let place = try MemberStore.placement(of: member.id, in: input.programID, on: write.connection), let reference = input.placementParent else { return }
        guard try Member.find(reference, field: "placementParentId", in: write).id == place.parent else {
            throw Refusal.field("placementParentId", "This member is placed elsewhere already; an import does not move them.")
        }
        guard input.placementSlot == nil || input.placementSlot == place.slot else {
            throw Refusal.field("placementSlot", "This member is placed in \(place.slot.map { "slot \($0)" } ?? "no slot") already; an import does not move them.")
        }
    }

    /// Whether everything that the row says is so already.
    private static func isSame(_ member: Member, _ input: Enrolment, in write: Write) throws -> Bool {
        guard try MemberStore.isEnrolled(member.id, in: input.programID, on: write.connection),
            input.kind ?? member.kind == member.kind, input.status ?? member.status == member.status, input.stage ?? member.stage == member.stage,
            input.country ?? member.country == member.country, input.locale ?? member.locale == member.locale,
            input.timeZone ?? member.timeZone == member.timeZone
        else { return false }
        if let enroller = input.enroller, try Member.find(enroller, field: "enrollerId", in: write).id != member.enrollerID { return false }
        if input.placementParent != nil, try MemberStore.placement(of: member.id, in: input.programID, on: write.connection) == nil { return false }
        let known = try PersonStore.fields(of: [member.personID], [.email, .name, .website], vault: write.vault, on: write.connection)[member.personID] ?? [:]
        return input.email ?? known[.email] == known[.email] && input.name ?? known[.name] == known[.name]
            && input.website ?? known[.website] == known[.website]
    }
}

extension MemberReference {
    /// Files of other systems name people by their mail address where they have no id of theirs.
    fileprivate func byMail(in write: Write) throws -> MemberReference {
        guard case .external(let text) = self, let email = Normalised.email(text),
            try MemberStore.find(self, in: write.workspace.id, vault: write.vault, on: write.connection) == nil
        else { return self }
        let hash = write.vault.lookupHash(write.workspace.id, PersonLookup.email.rawValue, email)
        let found = try MemberPageStore.members(emailHash: hash, in: write.workspace.id, on: write.connection)
        return found.count == 1 ? .id(found[0]) : self
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
