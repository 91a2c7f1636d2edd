import Web

/// What every type of event says: `docs/events.md` and the OpenAPI document's webhooks are made from it, and a test holds what is
/// emitted against it.
struct EventCatalogue: Sendable {
    /// When it is told, as a sentence.
    var when: String
    var data: APISchema
    /// The fields of `changes`, where a state changes.
    var changes: [String] = []

    static func entry(_ type: EventType) -> EventCatalogue {
        switch type {
        case .linkClicked: EventCatalogue(when: "A person followed a link. Once for each counted click; crawlers and repeated clicks are not told.", data: click)
        case .leadCreated: EventCatalogue(when: "Somebody showed interest: a lead was counted.", data: .reference("LeadFacts"))
        case .saleCreated: EventCatalogue(when: "A sale was recorded. Its commissions are told one by one before it.", data: .reference("Sale"))
        case .saleRefunded: EventCatalogue(when: "A sale was returned, wholly or in part.", data: refund)
        case .commissionCreated: EventCatalogue(when: "A rule, or a person of the team, gave a member pay.", data: .reference("Commission"))
        case .commissionApproved:
            EventCatalogue(when: "Pay is due: its hold is over, or a person approved it.", data: .reference("Commission"), changes: ["state"])
        case .commissionReversed:
            EventCatalogue(when: "Pay was taken back, wholly or in part, by a return or by hand.", data: .reference("Commission"))
        case .commissionPaid: EventCatalogue(when: "A payment with this commission arrived.", data: paid)
        case .rewardIssued:
            EventCatalogue(
                when: "A reward is given: points or credit, told beside commission.created, or a coupon, gift or other thing when its hold is over.",
                data: reward, changes: ["state"])
        case .rewardChecking:
            EventCatalogue(
                when: "A rule with check wants to give a reward: answer with POST /rewards/{id}/issuance or /refusal. Told again each day for a week.", data: reward,
                changes: ["state"])
        case .rewardChoosing:
            EventCatalogue(
                when: "A reward's hold is over, and its receiver may choose what it is: in their pages, or in yours by POST /rewards/{id}/choice.", data: reward,
                changes: ["state"])
        case .rewardRedeemed: EventCatalogue(when: "A reward was used.", data: reward, changes: ["state"])
        case .rewardReversed: EventCatalogue(when: "A reward was taken back: its sale was returned, or its code withdrawn.", data: reward, changes: ["state"])
        case .payoutApproved: EventCatalogue(when: "A second person approved a payout.", data: payout, changes: ["state"])
        case .payoutSent: EventCatalogue(when: "A payout was handed to the bank or another rail.", data: payout, changes: ["state"])
        case .payoutPaid: EventCatalogue(when: "Every payment of a payout arrived.", data: payout, changes: ["state"])
        case .payoutFailed: EventCatalogue(when: "A payout has ended, and a payment of it came back.", data: payout, changes: ["state"])
        case .programChanged:
            EventCatalogue(
                when: "A program's settings were changed; changes names each setting with what it was and is.",
                data: .described(.any, description: "The program as GET /programs/{id} answers it, with effectiveFrom."))
        case .memberCreated: EventCatalogue(when: "Somebody became a member.", data: member)
        case .memberStageChanged: EventCatalogue(when: "A member moved on: prospect, customer, sharer, promoter.", data: stage, changes: ["stage"])
        case .memberGroupChanged: EventCatalogue(when: "A member came into another group of a program, or left theirs.", data: GroupRoutes.move, changes: ["group"])
        case .memberTierChanged: EventCatalogue(when: "A member reached another tier of a program, or lost theirs.", data: TierMove.schema, changes: ["tierId"])
        case .memberBadgeAwarded: EventCatalogue(when: "A member was given a badge.", data: Badge.awardSchema)
        case .invitationComplained:
            EventCatalogue(when: "Somebody did not want a letter or a link that a member sent them.", data: Complaint.eventSchema)
        case .partyCreated: EventCatalogue(when: "A party was made for a host.", data: Party.eventSchema)
        case .partyChanged: EventCatalogue(when: "A party was canceled, or its host's reward became less by a return.", data: Party.eventSchema, changes: ["state", "reward"])
        case .partyGuestAnswered: EventCatalogue(when: "A guest said whether they come to a party; who it is stays between them and the host.", data: PartyGuest.eventSchema)
        case .partySettled: EventCatalogue(when: "A party's orders and returns are over, and its host is rewarded.", data: Party.eventSchema)
        case .occasionCreated: EventCatalogue(when: "Members were invited to an event.", data: Occasion.schema)
        case .occasionChanged: EventCatalogue(when: "An event was canceled.", data: Occasion.schema, changes: ["state"])
        case .occasionAnswered: EventCatalogue(when: "A member said whether they come to an event, or came up from the waiting line.", data: OccasionAnswer.schema)
        case .occasionAttended: EventCatalogue(when: "A member came to an event.", data: OccasionAnswer.schema)
        case .surveyAnswered: EventCatalogue(when: "Somebody answered a survey, or gave another score.", data: SurveyAnswer.eventSchema)
        case .runAccepted: EventCatalogue(when: "A compensation run was accepted and posted.", data: run)
        case .holdPlaced: EventCatalogue(when: "Pay was held.", data: .reference("Commission"), changes: ["state"])
        case .holdReleased: EventCatalogue(when: "Held pay was released.", data: .reference("Commission"), changes: ["state"])
        case .webhookTested:
            EventCatalogue(when: "Somebody asked for a test. Only the webhook that is tested gets it; nobody can subscribe to it.", data: tested)
        }
    }

    /// The envelope with this type's data.
    static func envelope(_ type: EventType) -> APISchema {
        .object([
            .required("id", .text), .required("type", .enumeration([type.rawValue])), .required("createdAt", .dateTime), .required("apiVersion", .text),
            .required("data", entry(type).data), .optional("changes", .map(.object([.required("before", .any), .required("after", .any)]))),
        ])
    }

    // MARK: Shapes

    private static let click = APISchema.object([
        .required("clickId", .text), .required("linkId", .nullable(.text)), .required("memberId", .nullable(.text)), .required("programId", .text),
        .required("at", .dateTime),
    ])
    private static let refund = APISchema.object([
        .required("saleId", .text), .required("refundId", .text), .required("amount", Schemas.amount), .required("currency", Schemas.currency),
        .required("refundedAmount", .described(.integer(), description: "All that was returned of the sale so far.")),
    ])
    private static let paid = APISchema.object([.required("id", .text), .required("payoutId", .text)])
    private static let reward = APISchema.object([
        .required("rewardId", .described(.nullable(.text), description: "Null of points and credit, which are commissions.")),
        .required("commissionId", .described(.nullable(.text), description: "Of points and credit.")),
        .required("side", .enumeration(["member", "friend"])), .required("memberId", .text), .required("customerId", .nullable(.text)),
        .required("programId", .text), .required("saleId", .nullable(.text)), .required("kind", .text), .required("amount", .nullable(.integer())),
        .required("unit", .nullable(.text)),
    ])
    private static let payout = APISchema.object([
        .required("id", .text), .required("programId", .text), .required("state", .text), .required("dryRun", .boolean), .required("currency", .text),
        .required("total", .integer()), .required("cutoff", .dateTime), .required("createdBy", .text), .required("createdAt", .dateTime),
        .required("approvedBy", .nullable(.text)), .required("approvedAt", .nullable(.dateTime)), .required("sentAt", .nullable(.dateTime)),
    ])
    private static let member = APISchema.object([.required("memberId", .text), .required("stage", .text)])
    private static let stage = APISchema.object([
        .required("memberId", .text), .required("from", .text), .required("to", .text), .required("cause", .text),
    ])
    private static let run = APISchema.object([
        .required("runId", .text), .required("planId", .text), .required("periodStart", .date), .required("total", .integer()),
        .required("currency", .text), .required("hash", .text),
    ])
    private static let tested = APISchema.object([.required("webhookId", .text)])
}

extension EventCatalogue {
    /// `docs/events.md`.
    static func markdown() -> String {
        var text = """
            # What is a webhook told?

            Every event has the same envelope: `{id, type, createdAt, apiVersion, data, changes?}`. `data` holds ids and numbers, never a name or a mail
            address: ask the API who is behind an id. `changes` has each changed field with its `before` and `after`. Amounts are integer minor units.
            Fields may be added, never renamed: ignore what you do not know. [webhooks.md](webhooks.md) says how to receive them.

            This page is made from the program: `KITH_WRITE_DOCS=1 swift test --filter EventCatalogueTests`.

            | type | told when |
            |---|---|

            """
        for type in EventType.allCases { text += "| [`\(type.rawValue)`](#\(type.rawValue.filter { $0 != "." })) | \(entry(type).when) |\n" }
        for type in EventType.allCases {
            let entry = entry(type)
            text += "\n## \(type.rawValue)\n\(entry.when)\n\n"
            if !entry.changes.isEmpty { text += "`changes` may name \(entry.changes.map { "`\($0)`" }.joined(separator: ", ")).\n\n" }
            let fields = fields(of: entry.data)
            if fields.isEmpty {
                if case .described(_, let words, _) = entry.data { text += "`data`: \(words)\n" }
                continue
            }
            text += "| field of `data` | value |\n|---|---|\n"
            for field in fields { text += "| `\(field.name)`\(field.isRequired ? "" : " (may be missing)") | \(words(field.schema)) |\n" }
        }
        return text
    }

    /// The fields of a shape; of a named one those that stand under its name.
    static func fields(of schema: APISchema) -> [APIField] {
        switch schema {
        case .object(let fields): fields
        case .reference(let name): Schemas.all.first { $0.name == name }.map { fields(of: $0.schema) } ?? []
        default: []
        }
    }

    private static func words(_ schema: APISchema) -> String {
        switch schema {
        case .string(let format, _, _): format == "date-time" ? "time (RFC 3339, UTC)" : format == "date" ? "day" : "text"
        case .integer: "whole number"
        case .number: "number"
        case .boolean: "true or false"
        case .enumeration(let values): values.map { "`\($0)`" }.joined(separator: ", ")
        case .nullable(let inner): words(inner) + ", or null"
        case .described(let inner, let description, _): "\(words(inner)). \(description)"
        case .array: "list"
        case .object, .map, .reference, .any, .oneOf: "object"
        }
    }
}
