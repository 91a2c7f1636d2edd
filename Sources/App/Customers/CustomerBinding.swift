import Attribution
import Chronology
import Money
import Persistence
import Web

/// Who is credited for a customer's sales in a program from a time on: until it ends, or the next begins.
struct CustomerBinding: Sendable {
    enum Source: String, Sendable { case sale, assignment }

    struct Share: Sendable, Hashable {
        var memberID: MemberID
        var ppm: Int
    }

    var programID: ProgramID
    var customerID: CustomerID
    var shares: [Share]
    var source: Source
    var sourceID: String
    var reason: String?
    var boundAt: Instant
    var untilAt: Instant?

    func holds(at instant: Instant) -> Bool { boundAt <= instant && (untilAt.map { instant < $0 } ?? true) }
}

extension CustomerBinding {
    /// Gives a customer to a member by hand. The reason stays with the binding, where erasure reaches it; the
    /// audit log, which nobody can change, names only ids.
    static func assign(
        _ customer: Customer, to member: Member, program: Program, reason: String, in write: Write
    ) throws -> CustomerBinding {
        let binding = CustomerBinding(
            programID: program.id, customerID: customer.id, shares: [Share(memberID: member.id, ppm: 1_000_000)], source: .assignment,
            sourceID: write.actor.text, reason: reason, boundAt: write.now, untilAt: nil)
        try BindingStore.put(binding, workspace: write.workspace.id, on: write.connection)
        try write.audit(
            "customer.assign", subject: customer.id.text,
            JSONText(["programId": .text(program.id.text), "memberId": .text(member.id.text)]))
        return binding
    }

    /// When a binding made at `instant` ends: months are counted on the calendar of the program's zone.
    static func end(_ binding: ProgramSettings.Binding, from instant: Instant, zone: Zone) throws -> Instant? {
        guard case .months(let months) = binding else { return nil }
        return try zone.instant(at: zone.timeOfDayMs(of: instant), on: zone.day(of: instant).adding(months: months))
    }
}

enum BindingStore {
    /// The newest that had begun at an instant; it may have ended by then.
    static func latest(at instant: Instant, program: ProgramID, customer: CustomerID, on connection: any Connection) throws -> CustomerBinding? {
        try connection.row(
            """
            SELECT \(raw: columns) FROM customer_binding
            WHERE program_id = \(program) AND customer_id = \(customer) AND bound_at <= \(instant) ORDER BY bound_at DESC LIMIT 1
            """
        ).map(read)
    }

    /// The newest in each program; of those that had begun at an instant, when one is given.
    static func newest(of customer: CustomerID, at instant: Instant? = nil, on connection: any Connection) throws -> [CustomerBinding] {
        let begun = try connection.rows(
            "SELECT \(raw: columns) FROM customer_binding WHERE customer_id = \(customer) ORDER BY program_id, bound_at"
        ).map(read).filter { binding in instant.map { binding.boundAt <= $0 } ?? true }
        return Dictionary(begun.map { ($0.programID, $0) }, uniquingKeysWith: { _, later in later }).values.sorted { $0.programID.text < $1.programID.text }
    }

    static func history(program: ProgramID, customer: CustomerID, on connection: any Connection) throws -> [CustomerBinding] {
        try connection.rows(
            "SELECT \(raw: columns) FROM customer_binding WHERE program_id = \(program) AND customer_id = \(customer) ORDER BY bound_at"
        ).map(read)
    }

    static func put(_ binding: CustomerBinding, workspace: WorkspaceID, on connection: any Connection) throws {
        let shares = JSONText(.array(binding.shares.map { ["memberId": .text($0.memberID.text), "sharePpm": .integer(Int64($0.ppm))] }))
        try connection.executeLater(
            """
            INSERT INTO customer_binding (program_id, customer_id, workspace_id, shares, source, source_id, reason, bound_at, until_at)
            VALUES (\(binding.programID), \(binding.customerID), \(workspace), \(shares.text), \(binding.source.rawValue), \(binding.sourceID),
                    \(binding.reason), \(binding.boundAt), \(binding.untilAt))
            ON CONFLICT (program_id, customer_id, bound_at) DO UPDATE SET shares = excluded.shares, source = excluded.source,
                source_id = excluded.source_id, reason = excluded.reason, until_at = excluded.until_at
            """)
    }

    private static let columns = "program_id, customer_id, shares, source, source_id, reason, bound_at, until_at"

    private static func read(_ row: Row) throws -> CustomerBinding {
        let text: String = try row.get(at: 2)
        guard case .array(let elements) = try JSONValue.parse(Array(text.utf8), maximumBytes: 1_000_000) else {
            throw DatabaseFailure(.corrupt, "a customer's binding is no list")
        }
        let shares = elements.compactMap { element -> CustomerBinding.Share? in
            guard case .text(let member)? = element["memberId"], case .number(let number)? = element["sharePpm"], let ppm = number.integer
            else { return nil }
            return CustomerBinding.Share(memberID: MemberID(stored: member), ppm: Int(ppm))
        }
        return CustomerBinding(
            programID: try row.get(at: 0), customerID: try row.get(at: 1), shares: shares,
            source: CustomerBinding.Source(rawValue: try row.get(at: 3)) ?? .sale, sourceID: try row.get(at: 4), reason: try row.get(at: 5),
            boundAt: try row.get(at: 6), untilAt: try row.get(at: 7))
    }
}
