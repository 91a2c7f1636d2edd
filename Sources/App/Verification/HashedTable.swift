import Crypto
import Foundation
import Persistence

/// A table some columns of which never change once a row is written: their hash stands in the row (`row_hash`), so that a change made
/// beside the program shows. What erasing a person takes away, and what moves on with the money, is not among them.
/// Rows from before migration 0031 have none; they are checked by what follows from them alone.
struct HashedTable: Sendable {
    let name: String
    let key: [String]
    let columns: [String]
    /// Whether keys grow with time, so that a row without a hash cannot follow one that has it.
    let isOrdered: Bool

    private init(_ name: String, key: [String] = ["id"], isOrdered: Bool = true, _ columns: [String]) {
        self.name = name
        self.key = key
        self.isOrdered = isOrdered
        self.columns = columns
    }

    static let sale = HashedTable(
        "sale",
        [
            "id", "workspace_id", "program_id", "program_version", "customer_id", "invoice_id", "amount", "currency", "sale_number", "event_name",
            "country", "coupon_used", "items", "facts_hash", "attribution", "occurred_at", "recorded_at", "came_by", "link_id",
        ])
    static let refund = HashedTable(
        "refund", ["id", "workspace_id", "invoice_id", "refund_id", "amount", "facts_hash", "occurred_at", "recorded_at"])
    static let commission = HashedTable(
        "commission",
        [
            "id", "workspace_id", "program_id", "cause_kind", "cause_id", "sale_id", "member_id", "rule_id", "rule_version", "line", "level", "base",
            "rate", "share_ppm", "unit", "amount", "explanation", "occurred_at", "recorded_at", "purpose",
        ])
    static let ruleVersion = HashedTable(
        "rule_version", key: ["rule_id", "version"], isOrdered: false,
        ["rule_id", "version", "effective_from", "effective_until", "recorded_at", "author", "document"])
    static let programVersion = HashedTable(
        "program_version", key: ["program_id", "version"], isOrdered: false,
        ["program_id", "version", "effective_from", "recorded_at", "author", "settings", "is_partial", "time_zone"])
    static let touch = HashedTable(
        "touch", ["id", "workspace_id", "customer_id", "program_id", "kind", "link_id", "click_id", "member_id", "cause_id", "at"])
    static let lead = HashedTable(
        "lead", isOrdered: false, ["id", "workspace_id", "customer_id", "event_name", "mode", "occurred_at", "recorded_at"])
    static let member = HashedTable(
        "member", isOrdered: false, ["id", "workspace_id", "person_id", "enroller_id", "joined_at", "created_at"])
    static let payout = HashedTable(
        "payout", ["id", "workspace_id", "program_id", "unit", "cutoff", "total", "created_by", "created_at"])

    static let correctionPart = HashedTable(
        "correction_part", key: ["commission_id", "position"], isOrdered: false, ["commission_id", "position", "adjustment_id", "kept", "refunded"])

    static let all = [sale, refund, commission, ruleVersion, programVersion, touch, lead, member, payout, correctionPart]

    /// SHA-256 over the name, then each value behind its kind and its length. `values` stand in the order of `columns`.
    func hash(_ values: [any Bindable]) -> [UInt8] {
        hash(values.map(\.databaseValue))
    }

    func hash(_ values: [Value]) -> [UInt8] {
        var bytes: [UInt8] = Array("kith row 1 \(name)".utf8)
        for value in values {
            let (kind, content): (Character, [UInt8]) =
                switch value {
                case .null: ("n", [])
                case .integer(let number): ("i", Array(String(number).utf8))
                case .text(let text): ("t", Array(text.utf8))
                case .blob(let blob): ("b", blob)
                case .real(let number): ("r", Array(String(number).utf8))
                }
            bytes += Array("\u{0}\(kind)\(content.count):".utf8)
            bytes += content
        }
        return Array(SHA256.hash(data: Data(bytes)))
    }
}

extension Value {
    /// As findings name it.
    var named: String {
        switch self {
        case .null: ""
        case .integer(let number): String(number)
        case .text(let text): text
        case .blob(let bytes): bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        case .real(let number): String(number)
        }
    }
}
