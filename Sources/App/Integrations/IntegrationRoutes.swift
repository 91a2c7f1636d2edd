import HTTPTypes
import Hummingbird
import Persistence
import Web

/// Connecting vendors, and what they sent, for programs. What vendors themselves call is `InboundDoor`.
enum IntegrationRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        InboundDoor.add(to: &api)
        api.read(
            "/integrations", id: "listIntegrations", "Vendors that are connected", tag: "Integrations", access: .right(.workspaceRead),
            answer: .object([.required("data", .array(shape))])
        ) { _, _, caller in
            let (seal, now) = (installation.inboundSeal, installation.world.now())
            let found = try await installation.main.read { connection in
                try IntegrationStore.list(in: caller.workspaceID, at: now, seal: seal, on: connection)
            }
            let mayKnow = caller.may(.keysWrite)
            return ListAnswer.one(["data": .array(found.map { $0.json(installation, showsSecret: mayKnow) })])
        }
        api.write(
            .put, "/integrations/{vendor}", id: "connectIntegration", "Connect a vendor to a program, or change its secret", tag: "Integrations",
            access: .right(.keysWrite), body: input, answer: shape,
            decode: { body, context in
                let vendor = try vendor(context)
                return (
                    vendor: vendor, program: body.custom("programId", standIn: ProgramID(stored: "")) { idReading($0, ProgramKind.self, "program") },
                    secret: body.optionalText("webhookSecret", maximumLength: Integration.secretLengthMax),
                    mapping: try body.optionalObject("mapping") { try GenericMapping.read($0) }
                )
            }
        ) { input, write in
            var secret = input.secret
            if input.vendor == .postback { secret = Base64URL.encode(write.world.random.bytes(InboundPostback.tokenBytes)) }
            guard input.mapping == nil || input.vendor == .generic else { throw Refusal.field("mapping", "Only generic sources have one.") }
            let integration = try Integration.connect(
                input.vendor, program: input.program, secret: secret, mapping: input.mapping, seal: installation.inboundSeal, in: write)
            return Answer(integration.json(installation, showsSecret: true), secrets: input.vendor == .postback ? ["webhookUrl"] : [])
        }
        api.write(
            .delete, "/integrations/{vendor}", id: "disconnectIntegration", "Refuse a vendor's events from now on", tag: "Integrations",
            access: .right(.keysWrite), body: nil, answer: .object([.required("vendor", .text), .required("connected", .boolean)]),
            decode: { _, context in try vendor(context) }
        ) { vendor, write in
            try Integration.disconnect(vendor, in: write)
            return Answer(["vendor": .text(vendor.rawValue), "connected": false])
        }
        api.read(
            "/integrations/{vendor}/events", id: "listInboundEvents", "What a vendor sent and what became of it, the newest first", tag: "Integrations",
            access: .right(.salesRead), parameters: APIParameter.page, answer: .page(event)
        ) { request, context, caller in
            let vendor = try vendor(context)
            let page = try PageRequest.from(request, InboundKind.self)
            let events = try await installation.main.read { connection in
                try InboundStore.newest(vendor, in: caller.workspaceID, before: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(events, page, cursor: \.id.text, json: \.json)
        }
        api.write(
            .post, "/integrations/events/{id}/replay", id: "replayInboundEvent", "Handle an event once more", tag: "Integrations",
            access: .right(.trackWrite), body: nil, answer: event, failures: [409], preparationChanges: true,
            decode: { _, context in try context.id(InboundKind.self) },
            prepare: { id, _, caller in try await installation.replay(id, in: caller.workspaceID, actor: caller.actor) }
        ) { event, _ in Answer(event.json) }
        api.write(
            .post, "/integrations/{vendor}/sample", id: "sendSample", "Send a signed sample of a vendor through the whole way, in the test workspace",
            tag: "Integrations", access: .right(.trackWrite), body: nil, answer: event, status: 201, failures: [409], preparationChanges: true,
            decode: { _, context in try vendor(context) },
            prepare: { vendor, _, caller in
                try await VendorSample.send(vendor, installation, from: caller.workspaceID, actor: caller.actor, sharerName: "Sharer", buyerName: "Buyer")
            }
        ) { event, _ in Answer(event.json, status: 201) }
    }

    private static func vendor(_ context: KithContext) throws -> Vendor {
        guard let vendor = context.parameters.get("vendor").flatMap({ Vendor(rawValue: $0) }) else { throw Problem.notFound() }
        return vendor
    }

    private static let input = APISchema.object([
        .required("programId", .text),
        .optional(
            "webhookSecret",
            .described(.string(maximumLength: Integration.secretLengthMax), description: "The vendor's signing secret of this endpoint, at least 16 bytes; needed the first time.")),
        .optional("mapping", mapping),
    ])

    private static let mapping = APISchema.object([
        .required("signature", .enumeration(GenericMapping.SignatureKind.allCases.map(\.rawValue))), .optional("header", .string(maximumLength: 100)),
        .optional("amountForm", .enumeration(GenericMapping.AmountForm.allCases.map(\.rawValue))),
        .optional("eventIdPath", .nullable(.string(maximumLength: GenericMapping.pathLengthMax))),
        .optional("typePath", .nullable(.string(maximumLength: GenericMapping.pathLengthMax))), .optional("kinds", .map(.text)),
        .required("fields", .map(.text)),
    ])

    private static let shape = APISchema.object([
        .required("vendor", .text), .required("programId", .text), .required("webhookUrl", .nullable(.text)), .required("createdAt", .dateTime),
        .required("updatedAt", .dateTime), .optional("mapping", mapping),
    ])

    private static let event = APISchema.object([
        .required("id", .text), .required("vendor", .text), .required("vendorEventId", .text), .required("type", .text),
        .required("state", .enumeration(InboundEvent.State.allCases.map(\.rawValue))), .required("reasonCode", .nullable(.text)),
        .required("reason", .nullable(.text)), .required("sample", .boolean), .required("mayReplay", .boolean), .required("subjectId", .nullable(.text)),
        .required("receivedAt", .dateTime), .required("handledAt", .nullable(.dateTime)),
    ])
}
