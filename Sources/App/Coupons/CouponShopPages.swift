import HTTPTypes
import Hummingbird
import Persistence
import Web

/// Connecting a shop system for coupons, and how a coupon's codes stand there: blocks of the coupons' pages.
enum CouponShopPages {
    static func add(to api: inout API, gate: PageGate) {
        api.form("/coupons/shops", .keysWrite, gate) { visit, fields in try await connect(visit, fields) }
        api.form("/coupons/{id}/sync", .programsWrite, gate) { visit, fields in
            let id: CouponID = try visit.context.id()
            guard let vendor = ShopVendor(rawValue: fields["vendor"] ?? "") else { throw Problem.notFound() }
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                try CouponShop.sync(id, with: vendor, in: write)
            }
            return visit.seeOther("/coupons/\(id.text)?done=synced")
        }
    }

    private static func connect(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        guard let vendor = ShopVendor(rawValue: fields["vendor"] ?? "") else { throw Problem.notFound() }
        let (secret, shop) = (String((fields["secret"] ?? "").prefix(CouponShop.secretLengthMax)), String((fields["shop"] ?? "").prefix(100)))
        let seal = visit.installation.railSeal
        do {
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                _ = try CouponShop.connect(vendor, shop: shop, secret: secret, seal: seal, in: write)
            }
        } catch let problem as Problem where problem.status == .unprocessableContent {
            let field = problem.errors.first?.field ?? "secret"
            let key = field == "shop" ? "shop" : vendor == .stripe ? "stripeSecret" : "shopifySecret"
            return try await CouponPages.list(visit, CouponDraft(), errors: [:], shopErrors: [field: visit.language("couponShops.error.\(key)")], vendor: vendor)
        }
        return visit.seeOther("/coupons?done=connected")
    }

    /// Which are connected, and the fields to connect one.
    static func block(_ visit: PageVisit, errors: [String: String], vendor: ShopVendor?) async throws -> PageBlocks.Block? {
        let (seal, workspace, language) = (visit.installation.railSeal, visit.workspaceID, visit.language)
        let shops = try await visit.installation.main.read { connection in try CouponShopStore.list(in: workspace, seal: seal, on: connection) }
        func say(_ key: String) -> String { language("couponShops.\(key)") }
        guard visit.session.may(.keysWrite) || !shops.isEmpty else { return nil }
        let form = PageForm(
            action: "/coupons/shops",
            fields: [
                FormField(
                    name: "vendor", label: say("vendor"),
                    control: .select(
                        ShopVendor.allCases.map { FormField.Choice(value: $0.rawValue, label: say($0.rawValue), isChosen: $0 == vendor) })),
                .line("secret", say("secret"), "", type: "password", help: say("secretHelp"), error: errors["secret"], isMono: true, lengthMax: CouponShop.secretLengthMax),
                .line("shop", say("shop"), "", help: say("shopHelp"), error: errors["shop"], isMono: true, lengthMax: 100),
            ], buttons: [PageForm.Button(label: say("connect"))], csrfToken: visit.csrfToken)
        return PageBlocks.Block(
            heading: say("title"), text: say("text"),
            facts: shops.map { shop in
                PageBlocks.Fact(
                    label: say(shop.vendor.rawValue) + (shop.shop.isEmpty ? "" : " · \(shop.shop)"),
                    text: shop.troubleCode == nil ? say("connected") : say("reason.secretRefused"))
            }, forms: visit.session.may(.keysWrite) ? [form] : [])
    }

    /// How each code of a coupon stands, and the buttons that make them there.
    static func block(of coupon: Coupon, _ visit: PageVisit) async throws -> PageBlocks.Block? {
        let (seal, workspace, language) = (visit.installation.railSeal, visit.workspaceID, visit.language)
        let (shops, vendors, syncs, texts) = try await visit.installation.main.read { connection in
            let syncs = try CodeSyncStore.list(of: coupon.id, after: nil, limit: CouponPages.codesShownMax, on: connection)
            return (
                try CouponShopStore.list(in: workspace, seal: seal, on: connection), try CodeSyncStore.vendors(of: coupon.id, on: connection), syncs,
                try CouponCodeStore.texts(of: syncs.map(\.codeID), on: connection)
            )
        }
        guard !shops.isEmpty || !syncs.isEmpty else { return nil }
        func say(_ key: String) -> String { language("couponShops.\(key)") }
        let rows = syncs.map { sync in
            PageTable.Row(
                cells: [
                    .mono(texts[sync.codeID] ?? ""), .text(say(sync.vendor.rawValue)), badge(sync, language), .text(sync.reason.map { reason($0, language) } ?? ""),
                    .number(language.integer(sync.remoteUses)),
                ], isOff: sync.state == .ended)
        }
        let columns = [
            PageTable.Column(label: language("coupons.column.code")), PageTable.Column(label: say("vendor")), PageTable.Column(label: language("coupons.column.state")),
            PageTable.Column(label: say("why"), isExtra: true), PageTable.Column(label: language("coupons.column.uses"), isNumber: true),
        ]
        var forms: [PageForm] = []
        if visit.session.may(.programsWrite), coupon.state == .active {
            forms = shops.filter { $0.vendor.whyNot(coupon.kind) == nil }.map { shop in
                let key = vendors.contains(shop.vendor) ? "again" : "sync"
                return PageForm(
                    action: "/coupons/\(coupon.id.text)/sync", hidden: [("vendor", shop.vendor.rawValue)],
                    buttons: [PageForm.Button(label: language("couponShops.\(key)", ["vendor": say(shop.vendor.rawValue)]), style: "btn-plain")], isInline: true,
                    csrfToken: visit.csrfToken)
            }
        }
        let isImpossible = forms.isEmpty && syncs.isEmpty
        return PageBlocks.Block(
            heading: say("codes"), text: say(isImpossible ? "impossible" : "codesText"),
            table: rows.isEmpty ? nil : PageTable(label: say("codes"), columns: columns, rows: rows, language: language), forms: forms)
    }

    private static func badge(_ sync: CodeSync, _ language: PageLanguage) -> PageTable.Cell {
        let label = language("couponShops.state.\(sync.state.rawValue)")
        switch sync.state {
        case .synced: return .badge(label, tone: "good", icon: "check")
        case .failed: return .badge(label, tone: "warn", icon: "warning")
        case .waiting, .ending, .ended: return .badge(label, tone: "", icon: "none")
        }
    }

    private static let reasons: Set<String> = ["noAnswer", "secretRefused", "codeTaken", "amountNotSayable", "notConnected", "unreadableAnswer", "tooManyCalls"]

    private static func reason(_ code: String, _ language: PageLanguage) -> String {
        reasons.contains(code) ? language("couponShops.reason.\(code)") : language("couponShops.reason.other", ["code": code])
    }
}
