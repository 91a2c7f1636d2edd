import Chronology
import Money
import Persistence
import Web

/// Something that members can have for points or credit.
struct SpendItem: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        /// Sent or handed over by the company.
        case gift
        /// A code of one of the program's coupons, at once; or one that the company tells.
        case coupon
        /// Points or credit, at once.
        case credit
        case custom
    }

    static let nameLengthMax = 120
    static let descriptionLengthMax = 1_000
    static let stockMax: Int64 = 1_000_000_000
    /// Items that a company offers at a time.
    static let countMax = 500

    var id: SpendItemID
    var workspaceID: WorkspaceID
    var programID: ProgramID
    var name: String
    var description: String
    var unit: UnitCode
    var costMinor: Int64
    var kind: Kind
    /// What a member gets at once, where it is points or credit.
    var value: (unit: UnitCode, minor: Int64)?
    /// Whose codes members get at once.
    var couponID: CouponID?
    /// Nil where there is no end.
    var stock: Int64?
    var archivedAt: Instant?
    var createdAt: Instant

    var json: JSONValue {
        [
            "id": .text(id.text), "programId": .text(programID.text), "name": .text(name), "description": .text(description), "unit": .text(unit.code),
            "cost": .integer(costMinor), "kind": .text(kind.rawValue), "valueUnit": value.map { .text($0.unit.code) } ?? .null,
            "value": value.map { .integer($0.minor) } ?? .null, "couponId": couponID.map { .text($0.text) } ?? .null, "stock": stock.map { .integer($0) } ?? .null,
            "archivedAt": archivedAt.map { .text($0.rfc3339) } ?? .null, "createdAt": .text(createdAt.rfc3339),
        ]
    }

    static let schema = APISchema.object([
        .required("id", .text), .required("programId", .text), .required("name", .text), .required("description", .text), .required("unit", .text),
        .required("cost", .integer()), .required("kind", .enumeration(Kind.allCases.map(\.rawValue))), .required("valueUnit", .nullable(.text)),
        .required("value", .nullable(.integer())), .required("couponId", .described(.nullable(.text), description: "Whose codes members get at once.")), .required("stock", .described(.nullable(.integer()), description: "How many are left; null without an end.")),
        .required("archivedAt", .nullable(.dateTime)), .required("createdAt", .dateTime),
    ])
}

enum SpendItemKind: Identified { static let prefix = "cit_" }
typealias SpendItemID = Identifier<SpendItemKind>

extension SpendItem {
    /// What somebody wants to offer.
    struct Input: Sendable {
        var programID: ProgramID
        var name: String
        var description: String
        var unit: UnitCode
        var costMinor: Int64
        var kind: Kind
        var value: (unit: UnitCode, minor: Int64)?
        var couponID: CouponID?
        var stock: Int64?
    }

    static func add(_ input: Input, in write: Write) throws -> SpendItem {
        guard try ProgramStore.find(input.programID, in: write.workspace.id, at: write.now, on: write.connection) != nil else {
            throw Refusal.unknown("program", field: "programId")
        }
        guard (input.kind == .credit) == (input.value != nil) else {
            throw Refusal.field("value", "Must be said with its unit where the kind is credit, and only there.")
        }
        if let value = input.value, value.unit == input.unit {
            throw Refusal.field("valueUnit", "Must be another unit than the one that it costs.")
        }
        if let couponID = input.couponID {
            guard input.kind == .coupon else { throw Refusal.field("couponId", "Is for the kind coupon alone.") }
            let coupon = try CouponStore.find(couponID, in: write.workspace.id, on: write.connection)
            guard let coupon, coupon.programID == input.programID, coupon.state == .active else {
                throw Refusal.field("couponId", "Must be a coupon of the program that has not ended.", code: "unknown_coupon")
            }
        }
        guard try SpendStore.count(in: write.workspace.id, on: write.connection) < countMax else {
            throw Problem.conflict(code: "too_many_items", detail: "A company offers \(countMax) items at most: archive one first.")
        }
        let item = SpendItem(
            id: write.world.newID(), workspaceID: write.workspace.id, programID: input.programID, name: input.name, description: input.description,
            unit: input.unit, costMinor: input.costMinor, kind: input.kind, value: input.value, couponID: input.couponID, stock: input.stock, createdAt: write.now)
        try SpendStore.insert(item, on: write.connection)
        try write.audit("catalogue.add", subject: item.id.text, JSONText(["cost": .integer(item.costMinor), "unit": .text(item.unit.code)]))
        return item
    }

    /// Takes it off the shelf. What members took stays theirs.
    static func archive(_ id: SpendItemID, in write: Write) throws -> SpendItem {
        var item = try known(id, in: write)
        guard item.archivedAt == nil else { return item }
        item.archivedAt = write.now
        try SpendStore.archive(id, at: write.now, on: write.connection)
        try write.audit("catalogue.archive", subject: id.text)
        return item
    }

    /// Says how many are left.
    static func setStock(_ id: SpendItemID, _ stock: Int64?, in write: Write) throws -> SpendItem {
        var item = try known(id, in: write)
        item.stock = stock
        try SpendStore.setStock(id, stock, on: write.connection)
        try write.audit("catalogue.stock", subject: id.text, JSONText(["stock": stock.map { .integer($0) } ?? .null]))
        return item
    }

    static func known(_ id: SpendItemID, in write: Write) throws -> SpendItem {
        guard let item = try SpendStore.find(id, in: write.workspace.id, on: write.connection) else { throw Refusal.unknown("item") }
        return item
    }
}
