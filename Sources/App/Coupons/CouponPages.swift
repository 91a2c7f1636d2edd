import Chronology
import HTTPTypes
import Hummingbird
import Money
import Persistence
import Web

/// Coupons: what they take off, how often they were used, their codes; making one.
enum CouponPages {
    static let codesShownMax = 100
    /// Codes in a file; more are read by the API, page by page.
    static let fileMax = 100_000

    static func add(to api: inout API, gate: PageGate) {
        api.page("/coupons", .programsRead, gate) { visit in try await list(visit, CouponDraft(), errors: [:]) }
        api.form("/coupons", .programsWrite, gate) { visit, fields in try await make(visit, CouponDraft(fields)) }
        CouponShopPages.add(to: &api, gate: gate)
        api.page("/coupons/{id}", .programsRead, gate) { visit in try await show(visit) }
        api.page("/coupons/{id}/codes.csv", .programsRead, gate) { visit in try await file(visit) }
        api.form("/coupons/{id}/codes", .programsWrite, gate) { visit, fields in try await issue(visit, fields) }
        api.form("/coupons/{id}/end", .programsWrite, gate) { visit, _ in
            let id: CouponID = try visit.context.id()
            try await write(visit) { write in _ = try Coupon.end(id, in: write) }
            return visit.seeOther("/coupons/\(id.text)?done=ended")
        }
    }

    private static func write(_ visit: PageVisit, _ verb: @escaping @Sendable (Write) throws -> Void) async throws {
        try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights, verb)
    }

    private static func make(_ visit: PageVisit, _ draft: CouponDraft) async throws -> Response {
        let workspace = visit.workspaceID
        let now = visit.installation.world.now()
        let program = try await visit.installation.main.read { connection in
            try draft.program.flatMap { try ProgramStore.find($0, in: workspace, at: now, on: connection) }
        }
        let (coupon, errors) = draft.coupon(of: program, numbers: visit.language.numbers)
        guard errors.isEmpty, let coupon else { return try await list(visit, draft, errors: errors.mapValues { visit.language("coupons.error.\($0)") }) }
        let made = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
            try Coupon.create(coupon, in: write)
        }
        return visit.seeOther("/coupons/\(made.id.text)?done=made")
    }

    private static func issue(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let id: CouponID = try visit.context.id()
        let own = fields["code"].flatMap { $0.isEmpty ? nil : $0 }
        let count = visit.language.numbers.count(fields["count"] ?? "1", in: 1...Int64(Coupon.codesAtOnceMax))
        guard let count else { return try await show(visit, errors: ["count": visit.language("coupons.error.count")]) }
        do {
            try await write(visit) { write in _ = try Coupon.issue(own == nil ? Int(count) : 1, of: id, NewCode(code: own), in: write) }
        } catch let problem as Problem where problem.status == .unprocessableContent || problem.status == .conflict {
            return try await show(visit, errors: ["code": visit.language(problem.code == "code_taken" ? "coupons.error.codeTaken" : "coupons.error.code")])
        }
        return visit.seeOther("/coupons/\(id.text)?done=issued")
    }

    private static func file(_ visit: PageVisit) async throws -> Response {
        let id: CouponID = try visit.context.id()
        let workspace = visit.workspaceID
        let codes = try await visit.installation.main.read { connection -> [CouponCode]? in
            guard try CouponStore.find(id, in: workspace, on: connection) != nil else { return nil }
            return try CouponCodeStore.list(of: id, after: nil, limit: fileMax, on: connection)
        }
        guard let codes else { throw Problem.notFound() }
        let head: [CSVCell] = ["code", "state", "uses", "expiresAt"].map { .text($0) }
        let rows = codes.map { code -> [CSVCell] in
            [.text(code.code), .text(code.state.rawValue), .text(String(code.uses)), .text(code.expiresAt?.rfc3339 ?? "")]
        }
        return visit.csv(name: "codes.csv", [head] + rows)
    }

    static func list(
        _ visit: PageVisit, _ draft: CouponDraft, errors: [String: String], shopErrors: [String: String] = [:], vendor: ShopVendor? = nil
    ) async throws -> Response {
        let (workspace, language, now) = (visit.workspaceID, visit.language, visit.installation.world.now())
        let (coupons, programs) = try await visit.installation.main.read { connection in
            (
                try CouponStore.list(in: workspace, limit: Coupon.listMax, on: connection),
                try ProgramStore.list(in: workspace, at: now, after: nil, limit: 100, on: connection)
            )
        }
        func say(_ key: String) -> String { language("coupons.\(key)") }
        let words = CouponWords(language: language)
        let rows = coupons.map { coupon in
            PageTable.Row(
                cells: [
                    .name(coupon.name, url: "/coupons/\(coupon.id.text)"), .text(words.what(coupon)), words.badge(coupon), .number(language.integer(coupon.uses)),
                    .number(language.money(coupon.spentMinor, .currency(coupon.currency))),
                ], isOff: coupon.state == .ended)
        }
        var blocks: [PageBlocks.Block] = []
        if !rows.isEmpty {
            blocks.append(
                PageBlocks.Block(
                    heading: say("all"),
                    table: PageTable(
                        label: say("all"),
                        columns: [
                            PageTable.Column(label: say("column.name")), PageTable.Column(label: say("column.what")), PageTable.Column(label: say("column.state")),
                            PageTable.Column(label: say("column.uses"), isNumber: true), PageTable.Column(label: say("column.spent"), isNumber: true, isExtra: true),
                        ], rows: rows, language: language)))
        }
        if visit.session.may(.programsWrite) {
            blocks.append(
                programs.isEmpty
                    ? PageBlocks.Block(
                        heading: say("make"), links: [PageBlocks.Link(url: "/programs/new", label: say("makeProgram"), style: "btn-primary")],
                        empty: say("noProgram"))
                    : PageBlocks.Block(heading: say("make"), text: say("makeText"), forms: [draft.form(programs, errors: errors, csrfToken: visit.csrfToken, language)]))
        }
        if !coupons.isEmpty, let shops = try await CouponShopPages.block(visit, errors: shopErrors, vendor: vendor) { blocks.append(shops) }
        let watched = coupons.filter(\.wantsALook).count
        let page = PageBlocks(
            heading: say("title"),
            lead: coupons.isEmpty
                ? language.sentence("coupons.lead.none")
                : watched > 0 ? language.sentence("coupons.lead.watched", count: Int64(watched)) : language.sentence("coupons.lead.some", count: Int64(coupons.count)),
            refused: errors.isEmpty && shopErrors.isEmpty ? nil : say("refused"), blocks: blocks)
        return try visit.blocks(
            page, current: "/coupons", notice: visit.done("coupons", ["connected"]), status: errors.isEmpty && shopErrors.isEmpty ? .ok : .unprocessableContent)
    }

    private static func show(_ visit: PageVisit, errors: [String: String] = [:]) async throws -> Response {
        let id: CouponID = try visit.context.id()
        let (workspace, language, now) = (visit.workspaceID, visit.language, visit.installation.world.now())
        let found = try await visit.installation.main.read { connection -> (Coupon, [CouponCode], String)? in
            guard let coupon = try CouponStore.find(id, in: workspace, on: connection) else { return nil }
            return (
                coupon, try CouponCodeStore.list(of: id, after: nil, limit: codesShownMax, on: connection),
                try ProgramStore.find(coupon.programID, in: workspace, at: now, on: connection)?.name ?? ""
            )
        }
        guard let (coupon, codes, program) = found else { throw Problem.notFound() }
        func say(_ key: String) -> String { language("coupons.\(key)") }
        let words = CouponWords(language: language)
        let unit = UnitCode.currency(coupon.currency)
        func facts() -> [PageBlocks.Fact] {
            var facts = [
                PageBlocks.Fact(label: say("column.what"), text: words.what(coupon)),
                PageBlocks.Fact(label: say("program"), text: program, url: "/programs/\(coupon.programID.text)"),
                PageBlocks.Fact(label: say("column.state"), text: say("state.\(coupon.state.rawValue)")),
                PageBlocks.Fact(
                    label: say("column.uses"),
                    text: coupon.usesLimit.map { language("coupons.of", ["count": language.integer(coupon.uses), "limit": language.integer($0)]) }
                        ?? language.integer(coupon.uses)),
                PageBlocks.Fact(
                    label: say("column.spent"),
                    text: coupon.budgetMinor.map { language("coupons.of", ["count": language.money(coupon.spentMinor, unit), "limit": language.money($0, unit)]) }
                        ?? language.money(coupon.spentMinor, unit)),
            ]
            if coupon.minimumMinor > 0 { facts.append(PageBlocks.Fact(label: say("minimum"), text: language.money(coupon.minimumMinor, unit))) }
            if let days = coupon.validDays { facts.append(PageBlocks.Fact(label: say("validDays"), text: language.plural("coupons.days", days))) }
            let rules = words.rules(coupon)
            if !rules.isEmpty { facts.append(PageBlocks.Fact(label: say("for"), text: rules.listed(language))) }
            return facts
        }
        let rows = codes.map { code in
            PageTable.Row(
                cells: [
                    .mono(code.code), .text(say("codeState.\(code.state.rawValue)")), .number(language.integer(code.uses)),
                    code.expiresAt.map { .time($0) } ?? .text(say("noEnd")),
                ], isOff: code.state != .issued && code.state != .reserved)
        }
        let columns = [
            PageTable.Column(label: say("column.code")), PageTable.Column(label: say("column.state")), PageTable.Column(label: say("column.uses"), isNumber: true),
            PageTable.Column(label: say("column.expires"), isExtra: true),
        ]
        var blocks = [PageBlocks.Block(heading: nil, facts: facts())]
        if coupon.wantsALook {
            blocks.append(PageBlocks.Block(heading: say("watched"), text: language.plural("coupons.watchedText", coupon.watchedUses), isWarning: true))
        }
        blocks.append(
            PageBlocks.Block(
                heading: say("codes"), links: codes.isEmpty ? [] : [PageBlocks.Link(url: "/coupons/\(id.text)/codes.csv", label: say("csv"), icon: "download")],
                table: rows.isEmpty ? nil : PageTable(label: say("codes"), columns: columns, rows: rows, language: language),
                empty: rows.isEmpty ? say("noCodes") : nil, note: codes.count == codesShownMax ? say("firstCodes") : nil))
        if let shops = try await CouponShopPages.block(of: coupon, visit) { blocks.append(shops) }
        if visit.session.may(.programsWrite), coupon.state == .active {
            let form = PageForm(
                action: "/coupons/\(id.text)/codes",
                fields: [
                    .line("count", say("count"), "1", help: say("countHelp"), error: errors["count"], lengthMax: 6),
                    .line("code", say("ownCode"), "", help: say("ownCodeHelp"), error: errors["code"], isMono: true, lengthMax: Normalised.codeLengthMax),
                ], buttons: [PageForm.Button(label: say("issue"))], csrfToken: visit.csrfToken)
            let end = PageForm(
                action: "/coupons/\(id.text)/end", buttons: [PageForm.Button(label: say("end"), style: "btn-plain")], isInline: true,
                csrfToken: visit.csrfToken)
            blocks.append(PageBlocks.Block(heading: say("issueHeading"), forms: [form]))
            blocks.append(PageBlocks.Block(heading: say("endHeading"), text: say("endText"), forms: [end]))
        }
        let page = PageBlocks(
            heading: coupon.name, crumb: (url: "/coupons", label: say("title")),
            lead: language.sentence("coupons.show.\(coupon.state.rawValue)", ["what": words.what(coupon)]), refused: errors.isEmpty ? nil : say("refused"),
            blocks: blocks)
        return try visit.blocks(
            page, current: "/coupons", notice: visit.done("coupons", ["made", "issued", "ended", "synced"]), status: errors.isEmpty ? .ok : .unprocessableContent)
    }
}

/// Coupons as people read them.
struct CouponWords {
    let language: PageLanguage

    func what(_ coupon: Coupon) -> String {
        let unit = UnitCode.currency(coupon.currency)
        switch coupon.kind {
        case .percent: return language("coupons.what.percent", ["rate": language.percent(ppm: (coupon.rate ?? .zero).billionths / 1_000, decimals: 4)])
        case .fixed: return language("coupons.what.fixed", ["amount": language.money(coupon.amountMinor ?? 0, unit)])
        case .storeCredit: return language("coupons.what.storeCredit", ["amount": language.money(coupon.amountMinor ?? 0, unit)])
        case .freeShipping: return language("coupons.what.freeShipping")
        }
    }

    func rules(_ coupon: Coupon) -> [String] {
        (coupon.needsReferral ? [language("coupons.rule.needsReferral")] : []) + (coupon.newCustomersOnly ? [language("coupons.rule.newCustomersOnly")] : [])
    }

    func badge(_ coupon: Coupon) -> PageTable.Cell {
        if coupon.wantsALook { return .badge(language("coupons.look"), tone: "warn", icon: "warning") }
        let label = language("coupons.state.\(coupon.state.rawValue)")
        return coupon.state == .active ? .badge(label, tone: "good", icon: "check") : .badge(label, tone: "", icon: "none")
    }
}
