import Attribution
import Chronology
import Foundation
import HTTPTypes
import Hummingbird
import Money
import Persistence
import Web

/// What shops and browsers tell: clicks, leads, sales, refunds.
enum TrackRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.write(
            .post, "/track/click", id: "trackClick", "Record a click", tag: "Tracking", access: .browser(.trackWrite), body: clickInput,
            answer: .object([.required("clickId", .text), .required("member", .nullable(.object([.required("id", .text), .required("firstName", .nullable(.text))]))),
                .required(
                    "offer",
                    .object([.required("programId", .text), .required("program", .nullable(.text)), .required("code", .nullable(.text))])),
            ]), status: 201,
            preparationChanges: true, decode: { body, _ in NewClick.read(body) },
            prepare: { input, request, caller in
                try await installation.record(input, caller: caller, request: request)
            }
        ) { recorded, write in try recorded.answer(in: write) }

        api.write(
            .post, "/track/lead", id: "trackLead", "Record a lead", tag: "Tracking", access: .browser(.trackWrite), body: leadInput,
            answer: .reference("Lead"), status: 201, repeatedStatus: 200, decode: { body, _ in NewLead.read(body) },
            prepare: { input, _, caller in
                // Ids of a shop's customers and orders can be counted through: only the shop itself says whose they are.
                guard !caller.isPublishable || !Vendor.isNamespaced(input.customerExternalID) else {
                    throw Refusal.field("customerExternalId", "Must be your own id, not a shop's: those are told by the shop.", code: "vendor_id")
                }
                let evidence = try await installation.evidence(
                    click: input.clickID, visitor: input.visitorID, customer: input.customerExternalID, caller.workspaceID)
                return (input: caller.isPublishable ? input.fromBrowser : input, evidence: evidence)
            }
        ) { prepared, write in
            let recorded = try Lead.record(prepared.input, evidence: prepared.evidence, in: write)
            let state: JSONValue = .text(recorded.lead.countedAt == nil ? "deferred" : "counted")
            if prepared.input.isFromBrowser {
                return Answer(["leadId": .text(recorded.lead.id.text), "state": state], status: recorded.isRepeated ? 200 : 201)
            }
            return Answer(
                [
                    "leadId": .text(recorded.lead.id.text), "customerId": .text(recorded.lead.customerID.text),
                    "state": state, "attribution": recorded.lead.attribution.value.without(["touches"]),
                    "commissions": .array(recorded.commissions.map(\.json)), "receiptUrl": recorded.lead.json["receiptUrl"] ?? .null,
                ], status: recorded.isRepeated ? 200 : 201)
        }

        api.write(
            .post, "/track/sale", id: "trackSale", "Record a sale", tag: "Tracking", access: .right(.trackWrite), body: saleInput,
            answer: .reference("SaleAnswer"), status: 201, repeatedStatus: 200, failures: [409], maximumBytes: API.bodyMaxBytes,
            decode: { body, _ in NewSale.read(body) },
            prepare: { input, _, caller in
                let evidence = try await installation.evidence(
                    click: input.clickID, visitor: input.visitorID, customer: input.customerExternalID, caller.workspaceID)
                return (input: input, evidence: evidence)
            }
        ) { prepared, write in
            let recorded = try Sale.record(prepared.input, evidence: prepared.evidence, in: write)
            return Answer(recorded.json, status: recorded.isRepeated ? 200 : 201)
        }

        api.write(
            .post, "/track/refund", id: "trackRefund", "Record a refund; before its sale it is parked", tag: "Tracking",
            access: .right(.trackWrite), body: refundInput, answer: .reference("Refund"), status: 201, repeatedStatus: 200, failures: [409],
            decode: { body, _ in NewRefund.read(body) }
        ) { input, write in
            let (refund, isRepeated) = try Refund.record(input, in: write)
            return Answer(try refund.json(on: write.connection), status: isRepeated ? 200 : 201)
        }
    }

    private static let clickInput = APISchema.object(
        [
            .optional("code", .string(maximumLength: Normalised.codeLengthMax)), .optional("url", .string(maximumLength: 4_096)),
            .optional("referrer", .string(maximumLength: 4_096)), .optional("occurredAt", .dateTime), .optional("method", .string(maximumLength: 10)),
            .optional("script", .boolean), .optional("dwellMs", .integer(0...86_400_000)), .optional("programId", .text),
            .optional("metadata", Schemas.metadata), .optional("country", .string(maximumLength: 2)),
        ] + Schemas.signals)

    private static let leadInput = APISchema.object(
        [
            .optional("programId", .text), .optional("clickId", .string(maximumLength: 100)),
            .optional("code", .string(maximumLength: Normalised.codeLengthMax)), .required("eventName", .string(maximumLength: 100)),
            .required("customerExternalId", .string(maximumLength: 255)), .optional("customerEmail", .email),
            .optional("customerName", .string(maximumLength: 200)), .optional("mode", .enumeration(Lead.Mode.allCases.map(\.rawValue))),
            .optional("metadata", Schemas.metadata), .optional("occurredAt", .dateTime), .optional("country", .string(maximumLength: 2)),
        ] + Schemas.signals)

    private static let saleInput = APISchema.object(
        [
            .optional("programId", .text), .required("customerExternalId", .string(maximumLength: 255)), .required("amount", Schemas.amount),
            .required("currency", Schemas.currency), .required("invoiceId", .string(maximumLength: 255)),
            .optional("clickId", .string(maximumLength: 100)), .optional("code", .string(maximumLength: Normalised.codeLengthMax)),
            .optional(
                "couponCode",
                .described(.string(maximumLength: Normalised.codeLengthMax), description: "A coupon's code, beside the code of who shared.")),
            .optional("customerEmail", .email), .optional("customerName", .string(maximumLength: 200)),
            .optional("country", .string(maximumLength: 2)), .optional("eventName", .string(maximumLength: 100)),
            .optional(
                "items",
                .array(
                    .object([
                        .required("sku", .string(maximumLength: 200)), .optional("category", .string(maximumLength: 200)),
                        .optional("quantity", .integer(1...1_000_000)), .required("amount", Schemas.amount),
                        .optional("commissionVolume", Schemas.amount), .optional("qualifyingVolume", Schemas.amount),
                    ]), maximumCount: Sale.Item.itemsMax)),
            .optional("occurredAt", .dateTime), .optional("metadata", Schemas.metadata), .optional("paymentFingerprint", .string(maximumLength: 255)),
            .optional("shippingAddressHash", .string(maximumLength: 255)), .optional("newCustomer", .boolean),
            .optional("sessionReferrer", .string(maximumLength: 4_096)), .optional("memberId", Schemas.memberReference),
        ] + Schemas.signals)

    private static let refundInput = APISchema.object([
        .required("invoiceId", .string(maximumLength: 255)), .required("refundId", .string(maximumLength: 255)),
        .optional("amount", .integer(1...Schemas.amountMax)), .optional("reason", .string(maximumLength: 500)), .optional("occurredAt", .dateTime),
    ])
}

extension Installation {
    /// The clicks that speak about a buyer.
    func evidence(click: String?, visitor: String?, customer externalID: String, _ workspace: WorkspaceID) async throws -> Evidence {
        let id = click.flatMap { ClickID($0) }
        let hash = vault.lookupHash(workspace, "customer", externalID)
        return try await Evidence.gather(
            click: id, visitor: visitor, customerHash: hash, workspace: workspace, main: main, clicks: clicks, now: world.now())
    }
}

extension JSONReader {
    /// Facts of the company's own: an object of at most 50 members, each a text, number, flag or list.
    func metadata(_ field: String = "metadata") -> [JSONMember] {
        optionalCustom(field) { value in
            guard case .object(let members) = value, members.count <= 50, value.bytes.count <= 16_384,
                members.allSatisfy({ $0.value.fact != nil || $0.value == .null })
            else { return .refused("Must be an object of at most 50 texts, numbers, flags or lists, 16 kB together.") }
            return .accepted(members)
        } ?? []
    }

    /// Signals that a call may carry; those that it does not use are taken and forgotten.
    func ignoreSignals() {
        _ = optionalText("ip", maximumLength: 45)
        _ = optionalText("userAgent", maximumLength: 1_000, allowsEmpty: true)
        _ = headerTexts()
    }

    /// Headers of the visitor's request, by their names in small letters.
    func headerTexts() -> [String: String] {
        optionalCustom("headers") { value in
            guard case .object(let members) = value, members.count <= 20 else { return .refused("Must be an object of at most 20 texts.") }
            var headers: [String: String] = [:]
            for member in members {
                guard case .text(let text) = member.value, text.utf8.count <= 500 else { return .refused("Must hold texts of at most 500 characters.") }
                headers[member.name.lowercased()] = text
            }
            return .accepted(headers)
        } ?? [:]
    }

    func currency(_ field: String) -> Currency {
        custom(field, standIn: Currency.all[0]) { value in
            if case .text(let code) = value, let currency = Currency(code: code) { return .accepted(currency) }
            return .refused("Must be an ISO 4217 code such as EUR.")
        }
    }
}

extension NewLead {
    /// What a page may say: anyone can read its key, so it sets no times and no devices, and overwrites nobody's mail or name.
    var fromBrowser: NewLead {
        var lead = self
        lead.isFromBrowser = true
        lead.occurredAt = nil
        lead.deviceID = nil
        return lead
    }

    static func read(_ body: JSONReader) -> NewLead {
        body.ignoreSignals()
        return NewLead(
            programID: body.optionalCustom("programId") { idReading($0, ProgramKind.self, "program") },
            clickID: body.optionalText("clickId", maximumLength: 100), code: body.optionalText("code", maximumLength: Normalised.codeLengthMax),
            eventName: body.text("eventName", maximumLength: 100),
            customerExternalID: body.custom("customerExternalId", standIn: "", Normalised.readExternalID),
            customerEmail: body.optionalCustom("customerEmail", Normalised.readEmail), customerName: body.optionalText("customerName", maximumLength: 200),
            mode: body.optionalOneOf("mode", Lead.Mode.self) ?? .wait, metadata: body.metadata(),
            occurredAt: body.optionalCustom("occurredAt", Instant.read), visitorID: body.optionalText("visitorId", maximumLength: 200),
            deviceID: body.optionalText("deviceId", maximumLength: 200), country: body.optionalCustom("country", Country.read))
    }
}

extension NewSale {
    static func read(_ body: JSONReader) -> NewSale {
        body.ignoreSignals()
        var sale = NewSale(
            programID: body.optionalCustom("programId") { idReading($0, ProgramKind.self, "program") },
            customerExternalID: body.custom("customerExternalId", standIn: "", Normalised.readExternalID),
            customerEmail: body.optionalCustom("customerEmail", Normalised.readEmail), customerName: body.optionalText("customerName", maximumLength: 200),
            amountMinor: body.integer("amount", in: 0...Schemas.amountMax), currency: body.currency("currency"),
            invoiceID: body.custom("invoiceId", standIn: "", Normalised.readExternalID), clickID: body.optionalText("clickId", maximumLength: 100),
            code: body.optionalText("code", maximumLength: Normalised.codeLengthMax), country: body.optionalCustom("country", Country.read),
            eventName: body.optionalText("eventName", maximumLength: 100), items: body.array("items", count: 0...Sale.Item.itemsMax, Sale.Item.read),
            occurredAt: body.optionalCustom("occurredAt", Instant.read), metadata: body.metadata(),
            visitorID: body.optionalText("visitorId", maximumLength: 200), deviceID: body.optionalText("deviceId", maximumLength: 200),
            paymentFingerprint: body.optionalText("paymentFingerprint", maximumLength: 255),
            shippingAddressHash: body.optionalText("shippingAddressHash", maximumLength: 255), newCustomer: body.optionalBoolean("newCustomer"),
            sessionReferrer: body.optionalText("sessionReferrer", maximumLength: 4_096),
            member: body.optionalCustom("memberId") { value in
                if case .text(let text) = value, let reference = MemberReference(text) { return .accepted(reference) }
                return .refused(MemberReference.allowed)
            }, couponCode: body.optionalText("couponCode", maximumLength: Normalised.codeLengthMax), factsHash: [])
        if sale.itemsExceedAmount { body.note("items", "Must not sum to more than the sale's amount.") }
        sale.factsHash = sale.hash
        return sale
    }

    /// Items may sum to less: shipping and tax are none.
    private var itemsExceedAmount: Bool {
        items.reduce(Int128(0)) { $0 + Int128($1.amountMinor) } > Int128(amountMinor)
    }

    /// What makes two tellings of an invoice the same: who bought, for how much, of what, and the company's own facts, by which rules may
    /// pay. How they came may be told later or again.
    var hash: [UInt8] {
        var facts: [String] = [
            customerExternalID, String(amountMinor), currency.code, country ?? "", eventName ?? "", programID?.text ?? "",
            newCustomer.map(String.init) ?? "", items.map(Self.fact).joined(separator: "\u{2}"),
        ]
        if !metadata.isEmpty { facts.append(String(decoding: JSONValue.object(metadata).canonicalBytes, as: UTF8.self)) }
        return FactsHash.of(facts)
    }

    private static func fact(_ item: Sale.Item) -> String {
        let volumes = [item.commissionVolume, item.qualifyingVolume].map { $0.map(String.init) ?? "" }
        return ([item.sku, item.category ?? "", String(item.quantity), String(item.amountMinor)] + volumes).joined(separator: "\u{1}")
    }
}

extension NewRefund {
    static func read(_ body: JSONReader) -> NewRefund {
        var refund = NewRefund(
            invoiceID: body.custom("invoiceId", standIn: "", Normalised.readExternalID),
            refundID: body.custom("refundId", standIn: "", Normalised.readExternalID), amountMinor: body.optionalInteger("amount", in: 1...Schemas.amountMax),
            reason: body.optionalText("reason", maximumLength: 500), occurredAt: body.optionalCustom("occurredAt", Instant.read), factsHash: [])
        refund.factsHash = refund.hash
        return refund
    }

    var hash: [UInt8] { FactsHash.of([invoiceID, amountMinor.map(String.init) ?? "", occurredAt?.rfc3339 ?? ""]) }
}

extension RecordedSale {
    var json: JSONValue {
        [
            "saleId": .text(sale.id.text), "attribution": sale.attribution.value.without(["touches"]),
            "commissions": .array(commissions.map(\.json)), "rewards": .array(rewards.map { $0.json(code: nil) }),
            "refusals": sale.refusals.value, "receiptUrl": .text("\(API.base)/sales/\(sale.id.text)/receipt"),
        ]
    }
}

extension Refund {
    func json(on connection: any Connection) throws -> JSONValue {
        var members: [JSONMember] = [
            JSONMember("id", .text(id.text)), JSONMember("refundId", .text(refundID)), JSONMember("invoiceId", .text(invoiceID)),
            JSONMember("saleId", saleID.map { .text($0.text) } ?? .null), JSONMember("state", .text(state.rawValue)),
            JSONMember("amount", amountMinor.map { .integer($0) } ?? .null),
            JSONMember("appliedAmount", appliedMinor.map { .integer($0) } ?? .null), JSONMember("occurredAt", .text(occurredAt.rfc3339)),
        ]
        if let saleID {
            members.append(JSONMember("reversals", .array(try CommissionStore.of(sale: saleID, on: connection).map(\.json))))
            members.append(JSONMember("rewards", .array(try RewardStore.of(sale: saleID, on: connection).map { $0.json(code: nil) })))
        }
        return .object(members)
    }
}

extension JSONText {
    /// The JSON again; null when the stored text is damaged.
    var value: JSONValue { (try? JSONValue.parse(Array(text.utf8), maximumBytes: 16_000_000)) ?? .null }
}

extension JSONValue {
    func without(_ names: Set<String>) -> JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(members.filter { !names.contains($0.name) })
    }
}
