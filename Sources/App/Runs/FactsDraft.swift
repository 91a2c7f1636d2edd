import Compensation
import Chronology
import Persistence

/// Members, buyers and orders while they are gathered: a million members stand in arrays, not in tables of their own.
struct FactsDraft {
    private struct Known {
        var member: FactsSnapshot.Member
        var enroller: PackedID?
        var isEnrolled: Bool
        var country: Int32 = -1
        var group: Int32 = -1
        var stage: Int32 = -1
    }

    /// Until `snapshot()` an order's buyer is the number of the customer.
    var orders: [FactsSnapshot.Order] = []

    private let treeCodes: [String]
    /// In the order of ids, as the store reads them.
    private var known: [Known] = []
    private var customers: [Known] = []
    private var numberOfBuyer: [PackedID: Int32] = [:]
    private var buyers: [PackedID] = []
    /// Buyer's number → the member who they are.
    private var memberOfBuyer: [Int32: PackedID] = [:]
    private var values: [String: Int32] = [:]
    private var valueNames: [String] = []
    private var productNumbers: [String: Int32] = [:]
    private var products: [String] = []

    init(treeCodes: [String]) { self.treeCodes = treeCodes }

    mutating func note(_ row: FactsStore.MemberRow) {
        var entry = Known(
            member: FactsSnapshot.Member(
                id: row.id, isPromoter: row.isPromoter, status: row.status.rawValue, joinedMs: row.joinedAt.millisecondsSince1970, enroller: -1,
                hasEarlierOrders: false),
            enroller: row.enroller, isEnrolled: row.isEnrolled)
        if row.isEnrolled {
            entry.country = value(row.country)
            entry.group = value(row.group)
            entry.stage = value(row.stage)
        }
        known.append(entry)
    }

    mutating func product(_ sku: String?) -> Int32 {
        guard let sku else { return -1 }
        if let number = productNumbers[sku] { return number }
        let number = Int32(products.count)
        productNumbers[sku] = number
        products.append(sku)
        return number
    }

    mutating func buyerNumber(_ customer: PackedID) -> Int32 {
        if let number = numberOfBuyer[customer] { return number }
        let number = Int32(buyers.count)
        numberOfBuyer[customer] = number
        buyers.append(customer)
        return number
    }

    /// Of several members the one with the lowest id.
    mutating func noteBuyer(_ customer: PackedID, is member: PackedID) {
        guard let number = numberOfBuyer[customer], let place = place(of: member), known[place].isEnrolled else { return }
        if let before = memberOfBuyer[number], before < member { return }
        memberOfBuyer[number] = member
    }

    /// Customers who are no members, by id.
    var unknownBuyers: [PackedID] {
        buyers.indices.filter { memberOfBuyer[Int32($0)] == nil }.map { buyers[$0] }.sorted()
    }

    mutating func noteCustomer(_ id: PackedID, enroller: PackedID?, joinedAt: Instant, hasEarlierOrders: Bool) {
        customers.append(
            Known(
                member: FactsSnapshot.Member(
                    id: id, isPromoter: false, status: Compensation.MemberStatus.active.rawValue, joinedMs: joinedAt.millisecondsSince1970,
                    enroller: -1, hasEarlierOrders: hasEarlierOrders),
                enroller: enroller, isEnrolled: true))
    }

    /// Members of the program only; who was introduced from outside of it stands below the nearest enroller inside.
    func snapshot() -> FactsSnapshot {
        var snapshot = FactsSnapshot()
        snapshot.treeCodes = treeCodes
        snapshot.attributeValues = valueNames
        snapshot.products = products
        // Ids of customers stand before those of members.
        let all = customers + known.filter(\.isEnrolled)
        snapshot.members = all.map(\.member)
        snapshot.places = treeCodes.map { _ in Array(repeating: .none, count: all.count) }
        snapshot.attributes = [all.map(\.country), all.map(\.group), all.map(\.stage)]
        for (row, entry) in all.enumerated() {
            var next = entry.enroller
            var stepsLeft = known.count
            while let id = next, stepsLeft > 0 {
                if let found = snapshot.row(ofMember: id) {
                    snapshot.members[row].enroller = Int32(found)
                    break
                }
                next = place(of: id).flatMap { known[$0].enroller }
                stepsLeft -= 1
            }
        }
        let rowOfBuyer = buyers.indices.map { number in
            Int32(snapshot.row(ofMember: memberOfBuyer[Int32(number)] ?? buyers[number]) ?? -1)
        }
        snapshot.orders = orders
        for row in snapshot.orders.indices { snapshot.orders[row].buyer = rowOfBuyer[Int(snapshot.orders[row].buyer)] }
        snapshot.orders.sort { $0.id < $1.id }
        return snapshot
    }

    private mutating func value(_ text: String?) -> Int32 {
        guard let text else { return -1 }
        if let number = values[text] { return number }
        let number = Int32(valueNames.count)
        values[text] = number
        valueNames.append(text)
        return number
    }

    private func place(of id: PackedID) -> Int? {
        var low = 0
        var high = known.count
        while low < high {
            let middle = (low + high) / 2
            if known[middle].member.id < id { low = middle + 1 } else { high = middle }
        }
        return low < known.count && known[low].member.id == id ? low : nil
    }
}
