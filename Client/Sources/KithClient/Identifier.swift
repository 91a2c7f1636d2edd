/// What an identifier is of. Each kind has its own prefix, so that a member's id can't be passed where a sale's is asked for.
public protocol IdentifiedKind: Sendable {
    /// What its identifiers begin with, for instance `mem_`.
    static var prefix: String { get }
}

public enum ProgramKind: IdentifiedKind { public static let prefix = "prog_" }
public enum RuleKind: IdentifiedKind { public static let prefix = "rule_" }
public enum MemberKind: IdentifiedKind { public static let prefix = "mem_" }
public enum LinkKind: IdentifiedKind { public static let prefix = "lnk_" }
public enum ClickKind: IdentifiedKind { public static let prefix = "clk_" }
public enum CustomerKind: IdentifiedKind { public static let prefix = "cus_" }
public enum LeadKind: IdentifiedKind { public static let prefix = "lead_" }
public enum SaleKind: IdentifiedKind { public static let prefix = "sale_" }
public enum RefundKind: IdentifiedKind { public static let prefix = "ref_" }
public enum CommissionKind: IdentifiedKind { public static let prefix = "com_" }
public enum PayoutKind: IdentifiedKind { public static let prefix = "pay_" }
public enum RunKind: IdentifiedKind { public static let prefix = "run_" }
public enum EventKind: IdentifiedKind { public static let prefix = "evt_" }

public typealias ProgramID = Identifier<ProgramKind>
public typealias RuleID = Identifier<RuleKind>
public typealias MemberID = Identifier<MemberKind>
public typealias LinkID = Identifier<LinkKind>
public typealias ClickID = Identifier<ClickKind>
public typealias CustomerID = Identifier<CustomerKind>
public typealias LeadID = Identifier<LeadKind>
public typealias SaleID = Identifier<SaleKind>
public typealias RefundID = Identifier<RefundKind>
public typealias CommissionID = Identifier<CommissionKind>
public typealias PayoutID = Identifier<PayoutKind>
public typealias RunID = Identifier<RunKind>
public typealias EventID = Identifier<EventKind>

/// An identifier that Kith gave: a prefix and a sortable text. Later ones sort after earlier ones.
public struct Identifier<Kind: IdentifiedKind>: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// As it stands in addresses and JSON.
    public let text: String

    /// Nil when the text is no identifier of this kind.
    public init?(_ text: String) {
        let rest = text.dropFirst(Kind.prefix.count)
        let isPlain = rest.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        guard text.hasPrefix(Kind.prefix), (1...Self.restLengthMax).contains(rest.utf8.count), isPlain else { return nil }
        self.text = text
    }

    /// The most characters after the prefix.
    static var restLengthMax: Int { 64 }

    public var description: String { text }

    public static func < (left: Identifier, right: Identifier) -> Bool { left.text < right.text }
}

extension Identifier: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let identifier = Identifier(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text.prefix(80)) does not begin with \(Kind.prefix)")
        }
        self = identifier
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// A member as a call names them: by Kith's id, or by the company's own.
public enum MemberReference: Hashable, Sendable {
    case id(MemberID)
    /// The company's own id, without `ext:`.
    case external(String)

    /// As it stands in addresses and JSON.
    public var text: String {
        switch self {
        case .id(let id): id.text
        case .external(let external): "ext:\(external)"
        }
    }
}

extension MemberReference: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
