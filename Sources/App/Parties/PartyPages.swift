import Chronology
import Foundation
import HTTPTypes
import Hummingbird
import Money
import Persistence
import Web

/// The parties of all programs, what their hosts get, and a form for one more.
enum PartyPages {
    static let path = "/parties"
    static let programsMax = 200
    static let rowsMax = 200
    static let tierRows = 4

    static func add(to api: inout API, gate: PageGate) {
        api.page("/parties", .programsRead, gate) { visit in try await show(visit) }
        api.form(path, .programsWrite, gate) { visit, fields in try await make(visit, fields) }
        api.form(path + "/plan", .programsWrite, gate) { visit, fields in try await plan(visit, fields) }
        api.form(path + "/cancellation", .programsWrite, gate) { visit, fields in
            guard let id = fields["party"].flatMap({ PartyID($0) }) else { throw Problem.notFound() }
            do {
                try await write(visit) { write in _ = try Party.cancel(id, in: write) }
            } catch let problem as Problem where problem.code == "party_settled" {
                return try await show(visit, errors: ["cancel": visit.language("parties.error.settled")])
            }
            return visit.seeOther("\(path)?done=canceled")
        }
    }

    private static func write(_ visit: PageVisit, _ verb: @escaping @Sendable (Write) throws -> Void) async throws {
        try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights, verb)
    }

    private static func program(_ visit: PageVisit, _ fields: FormFields) async throws -> Program {
        let (workspace, now) = (visit.workspaceID, visit.now)
        guard let id = fields["program"].flatMap({ ProgramID($0) }),
            let program = try await visit.installation.main.read({ try ProgramStore.find(id, in: workspace, at: now, on: $0) })
        else { throw Problem.notFound() }
        return program
    }

    private static func plan(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let program = try await program(visit, fields)
        let language = visit.language
        var errors: [String: String] = [:]
        func say(_ key: String) -> String { language("parties.error.\(key)") }
        let orderDays = language.typedCount(fields["orderDays"] ?? "", in: 0...PartyPlan.orderDaysMax)
        if orderDays == nil { errors["orderDays"] = say("orderDays") }
        let returnDays = language.typedCount(fields["returnDays"] ?? "", in: 0...PartyPlan.returnDaysMax)
        if returnDays == nil { errors["returnDays"] = say("returnDays") }
        var tiers: [PartyTier] = []
        let exponent = (try? UnitCode(program.currency))?.exponent ?? 2
        for row in 1...tierRows {
            let (fromText, rateText) = (fields["from\(row)"] ?? "", fields["rate\(row)"] ?? "")
            if fromText.isEmpty, rateText.isEmpty, row > 1 { continue }
            let from = language.typedAmount(fromText, exponent: exponent) ?? 0
            if !((tiers.last?.from ?? 0) + 1...Wallet.amountMax).contains(from) { errors["from\(row)"] = say("from") }
            guard let rate = language.numbers.rate(rateText), rate > .zero, rate <= .whole else {
                errors["rate\(row)"] = say("rate")
                continue
            }
            tiers.append(PartyTier(from: from, gift: .share(rate)))
        }
        guard errors.isEmpty, let orderDays, let returnDays else { return try await show(visit, typed: fields, errors: errors) }
        let plan = PartyPlan(
            programID: program.id, orderDays: orderDays, returnDays: returnDays, membersMayHost: fields["membersMayHost"] == "yes", tiers: tiers)
        try await write(visit) { write in _ = try PartyPlan.set(plan, in: write) }
        return visit.seeOther("\(path)?done=plan")
    }

    private static func make(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let program = try await program(visit, fields)
        var errors: [String: String] = [:]
        func say(_ key: String) -> String { visit.language("parties.error.\(key)") }
        let title = OneLine.folded(fields["title"] ?? "")
        if !(1...Party.titleLengthMax).contains(title.unicodeScalars.count) { errors["title"] = say("title") }
        let place = OneLine.folded(fields["place"] ?? "")
        if place.unicodeScalars.count > Party.placeLengthMax { errors["place"] = say("place") }
        let reference = MemberReference((fields["host"] ?? "").trimmingCharacters(in: .whitespaces))
        if reference == nil { errors["host"] = say("host") }
        let startsAt = PartyTime.read(day: fields["day"] ?? "", time: fields["time"] ?? "", zone: program.zone, now: visit.now)
        if startsAt == nil { errors["day"] = say("day") }
        guard errors.isEmpty, let reference, let startsAt else { return try await show(visit, typed: fields, errors: errors) }
        let draft = Party.Draft(
            programID: program.id, title: title, place: place.isEmpty ? nil : place, startsAt: startsAt, destination: fields["destination"] ?? "")
        do {
            try await write(visit) { write in _ = try Party.make(draft, host: Member.find(reference, field: "host", in: write), in: write) }
        } catch let problem as Problem where problem.status == .conflict || problem.status == .unprocessableContent {
            let key = PartyTime.field(of: problem)
            return try await show(visit, typed: fields, errors: [key: say(problem.code == "no_party_plan" ? "noPlan" : key)])
        }
        return visit.seeOther("\(path)?done=made")
    }

    private static func show(_ visit: PageVisit, typed: FormFields? = nil, errors: [String: String] = [:]) async throws -> Response {
        let (workspace, now, language, vault) = (visit.workspaceID, visit.now, visit.language, visit.installation.vault)
        let (mayWrite, csrfToken) = (visit.session.may(.programsWrite), visit.csrfToken)
        let model = try await visit.installation.main.read { connection in
            let parties = try PartyStore.newest(in: workspace, limit: rowsMax, on: connection)
            let programs = try ProgramStore.list(in: workspace, at: now, after: nil, limit: programsMax, on: connection)
            return PartyListModel(
                parties: parties, turnover: try PartyStore.turnover(parties.map(\.id), on: connection), programs: programs,
                plans: try programs.compactMap { try PartyPlanStore.find($0.id, on: connection) },
                names: try PersonNames.load(members: Array(Set(parties.map(\.hostID))), vault: vault, on: connection), typed: typed, errors: errors,
                mayWrite: mayWrite, csrfToken: csrfToken, now: now, language: language)
        }
        return try visit.blocks(
            model.blocks, current: path, notice: visit.done("parties", ["made", "plan", "canceled"]), status: errors.isEmpty ? .ok : .unprocessableContent)
    }
}

/// A day and a time of day as forms send them.
enum PartyTime {
    static func read(day: String, time: String, zone: Zone, now: Instant) -> Instant? {
        guard let day = TypedDay.read(day, today: zone.day(of: now)) else { return nil }
        let parts = time.split(separator: ":").map { Int64($0) }
        guard parts.count >= 2, let hour = parts[0], let minute = parts[1], (0...23).contains(hour), (0...59).contains(minute),
            let instant = try? zone.instant(at: (hour * 60 + minute) * 60_000, on: day), instant > now
        else { return nil }
        return instant
    }

    /// The field of the form that a refusal speaks of.
    static func field(of problem: Problem) -> String {
        switch problem.code {
        case "party_in_past": "day"
        case "no_party_plan": "program"
        case "member_not_active", "unknown_member", "too_many_parties": "host"
        default: problem.errors.contains { $0.field == "destination" } ? "destination" : problem.errors.contains { $0.field == "startsAt" } ? "day" : "host"
        }
    }
}
