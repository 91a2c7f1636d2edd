import ArgumentParser
import Persistence
import Web

struct ErasePersonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase-person",
        abstract: "Erase a person for good: what names them goes from the database, its log and, with their key, from every backup.")

    @OptionGroup var options: DatabaseOptions
    @Argument(help: "The id of a person (per_…), member (mem_…) or customer (cus_…).") var id: String
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await plainly { Commands.show(try await Commands.write("erase-person", ["id": .text(id)], options.settings()), json: json) }
    }
}

extension CommandVerbs {
    static func erasePerson(_ reader: JSONReader, _ installation: Installation) async throws -> JSONValue {
        let id = reader.text("id", maximumLength: 100)
        try reader.finish()
        guard let (person, workspace) = try await installation.person(named: id) else {
            throw Problem.notFound(detail: "No person, member or customer has the id \(id).")
        }
        try await installation.erase(person: person, in: workspace, actor: .command)
        return ["personId": .text(person.text), "workspaceId": .text(workspace.text), "erased": true]
    }
}
