import Persistence
import Web

/// What to call people on a page: their name, else the part of their mail before the @, else the company's id.
struct PersonNames: Sendable {
    private var members: [MemberID: String] = [:]
    private var customers: [CustomerID: String] = [:]

    static let none = PersonNames()

    static func load(
        members memberIDs: [MemberID] = [], customers customerIDs: [CustomerID] = [], vault: Vault, on connection: any Connection
    ) throws -> PersonNames {
        var names = PersonNames()
        let members = try inParts(Array(Set(memberIDs))) { try MemberStore.find($0, on: connection) }
        let customers = try inParts(Array(Set(customerIDs))) { try CustomerStore.find($0, on: connection) }
        let people = members.map(\.value.personID) + customers.map(\.value.personID)
        let fields = try PersonStore.fields(of: people, [.name, .email, .externalId], vault: vault, on: connection)
        func name(_ person: PersonID) -> String? {
            let known = fields[person]
            return known?[.name] ?? known?[.email].map { String($0.prefix { $0 != "@" }) } ?? known?[.externalId]
        }
        for (id, member) in members { names.members[id] = name(member.personID) }
        for (id, customer) in customers { names.customers[id] = name(customer.personID) }
        return names
    }

    func member(_ id: MemberID, _ language: PageLanguage) -> String { members[id] ?? language("person.unknown") }

    func customer(_ id: CustomerID, _ language: PageLanguage) -> String { customers[id] ?? language("person.unknown") }

    /// 500 ids at a time: both engines limit the parameters of a statement.
    private static func inParts<ID, Found>(_ ids: [ID], _ find: ([ID]) throws -> [ID: Found]) rethrows -> [(key: ID, value: Found)] {
        var all: [(key: ID, value: Found)] = []
        var start = 0
        while start < ids.count {
            all += try find(Array(ids[start..<min(start + 500, ids.count)]))
            start += 500
        }
        return all
    }
}
