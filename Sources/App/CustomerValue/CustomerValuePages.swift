import Chronology
import HTTPTypes
import Hummingbird
import Money
import Persistence
import Prediction
import Web

/// Who buys again and for how much: the answer in a sentence, how customers spread, those at risk and those of whom most is expected.
enum CustomerValuePages {
    static let path = "/insights/customer-value"
    static let programsMax = 200
    static let rowsMax = 50
    static let bestMax = 20
    private static let weeksOffered = [4, 13, 26, 39, 52]

    static func add(to api: inout API, gate: PageGate) {
        api.page("/insights/customer-value", .salesRead, gate) { visit in try await show(visit) }
    }

    private struct Found: Sendable {
        var value: CustomerValue?
        var programs: [Program]
        var atRisk: [CustomerValue.Customer] = []
        var atRiskCount = 0
        var best: [CustomerValue.Customer] = []
        var names = PersonNames.none
    }

    private static func show(_ visit: PageVisit) async throws -> Response {
        let (workspace, now, language, vault) = (visit.workspaceID, visit.now, visit.language, visit.installation.vault)
        let program = visit.query["programId"].flatMap { ProgramID($0) }
        let weeks = visit.query["weeks"].flatMap { Int($0) }.flatMap { weeksOffered.contains($0) ? $0 : nil } ?? CustomerValue.weeksUsual
        let currency = visit.query["currency"].flatMap { $0.isEmpty ? nil : $0 }
        let found = try await visit.installation.main.read { connection -> Found in
            var found = Found(programs: try ProgramStore.list(in: workspace, at: now, after: nil, limit: programsMax, on: connection))
            if let program, try ProgramStore.find(program, in: workspace, at: now, on: connection) == nil { throw Problem.notFound() }
            found.value = try CustomerValue.load(
                in: workspace, program: program, currency: currency, weeks: weeks, now: now, zone: language.zone, on: connection)
            if case .success(let forecast) = found.value?.outcome {
                let atRisk = forecast.customers.filter(\.isAtRisk)
                found.atRiskCount = atRisk.count
                found.atRisk = Array(atRisk.sorted { $0.spentMinor == $1.spentMinor ? $0.id.text < $1.id.text : $0.spentMinor > $1.spentMinor }.prefix(rowsMax))
                found.best = Array(forecast.customers.sorted { $0.rank == $1.rank ? $0.id.text < $1.id.text : $0.rank > $1.rank }.prefix(bestMax))
                found.names = try PersonNames.load(customers: (found.atRisk + found.best).map(\.id), vault: vault, on: connection)
            }
            return found
        }
        guard let value = found.value else { throw Problem.notFound() }
        return try visit.blocks(page(value, found, program, language), current: path)
    }

    private static func page(_ value: CustomerValue, _ found: Found, _ program: ProgramID?, _ language: PageLanguage) -> PageBlocks {
        func say(_ key: String) -> String { language("customerValue.\(key)") }
        var page = PageBlocks(heading: say("title"))
        page.filters = filters(value, found.programs, program, language)
        switch value.outcome {
        case .failure(let problem):
            page.lead = language.sentence("customerValue.lead.none")
            page.empty = PageBlocks.Empty(heading: say("empty.heading"), text: words(problem, language), link: PageBlocks.Link(url: "/customers", label: language("customers.title")))
        case .success(let forecast):
            let unit = value.currency.flatMap { try? UnitCode($0) }
            func money(_ minor: Double?) -> String {
                guard let minor, let unit else { return "–" }
                return language.money(CustomerValue.whole(minor), unit)
            }
            let sum = forecast.expectedValueMinor
            page.lead = language.sentence(
                sum == nil ? "customerValue.lead.purchases" : "customerValue.lead.value", count: Int64(forecast.customers.count),
                [
                    "purchases": language.integer(CustomerValue.whole(forecast.expectedPurchases)), "weeks": language.integer(Int64(value.weeks)), "value": money(sum),
                    "risk": language.integer(Int64(found.atRiskCount)),
                ])
            page.blocks = [
                PageBlocks.Block(heading: say("spread.heading"), text: say("spread.text"), table: spread(forecast, money, language)),
                PageBlocks.Block(
                    heading: say("risk.heading"), text: say("risk.text"), table: found.atRisk.isEmpty ? nil : table(say("risk.heading"), found.atRisk, found.names, money, language),
                    empty: found.atRisk.isEmpty ? say("risk.none") : nil,
                    note: found.atRiskCount > rowsMax ? language("customerValue.risk.more", ["count": language.integer(Int64(rowsMax)), "all": language.integer(Int64(found.atRiskCount))]) : nil),
                PageBlocks.Block(heading: say("best.heading"), table: table(say("best.heading"), found.best, found.names, money, language), note: say("note")),
            ]
        }
        return page
    }

    /// Why there is no forecast, and what is needed.
    private static func words(_ problem: FitProblem, _ language: PageLanguage) -> String {
        func say(_ key: String, _ found: Int, _ needed: Int) -> String {
            language("customerValue.problem.\(key)", ["found": language.integer(Int64(found)), "needed": language.integer(Int64(needed))])
        }
        return switch problem {
        case .noCustomers: say("tooFewCustomers", 0, FitNeeds.customers)
        case .tooFewCustomers(let found, let needed): say("tooFewCustomers", found, needed)
        case .tooFewRepeatCustomers(let found, let needed): say("tooFewRepeatCustomers", found, needed)
        default: language("customerValue.problem.undetermined")
        }
    }

    private static func filters(_ value: CustomerValue, _ programs: [Program], _ program: ProgramID?, _ language: PageLanguage) -> PageForm {
        func say(_ key: String) -> String { language("customerValue.\(key)") }
        var fields: [FormField] = []
        if programs.count > 1 || program != nil {
            let choices = [FormField.Choice(value: "", label: say("allPrograms"), isChosen: program == nil)]
                + programs.map { FormField.Choice(value: $0.id.text, label: $0.name, isChosen: $0.id == program) }
            fields.append(FormField(name: "programId", label: say("program"), control: .select(choices)))
        }
        fields.append(
            FormField(
                name: "weeks", label: say("ahead"),
                control: .select(
                    weeksOffered.map { weeks in
                        FormField.Choice(value: String(weeks), label: language.plural("customerValue.weeks", Int64(weeks)), isChosen: weeks == value.weeks)
                    })))
        if value.currencies.count > 1 {
            fields.append(
                FormField(
                    name: "currency", label: say("currency"),
                    control: .select(value.currencies.map { FormField.Choice(value: $0, label: $0, isChosen: $0 == value.currency) })))
        }
        return PageForm(action: path, method: "get", fields: fields, buttons: [PageForm.Button(label: say("show"))], csrfToken: "")
    }

    /// How many customers are how likely still there, and what is expected of them.
    private static func spread(_ forecast: CustomerValue.Forecast, _ money: (Double?) -> String, _ language: PageLanguage) -> PageTable {
        func say(_ key: String) -> String { language("customerValue.\(key)") }
        let rows = stride(from: 80, through: 0, by: -20).map { low -> PageTable.Row in
            let inside = forecast.customers.filter { customer in
                let percent = customer.probabilityAlive * 100
                return percent >= Double(low) && (percent < Double(low + 20) || low == 80)
            }
            return PageTable.Row(cells: [
                .text(language("customerValue.spread.band", ["from": language.integer(Int64(low)), "to": language.integer(Int64(low + 20))])),
                .number(language.integer(Int64(inside.count))), .number(language.integer(CustomerValue.whole(inside.reduce(0) { $0 + $1.expectedPurchases }))),
                .number(inside.isEmpty ? "–" : money(CustomerValue.Forecast.sum(inside))),
            ])
        }
        return PageTable(
            label: say("spread.heading"),
            columns: [
                PageTable.Column(label: say("column.there")), PageTable.Column(label: say("column.customers"), isNumber: true),
                PageTable.Column(label: say("column.purchases"), isNumber: true, isExtra: true), PageTable.Column(label: say("column.value"), isNumber: true),
            ], rows: rows, language: language)
    }

    private static func table(
        _ label: String, _ customers: [CustomerValue.Customer], _ names: PersonNames, _ money: (Double?) -> String, _ language: PageLanguage
    ) -> PageTable {
        func say(_ key: String) -> String { language("customerValue.\(key)") }
        func tenths(_ value: Double) -> String { language.messages.formatter.amount(amountMinor: CustomerValue.whole(value * 10), exponent: 1) }
        return PageTable(
            label: label,
            columns: [
                PageTable.Column(label: say("column.customer")), PageTable.Column(label: say("column.days"), isNumber: true, isExtra: true),
                PageTable.Column(label: say("column.since"), isNumber: true, isExtra: true), PageTable.Column(label: say("column.spent"), isNumber: true, isExtra: true),
                PageTable.Column(label: say("column.there"), isNumber: true), PageTable.Column(label: say("column.purchases"), isNumber: true, isExtra: true),
                PageTable.Column(label: say("column.value"), isNumber: true),
            ],
            rows: customers.map { customer in
                PageTable.Row(cells: [
                    .person(names.customer(customer.id, language), url: "/customers/\(customer.id.text)"),
                    .number(language.integer(Int64(customer.history.frequency + 1))),
                    .number(language.integer(CustomerValue.whole(customer.history.age - customer.history.recency))), .number(money(customer.spentMinor)),
                    .number(language.percent(ppm: CustomerValue.whole(customer.probabilityAlive * 1_000_000), decimals: 0)),
                    .number(tenths(customer.expectedPurchases)), .number(money(customer.expectedValueMinor)),
                ])
            }, language: language)
    }
}
