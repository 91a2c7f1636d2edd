import Chronology
import Hummingbird
import Persistence
import Web

/// Connecting rails, sending by them, and what became of each line, for programs.
enum RailRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/rails", id: "listRails", "Ways in which payouts leave, as they are connected", tag: "Payouts", access: .right(.payoutsWrite),
            answer: .object([
                .required("data", .array(shape)), .required("offeredKinds", .array(.enumeration(PayoutAccount.Kind.allCases.map(\.rawValue)))),
                .required("choices", .array(.object([.required("programId", .text), .required("rail", .text)]))),
            ])
        ) { _, _, caller in
            let (seal, workspace) = (installation.railSeal, caller.workspaceID)
            let (rails, offered, choices) = try await installation.main.read { connection in
                (
                    try RailStore.list(in: workspace, seal: seal, on: connection), try RailStore.offered(in: workspace, on: connection),
                    try RailStore.choices(in: workspace, limit: RailPages.programsMax, on: connection)
                )
            }
            return ListAnswer.one([
                "data": .array(rails.map(\.json)), "offeredKinds": .array(offered.map { .text($0.rawValue) }),
                "choices": .array(choices.sorted { $0.key < $1.key }.map { ["programId": .text($0.key.text), "rail": .text($0.value.rawValue)] }),
            ])
        }
        api.write(
            .put, "/rails/{rail}", id: "connectRail", "Connect a rail, or change it", tag: "Payouts", access: .right(.keysWrite), body: input,
            answer: .object(fields + [.optional("secret", .nullable(.text))]), failures: [409],
            decode: { body, context in
                let kind = try kind(context)
                let settings = RailSettings.read(kind, body, urls: WebhookURL(installation.settings))
                let hasSecret = kind == .paypal || kind == .stripe
                return (
                    kind: kind, settings: settings, secret: hasSecret ? body.optionalText("secret", maximumLength: Rail.secretLengthMax) : nil,
                    newSecret: kind == .external ? body.optionalBoolean("newSecret") ?? false : false
                )
            }
        ) { input, write in
            let (rail, shown) = try Rail.connect(
                input.kind, input.settings, secret: input.secret, newSecret: input.newSecret, seal: installation.railSeal, in: write)
            guard let shown, case .object(let members) = rail.json else { return Answer(rail.json) }
            return Answer(.object(members + [JSONMember("secret", .text(shown))]), secrets: ["secret"])
        }
        api.write(
            .delete, "/rails/{rail}", id: "disconnectRail", "Send nothing by a rail from now on", tag: "Payouts", access: .right(.keysWrite), body: nil,
            answer: .object([.required("rail", .text), .required("connected", .boolean)]), failures: [409], decode: { _, context in try kind(context) }
        ) { kind, write in
            try Rail.disconnect(kind, in: write)
            return Answer(["rail": .text(kind.rawValue), "connected": false])
        }
        api.write(
            .put, "/payout-account-kinds", id: "offerAccountKinds", "Set which kinds of account members may enter", tag: "Payouts", access: .right(.payoutsWrite),
            body: .object([.required("kinds", .array(.enumeration(PayoutAccount.Kind.allCases.map(\.rawValue))))]),
            answer: .object([.required("offeredKinds", .array(.text))]),
            decode: { body, _ in body.custom("kinds", standIn: Set<PayoutAccount.Kind>(), PayoutAccount.Kind.readSet) }
        ) { kinds, write in
            try Rail.offer(kinds, in: write)
            return Answer(["offeredKinds": .array(PayoutAccount.Kind.allCases.filter { kinds.contains($0) }.map { .text($0.rawValue) })])
        }
        api.write(
            .put, "/programs/{id}/rail", id: "chooseRail", "Set by which rail a program's payouts leave", tag: "Payouts", access: .right(.payoutsWrite),
            body: .object([.required("rail", .nullable(.enumeration(RailKind.providers.map(\.rawValue))))]),
            answer: .object([.required("programId", .text), .required("rail", .nullable(.text))]),
            decode: { body, context in
                let isNone = body.isNull("rail")
                return (id: try context.id(ProgramKind.self), rail: isNone ? nil : try body.oneOf("rail", RailKind.self))
            }
        ) { input, write in
            try Rail.choose(input.rail, for: input.id, in: write)
            return Answer(["programId": .text(input.id.text), "rail": input.rail.map { .text($0.rawValue) } ?? .null])
        }
        addLines(to: &api)
    }

    private static func addLines(to api: inout API) {
        let installation = api.installation
        api.write(
            .post, "/payouts/{id}/sending", id: "sendPayout", "Send an approved payout by a provider", tag: "Payouts", access: .right(.payoutsWrite),
            body: .object([.optional("rail", .enumeration(RailKind.providers.map(\.rawValue)))]), answer: .reference("Payout"), failures: [409],
            decode: { body, context in (id: try context.id(PayoutKind.self), rail: body.optionalOneOf("rail", RailKind.self)) }
        ) { input, write in Answer(try Payout.send(input.id, by: input.rail, seal: installation.railSeal, in: write).json) }
        api.write(
            .post, "/payouts/{id}/inquiry", id: "askAboutPayout", "Ask the provider again about what has not ended", tag: "Payouts",
            access: .right(.payoutsWrite), body: nil, answer: .reference("Payout"), failures: [409], decode: { _, context in try context.id(PayoutKind.self) }
        ) { id, write in Answer(try Payout.askAgain(id, in: write).json) }
        api.read(
            "/payouts/{id}/lines", id: "listPayoutLines", "What a provider said of each payment", tag: "Payouts", access: .right(.ledgerRead),
            parameters: APIParameter.page, answer: .page(line)
        ) { request, context, caller in
            let id: PayoutID = try context.id()
            let page = try PageRequest.from(request, RailLineKind.self)
            let seal = installation.railSeal
            let lines = try await installation.main.read { connection -> [RailLineModel] in
                guard try PayoutStore.find(id, in: caller.workspaceID, on: connection) != nil else { throw Refusal.unknown("payout") }
                return try RailLineStore.list(of: id, after: page.startingAfter, limit: page.limit + 1, on: connection).map {
                    RailLineModel(line: $0, message: $0.hasMessage ? try RailLineStore.message($0.id, seal: seal, on: connection) : nil)
                }
            }
            return ListAnswer.response(lines, page, cursor: \.line.id.text, json: \.json)
        }
        api.write(
            .post, "/payouts/{id}/lines/{lineId}/outcome", id: "tellPayoutLine", "Tell what became of a line of the external rail", tag: "Payouts",
            access: .right(.payoutsWrite),
            body: .object([
                .required("outcome", .enumeration(ToldOutcome.allCases.map(\.rawValue))),
                .optional("reference", .string(maximumLength: RailEvidence.providerIDMax)), .optional("code", .string(maximumLength: RailEvidence.wordMax)),
                .optional("reason", .string(maximumLength: RailEvidence.messageMax)),
            ]), answer: line, failures: [409],
            decode: { body, context in
                guard let line = context.parameters.get("lineId").flatMap({ RailLineID($0) }) else { throw Refusal.unknown("line") }
                return (
                    id: try context.id(PayoutKind.self),
                    evidence: RailEvidence(
                        line: line, verdict: try body.oneOf("outcome", ToldOutcome.self).verdict,
                        providerID: body.optionalText("reference", maximumLength: RailEvidence.providerIDMax),
                        code: body.optionalText("code", maximumLength: RailEvidence.wordMax),
                        message: body.optionalText("reason", maximumLength: RailEvidence.messageMax))
                )
            }
        ) { input, write in
            let seal = installation.railSeal
            _ = try Payout.find(input.id, in: write)
            guard try RailLineStore.find(input.evidence.line, of: input.id, on: write.connection) != nil else { throw Refusal.unknown("line") }
            guard try RailCallStore.rail(of: input.id, on: write.connection) == .external else {
                throw Problem.conflict(code: "not_external", detail: "Only lines of the external rail are told of here: others are asked of their provider.")
            }
            try RailEvidence.apply([input.evidence], to: input.id, seal: seal, in: write)
            guard let line = try RailLineStore.find(input.evidence.line, of: input.id, on: write.connection) else { throw Refusal.unknown("line") }
            // Evidence against the books changes none of them, and is kept: the answer says that the line is contrary now.
            return Answer(RailLineModel(line: line, message: input.evidence.message).json)
        }
    }

    private enum ToldOutcome: String, CaseIterable {
        case accepted, paid, failed, returned

        var verdict: RailEvidence.Verdict {
            switch self {
            case .accepted: .accepted
            case .paid: .paid
            case .failed: .failed
            case .returned: .returned
            }
        }
    }

    private static func kind(_ context: KithContext) throws -> RailKind {
        guard let kind = context.parameters.get("rail").flatMap({ RailKind(rawValue: $0) }) else { throw Problem.notFound() }
        return kind
    }

    private static let input = APISchema.object([
        .optional("clientId", .described(.string(maximumLength: 128), description: "PayPal: the app's client id.")),
        .optional("sandbox", .described(.boolean, description: "PayPal: the sandbox, which test workspaces take alone.")),
        .optional("secret", .described(.string(maximumLength: Rail.secretLengthMax), description: "PayPal's client secret or Stripe's key; needed the first time.")),
        .optional("url", .described(.string(maximumLength: WebhookEndpoint.urlBytesMax), description: "External: where your system hears of lines.")),
        .optional("newSecret", .described(.boolean, description: "External: sign with a new secret, shown once.")),
        .optional("immediateDestination", .string(maximumLength: 9)), .optional("immediateDestinationName", .string(maximumLength: 23)),
        .optional("immediateOrigin", .string(maximumLength: 10)), .optional("companyName", .string(maximumLength: 16)),
        .optional("companyId", .string(maximumLength: 10)), .optional("originatingRouting", .string(maximumLength: 9)),
        .optional("entryDescription", .string(maximumLength: 10)), .optional("sourceCurrency", Schemas.currency),
    ])

    private static let fields: [APIField] = [
        .required("rail", .enumeration(RailKind.allCases.map(\.rawValue))), .required("settings", .map(.any)), .required("troubleCode", .nullable(.text)),
        .required("troubleAt", .nullable(.dateTime)), .required("createdAt", .dateTime), .required("updatedAt", .dateTime),
    ]

    private static let shape = APISchema.object(fields)

    private static let line = APISchema.object([
        .required("id", .text), .required("memberId", .text), .required("amount", .integer()),
        .required("state", .enumeration(RailLine.State.allCases.map(\.rawValue))),
        .required("itemState", .enumeration(Payout.Item.State.allCases.map(\.rawValue))), .required("providerId", .nullable(.text)),
        .required("providerState", .nullable(.text)), .required("code", .nullable(.text)), .required("reason", .nullable(.text)),
        .required("updatedAt", .dateTime),
    ])
}

/// A line with the provider's sentence.
struct RailLineModel: Sendable {
    var line: RailLine
    var message: String?

    var json: JSONValue {
        func text(_ value: String?) -> JSONValue { value.map { .text($0) } ?? .null }
        return [
            "id": .text(line.id.text), "memberId": .text(line.memberID.text), "amount": .integer(line.amountMinor), "state": .text(line.state.rawValue),
            "itemState": .text(line.itemState.rawValue), "providerId": text(line.providerID), "providerState": text(line.providerState),
            "code": text(line.code), "reason": text(message), "updatedAt": .text(line.updatedAt.rfc3339),
        ]
    }
}
