import Persistence
import Web

/// Whom an event speaks of, by keyed hashes of what stands in its document: for what is kept before it is known whose it is, so that it goes
/// with the person all the same.
struct InboundSubjects: Sendable {
    /// Values of a document that are looked at, and people of one document.
    private static let valuesMax = 50_000
    private static let peopleMax = 100
    private static let ownKeys: Set<String> = ["kith_customer", "dubCustomerExternalId"]

    let references: InboundReferences

    /// The hashes of a document's mail addresses, vendor's ids of customers, and ids of the company's own.
    func hashes(of event: InboundEvent, _ payload: [UInt8], _ mapping: GenericMapping?) -> [String] {
        guard let document = try? JSONValue.parse(payload, maximumBytes: BodyLimit.webhookBytes) else { return [] }
        let (emails, named) = Self.found(in: document)
        var own = named
        var customers: [String] = []
        switch event.vendor {
        case .stripe:
            let object = document.at("data", "object") ?? .null
            customers = [object.reference("customer"), event.type.hasPrefix("customer.") ? object.id("id") : nil].compactMap { $0 }
        case .shopify: customers = [document["customer"]?.id("id")].compactMap { $0 }
        case .wooCommerce: customers = [document.id("customer_id")].compactMap { $0 == "0" ? nil : $0 }
        case .generic: own.formUnion([mapping?.paths["customerExternalId"].flatMap { GenericMapping.text(at: $0, in: document) }].compactMap { $0 })
        case .postback: own.formUnion([document.string("customer_id")].compactMap { $0 })
        }
        // A guest is a customer by their mail address.
        own.formUnion(emails)
        own.formUnion(customers.map(references.externalID))
        let hashes = emails.map { Self.email(references.lookupHash(PersonLookup.email.rawValue, $0)) } + customers.map(references.person)
            + own.compactMap(Normalised.externalID).map { Self.customer(references.lookupHash("customer", $0)) }
        return Array(Set(hashes).sorted().prefix(3 * Self.peopleMax))
    }

    static func email(_ hash: [UInt8]) -> String { "e." + Base64URL.encode(hash) }
    static func customer(_ hash: [UInt8]) -> String { "c." + Base64URL.encode(hash) }

    private static func found(in document: JSONValue) -> (emails: Set<String>, own: Set<String>) {
        var (emails, own): (Set<String>, Set<String>) = ([], [])
        var left = [document]
        var count = 0
        while let value = left.popLast(), count < valuesMax {
            count += 1
            switch value {
            case .text(let text):
                if text.utf8.contains(UInt8(ascii: "@")), emails.count < peopleMax, let email = Normalised.email(text) { emails.insert(email) }
            case .array(let elements): left += elements
            case .object(let members):
                left += members.map(\.value)
                for member in members where ownKeys.contains(member.name) {
                    if case .text(let text) = member.value { own.insert(text) }
                }
                // Shops tell fields of an order as a list of names and values.
                if let key = value.string("name") ?? value.string("key"), ownKeys.contains(String(key.drop { $0 == "_" })), let text = value.string("value") {
                    own.insert(text)
                }
            default: break
            }
        }
        return (emails, own)
    }
}

enum InboundSubjectStore {
    /// Hashes in one statement.
    private static let hashesMax = 500

    static func put(_ hashes: [String], of event: InboundID, on connection: any Connection) throws {
        try forget(event, on: connection)
        for hash in hashes {
            try connection.execute("INSERT INTO inbound_subject (event_id, subject) VALUES (\(event), \(hash)) ON CONFLICT (event_id, subject) DO NOTHING")
        }
    }

    static func forget(_ event: InboundID, on connection: any Connection) throws {
        try connection.execute("DELETE FROM inbound_subject WHERE event_id = \(event)")
    }

    /// Throws away what is kept about a person before they are erased, by everything that they can be found by.
    static func forgetPayloads(about person: PersonID, on connection: any Connection) throws {
        let emails = try connection.rows("SELECT hash FROM person_lookup WHERE person_id = \(person) AND kind = \(PersonLookup.email.rawValue)")
            .map { InboundSubjects.email(try $0.get(at: 0)) }
        let customers = try connection.rows("SELECT external_hash FROM customer WHERE person_id = \(person) AND external_hash IS NOT NULL")
            .map { InboundSubjects.customer(try $0.get(at: 0)) }
        let references = try connection.rows(
            "SELECT reference FROM inbound_reference WHERE customer_id IN (SELECT id FROM customer WHERE person_id = \(person))"
        ).map { try $0.get(at: 0, as: String.self) }
        let all = emails + customers + references
        for start in stride(from: 0, to: all.count, by: hashesMax) {
            let part = Array(all[start..<min(start + hashesMax, all.count)])
            let events = try connection.rows("SELECT DISTINCT event_id FROM inbound_subject WHERE subject IN \(list: part)").map { try $0.get(at: 0, as: InboundID.self) }
            for event in events { try InboundStore.setPayload(event, nil, person: nil, on: connection) }
        }
    }

    /// Of payloads that are gone.
    static func sweep(on connection: any Connection) throws {
        try connection.execute("DELETE FROM inbound_subject WHERE event_id IN (SELECT id FROM inbound_event WHERE payload_sealed IS NULL)")
    }
}
