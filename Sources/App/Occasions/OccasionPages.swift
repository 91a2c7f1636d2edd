import Chronology
import Foundation
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// Events that members are invited to, a form for one more, and each with its answers.
enum OccasionPages {
    static let path = "/occasions"
    static let rowsMax = 200
    static let answersMax = 500
    static let programsMax = 200

    static func add(to api: inout API, gate: PageGate) {
        api.page("/occasions", .programsRead, gate) { visit in try await list(visit) }
        api.form("/occasions", .programsWrite, gate) { visit, fields in try await make(visit, fields) }
        api.page("/occasions/{id}", .programsRead, gate) { visit in try await show(visit) }
        api.form("/occasions/{id}/cancellation", .programsWrite, gate) { visit, _ in
            let id: OccasionID = try visit.context.id()
            return try await change(visit, id, done: "canceled") { write in _ = try Occasion.cancel(id, in: write) }
        }
        api.form("/occasions/{id}/places", .programsWrite, gate) { visit, fields in
            let id: OccasionID = try visit.context.id()
            guard let places = visit.language.typedCount(fields["places"] ?? "", in: 1...Occasion.placesMax) else {
                return try await show(visit, refused: visit.language("occasions.error.places"))
            }
            return try await change(visit, id, done: "places") { write in _ = try Occasion.change(id, Occasion.Change(places: places), in: write) }
        }
        api.form("/occasions/{id}/attendance", .membersWrite, gate) { visit, fields in
            let id: OccasionID = try visit.context.id()
            let members = fields.all("member").prefix(OccasionAnswer.attendedMax).map { MemberID(stored: $0) }
            guard !members.isEmpty else { return try await show(visit, refused: visit.language("occasions.error.nobody")) }
            return try await change(visit, id, done: "attended") { write in _ = try OccasionAnswer.attend(Array(members), id, in: write) }
        }
    }

    private static func change(
        _ visit: PageVisit, _ id: OccasionID, done: String, _ verb: @escaping @Sendable (Write) throws -> Void
    ) async throws -> Response {
        do {
            try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights, verb)
        } catch let problem as Problem where problem.status == .conflict || problem.status == .unprocessableContent {
            let known = ["occasion_over", "occasion_not_begun", "places_fewer", "not_answered"].contains(problem.code)
            return try await show(visit, refused: visit.language("occasions.error.\(known ? problem.code : "other")"))
        }
        return visit.seeOther("\(path)/\(id.text)?done=\(done)")
    }

    private static func make(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let (workspace, now) = (visit.workspaceID, visit.now)
        guard let id = fields["program"].flatMap({ ProgramID($0) }),
            let program = try await visit.installation.main.read({ try ProgramStore.find(id, in: workspace, at: now, on: $0) })
        else { throw Problem.notFound() }
        var errors: [String: String] = [:]
        func say(_ key: String) -> String { visit.language("occasions.error.\(key)") }
        let title = OneLine.folded(fields["title"] ?? "")
        if !(1...Occasion.titleLengthMax).contains(title.unicodeScalars.count) { errors["title"] = say("title") }
        let description = fields["description"] ?? ""
        if description.unicodeScalars.count > Occasion.descriptionLengthMax { errors["description"] = say("description") }
        let place = OneLine.folded(fields["place"] ?? "")
        if place.unicodeScalars.count > Occasion.placeLengthMax { errors["place"] = say("place") }
        let startsAt = PartyTime.read(day: fields["day"] ?? "", time: fields["time"] ?? "", zone: program.zone, now: now)
        if startsAt == nil { errors["day"] = say("day") }
        let hours = visit.language.typedCount(fields["hours"] ?? "", in: 1...Occasion.durationMsMax / 3_600_000)
        if hours == nil { errors["hours"] = say("hours") }
        let placesText = fields["places"] ?? ""
        let places = visit.language.typedCount(placesText, in: 1...Occasion.placesMax)
        if !placesText.isEmpty, places == nil { errors["places"] = say("places") }
        guard errors.isEmpty, let startsAt, let hours else { return try await list(visit, typed: fields, errors: errors) }
        let draft = Occasion.Draft(
            programID: program.id, title: title, description: description, place: place.isEmpty ? nil : place, startsAt: startsAt,
            endsAt: Instant(millisecondsSince1970: startsAt.millisecondsSince1970 + hours * 3_600_000), places: places, invited: OccasionForm.invited(fields),
            earnAction: fields["earnAction"].flatMap { $0.isEmpty ? nil : $0 })
        do {
            let made = try await visit.installation.write(workspace, actor: visit.session.actor, rights: visit.session.rights) { write in
                try Occasion.make(draft, in: write)
            }
            return visit.seeOther("\(path)/\(made.id.text)?done=made")
        } catch let problem as Problem where problem.status == .conflict || problem.status == .unprocessableContent {
            let field = problem.errors.first?.field ?? ""
            return try await list(visit, typed: fields, errors: [field.hasPrefix("invited") ? "invited" : "day": say(field.hasPrefix("invited") ? "invited" : "day")])
        }
    }

    private static func list(_ visit: PageVisit, typed: FormFields? = nil, errors: [String: String] = [:]) async throws -> Response {
        let (workspace, now, language) = (visit.workspaceID, visit.now, visit.language)
        let (mayWrite, csrfToken) = (visit.session.may(.programsWrite), visit.csrfToken)
        let model = try await visit.installation.main.read { connection in
            let occasions = try OccasionStore.newest(in: workspace, limit: rowsMax, on: connection)
            let programs = try ProgramStore.list(in: workspace, at: now, after: nil, limit: programsMax, on: connection)
            return OccasionListModel(
                occasions: occasions, counts: try OccasionAnswerStore.counts(occasions.map(\.id), on: connection),
                form: mayWrite && !programs.isEmpty
                    ? try OccasionForm.load(programs, typed: typed, errors: errors, csrfToken: csrfToken, language: language, on: connection) : nil,
                programs: programs, isRefused: !errors.isEmpty, now: now, language: language)
        }
        return try visit.blocks(model.blocks, current: path, status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    private static func show(_ visit: PageVisit, refused: String? = nil) async throws -> Response {
        let id: OccasionID = try visit.context.id()
        let (workspace, vault) = (visit.workspaceID, visit.installation.vault)
        let (mayChange, mayMark) = (visit.session.may(.programsWrite), visit.session.may(.membersWrite))
        let (language, csrfToken, now) = (visit.language, visit.csrfToken, visit.now)
        let model = try await visit.installation.main.read { connection -> OccasionModel in
            guard let occasion = try OccasionStore.find(id, in: workspace, on: connection) else { throw Problem.notFound() }
            let answers = try OccasionAnswerStore.list(of: id, limit: answersMax, on: connection)
            return OccasionModel(
                occasion: occasion, program: try ProgramStore.find(occasion.programID, in: workspace, at: now, on: connection)?.name ?? "", answers: answers,
                counts: try OccasionAnswerStore.counts([id], on: connection)[id] ?? [:],
                tiers: try StandingStore.tiers(of: occasion.programID, on: connection), groups: try GroupStore.list(in: occasion.programID, on: connection),
                action: try occasion.earnActionID.flatMap { try EarnActionStore.find($0, in: workspace, on: connection) },
                names: try PersonNames.load(members: answers.map(\.memberID), vault: vault, on: connection), refused: refused, mayChange: mayChange,
                mayMark: mayMark, csrfToken: csrfToken, now: now, language: language)
        }
        return try visit.blocks(
            model.blocks, current: path, notice: visit.done("occasions", ["made", "canceled", "places", "attended"]),
            status: refused == nil ? .ok : .unprocessableContent)
    }
}
