import Chronology
import HTTPTypes
import Hummingbird
import Persistence
import Web

/// Making a link by hand.
enum LinkForm {
    /// Members that the form offers; more are made links for by the API.
    static let membersMax = 500

    static func add(to api: inout API, gate: PageGate) {
        api.page("/links/new", .linksWrite, gate) { visit in
            try await page(visit, Typed(programID: visit.query["program"] ?? "", memberID: visit.query["member"] ?? ""), errors: [:])
        }
        api.form("/links", .linksWrite, gate) { visit, fields in try await take(visit, fields) }
    }

    /// What was written into the form.
    private struct Typed: Sendable {
        var programID = ""
        var memberID = ""
        var destination = ""
        var code = ""
        var expiresAt = ""
    }

    private static func take(_ visit: PageVisit, _ fields: FormFields) async throws -> Response {
        let typed = Typed(
            programID: fields["programId"] ?? "", memberID: fields["memberId"] ?? "", destination: fields["destination"] ?? "",
            code: fields["code"] ?? "", expiresAt: fields["expiresAt"] ?? "")
        var errors: [String: String] = [:]
        let language = visit.language
        guard let program = ProgramID(typed.programID) else {
            return try await page(visit, typed, errors: ["programId": language("linkNew.error.program")])
        }
        let member = MemberID(typed.memberID)
        if member == nil { errors["memberId"] = language("linkNew.error.member") }
        var expiresAt: Instant?
        if !typed.expiresAt.isEmpty {
            // A link ends with its last day, as the workspace counts days.
            expiresAt = language.typedDay(typed.expiresAt, now: visit.now).map { language.zone.start(of: $0.plus(days: 1)) }
            if expiresAt.map({ $0 <= visit.now }) ?? true { errors["expiresAt"] = language("linkNew.error.expires") }
        }
        if typed.destination.isEmpty { errors["destination"] = language("linkNew.error.destination") }
        guard errors.isEmpty, let member else { return try await page(visit, typed, errors: errors) }
        let input = NewLink(
            programID: program, member: .id(member), destination: typed.destination, code: typed.code.isEmpty ? nil : typed.code, host: nil, kind: nil,
            codeRate: nil, codeNeedsReferral: false, expiresAt: expiresAt, variants: [], utm: [])
        do {
            let link = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor) { write in
                try Link.create(input, in: write)
            }
            return visit.seeOther("/links/\(link.id.text)?made=1")
        } catch let problem as Problem where problem.status == .unprocessableContent {
            return try await page(visit, typed, errors: self.errors(problem, language))
        }
    }

    /// The refusals of the verb in the reader's words.
    private static func errors(_ problem: Problem, _ language: PageLanguage) -> [String: String] {
        Dictionary(
            problem.errors.map { error in
                switch (error.field, problem.code) {
                case ("code", "code_taken"): (error.field, language("linkNew.error.codeTaken"))
                case ("code", "reserved_code"): (error.field, language("linkNew.error.codeReserved"))
                case ("code", _): (error.field, language("linkNew.error.code"))
                case ("destination", _): (error.field, language("linkNew.error.destination"))
                case ("memberId", _): (error.field, language("linkNew.error.member"))
                default: ("programId", language("linkNew.error.program"))
                }
            }, uniquingKeysWith: { first, _ in first })
    }

    private static func page(_ visit: PageVisit, _ typed: Typed, errors: [String: String]) async throws -> Response {
        let workspace = visit.workspaceID
        let vault = visit.installation.vault
        let language = visit.language
        let (programs, members, names) = try await visit.installation.main.read { connection in
            let members = try MemberStore.list(in: workspace, program: nil, after: nil, limit: membersMax, on: connection)
            return (
                try ProgramStore.list(in: workspace, at: visit.now, after: nil, limit: LinkPages.programsMax, on: connection), members.map(\.id),
                try PersonNames.load(members: members.map(\.id), vault: vault, on: connection)
            )
        }
        let chosen = programs.first { $0.id.text == typed.programID } ?? programs.first
        let hosts = chosen?.settings.allowedHosts ?? []
        let people = members.map { (id: $0, name: names.member($0, language)) }.sorted { $0.name.lowercased() < $1.name.lowercased() }
        return try visit.page(
            "link-new", title: language("linkNew.title"), current: "/links", isNarrow: true, status: errors.isEmpty ? .ok : .unprocessableContent,
            [
                "refused": errors.isEmpty ? nil : .text(language("linkNew.refused")), "csrfToken": .text(visit.session.csrf(visit.installation).text()),
                "programs": PageValue(
                    programs.map { ["value": .text($0.id.text), "label": .text($0.name), "chosen": .flag($0.id == chosen?.id)] }),
                "programError": PageValue(errors["programId"]),
                "members": PageValue(
                    people.map { ["value": .text($0.id.text), "label": .text($0.name), "chosen": .flag($0.id.text == typed.memberID)] }),
                "memberError": PageValue(errors["memberId"]), "destination": .text(typed.destination),
                "destinationHelp": .text(
                    hosts.isEmpty
                        ? language("linkNew.destinationHelpAny")
                        : language.plural("linkNew.destinationHelp", Int64(hosts.count), ["hosts": hosts.listed(language)])),
                "destinationError": PageValue(errors["destination"]), "code": .text(typed.code), "codeError": PageValue(errors["code"]),
                "expiresAt": .text(typed.expiresAt), "expiresError": PageValue(errors["expiresAt"]),
            ])
    }
}
