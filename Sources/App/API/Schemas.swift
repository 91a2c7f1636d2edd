import Web

/// The shapes that several calls share, by name in the API's description.
enum Schemas {
    /// The most that one call may name, in minor units: thousands of such amounts fit into an account, so that one of them stops nobody.
    static let amountMax: Int64 = 1_000_000_000_000_000
    static let amount = APISchema.described(.integer(0...amountMax), description: "Integer minor units of the currency.", example: 1200)
    static let currency = APISchema.described(.string(maximumLength: 3), description: "ISO 4217 code.", example: "EUR")
    static let memberReference = APISchema.described(
        .string(maximumLength: 260), description: "A member's id, or ext: and the company's own id.", example: "ext:1042")
    static let metadata = APISchema.described(.map(.any), description: "Facts of your own; conditions see them as metadata.NAME.")

    static let all: [(name: String, schema: APISchema)] = [
        ("Program", program), ("ProgramInput", programInput), ("Rule", rule), ("RuleInput", ruleInput), ("Member", member),
        ("Balance", balance), ("Link", link), ("Attribution", attribution), ("Commission", commission), ("Sale", sale), ("SaleAnswer", saleAnswer),
        ("Refund", refund), ("Lead", lead), ("LeadFacts", leadFacts), ("Customer", customer), ("Transaction", transaction), ("Receipt", receipt), ("LeadReceipt", leadReceipt), ("CommissionReceipt", commissionReceipt),
        ("AuditEntry", auditEntry), ("Event", event), ("Payout", payout), ("Plan", .any), ("Run", .any), ("PayoutRequest", PayoutRequest.schema),
        ("WalletMovement", WalletMovement.schema), ("CatalogueItem", SpendItem.schema), ("Redemption", Redemption.schema), ("Tier", MemberTier.schema), ("Badge", Badge.schema), ("EarnAction", EarnAction.schema), ("EarnedAction", EarnedAction.schema), ("FriendPage", FriendPage.schema), ("InvitationCounts", InvitationCounts.schema), ("Complaint", Complaint.schema), ("PartyPlan", PartyPlan.schema), ("Party", Party.schema), ("Cost", Cost.schema), ("Occasion", Occasion.schema), ("OccasionAnswer", OccasionAnswer.schema), ("Survey", Survey.schema), ("SurveyAnswer", SurveyAnswer.schema), ("SurveyResults", SurveyResults.schema), ("Standing", StandingSummary.schema), ("JoinPage", JoinPage.schema), ("Terms", Terms.schema), ("Application", Application.schema), ("PartnerInvitation", PartnerInvitation.schema), ("SourceQuality", SourceQuality.schema),
        ("Adjustment", Adjustment.schema), ("CommissionDecision", CommissionDecision.schema), ("Statement", Statement.schema), ("Webhook", WebhookEndpoint.schema), ("WebhookDelivery", WebhookDelivery.schema), ("Condition", condition), ("IssuedReward", IssuedReward.schema), ("ReferralReport", ReferralReport.schema), ("Reward", reward), ("Cap", cap),
        ("Experiment", Experiment.schema), ("ExperimentAnalysis", Experiment.analysisSchema), ("ExperimentAssignment", Experiment.assignmentSchema),
    ] + rewardKinds + conditionKinds

    static let programInput = APISchema.object([
        .required("name", .string(maximumLength: 200)), .required("currency", currency), .optional("timezone", .string(maximumLength: 60)),
    ] + settings)

    static let settings: [APIField] = [
        .optional(
            "attribution",
            .object([
                .optional("model", .enumeration(["last", "first", "linear", "position", "timeDecay"])), .optional("windowDays", .integer(1...3650)),
                .optional("halfLifeDays", .integer(1...3650)),
                .optional("conflictPolicy", .array(.enumeration(["friendCode", "coupon", "link", "paid", "manual"]))),
                .optional("standDownSeconds", .integer(0...31_536_000)),
            ])),
        .optional("customerBinding", .oneOf([.object([.required("months", .integer(1...1200))]), .enumeration(["lifetime", "none"])])),
        .optional("holdDays", .integer(0...3650)), .optional("minimumPayout", amount),
        .optional(
            "debtor",
            .object([
                .required("name", .string(maximumLength: 70)), .required("iban", .string(maximumLength: 42)), .optional("bic", .string(maximumLength: 11)),
            ])),
        .optional("allowedHosts", .array(.string(maximumLength: 253), maximumCount: 100)),
        .optional("linkParameters", .array(.string(maximumLength: 40), maximumCount: 10)),
        .optional("linkPaths", .array(.string(maximumLength: LinkPath.lengthMax), maximumCount: LinkPath.countMax)),
        .optional("brandTerms", .array(.string(maximumLength: 100), maximumCount: 200)),
        .optional("paidSearchPolicy", .enumeration(["allow", "hold", "refuse"])),
        .optional("allowedCouponSites", .array(.string(maximumLength: 253), maximumCount: 200)), .optional("orphanMemberId", .text),
        .optional("planExcludesRules", .boolean), .optional("cookieless", .boolean), .optional("marginRate", .text),
        .optional(
            "stages",
            .described(
                .object([.optional("sharer", .array(.enumeration(StageRules.Cause.allCases.map(\.rawValue)), maximumCount: StageRules.Cause.allCases.count))]),
                description: "What makes a member a sharer; all of it when left out.")),
        .optional("memberPostbacks", .described(.boolean, description: "Members may have their own trackers told of what they earn.")),
        .optional("referral", .described(.nullable(ReferralTerms.schema), description: "Which friends count, and what all rules together may give in a period.")),
    ]

    static let program = APISchema.object([
        .required("id", .text), .required("name", .text), .required("slug", .text), .required("currency", currency), .required("timezone", .text),
        .required("version", .integer()), .required("createdAt", .dateTime),
    ] + settings)

    static let ruleInput = APISchema.object([
        .required("name", .string(maximumLength: 200)), .required("event", .enumeration(["click", "lead", "sale", "recurring"])),
        .required("reward", .reference("Reward")),
        .optional("choices", .described(.array(.reference("Reward"), maximumCount: RuleDocument.choicesMax), description: "What the receiver may have instead.")),
        .optional("check", .described(.boolean, description: "Whether your program is asked before the reward is given.")),
        .optional("for", .enumeration(["member", "friend"])), .optional("level", .integer(0...50)),
        .optional("conditions", .reference("Condition")), .optional("months", .oneOf([.integer(1...1200), .enumeration(["lifetime"])])),
        .optional("perItem", .boolean),
        .optional("cap", .reference("Cap")),
        .optional("effectiveFrom", .dateTime), .optional("effectiveUntil", .dateTime),
    ])

    static let rule = APISchema.object([
        .required("id", .text), .required("programId", .text), .required("version", .integer()), .required("name", .text),
        .required("event", .text), .required("reward", .reference("Reward")), .optional("choices", .array(.reference("Reward"))), .optional("check", .boolean), .optional("for", .text), .optional("level", .integer()),
        .optional("conditions", .reference("Condition")), .optional("months", .oneOf([.integer(1...1200), .enumeration(["lifetime"])])),
        .optional("perItem", .boolean), .optional("cap", .reference("Cap")),
        .optional("effectiveFrom", .dateTime), .optional("effectiveUntil", .dateTime),
    ])

    static let memberInput: [APIField] = [
        .optional("email", .email), .optional("name", .string(maximumLength: 200)), .optional("externalId", .string(maximumLength: 255)),
        .optional("enrollerId", memberReference), .optional("placementParentId", memberReference), .optional("placementSlot", .integer(1...1_000_000)),
        .optional("groupId", .string(maximumLength: 40)), .optional("kind", .enumeration(["customer", "promoter"])),
        .optional("status", .enumeration(["active", "inactive", "suspended", "terminated"])),
        .optional("stage", .enumeration(["prospect", "customer", "sharer", "promoter"])), .optional("joinedAt", .dateTime),
        .optional("locale", .string(maximumLength: 35)), .optional("timezone", .string(maximumLength: 60)), .optional("country", .string(maximumLength: 2)),
        .optional("website", .string(maximumLength: 2048)), .optional("channels", .array(.text)), .optional("attributes", .map(.any)),
        .optional("paymentFingerprint", .string(maximumLength: 255)), .optional("homeAddressHash", .string(maximumLength: 255)),
        .optional("payoutAccountHash", .string(maximumLength: 255)),
    ] + signals

    /// Identity signals, all optional, on click, lead, sale and member.
    static let signals: [APIField] = [
        .optional("visitorId", .string(maximumLength: 200)), .optional("deviceId", .string(maximumLength: 200)),
        .optional("ip", .string(maximumLength: 45)), .optional("userAgent", .string(maximumLength: 1000)),
        .optional("headers", .map(.text)),
    ]

    static let member = APISchema.object([
        .required("id", .text), .required("email", .nullable(.text)), .required("name", .nullable(.text)), .required("externalId", .nullable(.text)),
        .required("kind", .text), .required("status", .text), .required("stage", .text), .required("enrollerId", .nullable(.text)),
        .required("placementParentId", .nullable(.text)), .required("programIds", .array(.text)), .required("country", .nullable(.text)),
        .required("locale", .nullable(.text)), .required("timezone", .nullable(.text)), .required("joinedAt", .dateTime),
        .required("createdAt", .dateTime),
    ])

    static let balance = APISchema.object(
        [.required("unit", .text)] + ["pending", "held", "available", "inPayout", "paid", "debt"].map { .required($0, .integer()) })

    static let link = APISchema.object([
        .required("id", .text), .required("programId", .text), .required("memberId", .nullable(.text)), .required("code", .text),
        .required("kind", .text), .required("url", .text), .required("qrUrl", .text), .required("destination", .text),
        .required("expiresAt", .nullable(.dateTime)), .required("clicks", .integer()), .required("clicksLogged", .integer()),
        .required("variants", .array(.object([.required("destination", .text), .required("weight", .integer())]))),
        .required("codeRate", .nullable(.text)), .required("codeNeedsReferral", .boolean), .required("createdAt", .dateTime),
    ])

    static let attribution = APISchema.object(attributionFields)

    static let attributionFields: [APIField] = [
        .required("status", .enumeration(["attributed", "unattributed"])), .optional("reason", .text), .required("model", .nullable(.text)),
        .required(
            "shares",
            .array(
                .object([
                    .required("memberId", .text), .required("sharePpm", .integer(0...1_000_000)), .required("touchId", .nullable(.text)),
                    .required("reason", .text),
                ]))),
        .required("rejected", .array(rejection)), .optional("unknownClick", .text), .optional("unknownCode", .text),
        .optional(
            "coupon",
            .object([
                .required("codeId", .nullable(.text)), .required("couponId", .nullable(.text)), .required("state", .enumeration(["redeemed", "refused"])),
                .required("reason", .nullable(.text)), .required("discount", .integer()), .optional("name", .text), .optional("currency", .text),
            ])),
    ]

    static let commission = APISchema.object(commissionFields)

    static let commissionFields: [APIField] = [
        .required("id", .text), .required("programId", .text), .required("memberId", .text), .required("saleId", .nullable(.text)),
        .required("amount", .integer()), .required("reversedAmount", .integer()), .required("currency", .text), .required("rule", .nullable(.text)),
        .required("ruleId", .nullable(.text)), .required("ruleVersion", .nullable(.integer())), .required("level", .integer()), .required("sharePpm", .integer()),
        .required("state", .enumeration(Commission.State.allCases.map(\.rawValue))), .required("holdUntil", .dateTime),
        .required("occurredAt", .dateTime), .required("receiptUrl", .text), .optional("base", .nullable(.integer())), .optional("rate", .nullable(.text)),
        .optional("cause", .text), .optional("correctsId", .described(.nullable(.text), description: "The commission that this one corrects.")),
        .optional("worth", .described(.integer(), description: "What it keeps with all its corrections.")),
    ]

    static let sale = APISchema.object([
        .required("id", .text), .required("programId", .nullable(.text)), .required("customerId", .text), .required("invoiceId", .text),
        .required("amount", amount), .required("refundedAmount", amount), .required("currency", currency), .required("saleNumber", .integer()),
        .required("country", .nullable(.text)), .required("eventName", .nullable(.text)), .required("occurredAt", .dateTime),
        .required("recordedAt", .dateTime),
    ])

    static let saleAnswer = APISchema.object([
        .required("saleId", .text), .required("attribution", .reference("Attribution")), .required("commissions", .array(.reference("Commission"))),
        .optional("rewards", .array(.reference("IssuedReward"))),
        .optional("refusals", .described(.array(.any), description: "What was not given, each with its `reason`.")), .optional("receiptUrl", .text),
    ])

    static let refund = APISchema.object([
        .required("id", .text), .required("refundId", .text), .required("invoiceId", .text), .required("saleId", .nullable(.text)),
        .required("state", .enumeration(["parked", "applied", "refused"])), .required("amount", .nullable(amount)),
        .required("appliedAmount", .nullable(amount)), .required("occurredAt", .dateTime), .optional("reversals", .array(.reference("Commission"))),
        .optional("rewards", .described(.array(.reference("IssuedReward")), description: "What the sale gave that is no money, as it stands now.")),
    ])

    static let lead = APISchema.object([
        .required("leadId", .text), .optional("customerId", .text), .required("state", .enumeration(["counted", "deferred"])),
        .optional("attribution", .any), .optional("commissions", .array(.reference("Commission"))), .optional("receiptUrl", .text),
    ])

    static let leadFacts = APISchema.object([
        .required("leadId", .text), .required("customerId", .text), .required("programId", .nullable(.text)), .required("eventName", .text),
        .required("clickId", .nullable(.text)), .required("occurredAt", .dateTime), .required("state", .enumeration(["counted", "deferred"])),
        .required("receiptUrl", .text),
    ])

    static let customer = APISchema.object([
        .required("id", .text), .required("externalId", .nullable(.text)), .required("email", .nullable(.text)), .required("name", .nullable(.text)),
        .required("country", .nullable(.text)), .required("createdAt", .dateTime), .required(
            "bindings",
            .array(
                .object([
                    .required("programId", .text), .required("source", .enumeration(["sale", "assignment"])), .required("reason", .nullable(.text)),
                    .required("boundAt", .dateTime), .required("until", .nullable(.dateTime)),
                    .required("shares", .array(.object([.required("memberId", .text), .required("sharePpm", .integer(0...1_000_000))]))),
                ]))),
    ])

    static let transaction = APISchema.object([
        .required("sequence", .integer()), .required("id", .text), .required("recordedAt", .dateTime), .required("effectiveAt", .dateTime),
        .required("cause", .text), .required("purpose", .text), .required("hash", .text),
        .required(
            "entries", .array(.object([.required("account", .text), .required("unit", .text), .required("amount", .integer())]))),
    ])

    static let auditEntry = APISchema.object([
        .required("sequence", .integer()), .required("at", .dateTime), .required("actor", .text), .required("action", .text),
        .required("subject", .text), .required("detail", .any), .required("hash", .text),
    ])

    static let event = APISchema.object([
        .required("id", .text), .required("type", .text), .required("createdAt", .dateTime), .required("apiVersion", .text), .required("data", .any),
        .optional("changes", .map(.object([.required("before", .any), .required("after", .any)]))),
    ])
}
