import Web

extension Sale {
    /// By what a sale came: what the first share of its attribution says.
    enum CameBy: String, Sendable, CaseIterable { case link, code, bound, orphan, nobody }

    var cameBy: CameBy {
        let attribution = attribution.value
        guard let share = attribution["shares"]?.elements.first else { return .nobody }
        switch share["reason"]?.string {
        case "boundCustomer", "assignedByHand": return .bound
        case "orphanDefault": return .orphan
        default: break
        }
        let touch = attribution["touches"]?.elements.first { $0["touchId"] == share["touchId"] }
        switch touch?["kind"]?.string {
        case "friendCode", "coupon": return .code
        case "manual": return .bound
        default: return .link
        }
    }

    /// The link or code of the first share; nil when none of its touches was one.
    var firstLinkID: LinkID? {
        let attribution = attribution.value
        guard let touchID = attribution["shares"]?.elements.first?["touchId"], touchID != .null else { return nil }
        let touch = attribution["touches"]?.elements.first { $0["touchId"] == touchID }
        return touch?["linkId"]?.string.flatMap { LinkID($0) }
    }

    /// Who is credited, each once.
    var creditedMembers: [MemberID] {
        var members: [MemberID] = []
        for share in attribution.value["shares"]?.elements ?? [] {
            if let id = share["memberId"]?.string.flatMap({ MemberID($0) }), !members.contains(id) { members.append(id) }
        }
        return members
    }
}

extension JSONValue {
    /// The text of a text.
    var string: String? { if case .text(let text) = self { text } else { nil } }
    /// The number of a whole number.
    var int64: Int64? { if case .number(let number) = self { number.integer } else { nil } }
    /// The elements of a list; none for anything else.
    var elements: [JSONValue] { if case .array(let elements) = self { elements } else { [] } }
}
