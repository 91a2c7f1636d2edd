import Chronology
import Hummingbird
import NIOCore
import Persistence
import Web

/// Events a member is invited to: what, when, where, and whether they come.
enum PortalOccasions {
    static let path = "/portal/occasions"
    static let shownMax = 50

    static func add(to api: inout API, gate: PortalGate) {
        api.portalPage("/portal/occasions", gate) { visit in try await show(visit) }
        api.portalPage("/portal/occasions/{id}/calendar.ics", gate) { visit in try await calendar(visit) }
        api.portalForm("/portal/occasions", gate) { visit, fields in
            guard let id = fields["occasion"].flatMap({ OccasionID($0) }), let said = fields["answer"].flatMap({ OccasionAnswer.Said(rawValue: $0) }) else {
                throw Problem.notFound()
            }
            let member = visit.member
            do {
                let answer = try await visit.write { write in
                    guard let now = try MemberStore.find(member.id, in: write.workspace.id, on: write.connection) else { throw Problem.notFound() }
                    return try OccasionAnswer.give(said, to: id, by: now, in: write)
                }
                return visit.seeOther("\(path)?done=\(answer.kind.rawValue)")
            } catch let problem as Problem where problem.code == "occasion_over" {
                return try await show(visit, refused: visit.language("portalOccasions.refused"))
            } catch let problem as Problem where problem.code == "not_invited" {
                throw Problem.notFound()
            }
        }
    }

    /// What a member is invited to and is not over.
    static func invitations(_ member: MemberID, _ programs: [Program], at now: Instant, on connection: any Connection) throws -> [Occasion] {
        try OccasionStore.ahead(in: programs.map(\.id), at: now, limit: shownMax, on: connection).filter { occasion in
            try OccasionStore.isInvited(member, to: occasion, on: connection)
        }
    }

    private static func show(_ visit: PortalVisit, refused: String? = nil) async throws -> Response {
        let (member, workspace, now, language, csrfToken) = (visit.member.id, visit.workspaceID, visit.now, visit.language, visit.csrfToken)
        let model = try await visit.installation.main.read { connection -> PortalOccasionsModel in
            let programs = try PortalStore.programs(of: member, in: workspace, at: now, on: connection)
            let occasions = try invitations(member, programs, at: now, on: connection)
            return PortalOccasionsModel(
                occasions: occasions, answers: try OccasionAnswerStore.of(member, occasions.map(\.id), on: connection),
                counts: try OccasionAnswerStore.counts(occasions.map(\.id), on: connection), refused: refused, csrfToken: csrfToken, now: now, language: language)
        }
        let notice = visit.query["done"].flatMap { OccasionAnswer.Kind(rawValue: $0) }.map { language("portalOccasions.done.\($0.rawValue)") }
        return try visit.page(
            "portal-occasions", title: language("portalOccasions.title"), tab: .today, notice: notice, status: refused == nil ? .ok : .conflict, model.page)
    }

    private static func calendar(_ visit: PortalVisit) async throws -> Response {
        let id: OccasionID = try visit.context.id()
        let (member, workspace) = (visit.member.id, visit.workspaceID)
        let found = try await visit.installation.main.read { connection -> Occasion? in
            guard let occasion = try OccasionStore.find(id, in: workspace, on: connection), try OccasionStore.isInvited(member, to: occasion, on: connection) else {
                return nil
            }
            return occasion
        }
        guard let found else { throw Problem.notFound() }
        let text = CalendarFile(
            id: id.text, title: found.title, company: visit.session.workspace.name, place: found.place, startsAt: found.startsAt, endsAt: found.endsAt,
            address: visit.installation.publicURL(of: workspace) + path, isCanceled: found.canceledAt != nil, writtenAt: found.createdAt
        ).text
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/calendar; charset=utf-8", .contentDisposition: "attachment; filename=\"event.ics\"", .cacheControl: "no-store",
            ], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}

struct PortalOccasionsModel: PageModel {
    var occasions: [Occasion]
    var answers: [OccasionID: OccasionAnswer]
    var counts: [OccasionID: [OccasionAnswer.Kind: Int64]]
    var refused: String?
    var csrfToken: String
    var now: Instant
    var language: PageLanguage

    var page: PageObject {
        ["refused": PageValue(refused), "hasOccasions": .flag(!occasions.isEmpty), "occasions": PageValue(occasions.map(card))]
    }

    private func say(_ key: String, _ values: [String: String] = [:]) -> String { language("portalOccasions.\(key)", values) }

    private func card(_ occasion: Occasion) -> PageObject {
        let state = occasion.state(at: now)
        let mine = answers[occasion.id]?.kind
        let free = occasion.places.map { max(0, $0 - (counts[occasion.id]?[.yes] ?? 0)) }
        let left = free.map { $0 == 0 ? say("full") : language.plural("portalOccasions.left", $0) }
        let isOpen = state == .planned
        return [
            "id": .text(occasion.id.text), "title": .text(occasion.title), "text": PageValue(occasion.description.isEmpty ? nil : occasion.description),
            "when": .text(language.minute(occasion.startsAt)), "zone": .text(language.zone.name), "place": PageValue(occasion.place),
            "placeURL": PageValue(occasion.place.flatMap { $0.hasPrefix("https://") ? $0 : nil }),
            "state": .text(state == .planned ? mine.map { say("mine.\($0.rawValue)") } ?? say("open") : language("occasions.state.\(state.rawValue)")),
            "tone": .text(state == .planned && mine == .yes ? "good" : ""), "left": PageValue(isOpen && mine != .yes ? left : nil),
            "calendar": PageValue(state == .canceled ? nil : "\(PortalOccasions.path)/\(occasion.id.text)/calendar.ics"),
            "form": isOpen
                ? [
                    "csrfToken": .text(csrfToken), "id": .text(occasion.id.text), "mayYes": .flag(mine == nil || mine == .no), "mayNo": .flag(mine != .no),
                    "yesLabel": .text(free == 0 ? say("wait") : say("yes")), "yesOf": .text(say("yesOf", ["title": occasion.title])),
                    "noOf": .text(say("noOf", ["title": occasion.title])),
                ] : nil,
        ]
    }
}
