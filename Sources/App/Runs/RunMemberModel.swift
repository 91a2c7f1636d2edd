import Chronology
import Compensation
import Money
import Persistence
import Web

/// One member's period: rank, what is missing to the next one, volumes, legs, and what each order earned.
struct RunMemberModel: PageModel, Sendable {
    static let linesMax = 200

    var period: RunMember
    var invoices: [String: String]
    var names: PersonNames
    var language: PageLanguage

    private var run: Run { period.run }
    private var memberID: MemberID { period.memberID }
    private var statement: StoredStatement? { period.statement }
    private var legs: [RunMember.Leg] { period.legs }
    private var lines: [NamedRunLine] { period.lines }
    private var name: String { names.member(memberID, language) }
    var heading: String { language("runMember.title", ["name": name]) }

    static func load(_ run: Run, _ member: MemberID, _ visit: PageVisit) async throws -> RunMemberModel {
        let installation = visit.installation
        let known = try await installation.main.read { connection in try MemberStore.find(member, in: run.workspaceID, on: connection) }
        guard known != nil else { throw Problem.notFound() }
        let period = try await RunMember.load(run, member, limit: linesMax, installation)
        let lines = period.lines
        let vault = installation.vault
        let language = visit.language
        return try await installation.main.read { connection in
            let sales = Set(lines.compactMap { $0.orderID }.filter { $0.hasPrefix("sale_") }.map { String($0.prefix { $0 != "/" }) }).sorted()
            let invoices = sales.isEmpty
                ? [:]
                : Dictionary(
                    try SaleStore.list(where: "id IN \(list: sales)", in: run.workspaceID, on: connection).map { ($0.id.text, $0.invoiceID) },
                    uniquingKeysWith: { first, _ in first })
            return RunMemberModel(
                period: period, invoices: invoices,
                names: try PersonNames.load(members: [member] + period.legs.map(\.memberID), vault: vault, on: connection), language: language)
        }
    }

    private func rank(_ number: Int) -> String { period.rank(number, language) }

    var page: PageObject {
        let unit = run.unit
        return [
            "heading": .text(heading), "runUrl": .text("/runs/\(run.id.text)"), "runName": .text(RunPeriod.text(run, language)),
            "memberUrl": .text("/members/\(memberID.text)"), "unit": .text(unit.code), "hasStatement": .flag(statement != nil),
            "lead": statement.map { statement in
                language.sentence(
                    statement.paidRank > 0 ? "runMember.lead" : "runMember.leadNoRank", count: Int64(statement.lineCount),
                    ["name": name, "amount": language.money(statement.amountMinor, unit), "rank": rank(statement.paidRank)])
            } ?? language.sentence("runMember.nothing", ["name": name]),
            "rank": .text(rank(statement?.paidRank ?? 0)), "highest": .text(rank(statement?.highestRank ?? 0)),
            "active": .flag(statement?.isActive ?? false), "personal": .text(language.amount(statement?.personalVolume ?? 0, unit)),
            "group": .text(language.amount(statement?.groupVolume ?? 0, unit)),
            "next": period.progress.map { progress -> PageValue in
                [
                    "heading": .text(language("runMember.next", ["rank": rank(progress.rank)])),
                    "parts": PageValue(progress.parts.map { part($0, unit) }),
                ]
            } ?? nil,
            "hasLegs": .flag(!legs.isEmpty),
            "legs": PageValue(
                legs.map { leg -> PageObject in
                    let name = names.member(leg.memberID, language)
                    return [
                        "name": .text(name), "initials": .text(Initials.of(name)), "volume": .text(language.amount(leg.volume, unit)),
                        "url": .text("/runs/\(run.id.text)/members/\(leg.memberID.text)"),
                    ]
                }),
            "hasLines": .flag(!lines.isEmpty), "lines": PageValue(lines.map { row($0, unit) }),
            "hasNothings": .flag(!period.nothings.isEmpty),
            "nothings": PageValue(period.nothings.map { nothing -> PageObject in ["why": nothing.sentence("periodNothing", name: name, unit, language)] }),
            "more": (statement?.lineCount ?? 0) > lines.count
                ? .text(language.plural("runMember.more", Int64((statement?.lineCount ?? 0) - lines.count))) : nil,
        ]
    }

    private func part(_ part: RankProgress.Part, _ unit: UnitCode) -> PageObject {
        let isVolume = part.metric?.isVolume ?? false
        func text(_ value: Int64) -> String { isVolume ? language.amount(value, unit) : language.integer(value) }
        return [
            "label": .text(language("runMetric.\(part.metric?.code ?? "active")")), "width": .text(part.width),
            "have": .text(language("runMember.haveOf", ["have": text(part.have), "need": text(part.need)])), "met": .flag(part.isMet),
            "missing": part.isMet ? nil : .text(language("runMember.missing", ["missing": text(part.need &- part.have)])),
        ]
    }

    private func row(_ line: NamedRunLine, _ unit: UnitCode) -> PageObject {
        let sale = line.orderID.map { String($0.prefix { $0 != "/" }) }
        return [
            "bonus": .text(line.bonus), "order": PageValue(sale.map { invoices[$0] ?? $0 }), "reason": .text(language("runReason.\(line.line.reason.word)")),
            "level": line.line.level > 0 ? .text(language.integer(Int64(line.line.level))) : nil,
            "amount": .text(language.amount(line.line.amountMinor, unit)), "url": .text("/runs/\(run.id.text)/lines/\(line.number)"),
            "label": .text(language("runLines.open", ["name": line.bonus, "amount": language.money(line.line.amountMinor, unit)])),
        ]
    }
}

extension Metric {
    /// Whether it counts minor units.
    var isVolume: Bool {
        switch self {
        case .personalVolume, .groupVolume, .limitedGroupVolume, .groupVolumeOutside, .outsideVolume, .largestLeg: true
        default: false
        }
    }
}
