import Money
import Web

/// Who counts as a friend that somebody brought, and what all rewards of a program together may cost: settings of the program.
struct ReferralTerms: Sendable, Equatable {
    struct Budget: Sendable, Equatable {
        var amountMinor: Int64
        var period: PeriodKind
    }

    var newCustomersOnly = false
    /// The least of the order with which a friend first counts.
    var minimumOrderMinor: Int64 = 0
    /// Where friends may be; empty is everywhere.
    var countries: [String] = []
    var notOwnHousehold = false
    var budget: Budget?

    static let countriesMax = 250

    /// Takes the fields that are sent; the others stay as they are in `base`.
    static func read(_ body: JSONReader, over base: ReferralTerms) -> ReferralTerms {
        var terms = base
        if let flag = body.optionalBoolean("newCustomersOnly") { terms.newCustomersOnly = flag }
        if let least = body.optionalInteger("minimumOrder", in: 0...Schemas.amountMax) { terms.minimumOrderMinor = least }
        if body.has("countries") {
            terms.countries = body.textList("countries", maximumCount: countriesMax, maximumLength: 2)
            if !terms.countries.allSatisfy(isCountry) { body.note("countries", "Must be codes of two capital letters each, such as DE.") }
        }
        if let flag = body.optionalBoolean("notOwnHousehold") { terms.notOwnHousehold = flag }
        if body.isNull("budget") {
            terms.budget = nil
        } else if let budget = body.optionalObject(
            "budget",
            { part in
                Budget(amountMinor: part.integer("amount", in: 1...Schemas.amountMax), period: part.optionalOneOf("period", PeriodKind.self) ?? .month)
            })
        {
            terms.budget = budget
        }
        return terms
    }

    static func isCountry(_ code: String) -> Bool { code.utf8.count == 2 && code.utf8.allSatisfy { (65...90).contains($0) } }

    var json: JSONValue {
        [
            "newCustomersOnly": .boolean(newCustomersOnly), "minimumOrder": .integer(minimumOrderMinor), "countries": .array(countries.map { .text($0) }),
            "notOwnHousehold": .boolean(notOwnHousehold), "budget": budget.map(\.json) ?? .null,
        ]
    }

    static let schema = APISchema.object([
        .optional("newCustomersOnly", .described(.boolean, description: "The friend has not bought before.")),
        .optional("minimumOrder", .described(.integer(0...Schemas.amountMax), description: "The least of the order with which a friend first counts.")),
        .optional("countries", .described(.array(.string(maximumLength: 2), maximumCount: countriesMax), description: "Where friends may be; empty is everywhere.")),
        .optional("notOwnHousehold", .described(.boolean, description: "Who shares an address, mailbox, device or payment means with the sharer's own purchases does not count.")),
        .optional(
            "budget",
            .nullable(
                .object([.required("amount", .integer(1...Schemas.amountMax)), .optional("period", .enumeration(PeriodKind.allCases.map(\.rawValue)))]))),
    ])
}

extension ReferralTerms.Budget {
    var json: JSONValue { ["amount": .integer(amountMinor), "period": .text(period.rawValue)] }
}
