import ArgumentParser
import Persistence
import Web

struct RecomputeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recompute",
        abstract: "Compute a run again from its stored facts and compare every byte; exit status 1 when it differs. Changes nothing.")

    @OptionGroup var options: DatabaseOptions
    @Argument(help: "The id of a run (run_…).") var run: String
    @Flag(help: "Compute and compare only; the command never writes, with or without it.") var dryRun = false
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let id = run
        try await plainly {
            guard let runID = RunID(id) else { throw Problem.notFound(detail: "\(id) is no id of a run (run_…).") }
            let archived = try await Commands.read(options.settings()) { stores in
                let run = try await stores.main.read { connection in try RunStore.find(runID, on: connection) }
                guard let run else { throw Problem.notFound(detail: "There is no run \(id).") }
                guard run.hash != nil, run.state != .draft else {
                    throw Problem.conflict(code: "not_previewed", detail: "The run \(id) has no result yet.")
                }
                return try await RunArchive.compute(run, stores.main)
            }
            let output = try archived.output
            let isSame = output.hash == archived.run.hash
            Commands.show(
                [
                    "runId": .text(id), "state": .text(archived.run.state.rawValue), "stored": .text(Hexadecimal.text(archived.run.hash ?? [])),
                    "computed": .text(Hexadecimal.text(output.hash)), "same": .boolean(isSame),
                    "total": .integer(output.totalMinor), "lines": .integer(Int64(output.lineCount)),
                ], json: json)
            guard isSame else {
                throw Problem.conflict(code: "recompute_differs", detail: "The run \(id) computes to other bytes than are stored. Run kith verify.")
            }
        }
    }
}
