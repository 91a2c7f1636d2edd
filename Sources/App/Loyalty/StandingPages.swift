import Chronology
import Foundation
import HTTPTypes
import Hummingbird
import Money
import Persistence
import Web

/// Tiers and badges of all programs, with how many members stand where.
enum StandingPages {
    static let path = "/loyalty"
    static let programsMax = 200
    static let rowsMax = 500

    static func add(to api: inout API, gate: PageGate) {
        api.page("/loyalty", .programsRead, gate) { visit in try await show(visit) }
        api.form(path + "/tiers", .programsWrite, gate) { visit, fields in try await addTier(visit, fields) }
        api.form(path + "/badges", .programsWrite, gate) { visit, fields in try await addBadge(visit, fields) }
        api.form(path + "/archiving", .programsWrite, gate) { visit, fields in
            guard let id = fields["badge"].flatMap({ BadgeID($0) }) else { throw Problem.notFound() }
            try await write(visit) { write in _ = try Badge.archive(id, in: write) }
            return visit.seeOther("\(path)?done=archived")
        }
    }

    private static func write(_ visit: PageVisit, _ verb: @escaping @Sendable (Write) throws -> Void) async throws {
        try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights, verb)
    }

    private static func name(_ fields: FormFields) -> String {
        String((fields["name"] ?? "").prefix(MemberTier.nameLengthMax)).trimmingCharacters(in: .whitespaces)
    }

    private static func addTier(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        func say(_ key: String) -> String { visit.language("loyalty.error.\(key)") }
        var errors: [String: String] = [:]
        let (program, measure) = try await counted(visit, fields)
        func number(_ field: String, _ range: ClosedRange<Int64>, _ key: String, isRequired: Bool, isMeasured: Bool = false) -> Int64? {
            let text = fields[field] ?? ""
            if text.isEmpty, !isRequired { return nil }
            let value = isMeasured ? measured(text, measure, of: program, in: range, visit) : visit.language.typedCount(text, in: range)
            if value == nil { errors["tier.\(field)"] = say(key) }
            return value
        }
        let name = name(fields)
        if name.isEmpty { errors["tier.name"] = say("name") }
        let rank = number("rank", 1...MemberTier.rankMax, "rank", isRequired: true)
        let entry = number("entry", 1...Wallet.amountMax, "number", isRequired: true, isMeasured: true)
        let keep = number("keep", 1...(entry ?? Wallet.amountMax), "keep", isRequired: false, isMeasured: true)
        let days = number("days", 1...MemberTier.daysMax, "days", isRequired: false)
        guard errors.isEmpty, let rank, let entry else { return try await show(visit, typed: fields, errors: errors) }
        let benefits = String((fields["benefits"] ?? "").prefix(MemberTier.benefitsLengthMax))
        do {
            try await write(visit) { write in
                _ = try MemberTier.add(
                    MemberTier(
                        id: write.world.newID(), workspaceID: write.workspace.id, programID: program.id, name: name, benefits: benefits, rank: rank,
                        measure: measure, entry: entry, keep: keep, days: days, createdAt: write.now), in: write)
            }
        } catch let problem as Problem where problem.code == "rank_taken" {
            return try await show(visit, typed: fields, errors: ["tier.rank": say("rank")])
        }
        return visit.seeOther("\(path)?done=tier")
    }

    /// The program and the measure that a form names.
    private static func counted(_ visit: PageVisit, _ fields: FormFields) async throws -> (program: Program, measure: Measure) {
        let (workspace, now) = (visit.workspaceID, visit.now)
        guard let id = fields["program"].flatMap({ ProgramID($0) }), let measure = fields["measure"].flatMap({ Measure(rawValue: $0) }),
            let program = try await visit.installation.main.read({ try ProgramStore.find(id, in: workspace, at: now, on: $0) })
        else { throw Problem.notFound() }
        return (program, measure)
    }

    /// Sums of sales are typed as amounts, everything else is counted.
    private static func measured(_ text: String, _ measure: Measure, of program: Program, in range: ClosedRange<Int64>, _ visit: PageVisit) -> Int64? {
        guard measure == .amount else { return visit.language.typedCount(text, in: range) }
        let exponent = (try? UnitCode(program.currency))?.exponent ?? 2
        return visit.language.typedAmount(text, exponent: exponent).flatMap { range.contains($0) ? $0 : nil }
    }

    private static func addBadge(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        func say(_ key: String) -> String { visit.language("loyalty.error.\(key)") }
        var errors: [String: String] = [:]
        let name = name(fields)
        if name.isEmpty { errors["badge.name"] = say("name") }
        let (program, measure) = try await counted(visit, fields)
        let threshold = measured(fields["entry"] ?? "", measure, of: program, in: 1...Wallet.amountMax, visit)
        if threshold == nil { errors["badge.entry"] = say("number") }
        let amountText = fields["amount"] ?? ""
        let amount = visit.language.typedCount(amountText, in: 1...Wallet.amountMax)
        if !amountText.isEmpty, amount == nil { errors["badge.amount"] = say("amount") }
        guard errors.isEmpty, let threshold else { return try await show(visit, typed: fields, errors: errors) }
        let description = String((fields["benefits"] ?? "").prefix(MemberTier.benefitsLengthMax))
        try await write(visit) { write in
            _ = try Badge.add(
                Badge(
                    id: write.world.newID(), workspaceID: write.workspace.id, programID: program.id, name: name, description: description, measure: measure,
                    threshold: threshold, gift: amount.map { (unit: UnitCode.points, minor: $0) }, createdAt: write.now), in: write)
        }
        return visit.seeOther("\(path)?done=badge")
    }

    private static func show(_ visit: PageVisit, typed: FormFields? = nil, errors: [String: String] = [:]) async throws -> Response {
        let (workspace, now, language) = (visit.workspaceID, visit.now, visit.language)
        let (mayWrite, csrfToken) = (visit.session.may(.programsWrite), visit.csrfToken)
        let model = try await visit.installation.main.read { connection in
            StandingModel(
                tiers: try StandingStore.tiers(in: workspace, after: nil, limit: rowsMax, on: connection).sorted { ($0.programID, $0.rank) < ($1.programID, $1.rank) },
                badges: try StandingStore.badges(in: workspace, after: nil, limit: rowsMax, on: connection).filter { $0.archivedAt == nil },
                counts: try StandingStore.counts(in: workspace, on: connection),
                programs: try ProgramStore.list(in: workspace, at: now, after: nil, limit: programsMax, on: connection), typed: typed, errors: errors,
                mayWrite: mayWrite, csrfToken: csrfToken, language: language)
        }
        return try visit.blocks(
            model.blocks, current: path, notice: visit.done("loyalty", ["tier", "badge", "archived"]), status: errors.isEmpty ? .ok : .unprocessableContent)
    }
}

private struct StandingModel: Sendable {
    var tiers: [MemberTier]
    var badges: [Badge]
    var counts: [TierID: Int64]
    var programs: [Program]
    var typed: FormFields?
    var errors: [String: String]
    var mayWrite: Bool
    var csrfToken: String
    var language: PageLanguage

    var blocks: PageBlocks {
        let mayAdd = mayWrite && !programs.isEmpty
        return PageBlocks(
            heading: say("title"), lead: language.sentence(tiers.isEmpty ? "loyalty.lead.none" : "loyalty.lead.some", count: Int64(tiers.count)),
            refused: errors.isEmpty ? nil : say("refused"),
            blocks: [
                PageBlocks.Block(
                    heading: say("tiers"), text: say("tiersText"), table: tiers.isEmpty ? nil : tierTable, empty: tiers.isEmpty ? say("noTiers") : nil),
                PageBlocks.Block(
                    heading: say("badges"), text: say("badgesText"), table: badges.isEmpty ? nil : badgeTable, empty: badges.isEmpty ? say("noBadges") : nil),
            ]
                + (mayAdd
                    ? [
                        PageBlocks.Block(heading: say("addTier"), forms: [form("tier")]), PageBlocks.Block(heading: say("addBadge"), forms: [form("badge")]),
                    ] : []))
    }

    private func say(_ key: String, _ values: [String: String] = [:]) -> String { language("loyalty.\(key)", values) }

    private func program(_ id: ProgramID) -> Program? { programs.first { $0.id == id } }

    private func worth(_ value: Int64, _ measure: Measure, _ id: ProgramID) -> String {
        language.worth(value, measure, in: program(id)?.currency ?? "")
    }

    private var tierTable: PageTable {
        PageTable(
            label: say("tiers"),
            columns: [
                PageTable.Column(label: say("column.name")), PageTable.Column(label: say("column.program"), isExtra: true),
                PageTable.Column(label: say("column.entry")), PageTable.Column(label: say("column.keep"), isExtra: true),
                PageTable.Column(label: say("column.members"), isNumber: true),
            ],
            rows: tiers.map { tier in
                let entry = worth(tier.entry, tier.measure, tier.programID)
                return PageTable.Row(cells: [
                    .lines(tier.name, tier.benefits), .name(program(tier.programID)?.name ?? "", url: "/programs/\(tier.programID.text)"),
                    .text(tier.days.map { say("within", ["value": entry, "days": String($0)]) } ?? say("ever", ["value": entry])),
                    .text(tier.keep.map { worth($0, tier.measure, tier.programID) } ?? say("forGood")),
                    .number(language.amount(counts[tier.id] ?? 0, .points)),
                ])
            }, language: language)
    }

    private var badgeTable: PageTable {
        PageTable(
            label: say("badges"),
            columns: [
                PageTable.Column(label: say("column.name")), PageTable.Column(label: say("column.program"), isExtra: true),
                PageTable.Column(label: say("column.entry")), PageTable.Column(label: say("column.gift"), isExtra: true),
                PageTable.Column(label: say("column.buttons"), isHidden: true),
            ],
            rows: badges.map { badge in
                let archive = PageForm(
                    action: "\(StandingPages.path)/archiving", hidden: [("badge", badge.id.text)],
                    buttons: [PageForm.Button(label: say("archive"), style: "btn-quiet btn-sm")], isInline: true, csrfToken: csrfToken)
                return PageTable.Row(cells: [
                    .lines(badge.name, badge.description), .name(program(badge.programID)?.name ?? "", url: "/programs/\(badge.programID.text)"),
                    .text(worth(badge.threshold, badge.measure, badge.programID)),
                    .text(badge.gift.map { language.money($0.minor, $0.unit) } ?? say("nothing")), mayWrite ? .forms([archive]) : .nothing,
                ])
            }, language: language)
    }

    /// Two forms on one page: each shows what was typed into it, not what was typed into the other.
    private func form(_ kind: String) -> PageForm {
        let isMine = typed?["form"] == kind
        func was(_ field: String, _ standard: String = "") -> String { isMine ? typed?[field] ?? standard : standard }
        func error(_ field: String) -> String? { errors["\(kind).\(field)"] }
        func choices(_ list: [(String, String)], _ chosen: String) -> [FormField.Choice] {
            list.map { FormField.Choice(value: $0.0, label: $0.1, isChosen: $0.0 == chosen) }
        }
        let isTier = kind == "tier"
        var fields: [FormField] = [
            FormField(name: "program", label: say("field.program"), control: .select(choices(programs.map { ($0.id.text, $0.name) }, was("program", programs[0].id.text)))),
            .line("name", say("field.name"), was("name"), error: error("name"), isRequired: true, lengthMax: MemberTier.nameLengthMax),
            FormField(name: "benefits", label: say("field.benefits"), control: .area(was("benefits"), rows: 2), lengthMax: MemberTier.benefitsLengthMax),
            FormField(
                name: "measure", label: say("field.measure"),
                control: .select(choices(Measure.allCases.map { ($0.rawValue, say("measure.\($0.rawValue)")) }, was("measure", "points")))),
            .line("entry", say("field.entry"), was("entry"), help: say("field.entryHelp"), error: error("entry"), isRequired: true, lengthMax: 20),
        ]
        if isTier {
            fields.insert(.line("rank", say("field.rank"), was("rank"), help: say("field.rankHelp"), error: error("rank"), isRequired: true, lengthMax: 3), at: 2)
            fields.append(.line("keep", say("field.keep"), was("keep"), help: say("field.keepHelp"), error: error("keep"), lengthMax: 20))
            fields.append(.line("days", say("field.days"), was("days"), help: say("field.daysHelp"), error: error("days"), lengthMax: 5))
        } else {
            fields.append(.line("amount", say("field.amount"), was("amount"), help: say("field.amountHelp"), error: error("amount"), lengthMax: 20))
        }
        for index in fields.indices { fields[index].place = kind }
        return PageForm(
            action: "\(StandingPages.path)/\(kind)s", hidden: [("form", kind)], fields: fields,
            buttons: [PageForm.Button(label: say(isTier ? "addTier" : "addBadge"))], csrfToken: csrfToken)
    }
}

extension PageLanguage {
    /// So many points, sales or customers, or so much in sales.
    func worth(_ value: Int64, _ measure: Measure, in currency: String) -> String {
        switch measure {
        case .points: money(value, .points)
        case .amount: self("loyalty.value.amount", ["value": (try? UnitCode(currency)).map { money(value, $0) } ?? String(value)])
        case .sales, .referrals: plural("loyalty.value.\(measure.rawValue)", value)
        }
    }
}
