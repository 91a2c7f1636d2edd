import HTTPTypes
import Hummingbird
import Persistence
import Web

/// Shop systems that coupons are made in as well, and how each code stands there.
enum CouponShopRoutes {
    static func add(to api: inout API) {
        let installation = api.installation
        api.read(
            "/coupon-shops", id: "listCouponShops", "Shop systems that coupons are made in as well", tag: "Coupons", access: .right(.programsRead),
            answer: .object([.required("data", .array(CouponShop.schema))])
        ) { _, _, caller in
            let seal = installation.railSeal
            let shops = try await installation.main.read { connection in try CouponShopStore.list(in: caller.workspaceID, seal: seal, on: connection) }
            return ListAnswer.one(["data": .array(shops.map(\.json))])
        }
        api.write(
            .put, "/coupon-shops/{vendor}", id: "connectCouponShop", "Connect Stripe or Shopify for coupons, or change its secret", tag: "Coupons",
            access: .right(.keysWrite),
            body: .object([
                .required("secret", .described(.string(maximumLength: CouponShop.secretLengthMax), description: "Stripe's key, or the access token of an app of your shop.")),
                .optional("shop", .described(.string(maximumLength: 100), description: "Shopify: your-shop.myshopify.com.")),
            ]), answer: CouponShop.schema,
            decode: { body, context in
                (
                    vendor: try vendor(context), shop: body.optionalText("shop", maximumLength: 100),
                    secret: body.text("secret", maximumLength: CouponShop.secretLengthMax)
                )
            }
        ) { input, write in
            Answer(try CouponShop.connect(input.vendor, shop: input.shop, secret: input.secret, seal: installation.railSeal, in: write).json)
        }
        api.write(
            .delete, "/coupon-shops/{vendor}", id: "disconnectCouponShop", "Make and read nothing there from now on", tag: "Coupons",
            access: .right(.keysWrite), body: nil, answer: .object([.required("vendor", .text), .required("connected", .boolean)]),
            decode: { _, context in try vendor(context) }
        ) { vendor, write in
            try CouponShop.disconnect(vendor, in: write)
            return Answer(["vendor": .text(vendor.rawValue), "connected": false])
        }
        api.write(
            .post, "/coupons/{id}/sync", id: "syncCoupon", "Make a coupon's codes at a vendor as well; said again, what failed is tried again", tag: "Coupons",
            access: .right(.programsWrite), body: .object([.required("vendor", .enumeration(ShopVendor.allCases.map(\.rawValue)))]),
            answer: .object([.required("couponId", .text), .required("vendor", .text)]), failures: [409],
            decode: { body, context in (id: try context.id(CouponKind.self), vendor: try body.oneOf("vendor", ShopVendor.self)) }
        ) { input, write in
            try CouponShop.sync(input.id, with: input.vendor, in: write)
            return Answer(["couponId": .text(input.id.text), "vendor": .text(input.vendor.rawValue)])
        }
        api.read(
            "/coupons/{id}/sync", id: "listCodeSyncs", "How each code of a coupon stands at the vendors", tag: "Coupons", access: .right(.programsRead),
            parameters: APIParameter.page, answer: .page(CodeSync.schema)
        ) { request, context, caller in
            let id: CouponID = try context.id()
            let page = try PageRequest.from(request, CouponCodeKind.self)
            let found = try await installation.main.read { connection -> ([CodeSync], [CouponCodeID: String])? in
                guard try CouponStore.find(id, in: caller.workspaceID, on: connection) != nil else { return nil }
                let syncs = try CodeSyncStore.list(of: id, after: page.startingAfter, limit: page.limit + 1, on: connection)
                return (syncs, try CouponCodeStore.texts(of: syncs.map(\.codeID), on: connection))
            }
            guard let (syncs, texts) = found else { throw Refusal.unknown("coupon") }
            return ListAnswer.response(syncs, page, cursor: \.codeID.text, json: { $0.json(code: texts[$0.codeID] ?? "") })
        }
    }

    private static func vendor(_ context: KithContext) throws -> ShopVendor {
        guard let vendor = context.parameters.get("vendor").flatMap({ ShopVendor(rawValue: $0) }) else { throw Problem.notFound() }
        return vendor
    }
}
