public import Foundation

/// A word out of a list that may grow: words that this version doesn't know are kept as they came.
public protocol OpenWord: RawRepresentable, Hashable, Sendable, Codable where RawValue == String {}

/// pending → approved → paid; held from either and back; canceled, reversed, refused.
public struct CommissionState: OpenWord {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public static let pending = CommissionState(rawValue: "pending")
    public static let approved = CommissionState(rawValue: "approved")
    public static let held = CommissionState(rawValue: "held")
    public static let paid = CommissionState(rawValue: "paid")
    public static let canceled = CommissionState(rawValue: "canceled")
    public static let reversed = CommissionState(rawValue: "reversed")
    public static let refused = CommissionState(rawValue: "refused")
}

/// parked (before its sale), applied, refused.
public struct RefundState: OpenWord {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public static let parked = RefundState(rawValue: "parked")
    public static let applied = RefundState(rawValue: "applied")
    public static let refused = RefundState(rawValue: "refused")
}

/// What the server knows of a click.
public struct ClickAnswer: Sendable, Equatable, Decodable {
    public let clickId: ClickID
    public let member: Member?
    public let offer: Offer

    public struct Member: Sendable, Equatable, Decodable {
        public let id: MemberID
        public let firstName: String?
    }

    public struct Offer: Sendable, Equatable, Decodable {
        public let programId: ProgramID?
        public let program: String?
        public let code: String?

        private enum CodingKeys: String, CodingKey { case programId, program, code }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            programId = try container.decodeIfPresent(String.self, forKey: .programId).flatMap(ProgramID.init)
            program = try container.decodeIfPresent(String.self, forKey: .program)
            code = try container.decodeIfPresent(String.self, forKey: .code)
        }
    }
}

/// A lead was taken. A publishable key learns no more than its id and state.
public struct LeadAnswer: Sendable, Equatable, Decodable {
    public let leadId: LeadID
    /// `counted` or `deferred`.
    public let state: String
    public let customerId: CustomerID?
    public let commissions: [Commission]?
    public let receiptUrl: String?
}

/// A sale was taken: who gets which share of it, and why.
public struct SaleAnswer: Sendable, Equatable, Decodable {
    public let saleId: SaleID
    public let attribution: Attribution
    public let commissions: [Commission]
}

/// Which touches get which share.
public struct Attribution: Sendable, Equatable, Decodable {
    /// `attributed` or `unattributed`.
    public let status: String
    public let model: String?
    public let reason: String?
    public let shares: [Share]

    public struct Share: Sendable, Equatable, Decodable {
        public let memberId: MemberID
        /// Millionths. All shares sum to 1,000,000.
        public let sharePpm: Int
        public let reason: String
    }
}

/// What a rule gave a member for a cause.
public struct Commission: Sendable, Equatable, Decodable {
    public let id: CommissionID
    public let programId: ProgramID
    public let memberId: MemberID
    public let saleId: SaleID?
    public let worth: Money
    /// What was taken back of it, in minor units of the same currency.
    public let reversedAmountMinor: Int64
    public let rule: String?
    public let level: Int
    public let state: CommissionState
    public let holdUntil: Date
    public let occurredAt: Date
    public let receiptUrl: String

    private enum CodingKeys: String, CodingKey {
        case id, programId, memberId, saleId, amount, currency, reversedAmount, rule, level, state, holdUntil, occurredAt, receiptUrl
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(CommissionID.self, forKey: .id)
        programId = try container.decode(ProgramID.self, forKey: .programId)
        memberId = try container.decode(MemberID.self, forKey: .memberId)
        saleId = try container.decodeIfPresent(SaleID.self, forKey: .saleId)
        worth = Money(minor: try container.decode(Int64.self, forKey: .amount), try container.decode(Currency.self, forKey: .currency))
        reversedAmountMinor = try container.decode(Int64.self, forKey: .reversedAmount)
        rule = try container.decodeIfPresent(String.self, forKey: .rule)
        level = try container.decode(Int.self, forKey: .level)
        state = try container.decode(CommissionState.self, forKey: .state)
        holdUntil = try container.decode(Date.self, forKey: .holdUntil)
        occurredAt = try container.decode(Date.self, forKey: .occurredAt)
        receiptUrl = try container.decode(String.self, forKey: .receiptUrl)
    }
}

/// A refund as it was taken.
public struct Refund: Sendable, Equatable, Decodable {
    public let id: RefundID
    public let refundId: String
    public let invoiceId: String
    public let saleId: SaleID?
    public let state: RefundState
    /// What of it was taken off the sale, in minor units.
    public let appliedAmount: Int64?
}

/// A sale as it stands.
public struct Sale: Sendable, Equatable, Decodable {
    public let id: SaleID
    public let programId: ProgramID?
    public let customerId: CustomerID
    public let invoiceId: String
    public let worth: Money
    public let refunded: Money
    public let occurredAt: Date

    private enum CodingKeys: String, CodingKey { case id, programId, customerId, invoiceId, amount, refundedAmount, currency, occurredAt }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(SaleID.self, forKey: .id)
        programId = try container.decodeIfPresent(ProgramID.self, forKey: .programId)
        customerId = try container.decode(CustomerID.self, forKey: .customerId)
        invoiceId = try container.decode(String.self, forKey: .invoiceId)
        let currency = try container.decode(Currency.self, forKey: .currency)
        worth = Money(minor: try container.decode(Int64.self, forKey: .amount), currency)
        refunded = Money(minor: try container.decode(Int64.self, forKey: .refundedAmount), currency)
        occurredAt = try container.decode(Date.self, forKey: .occurredAt)
    }
}

/// A set of rules.
public struct Program: Sendable, Equatable, Decodable {
    public let id: ProgramID
    public let name: String
    public let slug: String
    public let currency: Currency
    public let timezone: String
}

/// A person in the workspace.
public struct Member: Sendable, Equatable, Decodable {
    public let id: MemberID
    public let email: String?
    public let name: String?
    public let externalId: String?
    public let kind: String
    public let status: String
    /// prospect, customer, sharer or promoter.
    public let stage: String
    public let enrollerId: MemberID?
    public let programIds: [ProgramID]
    public let locale: String?
    public let joinedAt: Date
}

/// What a member has in one unit: a currency, points or credit. pending + held + available + inPayout + paid − debt = earned − reversed.
public struct Balance: Sendable, Equatable, Decodable {
    public let unit: String
    /// Within the days of hold, in minor units, as all of these.
    public let pending: Int64
    /// Stopped by a flag.
    public let held: Int64
    public let available: Int64
    public let inPayout: Int64
    public let paid: Int64
    public let debt: Int64
}

/// A way to be recognised.
public struct Link: Sendable, Equatable, Decodable {
    public let id: LinkID
    public let programId: ProgramID
    public let memberId: MemberID?
    public let code: String
    public let url: String
    public let qrUrl: String
    public let destination: String
    /// Counted; all requests are in ``clicksLogged``.
    public let clicks: Int
    public let clicksLogged: Int
    public let expiresAt: Date?
}

/// Why something paid what it paid, or nothing.
public struct Receipt: Sendable, Equatable, Decodable {
    /// One sentence.
    public let answer: String
    /// The whole receipt: lines with their arithmetic, refusals, refunds, journal.
    public let document: JSONValue

    private enum CodingKeys: String, CodingKey { case answer }

    public init(from decoder: any Decoder) throws {
        answer = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(String.self, forKey: .answer) ?? ""
        document = try JSONValue(from: decoder)
    }
}

/// Lets a member see what is theirs for a short time, in a widget or in the portal.
public struct EmbedToken: Sendable, Equatable, Decodable, CustomStringConvertible {
    /// For the page's script: `GET /api/v1/embed/member` answers to it.
    public let token: String
    public let expiresAt: Date
    public let memberId: MemberID
    /// Opens the portal once, until it expires. Nil when none was asked for, and while the member has too many of them.
    public let portalUrl: String?

    public var description: String { "EmbedToken(\(memberId), until \(expiresAt))" }
}

/// Something that happened, as webhooks and `GET /events` tell it.
public struct Event: Sendable, Equatable, Codable {
    public let id: EventID
    /// For instance `sale.created`.
    public let type: String
    public let createdAt: Date
    public let apiVersion: String
    public let data: JSONValue
    public let changes: JSONValue?
}

/// A part of a list.
public struct Page<Row: Decodable & Sendable>: Decodable, Sendable {
    public let data: [Row]
    public let hasMore: Bool
    /// For `startingAfter` of the next part.
    public let nextCursor: String?
}
