import Chronology
import HTTPTypes
import Money
import Persistence
import Web

/// The catalogue of what members can have for points and credit, and what they took.
enum SpendRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/catalogue", id: "listCatalogue", "What members can have for points and credit", tag: "Catalogue", access: .right(.programsRead),
            parameters: APIParameter.page, answer: .page(.reference("CatalogueItem"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, SpendItemKind.self)
            let items = try await installation.main.read { connection in
                try SpendStore.list(in: caller.workspaceID, after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(items, page, cursor: \.id.text, json: \.json)
        }
        api.write(
            .post, "/catalogue", id: "addCatalogueItem", "Offer something for points or credit", tag: "Catalogue", access: .right(.programsWrite),
            body: .object([
                .required("programId", .text), .required("name", .string(maximumLength: SpendItem.nameLengthMax)),
                .optional("description", .string(maximumLength: SpendItem.descriptionLengthMax)), .required("unit", WalletRoutes.unitSchema),
                .required("cost", WalletRoutes.amountSchema), .required("kind", .enumeration(SpendItem.Kind.allCases.map(\.rawValue))),
                .optional("valueUnit", .described(.string(maximumLength: Wallet.unitLengthMax), description: "Where the kind is credit: what they get.")),
                .optional("value", WalletRoutes.amountSchema),
                .optional("couponId", .described(.text, description: "Where the kind is coupon: members get a code of it at once.")), .optional("stock", .integer(0...SpendItem.stockMax)),
            ]), answer: .reference("CatalogueItem"), status: 201, failures: [409],
            decode: { body, _ in
                let value = body.optionalInteger("value", in: 1...Wallet.amountMax)
                let valueUnit: UnitCode? = body.optionalCustom("valueUnit") { given in
                    guard case .text(let text) = given, let unit = Wallet.unit(text) else { return .refused(Wallet.unitAllowed) }
                    return .accepted(unit)
                }
                if (value == nil) != (valueUnit == nil) { body.note(value == nil ? "value" : "valueUnit", "Is required with the other.") }
                return SpendItem.Input(
                    programID: body.custom("programId", standIn: ProgramID(stored: "")) { idReading($0, ProgramKind.self, "program") },
                    name: body.name("name", maximumLength: SpendItem.nameLengthMax),
                    description: body.optionalText("description", maximumLength: SpendItem.descriptionLengthMax) ?? "", unit: try WalletRoutes.unit(body),
                    costMinor: body.integer("cost", in: 1...Wallet.amountMax), kind: try body.oneOf("kind"),
                    value: valueUnit.flatMap { unit in value.map { (unit, $0) } },
                    couponID: body.optionalCustom("couponId") { idReading($0, CouponKind.self, "coupon") }, stock: body.optionalInteger("stock", in: 0...SpendItem.stockMax))
            }
        ) { input, write in Answer(try SpendItem.add(input, in: write).json, status: 201) }
        api.write(
            .put, "/catalogue/{id}/stock", id: "setCatalogueStock", "Say how many are left; without a number there is no end", tag: "Catalogue",
            access: .right(.programsWrite), body: .object([.optional("stock", .nullable(.integer(0...SpendItem.stockMax)))]), answer: .reference("CatalogueItem"),
            decode: { body, context in
                (id: try context.id(SpendItemKind.self), stock: body.optionalInteger("stock", in: 0...SpendItem.stockMax))
            }
        ) { input, write in Answer(try SpendItem.setStock(input.id, input.stock, in: write).json) }
        api.write(
            .post, "/catalogue/{id}/archiving", id: "archiveCatalogueItem", "Offer something no longer", tag: "Catalogue", access: .right(.programsWrite),
            body: nil, answer: .reference("CatalogueItem"), decode: { _, context in try context.id(SpendItemKind.self) }
        ) { id, write in Answer(try SpendItem.archive(id, in: write).json) }
        api.write(
            .post, "/catalogue/{id}/redemptions", id: "redeemCatalogueItem", "Take an item for a member", tag: "Catalogue",
            access: .right(.commissionsWrite), body: .object([.required("memberId", Schemas.memberReference)]), answer: .reference("Redemption"), status: 201,
            failures: [409],
            decode: { body, context in
                (
                    id: try context.id(SpendItemKind.self),
                    member: body.custom("memberId", standIn: MemberReference.external("")) { value -> JSONReader.Reading<MemberReference> in
                        if case .text(let text) = value, let reference = MemberReference(text) { return .accepted(reference) }
                        return .refused(MemberReference.allowed)
                    }
                )
            }
        ) { input, write in
            let member = try Member.find(input.member, field: "memberId", in: write)
            return Answer(try Redemption.make(input.id, for: member, in: write).json, status: 201)
        }
        addSettling(to: &api)
    }

    private static func addSettling(to api: inout API) {
        let installation = api.installation
        api.read(
            "/redemptions", id: "listRedemptions", "What members took from the catalogue", tag: "Catalogue", access: .right(.commissionsRead),
            parameters: APIParameter.page + [APIParameter("state", .enumeration(Redemption.State.allCases.map(\.rawValue)))],
            answer: .page(.reference("Redemption"))
        ) { request, _, caller in
            let page = try PageRequest.from(request, RedemptionKind.self)
            let state = try Query.word("state", Redemption.State.self, in: request)
            let redemptions = try await installation.main.read { connection in
                try SpendStore.redemptions(in: caller.workspaceID, state: state, after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(redemptions, page, cursor: \.id.text, json: \.json)
        }
        api.write(
            .post, "/redemptions/{id}/fulfilment", id: "fulfilRedemption", "Say that a member has got it", tag: "Catalogue", access: .right(.commissionsWrite),
            body: .object([.optional("note", .string(maximumLength: Redemption.noteLengthMax))]), answer: .reference("Redemption"), failures: [409],
            decode: { body, context in
                (id: try context.id(RedemptionKind.self), note: body.optionalText("note", maximumLength: Redemption.noteLengthMax))
            }
        ) { input, write in Answer(try Redemption.fulfil(input.id, note: input.note, in: write).json) }
        api.write(
            .post, "/redemptions/{id}/cancellation", id: "cancelRedemption", "Give back what it cost", tag: "Catalogue", access: .right(.commissionsWrite),
            body: .object([.required("reason", .string(maximumLength: Redemption.noteLengthMax))]), answer: .reference("Redemption"), failures: [409],
            decode: { body, context in
                (id: try context.id(RedemptionKind.self), reason: body.text("reason", maximumLength: Redemption.noteLengthMax))
            }
        ) { input, write in Answer(try Redemption.cancel(input.id, reason: input.reason, in: write).json) }
    }
}
