import Hummingbird
import Persistence
import Web

/// Making a member by hand, with a link to share.
enum MemberForm {
    static let path = "/members/new"

    static func add(to api: inout API, gate: PageGate) {
        api.page("/members/new", .membersWrite, gate) { visit in try await show(visit, Typed(program: visit.query["program"] ?? "")) }
        api.form("/members/new", .membersWrite, gate) { visit, fields in
            try await take(
                visit,
                Typed(
                    program: fields["program"] ?? "", name: OneLine.folded(fields["name"] ?? ""), email: fields["email"] ?? "",
                    destination: fields["destination"] ?? "", code: fields["code"] ?? ""))
        }
    }

    private struct Typed: Sendable {
        var program = ""
        var name = ""
        var email = ""
        var destination = ""
        var code = ""
    }

    private static func take(_ visit: PageVisit, _ typed: Typed) async throws -> Response {
        var errors: [String: String] = [:]
        func say(_ key: String) -> String { visit.language("memberNew.error.\(key)") }
        let program = ProgramID(typed.program)
        if program == nil { errors["program"] = say("program") }
        if !typed.name.isName { errors["name"] = say("name") }
        let email = Normalised.email(typed.email)
        if email == nil { errors["email"] = say("email") }
        if typed.destination.isEmpty { errors["destination"] = say("destination") }
        guard errors.isEmpty, let program, let email else { return try await show(visit, typed, errors: errors) }
        do {
            let link = try await visit.installation.write(visit.workspaceID, actor: visit.session.actor, rights: visit.session.rights) { write in
                try Member.enrollWithLink(
                    typed.name, email: email, program: program, destination: typed.destination, code: typed.code.isEmpty ? nil : typed.code, in: write)
            }
            return visit.seeOther("/links/\(link.id.text)?made=1")
        } catch let problem as Problem where problem.status == .unprocessableContent {
            let field = problem.errors.first?.field ?? ""
            let key = field == "code" ? (problem.code == "code_taken" ? "codeTaken" : "code") : field == "destination" ? "destination" : "program"
            return try await show(visit, typed, errors: [field == "code" || field == "destination" ? field : "program": say(key)])
        }
    }

    private static func show(_ visit: PageVisit, _ typed: Typed, errors: [String: String] = [:]) async throws -> Response {
        let (workspace, now, language) = (visit.workspaceID, visit.now, visit.language)
        func say(_ key: String) -> String { language("memberNew.\(key)") }
        let programs = try await visit.installation.main.read { connection in
            try ProgramStore.list(in: workspace, at: now, after: nil, limit: MemberPages.programsMax, on: connection)
        }
        guard let chosen = programs.first(where: { $0.id.text == typed.program }) ?? programs.last else {
            return try visit.blocks(
                PageBlocks(
                    heading: say("title"), crumb: ("/members", language("members.title")), lead: language.sentence("memberNew.lead"),
                    blocks: [PageBlocks.Block(links: [PageBlocks.Link(url: "/programs/new", label: say("makeProgram"), style: "btn-primary")], empty: say("noProgram"))]),
                current: "/members")
        }
        let form = PageForm(
            action: path,
            fields: [
                FormField(
                    name: "program", label: say("program"), error: errors["program"],
                    control: .select(programs.map { FormField.Choice(value: $0.id.text, label: $0.name, isChosen: $0.id == chosen.id) })),
                .line("name", say("name"), typed.name, error: errors["name"], isRequired: true, lengthMax: 200),
                .line("email", say("email"), typed.email, type: "email", help: say("emailHelp"), error: errors["email"], isRequired: true, lengthMax: 254),
                .line(
                    "destination", say("destination"), typed.destination.isEmpty ? PortalShareModel.destination(chosen) ?? "" : typed.destination, type: "url",
                    help: say("destinationHelp"), error: errors["destination"], isRequired: true, lengthMax: Destination.lengthMax),
                .line("code", say("code"), typed.code, help: say("codeHelp"), error: errors["code"], isMono: true, lengthMax: Normalised.codeLengthMax),
            ], buttons: [PageForm.Button(label: say("submit"))], csrfToken: visit.csrfToken)
        return try visit.blocks(
            PageBlocks(
                heading: say("title"), crumb: ("/members", language("members.title")), lead: language.sentence("memberNew.lead"),
                refused: errors.isEmpty ? nil : say("refused"), blocks: [PageBlocks.Block(forms: [form])]),
            current: "/members", status: errors.isEmpty ? .ok : .unprocessableContent)
    }
}
