import Chronology
import Foundation
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// Who waits to take part: what they wrote, and the decision.
enum ApplicationPages {
    static let perPage = 50

    static func add(to api: inout API, gate: PageGate) {
        api.page("/applications", .membersRead, gate) { visit in try await list(visit, refused: nil) }
        api.form("/applications/{id}/approval", .membersWrite, gate) { visit, _ in
            let id = try visit.context.id(ApplicationKind.self)
            let addresses = MagicLink.addresses(visit.installation, of: visit.workspaceID)
            _ = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor) { write in
                try Application.approve(id, signInURL: addresses, in: write)
            }
            return visit.seeOther("/applications")
        }
        api.form("/applications/{id}/decline", .membersWrite, gate) { visit, fields in
            let id = try visit.context.id(ApplicationKind.self)
            let reason = (fields["reason"] ?? "").trimmingCharacters(in: .whitespaces)
            guard (1...Application.reasonLengthMax).contains(reason.count) else { return try await list(visit, refused: id) }
            _ = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor) { write in
                try Application.decline(id, reason: reason, in: write)
            }
            return visit.seeOther("/applications")
        }
    }

    private struct Item: Sendable {
        var application: Application
        var name: String?
        var email: String?
        var program: String
        var answers: [String]
        var questions: [String]
        var hints: [ApplicationHint]
    }

    private static func list(_ visit: PageVisit, refused: ApplicationID?) async throws -> Response {
        let (workspace, vault) = (visit.workspaceID, visit.installation.vault)
        let after = visit.query["startingAfter"].flatMap { ApplicationID($0) }
        let language = visit.language
        let (items, pages, names, others) = try await visit.installation.main.read { connection -> ([Item], [JoinPage], PersonNames, [ApplicationID: String]) in
            let found = try ApplicationStore.list(in: workspace, state: .waiting, after: after?.text, limit: perPage + 1, on: connection)
            let fields = try PersonStore.fields(of: found.map(\.personID), [.name, .email], vault: vault, on: connection)
            let items = try found.map { application in
                let answers = try ApplicationStore.answers(of: application, vault: vault, on: connection)
                return Item(
                    application: application, name: fields[application.personID]?[.name], email: fields[application.personID]?[.email],
                    program: try ProgramStore.name(of: application.programID, in: workspace, on: connection) ?? "",
                    answers: answers.map(\.answer), questions: answers.map(\.question),
                    hints: try application.hints(email: fields[application.personID]?[.email], vault: vault, on: connection))
            }
            let hinted = Set(items.flatMap { $0.hints.flatMap(\.applicationIDs) })
            let programs = try ProgramStore.list(in: workspace, at: visit.now, after: nil, limit: LinkPages.programsMax, on: connection)
            return (
                items, try programs.compactMap { try JoinStore.page(of: $0.id, on: connection) },
                try PersonNames.load(members: found.compactMap(\.enrollerID) + items.flatMap { $0.hints.flatMap(\.memberIDs) }, vault: vault, on: connection),
                try ApplicationStore.names(of: Array(hinted), in: workspace, vault: vault, on: connection)
            )
        }
        let csrf = visit.session.csrf(visit.installation).text()
        let mayDecide = visit.session.may(.membersWrite)
        let open = pages.filter(\.isOpen)
        return try visit.page(
            "application-list", title: language("applications.title"), current: "/applications", isNarrow: true,
            status: refused == nil ? .ok : .unprocessableContent,
            [
                "tabs": [
                    "label": .text(language("applications.title")),
                    "tabs": PageValue(
                        PartnerPages.tabs("/applications", language).map {
                            PageObject(["url": .text($0.url), "label": .text($0.label), "current": .flag($0.isCurrent)])
                        }),
                ],
                "lead": items.isEmpty ? language.sentence("applications.lead.none") : language.sentence("applications.lead", count: Int64(min(items.count, perPage))),
                "hasItems": .flag(!items.isEmpty),
                "items": PageValue(
                    items.prefix(perPage).map { item in
                        let name = item.name ?? language("person.unknown")
                        return PageObject([
                            "name": .text(name), "initials": .text(Initials.of(name)), "email": PageValue(item.email), "program": .text(item.program),
                            "at": language.time(item.application.createdAt),
                            "enroller": PageValue(item.application.enrollerID.map { language("applications.by", ["name": names.member($0, language)]) }),
                            "source": PageValue(item.application.source), "hasHints": .flag(!item.hints.isEmpty),
                            "hints": PageValue(item.hints.map { hint($0, names, others, language) }),
                            "answers": PageValue(
                                zip(item.questions, item.answers).filter { !$0.1.isEmpty }.map { PageObject(["question": .text($0.0), "answer": .text($0.1)]) }),
                            "decide": mayDecide
                                ? [
                                    "approve": .text("/applications/\(item.application.id.text)/approval"),
                                    "decline": .text("/applications/\(item.application.id.text)/decline"), "csrfToken": .text(csrf),
                                    "id": .text(item.application.id.text),
                                    "reason": .text(
                                        language(
                                            pages.first { $0.programID == item.application.programID }?.tellsDeclined == false
                                                ? "applications.reasonKept" : "applications.reason")),
                                    "error": refused == item.application.id
                                        ? ["id": "reason-error", "text": .text(language("applications.error.reason"))] : nil,
                                ] : nil,
                        ])
                    }),
                "more": PageValue(items.count > perPage ? items[perPage - 1].application.id.text : nil),
                "empty": items.isEmpty
                    ? [
                        "text": .text(language(open.isEmpty ? "applications.empty.closed" : "applications.empty.open")),
                        "pages": PageValue(open.map { PageObject(["url": .text("/join/\($0.slug)")]) }),
                        "programs": open.isEmpty && visit.session.may(.programsRead) ? ["url": "/programs", "label": .text(language("navigation.programs"))] : nil,
                    ] : nil,
            ])
    }

    /// A hint in words, with those it is about.
    private static func hint(_ hint: ApplicationHint, _ names: PersonNames, _ others: [ApplicationID: String], _ language: PageLanguage) -> PageObject {
        let people = hint.memberIDs.map { names.member($0, language) } + hint.applicationIDs.map { others[$0] ?? language("person.unknown") }
        let shown = people.joined(separator: language("list.separator"))
        let text = language.plural("applications.hint.\(hint.kind.rawValue)", hint.count, ["names": shown, "domain": hint.domain ?? ""])
        return ["text": .text(text), "url": PageValue(hint.memberIDs.first.map { "/members/\($0.text)" })]
    }
}
