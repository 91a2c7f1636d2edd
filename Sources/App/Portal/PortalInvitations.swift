import Chronology
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// Letters that a member writes to friends from the page where they share.
enum PortalInvitations {
    /// Room for a few more addresses than are allowed, so that too many can be told apart from a mistake.
    private static let textLengthMax = 2_000

    /// What was typed, to be shown again when it was refused. It is kept nowhere else.
    struct Typed: Sendable {
        var programID: ProgramID?
        var emails = ""
        var words = ""
        var error: String?
    }

    static func add(to api: inout API, gate: PortalGate) {
        api.portalForm("/portal/invitations", gate) { visit, fields in try await send(visit, fields) }
    }

    private static func send(_ visit: PortalVisit, _ fields: FormFields) async throws -> Response {
        let text = String((fields["emails"] ?? "").prefix(textLengthMax))
        let emails = text.split { $0.isWhitespace || $0 == "," || $0 == ";" }.map(String.init)
        let input = FriendInvitationInput(
            programID: fields["programId"].flatMap { ProgramID($0) }, emails: emails, words: fields["words"] ?? "", isConfirmed: fields["confirmed"] == "yes")
        let member = visit.member
        let addresses = FriendInvitation.Addresses(visit.installation, of: visit.workspaceID)
        do {
            _ = try await visit.write { write in try FriendInvitation.send(input, by: member, addresses: addresses, in: write) }
        } catch let problem as Problem {
            guard let refusal = InvitationRefusal(problem) else { throw problem }
            var values = ["maximum": String(FriendInvitation.atOnceMax), "company": visit.session.workspace.name]
            let place = problem.errors.first?.field.split { $0 == "[" || $0 == "]" }.last.flatMap { Int($0) }
            values["address"] = place.flatMap { emails.indices.contains($0) ? emails[$0] : nil } ?? ""
            let typed = Typed(
                programID: input.programID, emails: text, words: String(input.words.prefix(FriendInvitation.wordsLengthMax * 2)),
                error: visit.language("portalShare.invite.error.\(refusal.rawValue)", values))
            return try await PortalShare.show(visit, refused: nil, invitation: typed, status: problem.status)
        }
        return visit.seeOther("/portal/share?done=invited")
    }

    /// The programs of a member that offer letters, and what came of theirs.
    struct Facts: Sendable {
        var programs: [Program]
        var counts: InvitationCounts

        static func load(_ member: Member, _ programs: [Program], at now: Instant, on connection: any Connection) throws -> Facts? {
            let offering = try FriendPageStore.inviting(programs.map(\.id), on: connection)
            guard !offering.isEmpty else { return nil }
            return Facts(programs: programs.filter { offering.contains($0.id) }, counts: try InvitationStore.counts(of: member.id, at: now, on: connection))
        }

        func page(_ typed: Typed, csrfToken: String, company: String, language: PageLanguage) -> PageObject {
            let brought = [
                language.plural("portalShare.invite.count.sent", counts.sent), language.plural("portalShare.invite.count.followed", counts.followed),
                language.plural("portalShare.invite.count.bought", counts.bought),
            ].joined(separator: " · ")
            return [
                "brought": PageValue(counts.sent > 0 ? brought : nil),
                "paused": PageValue(counts.isPaused ? language("portalShare.invite.paused", ["company": company]) : nil),
                "open": counts.isPaused
                    ? nil
                    : [
                        "lead": .text(language("portalShare.invite.lead", ["company": company])), "error": PageValue(typed.error), "csrfToken": .text(csrfToken),
                        "single": programs.count == 1 ? .text(programs[0].id.text) : nil,
                        "choice": programs.count > 1
                            ? [
                                "programs": PageValue(
                                    programs.map { PageObject(["value": .text($0.id.text), "label": .text($0.name), "chosen": .flag($0.id == typed.programID)]) })
                            ] : nil,
                        "emails": .text(typed.emails), "words": .text(typed.words), "maximum": .text(String(FriendInvitation.wordsLengthMax)),
                        "emailsHelp": .text(
                            language.plural("portalShare.invite.emailsHelp", counts.leftToday, ["maximum": String(FriendInvitation.atOnceMax)])),
                    ],
            ]
        }
    }
}
