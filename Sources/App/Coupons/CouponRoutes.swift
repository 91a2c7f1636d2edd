import Chronology
import HTTPTypes
import Money
import Persistence
import Web

/// Coupons, their codes, and what a shop does with a code: check, reserve, use, give free.
enum CouponRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.write(
            .post, "/coupons", id: "createCoupon", "Make a coupon: what its codes take off, and for whom", tag: "Coupons", access: .right(.programsWrite),
            body: input, answer: Coupon.schema, status: 201, failures: [409], decode: { body, _ in NewCoupon.read(body) }
        ) { input, write in
            guard let input else { throw Refusal.unknown("program", field: "programId") }
            return Answer(try Coupon.create(input, in: write).json, status: 201)
        }
        api.read(
            "/coupons", id: "listCoupons", "Coupons", tag: "Coupons", access: .right(.programsRead),
            parameters: APIParameter.page + [APIParameter("programId", .text)], answer: .page(Coupon.schema)
        ) { request, _, caller in
            let page = try PageRequest.from(request, CouponKind.self)
            let program = try Query.id("programId", ProgramKind.self, in: request)
            let coupons = try await installation.main.read { connection in
                try CouponStore.list(in: caller.workspaceID, program: program, after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(coupons, page, cursor: \.id.text, json: \.json)
        }
        api.read("/coupons/{id}", id: "getCoupon", "A coupon", tag: "Coupons", access: .right(.programsRead), answer: Coupon.schema) { _, context, caller in
            let id: CouponID = try context.id()
            let coupon = try await installation.main.read { connection in try CouponStore.find(id, in: caller.workspaceID, on: connection) }
            guard let coupon else { throw Refusal.unknown("coupon") }
            return ListAnswer.one(coupon.json)
        }
        api.write(
            .post, "/coupons/{id}/end", id: "endCoupon", "End a coupon: no code of it is good any more", tag: "Coupons", access: .right(.programsWrite),
            body: nil, answer: Coupon.schema, decode: { _, context in try context.id(CouponKind.self) }
        ) { id, write in Answer(try Coupon.end(id, in: write).json) }
        addCodes(to: &api)
        CouponShopRoutes.add(to: &api)
        addUses(to: &api)
    }

    private static func addCodes(to api: inout API) {
        let installation = api.installation
        api.write(
            .post, "/coupons/{id}/codes", id: "issueCouponCodes", "Give out codes: one that you choose, or up to 1,000 that are made up", tag: "Coupons",
            access: .right(.programsWrite),
            body: .object([
                .optional("count", .integer(1...Int64(Coupon.codesAtOnceMax))), .optional("code", .string(maximumLength: Normalised.codeLengthMax)),
                .optional("memberId", .described(.text, description: "Whose codes they are to give to friends: they are credited.")),
                .optional("expiresAt", .dateTime),
            ]), answer: .object([.required("data", .array(CouponCode.schema))]), status: 201, failures: [409],
            decode: { body, context in
                (
                    id: try context.id(CouponKind.self), count: body.optionalInteger("count", in: 1...Int64(Coupon.codesAtOnceMax)),
                    code: NewCode(
                        code: body.optionalText("code", maximumLength: Normalised.codeLengthMax),
                        memberID: body.optionalCustom("memberId") { idReading($0, MemberKind.self, "member") },
                        expiresAt: body.optionalCustom("expiresAt", Instant.read))
                )
            }
        ) { input, write in
            if input.code.code != nil, (input.count ?? 1) > 1 { throw Refusal.field("count", "Must be 1 when you choose the code.") }
            let codes = try Coupon.issue(Int(input.count ?? 1), of: input.id, input.code, in: write)
            return Answer(["data": .array(codes.map(\.json))], status: 201)
        }
        api.read(
            "/coupons/{id}/codes", id: "listCouponCodes", "Codes of a coupon", tag: "Coupons", access: .right(.programsRead),
            parameters: APIParameter.page, answer: .page(CouponCode.schema)
        ) { request, context, caller in
            let id: CouponID = try context.id()
            let page = try PageRequest.from(request, CouponCodeKind.self)
            let codes = try await installation.main.read { connection -> [CouponCode]? in
                guard try CouponStore.find(id, in: caller.workspaceID, on: connection) != nil else { return nil }
                return try CouponCodeStore.list(of: id, after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            guard let codes else { throw Refusal.unknown("coupon") }
            return ListAnswer.response(codes, page, cursor: \.id.text, json: \.json)
        }
        api.write(
            .post, "/coupon-codes/{id}/withdrawal", id: "withdrawCouponCode", "Withdraw a code; what was used stays used", tag: "Coupons",
            access: .right(.programsWrite), body: nil, answer: CouponCode.schema, decode: { _, context in try context.id(CouponCodeKind.self) }
        ) { id, write in
            Answer(try CouponCode.withdraw(id, in: write).json)
        }
    }

    private static func addUses(to api: inout API) {
        api.write(
            .post, "/coupon-codes/check", id: "checkCouponCode", "Ask whether a code is good for an order, and what it takes off", tag: "Coupons",
            access: .right(.trackWrite), body: .object(order), answer: judged, decode: { body, _ in CodeOrder.read(body) }
        ) { input, write in
            guard let code = try CouponCode.find(input.code, in: write) else {
                return Answer([
                    "valid": false, "discount": 0, "currency": .text(input.currency.code), "freeShipping": false, "reason": "unknown",
                    "detail": .text(CouponRefusal.unknown.detail), "code": .null, "coupon": .null,
                ])
            }
            return Answer(try code.judge(input.order(in: write), in: write).json)
        }
        api.write(
            .post, "/coupon-codes/reserve", id: "reserveCouponCode", "Keep a code for an order for 15 minutes", tag: "Coupons", access: .right(.trackWrite),
            body: .object(knownOrder), answer: judged, failures: [409], decode: { body, _ in CodeOrder.read(body, needsInvoice: true) }
        ) { input, write in
            Answer(try CouponCode.reserve(input.code, for: input.order(in: write), invoice: input.invoiceID ?? "", in: write).json)
        }
        api.write(
            .post, "/coupon-codes/redeem", id: "redeemCouponCode", "Use a code for an order, once; a sale that names the code does it by itself",
            tag: "Coupons", access: .right(.trackWrite), body: .object(knownOrder), answer: judged, failures: [409],
            decode: { body, _ in CodeOrder.read(body, needsInvoice: true) }
        ) { input, write in
            Answer(try CouponCode.redeem(input.code, for: input.order(in: write), invoice: input.invoiceID ?? "", in: write).json)
        }
        api.write(
            .post, "/coupon-codes/release", id: "releaseCouponCode", "Give a reserved code free: the order was given up", tag: "Coupons",
            access: .right(.trackWrite),
            body: .object([
                .required("code", .string(maximumLength: Normalised.codeLengthMax)), .required("invoiceId", .string(maximumLength: 255)),
            ]), answer: CouponCode.schema, failures: [409],
            decode: { body, _ in
                (
                    code: body.text("code", maximumLength: Normalised.codeLengthMax),
                    invoice: body.custom("invoiceId", standIn: "", Normalised.readExternalID)
                )
            }
        ) { input, write in Answer(try CouponCode.release(input.code, invoice: input.invoice, in: write).json) }
    }

    // MARK: Shapes

    private static let input = APISchema.object([
        .required("programId", .text), .required("name", .string(maximumLength: Coupon.nameLengthMax)),
        .required("kind", .enumeration(Coupon.Kind.allCases.map(\.rawValue))), .optional("rate", Schemas.rate), .optional("amount", Schemas.positiveAmount),
        .optional("currency", Schemas.currency), .optional("minimumAmount", Schemas.amount), .optional("validDays", .integer(1...Coupon.validDaysMax)),
        .optional("usesPerCode", .integer(1...Coupon.usesMax)), .optional("maxUses", .integer(1...Coupon.usesMax)),
        .optional("budget", Schemas.positiveAmount), .optional("needsReferral", .boolean), .optional("newCustomersOnly", .boolean),
        .optional("watchedUses", .integer(0...Coupon.usesMax)),
    ])
    private static let knownOrder: [APIField] = order.filter { $0.name != "invoiceId" } + [.required("invoiceId", .string(maximumLength: 255))]
    private static let order: [APIField] = [
        .required("code", .string(maximumLength: Normalised.codeLengthMax)), .optional("invoiceId", .string(maximumLength: 255)),
        .optional("customerExternalId", .string(maximumLength: 255)),
        .optional("customerEmail", .described(.string(maximumLength: 254), description: "By it members are known who would use their own code.")),
        .required(
            "amount",
            .described(.integer(0...Schemas.amountMax), description: "Minor units: what the order comes to before the code takes something off.", example: 8_000)),
        .required("currency", Schemas.currency), .optional("newCustomer", .boolean),
    ]
    private static let judged = APISchema.object([
        .required("valid", .boolean), .required("discount", .integer()), .required("currency", .text), .required("freeShipping", .boolean),
        .required("reason", .nullable(.enumeration(CouponRefusal.allCases.map(\.rawValue)))), .required("detail", .nullable(.text)),
        .required("code", .nullable(CouponCode.schema)), .required("coupon", .nullable(Coupon.schema)),
    ])
}

/// An order as a shop tells it with a code.
private struct CodeOrder: Sendable {
    var code: String
    var invoiceID: String?
    var customerExternalID: String?
    var customerEmail: String?
    var amountMinor: Int64
    var currency: Currency
    var newCustomer: Bool?

    static func read(_ body: JSONReader, needsInvoice: Bool = false) -> CodeOrder {
        let invoice = body.optionalCustom("invoiceId", Normalised.readExternalID)
        if needsInvoice, invoice == nil { body.note("invoiceId", "Is required: it says which order uses the code.") }
        return CodeOrder(
            code: body.text("code", maximumLength: Normalised.codeLengthMax), invoiceID: invoice,
            customerExternalID: body.optionalCustom("customerExternalId", Normalised.readExternalID),
            customerEmail: body.optionalText("customerEmail", maximumLength: 254), amountMinor: body.integer("amount", in: 0...Schemas.amountMax),
            currency: body.currency("currency"), newCustomer: body.optionalBoolean("newCustomer"))
    }

    func order(in write: Write) throws -> CouponOrder {
        let customer = try customerExternalID.flatMap {
            try CustomerStore.find(
                externalHash: write.vault.lookupHash(write.workspace.id, "customer", $0), in: write.workspace.id, on: write.connection)
        }
        var buyers: [MemberID] = []
        var isKnownMailbox = false
        if let email = customerEmail.flatMap({ Normalised.email($0) }) {
            let hash = write.vault.lookupHash(write.workspace.id, PersonLookup.email.rawValue, email)
            let mailbox = write.vault.lookupHash(write.workspace.id, PersonLookup.mailbox.rawValue, Normalised.mailbox(email))
            isKnownMailbox = try SaleStore.hasKept(mailbox: mailbox, in: write.workspace.id, on: write.connection)
            buyers += try MemberPageStore.members(emailHash: hash, in: write.workspace.id, on: write.connection)
        }
        if let reference = customerExternalID.flatMap({ MemberReference("ext:" + $0) }) {
            buyers += try MemberStore.find(reference, in: write.workspace.id, vault: write.vault, on: write.connection).map { [$0.id] } ?? []
        }
        return CouponOrder(
            invoiceID: invoiceID, customer: customer, buyers: buyers, amountMinor: amountMinor, currency: currency, newCustomer: newCustomer, isKnownMailbox: isKnownMailbox)
    }
}

extension NewCoupon {
    static func read(_ body: JSONReader) -> NewCoupon? {
        let program = body.custom("programId", standIn: nil) { value in idReading(value, ProgramKind.self, "program").map { Optional($0) } }
        let name = body.name("name", maximumLength: Coupon.nameLengthMax)
        let kind = body.custom("kind", standIn: Coupon.Kind.fixed) { value -> JSONReader.Reading<Coupon.Kind> in
            if let kind = value.string.flatMap({ Coupon.Kind(rawValue: $0) }) { return .accepted(kind) }
            return .refused("Must be percent, fixed, freeShipping or storeCredit.")
        }
        let currency = body.has("currency") ? body.currency("currency") : nil
        let coupon = NewCoupon(
            programID: program ?? ProgramID(stored: ""), name: name, kind: kind, rate: body.optionalCustom("rate", Rate.read),
            amountMinor: body.optionalInteger("amount", in: 1...Schemas.amountMax), currency: currency,
            minimumMinor: body.optionalInteger("minimumAmount", in: 0...Schemas.amountMax) ?? 0,
            validDays: body.optionalInteger("validDays", in: 1...Coupon.validDaysMax),
            usesPerCode: body.optionalInteger("usesPerCode", in: 1...Coupon.usesMax) ?? 1,
            usesLimit: body.optionalInteger("maxUses", in: 1...Coupon.usesMax), budgetMinor: body.optionalInteger("budget", in: 1...Schemas.amountMax),
            needsReferral: body.optionalBoolean("needsReferral") ?? false, newCustomersOnly: body.optionalBoolean("newCustomersOnly") ?? false,
            watchedUses: body.optionalInteger("watchedUses", in: 0...Coupon.usesMax) ?? 0)
        return program == nil ? nil : coupon
    }
}
