import Chronology
import HTTPTypes
import Money
import Persistence
import Web

enum ProgramRoutes {
    static func add(to api: inout API) {
        api.read(
            "/programs", id: "listPrograms", "Programs of the workspace", tag: "Programs", access: .right(.programsRead),
            parameters: APIParameter.page, answer: .page(.reference("Program"))
        ) { [installation = api.installation] request, _, caller in
            let page = try PageRequest.from(request, ProgramKind.self)
            let programs = try await installation.main.read { connection in
                try ProgramStore.list(in: caller.workspaceID, at: WorkspaceStore.now(of: caller.workspaceID, installation.world, on: connection), after: page.startingAfter, limit: page.limit + 1, on: connection)
            }
            return ListAnswer.response(programs, page, cursor: \.id.text, json: \.json)
        }
        api.read(
            "/programs/{id}", id: "getProgram", "A program with the settings in force", tag: "Programs", access: .right(.programsRead),
            answer: .reference("Program")
        ) { [installation = api.installation] _, context, caller in
            let id: ProgramID = try context.id()
            let program = try await installation.main.read { connection in
                try ProgramStore.find(id, in: caller.workspaceID, at: WorkspaceStore.now(of: caller.workspaceID, installation.world, on: connection), on: connection)
            }
            guard let program else { throw Refusal.unknownProgram() }
            return ListAnswer.one(program.json)
        }
        api.write(
            .post, "/programs", id: "createProgram", "Make a program", tag: "Programs", access: .right(.programsWrite),
            body: .reference("ProgramInput"), answer: .reference("Program"), status: 201, decode: { body, _ in readNew(body) }
        ) { input, write in Answer(try Program.create(input, in: write).json, status: 201) }
        api.write(
            .patch, "/programs/{id}", id: "changeProgram", "Change a program from now on, or from a time on", tag: "Programs",
            access: .right(.programsWrite), body: .object([.optional("name", .string(maximumLength: 200)), .optional("timezone", .text)] + Schemas.settings + [.optional("effectiveFrom", .dateTime)]),
            answer: .reference("Program"), afterwards: { [index = api.installation.linkIndex] in index.forgetAll() },
            decode: { body, context in
                // The settings are read over those in force, inside the write: here only their form is checked.
                _ = ProgramSettings.read(body)
                return ProgramChange(
                    id: try context.id(), name: body.optionalName("name", maximumLength: 200), zone: body.optionalCustom("timezone", Zone.read),
                    effectiveFrom: body.optionalCustom("effectiveFrom", Instant.read), fields: body.members)
            }
        ) { input, write in
            let change = Program.Change(
                name: input.name, zone: input.zone, fields: input.fields.filter { !["name", "timezone", "effectiveFrom"].contains($0.name) },
                effectiveFrom: input.effectiveFrom)
            let program = try Program.change(input.id, change, in: write)
            return Answer(program.json)
        }
    }

    private struct ProgramChange: Sendable {
        var id: ProgramID
        var name: String?
        var zone: Zone?
        var effectiveFrom: Instant?
        var fields: [JSONMember]
    }

    private static func readNew(_ body: JSONReader) -> NewProgram {
        NewProgram(
            name: body.name("name", maximumLength: 200),
            currency: body.custom("currency", standIn: "EUR") { Currency.read($0).map(\.code) },
            zone: body.optionalCustom("timezone", Zone.read) ?? .utc, settings: ProgramSettings.read(body))
    }
}

extension Currency {
    static func read(_ value: JSONValue) -> JSONReader.Reading<Currency> {
        guard case .text(let code) = value, let currency = Currency(code: code) else { return .refused("Must be an ISO 4217 code such as EUR.") }
        return .accepted(currency)
    }
}

extension Zone {
    static func read(_ value: JSONValue) -> JSONReader.Reading<Zone> {
        guard case .text(let name) = value, let zone = Zone(name) else {
            return .refused("Must be an IANA time zone such as Europe/Berlin, or UTC.")
        }
        return .accepted(zone)
    }
}

extension Program {
    var json: JSONValue {
        guard case .object(let members) = settings.json else { return .null }
        return .object(
            [
                JSONMember("id", .text(id.text)), JSONMember("name", .text(name)), JSONMember("slug", .text(slug)),
                JSONMember("currency", .text(currency)), JSONMember("timezone", .text(zone.name)), JSONMember("version", .integer(Int64(version))),
                JSONMember("createdAt", .text(createdAt.rfc3339)),
            ] + members)
    }
}
