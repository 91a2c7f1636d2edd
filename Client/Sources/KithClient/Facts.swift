public import Foundation

/// Somebody came by a link or a code.
public struct NewClick: Sendable, Equatable, Codable {
    public var code: String?
    /// The page's address, with the link's parameter in it.
    public var url: String?
    public var referrer: String?
    public var visitorId: String?
    public var deviceId: String?
    public var userAgent: String?
    public var ip: String?
    public var occurredAt: Date?
    public var metadata: [String: JSONValue]?

    public init(code: String, visitorId: String? = nil, occurredAt: Date? = nil) {
        self.code = code
        self.visitorId = visitorId
        self.occurredAt = occurredAt
    }

    public init(url: String, referrer: String? = nil, visitorId: String? = nil, occurredAt: Date? = nil) {
        self.url = url
        self.referrer = referrer
        self.visitorId = visitorId
        self.occurredAt = occurredAt
    }
}

/// Somebody signed up, asked for an offer, or did another thing before buying.
public struct NewLead: Sendable, Equatable, Codable {
    public var eventName: String
    /// The buyer, as the company knows them.
    public var customerExternalId: String
    public var clickId: ClickID?
    public var code: String?
    public var customerEmail: String?
    public var customerName: String?
    public var visitorId: String?
    public var occurredAt: Date?
    public var metadata: [String: JSONValue]?

    public init(eventName: String, customerExternalId: String, clickId: ClickID? = nil, code: String? = nil, customerEmail: String? = nil) {
        self.eventName = eventName
        self.customerExternalId = customerExternalId
        self.clickId = clickId
        self.code = code
        self.customerEmail = customerEmail
    }
}

/// Somebody bought. An invoice is one sale: told again with the same facts it gets the same answer, with others it is a conflict.
public struct NewSale: Sendable, Equatable {
    public var invoiceId: String
    public var customerExternalId: String
    /// Without tax and shipping, as the program counts it.
    public var worth: Money
    public var clickId: ClickID?
    public var code: String?
    public var programId: ProgramID?
    public var customerEmail: String?
    public var country: String?
    public var eventName: String?
    public var items: [Item]?
    public var occurredAt: Date?
    public var metadata: [String: JSONValue]?
    public var visitorId: String?
    public var newCustomer: Bool?

    public init(
        invoiceId: String, customerExternalId: String, worth: Money, clickId: ClickID? = nil, code: String? = nil, items: [Item]? = nil,
        occurredAt: Date? = nil, metadata: [String: JSONValue]? = nil
    ) {
        self.invoiceId = invoiceId
        self.customerExternalId = customerExternalId
        self.worth = worth
        self.clickId = clickId
        self.code = code
        self.items = items
        self.occurredAt = occurredAt
        self.metadata = metadata
    }

    /// A line of the invoice, in its currency.
    public struct Item: Sendable, Equatable, Codable {
        public var sku: String
        public var quantity: Int?
        public var category: String?
        /// In minor units of the sale's currency.
        public var amount: Int64

        public init(sku: String, amountMinor: Int64, quantity: Int? = nil, category: String? = nil) {
            self.sku = sku
            amount = amountMinor
            self.quantity = quantity
            self.category = category
        }
    }
}

extension NewSale: Codable {
    private enum CodingKeys: String, CodingKey {
        case invoiceId, customerExternalId, amount, currency, clickId, code, programId, customerEmail, country, eventName, items, occurredAt, metadata
        case visitorId, newCustomer
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            invoiceId: try container.decode(String.self, forKey: .invoiceId),
            customerExternalId: try container.decode(String.self, forKey: .customerExternalId),
            worth: Money(minor: try container.decode(Int64.self, forKey: .amount), try container.decode(Currency.self, forKey: .currency)),
            clickId: try container.decodeIfPresent(ClickID.self, forKey: .clickId), code: try container.decodeIfPresent(String.self, forKey: .code),
            items: try container.decodeIfPresent([Item].self, forKey: .items), occurredAt: try container.decodeIfPresent(Date.self, forKey: .occurredAt),
            metadata: try container.decodeIfPresent([String: JSONValue].self, forKey: .metadata))
        programId = try container.decodeIfPresent(ProgramID.self, forKey: .programId)
        customerEmail = try container.decodeIfPresent(String.self, forKey: .customerEmail)
        country = try container.decodeIfPresent(String.self, forKey: .country)
        eventName = try container.decodeIfPresent(String.self, forKey: .eventName)
        visitorId = try container.decodeIfPresent(String.self, forKey: .visitorId)
        newCustomer = try container.decodeIfPresent(Bool.self, forKey: .newCustomer)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(invoiceId, forKey: .invoiceId)
        try container.encode(customerExternalId, forKey: .customerExternalId)
        try container.encode(worth.amountMinor, forKey: .amount)
        try container.encode(worth.currency, forKey: .currency)
        try container.encodeIfPresent(clickId, forKey: .clickId)
        try container.encodeIfPresent(code, forKey: .code)
        try container.encodeIfPresent(programId, forKey: .programId)
        try container.encodeIfPresent(customerEmail, forKey: .customerEmail)
        try container.encodeIfPresent(country, forKey: .country)
        try container.encodeIfPresent(eventName, forKey: .eventName)
        try container.encodeIfPresent(items, forKey: .items)
        try container.encodeIfPresent(occurredAt, forKey: .occurredAt)
        try container.encodeIfPresent(metadata, forKey: .metadata)
        try container.encodeIfPresent(visitorId, forKey: .visitorId)
        try container.encodeIfPresent(newCustomer, forKey: .newCustomer)
    }
}

/// Money went back, in part or all of it. Told before its sale it waits for it.
public struct NewRefund: Sendable, Equatable, Codable {
    public var invoiceId: String
    public var refundId: String
    /// In minor units of the sale's currency; nil for all that is left.
    public var amount: Int64?
    public var reason: String?
    public var occurredAt: Date?

    public init(invoiceId: String, refundId: String, amountMinor: Int64? = nil, reason: String? = nil, occurredAt: Date? = nil) {
        self.invoiceId = invoiceId
        self.refundId = refundId
        amount = amountMinor
        self.reason = reason
        self.occurredAt = occurredAt
    }
}

/// A person to enrol, or to bring up to date: the one with the same ``externalId``, where there is one.
public struct NewMember: Sendable, Equatable, Encodable {
    public var programId: ProgramID
    public var email: String?
    public var name: String?
    /// The company's own id of the person.
    public var externalId: String?
    /// Who introduced them. Never changes.
    public var enrollerId: MemberReference?
    public var kind: String?
    public var locale: String?
    public var timezone: String?
    public var country: String?
    public var joinedAt: Date?
    public var attributes: [String: JSONValue]?

    public init(
        programId: ProgramID, email: String?, name: String? = nil, externalId: String? = nil, enrollerId: MemberReference? = nil, locale: String? = nil
    ) {
        self.programId = programId
        self.email = email
        self.name = name
        self.externalId = externalId
        self.enrollerId = enrollerId
        self.locale = locale
    }
}

/// A link to make, with its code.
public struct NewLink: Sendable, Equatable, Encodable {
    public var programId: ProgramID
    public var memberId: MemberReference?
    /// Where it leads: a host that the program allows.
    public var destination: String
    /// A short word; one is made when nil.
    public var code: String?
    public var expiresAt: Date?

    public init(programId: ProgramID, memberId: MemberReference?, destination: String, code: String? = nil, expiresAt: Date? = nil) {
        self.programId = programId
        self.memberId = memberId
        self.destination = destination
        self.code = code
        self.expiresAt = expiresAt
    }
}
