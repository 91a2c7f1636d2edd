import Chronology
import Hummingbird
import Money
import Persistence
import Web

/// What referrals brought a program and what both sides got, by month: a page and a call.
enum ReferralReportPages {
    static func add(to api: inout API, gate: PageGate) {
        api.page("/programs/{id}/referral-report", .commissionsRead, gate) { visit in try await show(visit) }
    }

    static func addRoutes(to api: inout API) {
        let installation = api.installation
        api.read(
            "/programs/{id}/referral-report", id: "getReferralReport", "What referrals brought by month, and what both sides got", tag: "Rewards",
            access: .right(.commissionsRead),
            parameters: [APIParameter("months", .described(.integer(1...ReferralReport.monthsMax), description: "How many, this month the last; \(ReferralReport.monthsUsual) by default."))],
            answer: .reference("ReferralReport")
        ) { request, context, caller in
            let id = try context.id(ProgramKind.self)
            let months = try Query.integer("months", in: 1...Int(ReferralReport.monthsMax), standard: Int(ReferralReport.monthsUsual), request)
            let report = try await installation.main.read { connection -> ReferralReport? in
                guard let workspace = try WorkspaceStore.find(caller.workspaceID, on: connection) else { return nil }
                let now = workspace.now(installation.world)
                guard let program = try ProgramStore.find(id, in: workspace.id, at: now, on: connection) else { return nil }
                return try ReferralReport.load(program, months: Int64(months), at: now, on: connection)
            }
            guard let report else { throw Refusal.unknownProgram() }
            return ListAnswer.one(report.json)
        }
    }

    private static func show(_ visit: PageVisit) async throws -> Response {
        let id: ProgramID = try visit.context.id()
        let (workspace, now) = (visit.workspaceID, visit.now)
        let found = try await visit.installation.main.read { connection -> (Program, ReferralReport)? in
            guard let program = try ProgramStore.find(id, in: workspace, at: now, on: connection) else { return nil }
            return (program, try ReferralReport.load(program, months: ReferralReport.monthsUsual, at: now, on: connection))
        }
        guard let (program, report) = found else { throw Problem.notFound() }
        return try visit.blocks(page(report, program, visit.language), current: "/programs")
    }

    static func page(_ report: ReferralReport, _ program: Program, _ language: PageLanguage) -> PageBlocks {
        func say(_ key: String) -> String { language("referReport.\(key)") }
        let currency = program.currency
        func money(_ minor: Int64) -> String { (try? UnitCode(currency)).map { language.money(minor, $0) } ?? language.integer(minor) }
        let total = report.months.reduce(into: ReferralReport.Brought()) { sum, month in
            sum.newFriends &+= month.brought.newFriends
            sum.orders &+= month.brought.orders
            sum.revenueMinor &+= month.brought.revenueMinor
        }
        func cost(_ month: ReferralReport.Month) -> Int64 { month.costMinor(.member, currency: currency) &+ month.costMinor(.friend, currency: currency) }
        let spent = report.months.reduce(0) { $0 &+ cost($1) }
        var page = PageBlocks(
            heading: say("title"), crumb: (url: "/programs/\(program.id.text)", label: program.name),
            lead: total.newFriends > 0
                ? language.sentence("referReport.lead", count: total.newFriends, ["cost": money(spent / total.newFriends), "revenue": money(total.revenueMinor)])
                : language.sentence("referReport.leadNone"))
        guard total.orders > 0 || !report.total.isEmpty else {
            page.empty = PageBlocks.Empty(
                heading: say("empty.heading"), text: say("empty.text"),
                link: PageBlocks.Link(url: "/programs/\(program.id.text)/refer-a-friend", label: say("empty.button"), style: "btn-primary"))
            return page
        }
        let months = report.months.map { month in
            PageTable.Row(cells: [
                .text(language.messages.formatter.monthAndYear(epochMs: month.first.startInUTC.millisecondsSince1970, timeZone: "UTC")), .number(language.integer(month.brought.sharers)), .number(language.integer(month.brought.newFriends)),
                .number(language.integer(month.brought.orders)), .number(money(month.brought.revenueMinor)),
                .number(money(month.costMinor(.member, currency: currency))), .number(money(month.costMinor(.friend, currency: currency))),
                .number(month.brought.newFriends > 0 ? money(cost(month) / month.brought.newFriends) : "–"),
            ])
        }
        let columns = [PageTable.Column(label: say("column.month"))]
            + ["sharers", "newFriends", "orders", "revenue", "memberCost", "friendCost", "costEach"].map {
                PageTable.Column(label: say("column.\($0)"), isNumber: true, isExtra: ["orders", "sharers"].contains($0))
            }
        let given = report.total.map { given in
            PageTable.Row(cells: [
                .text(language("rewards.side.\(given.side.rawValue)")), .text(say("kind.\(given.kind)")), .number(language.integer(given.count)),
                .number((try? UnitCode(given.unit)).map { language.money(given.amountMinor, $0) } ?? ""), .number(language.integer(given.waiting)),
                .number(language.integer(given.undone)),
            ])
        }
        let givenColumns = [PageTable.Column(label: say("column.side")), PageTable.Column(label: say("column.kind"))]
            + ["count", "amount", "waiting", "undone"].map { PageTable.Column(label: say("column.\($0)"), isNumber: true) }
        page.blocks = [
            PageBlocks.Block(
                heading: say("months"), text: say("monthsText"),
                table: PageTable(label: say("months"), columns: columns, rows: months, language: language), note: say("monthsNote"))
        ]
        if !given.isEmpty {
            page.blocks.append(
                PageBlocks.Block(
                    heading: say("sides"), text: say("sidesText"), links: [PageBlocks.Link(url: "/rewards", label: say("toRewards"))],
                    table: PageTable(label: say("sides"), columns: givenColumns, rows: given, language: language)))
        }
        return page
    }
}
