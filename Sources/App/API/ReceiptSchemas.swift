import Web

/// What rules and receipts look like in the API's description.
extension Schemas {
    static let reward = APISchema.oneOf(rewardKinds.map { .reference($0.name) })

    /// A name for each kind, by which generated clients call it.
    static let rewardKinds: [(name: String, schema: APISchema)] = [
        ("PercentReward", kind("percent", [.required("rate", rate)])),
        ("FlatReward", kind("flat", [.required("amount", positiveAmount), .required("currency", currency)])),
        (
            "TieredReward",
            kind(
                "tiered",
                [
                    .required("mode", .enumeration(["marginal", "retroactive"])),
                    .required("tiers", .array(.object([.required("from", .integer(0...Int64.max)), .required("rate", rate)]))),
                ])
        ),
        ("PointsReward", kind("points", [.required("amount", positiveAmount), .optional("unit", .text)])),
        ("CreditReward", kind("credit", [.required("amount", positiveAmount), .required("currency", currency)])),
        ("CouponReward", kind("coupon", [.required("couponId", .string(maximumLength: 100))])),
        ("GiftReward", kind("gift", [.required("description", .string(maximumLength: 500)), .optional("value", .integer(0...Int64.max))])),
        ("FreeMonthsReward", kind("freeMonths", [.required("months", .integer(1...1_200))])), ("FreeShippingReward", kind("freeShipping", [])),
        ("CustomReward", kind("custom", [.required("description", .string(maximumLength: 500)), .optional("value", .integer(0...Int64.max))])),
    ]

    static let condition = APISchema.oneOf(conditionKinds.map { .reference($0.name) })

    static let conditionKinds: [(name: String, schema: APISchema)] = [
        (
            "FieldCondition",
            .object([
                .required("field", .string(maximumLength: 100)),
                .required("op", .enumeration(["eq", "ne", "in", "notIn", "gt", "gte", "lt", "lte", "contains", "startsWith", "exists"])),
                .required("value", .any),
            ])
        ),
        ("AllCondition", .object([.required("all", .array(.reference("Condition")))])),
        ("AnyCondition", .object([.required("any", .array(.reference("Condition")))])),
        ("AllAndAnyCondition", .object([.required("all", .array(.reference("Condition"))), .required("any", .array(.reference("Condition")))])),
    ]

    static let cap = APISchema.object([
        .optional("amount", .integer(0...Int64.max)), .optional("count", .integer(0...Int64.max)),
        .optional("per", .enumeration(["customer", "member", "program"])),
        .optional("period", .enumeration(["day", "week", "month", "year", "lifetime"])),
    ])

    /// Why a touch got no share, with the numbers behind the reason.
    static let rejection = APISchema.object([
        .required("touchId", .text), .required("reason", .text), .optional("because", .text), .optional("programId", .text),
        .optional("byMs", .integer()), .optional("ageMs", .integer()), .optional("windowMs", .integer()), .optional("halfLifeMs", .integer()),
        .optional("limit", .integer()), .optional("seconds", .integer()), .optional("by", .text), .optional("byTouchId", .text),
    ])

    static let receipt = APISchema.described(
        .object(
            receiptParts + [
                .required("saleId", .text), .required("sale", .reference("Sale")),
                .required(
                    "refunds",
                    .array(
                        .object([
                            .required("refundId", .text), .required("state", .text), .required("appliedAmount", .nullable(amount)),
                            .required("occurredAt", .dateTime), .required("reason", .nullable(.text)),
                        ]))),
            ]), description: "Why a sale paid what it paid, or nothing, in the order in which people ask.")

    static let leadReceipt = APISchema.described(
        .object(receiptParts + [.required("leadId", .text), .required("lead", .reference("LeadFacts"))]),
        description: "Why a lead paid what it paid, or nothing.")

    static let commissionReceipt = APISchema.described(
        .object(
            [.required("commission", .reference("Commission")), .required("arithmetic", arithmetic), .required("rule", .nullable(.reference("Rule")))]
                + (receiptParts + [.required("saleId", .text), .required("leadId", .text), .required("sale", .reference("Sale")), .required("refunds", .array(.any))])
                .map { .optional($0.name, $0.schema) }),
        description: "A commission's arithmetic and rule, with the receipt of the sale, lead or click that it is for.")

    static let payout = APISchema.object([
        .required("id", .text), .required("programId", .text), .required("state", .enumeration(Payout.State.allCases.map(\.rawValue))),
        .required("dryRun", .boolean), .required("currency", .text), .required("total", .integer()), .required("cutoff", .dateTime),
        .required(
            "items",
            .array(
                .object([
                    .required("memberId", .text), .required("amount", .integer()), .required("state", .enumeration(Payout.Item.State.allCases.map(\.rawValue))),
                    .required("reference", .nullable(.text)), .required("returnReference", .nullable(.text)), .required("leftOutReason", .nullable(.text)), .required("commissionIds", .array(.text)),
                ]))),
        .required("excluded", .array(.object([.required("memberId", .text), .required("amount", .integer()), .required("reason", .text)]))),
        .required("createdBy", .text), .required("createdAt", .dateTime), .required("approvedBy", .nullable(.text)),
        .required("approvedAt", .nullable(.dateTime)), .required("sentAt", .nullable(.dateTime)),
    ])

    private static let receiptParts: [APIField] = [
        .optional("corrections", .array(correction)), .optional("rewards", .array(.reference("IssuedReward"))),
        .required("answer", .text),
        .required("program", .nullable(.object([.required("id", .text), .required("name", .text), .required("version", .integer())]))),
        .required("attribution", receiptAttribution), .required("lines", .array(line)),
        .required("refusals", .array(.described(.map(.any), description: "{ruleId, version, rule, memberId, reason} and what the reason is about."))),
        .required("journal", .array(.object([.required("sequence", .integer()), .required("purpose", .text), .required("cause", .text)]))),
    ]

    /// What somebody's hand changed about a commission.
    private static let correction = APISchema.object([
        .required("id", .text), .required("kind", .enumeration(Adjustment.Kind.allCases.map(\.rawValue))), .required("commissionId", .text),
        .required("amount", .integer()), .required("currency", currency),
        .required("worth", .described(.nullable(.integer()), description: "What the commission was worth from then on, with all its corrections.")),
        .required("reason", .nullable(.text)), .required("author", .text), .required("madeAt", .dateTime),
    ])

    /// With the touches that were considered.
    private static let receiptAttribution = APISchema.object(attributionFields + [
        .optional(
            "touches",
            .array(
                .object([
                    .required("touchId", .text), .required("at", .dateTime), .required("kind", .text), .required("memberId", .nullable(.text)),
                    .required("linkId", .nullable(.text)),
                ])))
    ])

    private static let line = APISchema.object(
        commissionFields + [.required("arithmetic", arithmetic), .required("ruleDocument", .nullable(.map(.any)))])

    private static let arithmetic = APISchema.described(
        .map(.any), description: "{purpose, base, rate, sharePpm, amount, rounding}, slices of tiers, cappedTo where a cap cut it, or the budget (then budget is true).")

    static let rate = APISchema.described(.string(maximumLength: 20), description: "A decimal text.", example: "0.10")
    static let positiveAmount = APISchema.integer(1...Int64.max)

    private static func kind(_ name: String, _ fields: [APIField]) -> APISchema { .object([.required("kind", .enumeration([name]))] + fields) }
}
