import Chronology
import Ledger
import Money
import Persistence
import Web

/// What a member took from the catalogue.
struct Redemption: Sendable {
    enum State: String, Sendable, CaseIterable { case requested, fulfilled, canceled }

    static let noteLengthMax = 500

    var id: RedemptionID
    var workspaceID: WorkspaceID
    var itemID: SpendItemID
    var memberID: MemberID
    var unit: UnitCode
    var costMinor: Int64
    var state: State
    var movementID: WalletMovementID
    /// What the member is told: a code, when it comes.
    var note: String?
    /// The code that they got at once.
    var couponCodeID: CouponCodeID?
    var requestedAt: Instant
    var settledAt: Instant?
    var settledBy: String?

    var json: JSONValue {
        [
            "id": .text(id.text), "itemId": .text(itemID.text), "memberId": .text(memberID.text), "unit": .text(unit.code), "cost": .integer(costMinor),
            "state": .text(state.rawValue), "movementId": .text(movementID.text), "note": note.map { .text($0) } ?? .null,
            "requestedAt": .text(requestedAt.rfc3339), "settledAt": settledAt.map { .text($0.rfc3339) } ?? .null,
        ]
    }

    static let schema = APISchema.object([
        .required("id", .text), .required("itemId", .text), .required("memberId", .text), .required("unit", .text), .required("cost", .integer()),
        .required("state", .enumeration(State.allCases.map(\.rawValue))), .required("movementId", .text),
        .required("note", .described(.nullable(.text), description: "What the member is told: a code, when it comes.")),
        .required("requestedAt", .dateTime), .required("settledAt", .nullable(.dateTime)),
    ])
}

enum RedemptionKind: Identified { static let prefix = "rdm_" }
typealias RedemptionID = Identifier<RedemptionKind>

extension Redemption {
    /// Takes an item for a member: its cost leaves the wallet, one of the stock is theirs. Points and credit come at once.
    static func make(_ itemID: SpendItemID, for member: Member, in write: Write) throws -> Redemption {
        let item = try SpendItem.known(itemID, in: write)
        guard item.archivedAt == nil else {
            throw Problem.conflict(code: "item_archived", detail: "\(item.name) is no longer offered. Choose something else.")
        }
        guard try MemberStore.isEnrolled(member.id, in: item.programID, on: write.connection) else {
            throw Problem.conflict(code: "not_enrolled", detail: "\(item.name) is for members of another program.")
        }
        if let stock = item.stock {
            guard stock > 0 else { throw Problem.conflict(code: "sold_out", detail: "None of \(item.name) is left.") }
            try SpendStore.setStock(item.id, stock - 1, on: write.connection)
        }
        let id: RedemptionID = write.world.newID()
        let order = Wallet.Order(unit: item.unit, amountMinor: item.costMinor, programID: item.programID, subject: id.text)
        let movement = try Wallet.redeem(member, order, in: write)
        let code = try item.couponID.map { try Self.code(of: $0, for: member, in: write) }
        let isDone = item.value != nil || code != nil
        let redemption = Redemption(
            id: id, workspaceID: write.workspace.id, itemID: item.id, memberID: member.id, unit: item.unit, costMinor: item.costMinor,
            state: isDone ? .fulfilled : .requested, movementID: movement.id, note: code?.code, couponCodeID: code?.id, requestedAt: write.now, settledAt: isDone ? write.now : nil,
            settledBy: isDone ? write.actor.person : nil)
        try SpendStore.insert(redemption, on: write.connection)
        if let value = item.value {
            _ = try Wallet.give(
                .bonus, to: member.id, Wallet.Order(unit: value.unit, amountMinor: value.minor, programID: item.programID, subject: id.text), in: write)
        }
        return redemption
    }

    /// A code for the member's own orders, as far as it is known which customer they are.
    private static func code(of id: CouponID, for member: Member, in write: Write) throws -> CouponCode {
        let customer = try CustomerMemberStore.customer(of: member.id, on: write.connection)
        guard let code = try Coupon.issue(1, of: id, NewCode(customerID: customer), in: write).first else { throw Refusal.unknown("coupon") }
        return code
    }

    static func fulfil(_ id: RedemptionID, note: String?, in write: Write) throws -> Redemption {
        var redemption = try waiting(id, in: write)
        redemption.state = .fulfilled
        redemption.note = note
        return try settle(redemption, "fulfil", in: write)
    }

    /// Brings back what it cost, and the item onto the shelf.
    static func cancel(_ id: RedemptionID, reason: String, in write: Write) throws -> Redemption {
        var redemption = try waiting(id, in: write)
        redemption.state = .canceled
        redemption.note = reason
        let item = try SpendItem.known(redemption.itemID, in: write)
        if let stock = item.stock { try SpendStore.setStock(item.id, stock + 1, on: write.connection) }
        _ = try Wallet.giveBack(
            redemption.memberID,
            Wallet.Order(unit: redemption.unit, amountMinor: redemption.costMinor, reason: reason, programID: item.programID, subject: id.text), in: write)
        return try settle(redemption, "cancel", in: write)
    }

    private static func waiting(_ id: RedemptionID, in write: Write) throws -> Redemption {
        guard let redemption = try SpendStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("redemption") }
        guard redemption.state == .requested else {
            throw Problem.conflict(code: "redemption_settled", detail: "It is \(redemption.state.rawValue) already.")
        }
        return redemption
    }

    private static func settle(_ changed: Redemption, _ action: String, in write: Write) throws -> Redemption {
        var redemption = changed
        redemption.settledAt = write.now
        redemption.settledBy = write.actor.person
        try SpendStore.settle(redemption, on: write.connection)
        try write.audit("redemption.\(action)", subject: redemption.id.text, JSONText(["memberId": .text(redemption.memberID.text)]))
        return redemption
    }
}

enum SpendStore {
    private static let itemColumns =
        "id, workspace_id, program_id, name, description, unit, cost, kind, value_unit, value_amount, stock, archived_at, created_at, coupon_id"
    private static let columns = "id, workspace_id, item_id, member_id, unit, cost, state, movement_id, note, requested_at, settled_at, settled_by, coupon_code_id"

    static func insert(_ item: SpendItem, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO spend_item (\(raw: itemColumns))
            VALUES (\(item.id), \(item.workspaceID), \(item.programID), \(item.name), \(item.description), \(item.unit.code), \(item.costMinor),
                    \(item.kind.rawValue), \(item.value?.unit.code), \(item.value?.minor), \(item.stock), \(item.archivedAt), \(item.createdAt), \(item.couponID))
            """)
    }

    static func find(_ id: SpendItemID, in workspace: WorkspaceID, on connection: any Connection) throws -> SpendItem? {
        try connection.row("SELECT \(raw: itemColumns) FROM spend_item WHERE id = \(id) AND workspace_id = \(workspace)").map(readItem)
    }

    /// What is offered.
    static func offered(in workspace: WorkspaceID, on connection: any Connection) throws -> [SpendItem] {
        try connection.rows(
            """
            SELECT \(raw: itemColumns) FROM spend_item WHERE workspace_id = \(workspace) AND archived_at IS NULL
            ORDER BY unit, cost, id LIMIT \(Int64(SpendItem.countMax))
            """
        ).map(readItem)
    }

    static func list(in workspace: WorkspaceID, after: String?, limit: Int, on connection: any Connection) throws -> [SpendItem] {
        try connection.rows(
            "SELECT \(raw: itemColumns) FROM spend_item WHERE workspace_id = \(workspace) AND id > \(after ?? "") ORDER BY id LIMIT \(Int64(limit))"
        ).map(readItem)
    }

    static func count(in workspace: WorkspaceID, on connection: any Connection) throws -> Int64 {
        try connection.value("SELECT count(*) FROM spend_item WHERE workspace_id = \(workspace) AND archived_at IS NULL") ?? 0
    }

    static func names(of ids: [SpendItemID], on connection: any Connection) throws -> [SpendItemID: String] {
        guard !ids.isEmpty else { return [:] }
        let rows = try connection.rows("SELECT id, name FROM spend_item WHERE id IN \(list: ids)")
        return Dictionary(try rows.map { (try $0.get(at: 0), try $0.get(at: 1)) }, uniquingKeysWith: { first, _ in first })
    }

    static func archive(_ id: SpendItemID, at now: Instant, on connection: any Connection) throws {
        try connection.execute("UPDATE spend_item SET archived_at = \(now) WHERE id = \(id)")
    }

    static func setStock(_ id: SpendItemID, _ stock: Int64?, on connection: any Connection) throws {
        try connection.execute("UPDATE spend_item SET stock = \(stock) WHERE id = \(id)")
    }

    static func insert(_ redemption: Redemption, on connection: any Connection) throws {
        try connection.execute(
            """
            INSERT INTO redemption (\(raw: columns))
            VALUES (\(redemption.id), \(redemption.workspaceID), \(redemption.itemID), \(redemption.memberID), \(redemption.unit.code),
                    \(redemption.costMinor), \(redemption.state.rawValue), \(redemption.movementID), \(redemption.note), \(redemption.requestedAt),
                    \(redemption.settledAt), \(redemption.settledBy), \(redemption.couponCodeID))
            """)
    }

    static func find(_ id: RedemptionID, in workspace: WorkspaceID, on connection: any Connection) throws -> Redemption? {
        try connection.row("SELECT \(raw: columns) FROM redemption WHERE id = \(id) AND workspace_id = \(workspace)").map(read)
    }

    static func redemptions(
        in workspace: WorkspaceID, state: Redemption.State?, after: String?, limit: Int, on connection: any Connection
    ) throws -> [Redemption] {
        let states = state.map { [$0.rawValue] } ?? Redemption.State.allCases.map(\.rawValue)
        return try connection.rows(
            """
            SELECT \(raw: columns) FROM redemption WHERE workspace_id = \(workspace) AND state IN \(list: states) AND id > \(after ?? "")
            ORDER BY id LIMIT \(Int64(limit))
            """
        ).map(read)
    }

    /// The newest first.
    static func redemptions(of member: MemberID, limit: Int, on connection: any Connection) throws -> [Redemption] {
        try connection.rows("SELECT \(raw: columns) FROM redemption WHERE member_id = \(member) ORDER BY id DESC LIMIT \(Int64(limit))").map(read)
    }

    static func settle(_ redemption: Redemption, on connection: any Connection) throws {
        try connection.execute(
            """
            UPDATE redemption SET state = \(redemption.state.rawValue), note = \(redemption.note), settled_at = \(redemption.settledAt),
                settled_by = \(redemption.settledBy) WHERE id = \(redemption.id)
            """)
    }

    private static func readItem(_ row: Row) throws -> SpendItem {
        let valueUnit: String? = try row.get(at: 8)
        let value: Int64? = try row.get(at: 9)
        return SpendItem(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), programID: try row.get(at: 2), name: try row.get(at: 3),
            description: try row.get(at: 4), unit: try UnitCode(row.get(at: 5, as: String.self)), costMinor: try row.get(at: 6),
            kind: SpendItem.Kind(rawValue: try row.get(at: 7)) ?? .custom,
            value: try valueUnit.flatMap { unit in try value.map { (try UnitCode(unit), $0) } }, couponID: try row.get(at: 13), stock: try row.get(at: 10),
            archivedAt: try row.get(at: 11), createdAt: try row.get(at: 12))
    }

    private static func read(_ row: Row) throws -> Redemption {
        Redemption(
            id: try row.get(at: 0), workspaceID: try row.get(at: 1), itemID: try row.get(at: 2), memberID: try row.get(at: 3),
            unit: try UnitCode(row.get(at: 4, as: String.self)), costMinor: try row.get(at: 5),
            state: Redemption.State(rawValue: try row.get(at: 6)) ?? .requested, movementID: try row.get(at: 7), note: try row.get(at: 8), couponCodeID: try row.get(at: 12),
            requestedAt: try row.get(at: 9), settledAt: try row.get(at: 10), settledBy: try row.get(at: 11))
    }
}
