import Chronology
import Compensation
import Money
import Persistence
import Web

/// Writes a made-up organisation into a test workspace, for trying out runs at full size. Its people have no names, mails or keys.
struct GeneratedOrganisationStore: Sendable {
    /// Rows of one transaction.
    private static let rowsAtOnce = 400

    let program: Program
    let facts: FactsSnapshot
    let installation: Installation

    func store() async throws {
        let workspace = program.workspaceID
        let test = try await installation.main.read { connection in try WorkspaceStore.find(workspace, on: connection)?.isTest ?? false }
        guard test else { throw Problem.conflict(code: "not_test", detail: "A made-up organisation goes into a test workspace only.") }
        for first in stride(from: 0, to: facts.members.count, by: Self.rowsAtOnce) {
            let rows = first..<min(first + Self.rowsAtOnce, facts.members.count)
            try await installation.write(workspace, actor: .command) { write in try write.connection.executeAll(people(rows, write.now)) }
        }
        for first in stride(from: 0, to: facts.orders.count, by: Self.rowsAtOnce) {
            let rows = first..<min(first + Self.rowsAtOnce, facts.orders.count)
            try await installation.write(workspace, actor: .command) { write in try write.connection.executeAll(sales(rows, write.now)) }
        }
    }

    private func people(_ rows: Range<Int>, _ now: Instant) -> [SQL] {
        // Members before customers would break nothing: rows name earlier members only.
        rows.flatMap { row -> [SQL] in
            let member = facts.members[row]
            let text = member.id.wholeText
            let person = "per_" + text.drop { $0 != "_" }.dropFirst() + (member.isPromoter ? "m" : "c")
            let key = "pk_" + person.dropFirst(4)
            let joined = Instant(millisecondsSince1970: member.joinedMs)
            let insertPerson: SQL = "INSERT INTO person (id, workspace_id, key_id, created_at) VALUES (\(person), \(program.workspaceID), \(key), \(now))"
            guard member.isPromoter else {
                return [
                    insertPerson,
                    "INSERT INTO customer (id, workspace_id, person_id, created_at) VALUES (\(text), \(program.workspaceID), \(person), \(joined))",
                ]
            }
            let enroller: String? = member.enroller < 0 ? nil : facts.members[Int(member.enroller)].id.wholeText
            return [
                insertPerson,
                """
                INSERT INTO member (id, workspace_id, person_id, kind, status, stage, enroller_id, joined_at, created_at)
                VALUES (\(text), \(program.workspaceID), \(person), 'promoter', 'active', 'promoter', \(enroller), \(joined), \(now))
                """,
                "INSERT INTO enrollment (program_id, member_id, enrolled_at) VALUES (\(program.id), \(text), \(joined))",
            ]
        }
    }

    private func sales(_ rows: Range<Int>, _ now: Instant) -> [SQL] {
        rows.flatMap { row -> [SQL] in
            let order = facts.orders[row]
            let buyer = facts.members[Int(order.buyer)]
            // What a promoter buys is the purchase of a customer who is that member.
            guard !buyer.isPromoter, buyer.enroller >= 0 else { return [] }
            let sale = order.id.wholeText
            let sharer = facts.members[Int(buyer.enroller)].id.wholeText
            let attribution = JSONText([
                "status": "attributed", "model": .null,
                "shares": [["memberId": .text(sharer), "sharePpm": 1_000_000, "touchId": .null, "reason": "named"]], "rejected": [], "touches": [],
            ])
            let at = Instant(millisecondsSince1970: order.occurredMs)
            let items =
                "[{\"sku\":\"box\",\"quantity\":1,\"amount\":\(order.amountMinor),\"commissionVolume\":\(order.commissionVolume),\"qualifyingVolume\":\(order.qualifyingVolume)}]"
            return [
                """
                INSERT INTO sale (id, workspace_id, program_id, program_version, customer_id, invoice_id, amount, currency, sale_number, coupon_used,
                    items, facts_hash, attribution, refusals, occurred_at, recorded_at)
                VALUES (\(sale), \(program.workspaceID), \(program.id), \(program.version), \(buyer.id.wholeText), \("made-" + sale),
                    \(order.amountMinor), \(program.currency), 1, 0, \(items), \([UInt8(0)]), \(attribution.text), '[]', \(at), \(now))
                """,
                "INSERT INTO sale_credit (sale_id, member_id, share_ppm) VALUES (\(sale), \(sharer), 1000000)",
            ]
        }
    }
}

extension CommandVerbs {
    /// Fills a program of a test workspace with a made-up organisation and one period of sales.
    static func generateOrganisation(_ reader: JSONReader, _ installation: Installation) async throws -> JSONValue {
        let choice = WorkspaceChoice(reader)
        let program = reader.custom("program", standIn: ProgramID(stored: "")) { idReading($0, ProgramKind.self, "program") }
        let members = reader.integer("members", in: 1...Int64(OrganisationGenerator.promotersMax))
        let seed = reader.integer("seed", in: 0...Int64.max)
        let day = reader.custom("day", standIn: .earliest, LocalDay.read)
        try reader.finish()
        let found = try await installation.main.read { connection -> Program? in
            let workspace = try choice.find(on: connection)
            return try ProgramStore.find(program, in: workspace.id, at: workspace.now(installation.world), on: connection)
        }
        guard let found else { throw Refusal.unknownProgram() }
        let period = try PlanCalendar(length: .month, zone: PlanZone.offsets(found)).period(containing: day)
        let facts = OrganisationGenerator(promoters: Int(members), seed: UInt64(seed)).facts(period: period, zone: found.zone)
        try await GeneratedOrganisationStore(program: found, facts: facts, installation: installation).store()
        return ["programId": .text(program.text), "members": .integer(Int64(facts.members.count)), "orders": .integer(Int64(facts.orders.count))]
    }
}
