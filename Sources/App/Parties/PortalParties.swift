import Chronology
import Foundation
import Hummingbird
import Money
import Persistence
import Web

/// A member's own parties: the link to share, what was ordered, how far the next tier is; and a form for one more where the program allows it.
enum PortalParties {
    static let path = "/portal/parties"
    static let partiesMax = 50
    static let guestsMax = 500

    static func add(to api: inout API, gate: PortalGate) {
        api.portalPage("/portal/parties", gate) { visit in try await show(visit) }
        api.portalForm("/portal/parties", gate) { visit, fields in try await make(visit, fields) }
        api.portalForm("/portal/parties/cancellation", gate) { visit, fields in
            guard let id = fields["party"].flatMap({ PartyID($0) }) else { throw Problem.notFound() }
            let member = visit.member.id
            do {
                try await visit.write { write in _ = try Party.cancel(id, host: member, in: write) }
            } catch let problem as Problem where problem.code == "party_settled" {
                return try await show(visit, refused: visit.language("portalParties.refused.settled"))
            }
            return visit.seeOther("\(path)?done=canceled")
        }
    }

    private static func make(_ visit: PortalVisit, _ fields: FormFields) async throws -> Response {
        let (workspace, now, member) = (visit.workspaceID, visit.now, visit.member.id)
        func refuse(_ key: String) async throws -> Response { try await show(visit, refused: visit.language("portalParties.refused.\(key)"), typed: fields) }
        guard let id = fields["program"].flatMap({ ProgramID($0) }),
            let program = try await visit.installation.main.read({ try ProgramStore.find(id, in: workspace, at: now, on: $0) })
        else { throw Problem.notFound() }
        let (title, place) = (OneLine.folded(fields["title"] ?? ""), OneLine.folded(fields["place"] ?? ""))
        guard (1...Party.titleLengthMax).contains(title.unicodeScalars.count), place.unicodeScalars.count <= Party.placeLengthMax else { return try await refuse("title") }
        guard let startsAt = PartyTime.read(day: fields["day"] ?? "", time: fields["time"] ?? "", zone: program.zone, now: now) else {
            return try await refuse("day")
        }
        do {
            try await visit.write { write in
                guard let host = try MemberStore.find(member, in: write.workspace.id, on: write.connection) else { throw Problem.notFound() }
                // The shop is where the member's own links lead.
                let own = try LinkStore.list(in: write.workspace.id, program: id, member: member, after: nil, limit: 1, on: write.connection).first
                guard let destination = own?.destination ?? PortalShareModel.destination(program) else {
                    throw Problem.conflict(code: "no_link", detail: "Make a link first.")
                }
                _ = try Party.make(
                    Party.Draft(programID: id, title: title, place: place.isEmpty ? nil : place, startsAt: startsAt, destination: destination), host: host,
                    isByHost: true, in: write)
            }
        } catch let problem as Problem where problem.status == .conflict || problem.status == .unprocessableContent {
            return try await refuse(["no_link", "hosts_not_allowed", "too_many_parties"].contains(problem.code) ? problem.code : "other")
        }
        return visit.seeOther("\(path)?done=made")
    }

    private static func show(_ visit: PortalVisit, refused: String? = nil, typed: FormFields? = nil) async throws -> Response {
        let (member, workspace, now, language) = (visit.member, visit.workspaceID, visit.now, visit.language)
        let (csrfToken, base, vault) = (visit.csrfToken, visit.installation.publicURL(of: visit.workspaceID), visit.installation.vault)
        let model = try await visit.installation.main.read { connection -> PortalPartiesModel in
            let parties = try PartyStore.of(member.id, limit: partiesMax, on: connection)
            let programs = try PortalStore.programs(of: member.id, in: workspace, at: now, on: connection)
            let guests = try PartyGuestStore.of(parties.map(\.id), limit: guestsMax, on: connection)
            return PortalPartiesModel(
                parties: parties, guests: Dictionary(grouping: guests, by: \.partyID), counts: try PartyGuestStore.counts(parties.map(\.id), on: connection),
                names: try PersonStore.fields(of: guests.map(\.personID), [.name], vault: vault, on: connection).compactMapValues { $0[.name] },
                turnover: try PartyStore.turnover(parties.map(\.id), on: connection), programs: programs,
                open: try programs.filter { try PartyPlanStore.find($0.id, on: connection)?.membersMayHost ?? false }, refused: refused, typed: typed, base: base,
                csrfToken: csrfToken, now: now, language: language)
        }
        let notice = visit.query["done"].flatMap { ["made", "canceled"].contains($0) ? language("portalParties.done.\($0)") : nil }
        return try visit.page(
            "portal-parties", title: language("portalParties.title"), tab: .share, notice: notice, status: refused == nil ? .ok : .unprocessableContent,
            model.page)
    }
}

struct PortalPartiesModel: PageModel {
    var parties: [Party]
    var guests: [PartyID: [PartyGuest]]
    var counts: [PartyID: [PartyGuest.Answer: Int64]]
    var names: [PersonID: String]
    var turnover: [PartyID: Party.Turnover]
    var programs: [Program]
    /// Those whose members may host.
    var open: [Program]
    var refused: String?
    var typed: FormFields?
    var base: String
    var csrfToken: String
    var now: Instant
    var language: PageLanguage

    var page: PageObject {
        [
            "refused": PageValue(refused), "hasParties": .flag(!parties.isEmpty), "parties": PageValue(parties.map(row)),
            "form": open.isEmpty
                ? nil
                : [
                    "csrfToken": .text(csrfToken), "title": .text(typed?["title"] ?? ""), "place": .text(typed?["place"] ?? ""), "day": .text(typed?["day"] ?? ""),
                    "time": .text(typed?["time"] ?? "19:00"),
                    "programs": PageValue(
                        open.map { PageObject(["id": .text($0.id.text), "name": .text($0.name), "chosen": .flag($0.id.text == typed?["program"])]) }),
                ],
        ]
    }

    private func say(_ key: String, _ values: [String: String] = [:]) -> String { language("portalParties.\(key)", values) }

    private func row(_ party: Party) -> PageObject {
        let currency = programs.first { $0.id == party.programID }?.currency ?? "EUR"
        let unit = try? UnitCode(currency)
        func money(_ minor: Int64) -> String { unit.map { language.money(minor, $0) } ?? "" }
        let sold = turnover[party.id] ?? .none
        let state = party.state(at: now)
        let isOpen = state == .planned || state == .open
        let reward =
            state == .settled ? party.reward : state == .canceled ? nil : (try? PartyTier.reward(party.tiers, turnover: sold.minor, currency: currency)) ?? nil
        let next = isOpen ? party.tiers.first { $0.from > sold.minor } : nil
        let local = PageLanguage(messages: language.messages, zone: party.zone)
        return [
            "id": .text(party.id.text), "title": .text(party.title.isEmpty ? party.code : party.title), "state": .text(language("parties.state.\(state.rawValue)")),
            "when": .text(local.minute(party.startsAt)), "url": PageValue(isOpen ? base + PartyDoor.path + LocalPath.encoded(party.code) : nil),
            "orders": .text(language.plural("portalParties.orders", sold.orders)), "turnover": .text(money(sold.minor)),
            "reward": .text(reward.map { language.money($0.minor, $0.unit) } ?? "–"),
            "next": PageValue(
                next.map { tier in
                    let thousandths = max(0, sold.minor) * 1_000 / tier.from
                    return PageObject([
                        "missing": .text(say("missing", ["amount": money(tier.from - sold.minor)])), "gift": .text(gift(tier)), "width": .text("\(thousandths / 10)%"),
                        "bar": .text(say("bar", ["percent": language.integer(thousandths / 10)])),
                    ])
                }),
            "guests": .text(answers(party)), "hasNames": .flag(guests[party.id] != nil), "names": PageValue(named(party)),
            "cancel": isOpen ? ["csrfToken": .text(csrfToken), "id": .text(party.id.text), "label": .text(say("cancelOf", ["title": party.title]))] : nil,
        ]
    }

    private func answers(_ party: Party) -> String {
        var values: [String: String] = [:]
        for answer in PartyGuest.Answer.allCases { values[answer.rawValue] = language.integer(counts[party.id]?[answer] ?? 0) }
        return say("guests", values)
    }

    private func named(_ party: Party) -> [PageObject] {
        (guests[party.id] ?? []).map { guest in
            ["name": .text(names[guest.personID] ?? say("somebody")), "answer": .text(say("answer.\(guest.answer.rawValue)"))]
        }
    }

    private func gift(_ tier: PartyTier) -> String {
        switch tier.gift {
        case .share(let rate): language("parties.share", ["percent": rate.percentText])
        case .amount(let unit, let minor): language.money(minor, unit)
        }
    }
}
