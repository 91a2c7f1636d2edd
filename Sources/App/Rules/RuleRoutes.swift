import HTTPTypes
import Persistence
import Rules
import Web

enum RuleRoutes {
    static func add(to api: inout API) {
        api.read(
            "/programs/{id}/rules", id: "listRules", "Rules of a program, the newest version of each", tag: "Rules", access: .right(.programsRead),
            answer: .page(.reference("Rule"))
        ) { [installation = api.installation] _, context, caller in
            let id: ProgramID = try context.id()
            let rules = try await installation.main.read { connection -> [Rule] in
                guard try ProgramStore.exists(id, in: caller.workspaceID, on: connection) else { throw Refusal.unknownProgram() }
                return try RuleStore.all(of: id, on: connection)
            }
            let newest = Dictionary(grouping: rules, by: \.id).compactMap { $0.value.last }.sorted { $0.id < $1.id }
            return ListAnswer.response(newest, PageRequest(limit: PageRequest.maximumLimit), cursor: \.id.text, json: \.json)
        }
        api.write(
            .post, "/programs/{id}/rules", id: "createRule", "Add a commission or reward rule", tag: "Rules", access: .right(.programsWrite),
            body: .reference("RuleInput"), answer: .reference("Rule"), status: 201,
            decode: { body, context in (id: try context.id(ProgramKind.self), document: RuleDocument.read(body)) }
        ) { input, write in
            Answer(try Rule.create(input.document, program: input.id, in: write).json, status: 201)
        }
        api.write(
            .put, "/rules/{id}", id: "changeRule", "Write the next version of a rule", tag: "Rules", access: .right(.programsWrite),
            body: .reference("RuleInput"), answer: .reference("Rule"),
            decode: { body, context in (id: try context.id(RuleKind.self), document: RuleDocument.read(body)) }
        ) { input, write in Answer(try Rule.change(input.id, input.document, in: write).json) }
    }
}

extension Rule {
    var json: JSONValue {
        guard case .object(let members) = document else { return .null }
        return .object(
            [
                JSONMember("id", .text(id.text)), JSONMember("programId", .text(programID.text)),
                JSONMember("version", .integer(Int64(terms.version))),
            ] + members)
    }
}
