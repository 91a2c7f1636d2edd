import Chronology
import Foundation
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// A member's links: address, code to say, QR, and what they led to.
enum PortalShare {
    static func add(to api: inout API, gate: PortalGate) {
        api.portalPage("/portal/share", gate) { visit in try await show(visit, refused: nil) }
        PortalInvitations.add(to: &api, gate: gate)
        api.portalForm("/portal/links", gate) { visit, fields in try await make(visit, fields) }
        api.portalForm("/portal/recommendation", gate) { visit, fields in
            let (member, words) = (visit.member, String((fields["words"] ?? "").replacing("\r\n", with: " ").prefix(Recommendation.wordsLengthMax)))
            try await visit.write { write in try Recommendation.set(words, showsName: fields["showsName"] == "yes", of: member, in: write) }
            return visit.seeOther("/portal/share?done=words")
        }
    }

    static func show(
        _ visit: PortalVisit, refused: String?, invitation: PortalInvitations.Typed = PortalInvitations.Typed(), status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        let (member, workspace, now) = (visit.member, visit.workspaceID, visit.now)
        let vault = visit.installation.vault
        let (links, programs, shared, codes, said, letters, trials, hasParties, help) = try await visit.installation.main.read { connection in
            let programs = try PortalStore.programs(of: member.id, in: workspace, at: visit.now, on: connection)
            let ofLetters = try InvitationStore.links(of: member.id, on: connection)
            return (
                try LinkStore.list(in: workspace, program: nil, member: member.id, after: nil, limit: PortalPages.linksMax, on: connection)
                    .filter { !$0.isExpired(at: now) && !ofLetters.contains($0.id) }, programs, try FriendPageStore.shared(programs.map(\.id), on: connection),
                try Welcome.codes(of: member.id, in: programs, on: connection),
                try RecommendationStore.find(member, vault: vault, on: connection),
                try PortalInvitations.Facts.load(member, programs, at: visit.now, on: connection),
                try ShareTrial.load(of: member.id, in: programs, on: connection),
                try programs.contains { try PartyPlanStore.find($0.id, on: connection) != nil },
                try SurveyAnswerStore.help(for: member.personID, on: connection)
            )
        }
        if member.status == .active { try await trials.note(member.id, in: workspace, visit.installation) }
        let model = PortalShareModel(
            links: links, programs: programs, shared: shared, codes: codes, texts: trials.texts, said: said, letters: letters, invitation: invitation, hasParties: hasParties, help: help, workspaceName: visit.session.workspace.name, baseURL: visit.installation.publicURL(of: workspace),
            mayMake: member.status == .active, refused: refused, csrfToken: visit.csrfToken, language: visit.language)
        let notice = ["words": "wordsSaved", "invited": "invite.sent"][visit.query["done"] ?? ""].map { visit.language("portalShare.\($0)") }
        return try visit.page("portal-share", title: visit.language("portalFrame.share"), tab: .share, notice: notice, status: status, model.page)
    }

    /// A link to the company's first allowed host; the member may choose its word.
    private static func make(_ visit: PortalVisit, _ fields: FormFields) async throws -> Response {
        let member = visit.member
        guard member.status == .active else { throw Problem.forbidden(code: "member_not_active", detail: "Only an active member can have new links.") }
        let wanted = fields["code"].flatMap { $0.isEmpty ? nil : $0 }
        let workspace = visit.workspaceID
        let programs = try await visit.installation.main.read { connection in
            try PortalStore.programs(of: member.id, in: workspace, at: visit.now, on: connection)
        }
        guard let program = programs.first(where: { $0.id.text == fields["programId"] }) else { throw Problem.notFound() }
        guard let destination = PortalShareModel.destination(program) else {
            return try await show(visit, refused: visit.language("portalShare.noDestination"), status: .conflict)
        }
        do {
            _ = try await visit.write { write in
                try Link.create(
                    NewLink(
                        programID: program.id, member: .id(member.id), destination: destination, code: wanted, codeNeedsReferral: false, variants: [],
                        utm: []), in: write)
            }
        } catch let problem as Problem where problem.status == .unprocessableContent {
            let isTaken = problem.code == "code_taken"
            return try await show(
                visit, refused: visit.language(isTaken ? "portalShare.codeTaken" : "portalShare.codeRefused"), status: .unprocessableContent)
        }
        return visit.seeOther("/portal/share")
    }
}

struct PortalShareModel: PageModel {
    var links: [Link]
    var programs: [Program]
    /// Those whose members share the friend's page.
    var shared: Set<ProgramID>
    /// Those that take something off a friend's order at once.
    var codes: [ProgramID: String]
    /// What an experiment gives the member to say, in place of our own sentence.
    var texts: [ProgramID: String]
    var said: Recommendation?
    /// Nil where no program lets members write to friends.
    var letters: PortalInvitations.Facts?
    var invitation: PortalInvitations.Typed
    /// A program of theirs has parties.
    var hasParties: Bool
    /// They are unhappy and wait for the company: where they find help meanwhile, empty without an address.
    var help: String?
    var workspaceName: String
    var baseURL: String
    var mayMake: Bool
    var refused: String?
    var csrfToken: String
    var language: PageLanguage

    /// Where a member's own link leads: the first host that is a web site.
    static func destination(_ program: Program) -> String? {
        program.settings.allowedHosts.first { !$0.hasSuffix(":") && !$0.hasPrefix("*.") }.map { "https://\($0)/" }
    }

    var page: PageObject {
        let open = programs.filter { Self.destination($0) != nil }
        return [
            "refused": PageValue(refused), "hasLinks": .flag(!links.isEmpty), "links": PageValue(links.enumerated().map { link($1, isFirst: $0 == 0) }),
            "help": PageValue(help.map { SurveyCard.help($0, company: workspaceName, language) }),
            "invite": PageValue(mayMake && help == nil ? letters?.page(invitation, csrfToken: csrfToken, company: workspaceName, language: language) : nil),
            "form": mayMake && !open.isEmpty
                ? [
                    "csrfToken": .text(csrfToken), "single": open.count == 1 ? .text(open[0].id.text) : nil,
                    "choice": open.count > 1
                        ? ["programs": PageValue(open.map { PageObject(["value": .text($0.id.text), "label": .text($0.name)]) })] : nil,
                    "open": .flag(links.isEmpty),
                ] : nil,
            "parties": PageValue(hasParties ? PortalParties.path : nil),
            "recommendation": links.contains { shared.contains($0.programID) } && mayMake && help == nil
                ? [
                    "csrfToken": .text(csrfToken), "words": .text(said?.words ?? ""), "showsName": .flag(said?.showsName ?? true),
                    "hidden": .flag(said?.hiddenAt != nil), "maximum": .text(String(Recommendation.wordsLengthMax)),
                ] : nil,
            "cannot": PageValue(links.isEmpty && (open.isEmpty || !mayMake) ? language("portalShare.cannot") : nil),
        ]
    }

    private func link(_ link: Link, isFirst: Bool) -> PageObject {
        let url = shared.contains(link.programID) && link.host.isEmpty
            ? "\(baseURL)\(FriendDoor.path)\(LocalPath.encoded(link.code))" : link.url(baseURL: baseURL)
        let text = texts[link.programID].map { "\($0) \(url)" } ?? language("portalShare.message", ["workspace": workspaceName, "url": url])
        let disclosure = language("portalShare.disclosure")
        let whole = "\(text) \(disclosure)"
        return [
            "id": .text(link.id.text), "url": .text(url), "shown": .text(String(url.trimmingPrefix("https://").trimmingPrefix("http://"))),
            "code": .text(codes[link.programID] ?? link.code.uppercased()), "qrURL": .text("/r/\(Self.encoded(link.code))/qr.svg"),
            "qrPNG": .text("/r/\(Self.encoded(link.code))/qr.png"), "message": .text(text), "disclosure": .text(disclosure), "whole": .text(whole),
            "first": .flag(isFirst), "clicks": .text(language.plural("portalShare.clicks", link.clicks)),
            "program": .text(programs.first { $0.id == link.programID }?.name ?? ""),
            "channels": PageValue([
                channel("whatsapp", "https://wa.me/?text=\(Self.encoded(whole))"), channel("sms", "sms:?&body=\(Self.encoded(whole))"),
                channel("mail", "mailto:?subject=\(Self.encoded(workspaceName))&body=\(Self.encoded(whole))"),
            ]),
        ]
    }

    private func channel(_ name: String, _ url: String) -> PageObject {
        ["name": .text(name), "label": .text(language("portalShare.channel.\(name)")), "url": .text(url), "icon": .text("channel-\(name)")]
    }

    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")) ?? ""
    }
}
