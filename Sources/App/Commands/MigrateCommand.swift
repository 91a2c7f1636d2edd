import ArgumentParser
import Persistence
import Web

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Bring the database's schema up to date and print what was applied.")

    @OptionGroup var options: DatabaseOptions
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await plainly {
            let stores = try await Stores.open(options.settings())
            let applied: [(timeline: String, migration: Migration)]
            do {
                applied = try await Schema.migrate(stores)
            } catch {
                await stores.close()
                throw error
            }
            await stores.close()
            if json {
                let rows = applied.map { JSONValue.object([
                    JSONMember("timeline", .text($0.timeline)), JSONMember("number", .integer(Int64($0.migration.number))),
                    JSONMember("name", .text($0.migration.name)),
                ]) }
                Commands.show(["applied": .array(rows)], json: true)
            } else if applied.isEmpty {
                print("Nothing to apply: the schema is up to date.")
            } else {
                for (timeline, migration) in applied { print("applied \(timeline) \(migration.number) \(migration.name)") }
            }
        }
    }
}
